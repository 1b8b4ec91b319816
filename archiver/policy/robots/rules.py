"""All rules that bind one agent: the winner is the matching rule with most octets, Allow before Disallow on a tie
(RFC 9309, 2.2.2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from archiver.policy.robots.index import PatternIndex
from archiver.policy.robots.pattern import Mode, Pattern

_LINE_BITS = 20  # 512,000 octets hold fewer lines than 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class RobotsVerdict:
    """What robots.txt says about one URL.

    `group` is the token whose group applied, `*`, or None where no group does; `rule` the deciding line's value as the
    site wrote it (None = no rule matched), `line` its 1-based number.
    """

    allowed: bool
    group: str | None
    rule: str | None
    line: int | None
    mode: str


RawRule = tuple[int, bool, str]
"""A rule line before its path is normalised: line number, whether it allows, path."""


class Rule:
    """An Allow or Disallow line. `rank` orders all rules of a file: octets, then Allow, then the earlier line."""

    __slots__ = ("pattern", "rank", "raw", "verdict")

    def __init__(self, pattern: Pattern, raw: RawRule) -> None:
        self.pattern = pattern
        self.raw = raw
        self.rank = ((pattern.octets << 1 | raw[1]) << _LINE_BITS) - raw[0]
        self.verdict: RobotsVerdict | None = None  # made when it first wins


class RuleSet:
    """The merged rules of one agent. Build once, ask often."""

    def __init__(self, raw: Iterable[RawRule], group: str | None, mode: Mode) -> None:
        self._best = PatternIndex(_compile(raw, mode)).best
        self.silent = RobotsVerdict(allowed=True, group=group, rule=None, line=None, mode=mode)

    def match(self, target: str) -> RobotsVerdict:
        """The verdict on a path and query already normalised for the mode."""
        best = self._best(target)
        return self.silent if best is None else best.verdict or self._say(best)

    def _say(self, rule: Rule) -> RobotsVerdict:
        line, allow, path = rule.raw
        silent = self.silent
        rule.verdict = RobotsVerdict(allowed=allow, group=silent.group, rule=path, line=line, mode=silent.mode)
        return rule.verdict


def _compile(raw: Iterable[RawRule], mode: Mode) -> Iterator[Rule]:
    for line in raw:
        _, allow, path = line
        yield Rule(Pattern(path, mode), line)
        if allow and mode == "google":
            # Google: allowing `/dir/index.htm...` allows `/dir/` too, with the weight of `/dir/$`.
            slash = path.rfind("/")
            if path.startswith("/index.htm", slash):
                yield Rule(Pattern(path[: slash + 1] + "$", mode), line)
