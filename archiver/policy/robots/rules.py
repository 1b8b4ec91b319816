"""All rules that bind one agent, arranged so that the winner for a URL is found without trying each of them.

The winner is the matching rule with most octets, Allow before Disallow on a tie (RFC 9309, 2.2.2). Plain prefixes are
kept sorted: of all prefixes of a URL the longest is reached from its place in the order in a few steps. Rules with `*`
hang under their literal head in the same way, and where many share a head, under letters that must occur: three, or
as many as the rule's longest piece has.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from archiver.policy.robots.pattern import Mode, Pattern

_LINE_BITS = 20  # 512,000 octets hold fewer lines than 2**20
_FEW = 8
_GRAM = 3


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
        plain: dict[str, Rule] = {}
        wild: dict[str, list[Rule]] = {}
        self._exact: dict[str, Rule] = {}
        for rule in _compile(raw, mode):
            pattern = rule.pattern
            if pattern.wild:
                wild.setdefault(pattern.head, []).append(rule)
                continue
            place = self._exact if pattern.anchored else plain
            known = place.get(pattern.head)
            if known is None or known.rank < rule.rank:
                place[pattern.head] = rule
        self.silent = RobotsVerdict(allowed=True, group=group, rule=None, line=None, mode=mode)
        self._heads, self._parents = _prefix_forest(plain)
        self._best = _best_on_path(self._heads, self._parents, plain)
        self._wild_heads, self._wild_parents = _prefix_forest(wild)
        self._wild = [_WildNode(wild[head]) for head in self._wild_heads]

    def match(self, target: str) -> RobotsVerdict:
        """The verdict on a path and query already normalised for the mode."""
        heads, parents = self._heads, self._parents
        best: Rule | None = None
        at = bisect_right(heads, target) - 1
        while at >= 0:
            if target.startswith(heads[at]):
                best = self._best[at]
                break
            at = parents[at]
        if self._exact:
            exact = self._exact.get(target)
            if exact is not None and (best is None or exact.rank > best.rank):
                best = exact
        if self._wild:
            best = self._match_wild(target, best)
        return self.silent if best is None else best.verdict or self._say(best)

    def _say(self, rule: Rule) -> RobotsVerdict:
        line, allow, path = rule.raw
        silent = self.silent
        rule.verdict = RobotsVerdict(allowed=allow, group=silent.group, rule=path, line=line, mode=silent.mode)
        return rule.verdict

    def _match_wild(self, target: str, best: Rule | None) -> Rule | None:
        heads, parents = self._wild_heads, self._wild_parents
        seen: dict[int, frozenset[str]] = {}
        at = bisect_right(heads, target) - 1
        while at >= 0:
            node = self._wild[at]
            if target.startswith(heads[at]):
                best = _first_match(node.always, target, best)
                for size, table in node.by_gram:
                    grams = seen.get(size)
                    if grams is None:
                        grams = seen[size] = _grams(target, size)
                    for gram in table.keys() & grams:
                        best = _first_match(table[gram], target, best)
            at = parents[at]
        return best


class _WildNode:
    """The wildcard rules under one literal head, best first; many of them are filed under a rare gram each.

    `by_gram` holds (size, gram -> rules), `always` the rules without any piece of text.
    """

    __slots__ = ("always", "by_gram")

    def __init__(self, rules: list[Rule]) -> None:
        rules.sort(key=lambda rule: -rule.rank)
        self.always = rules
        self.by_gram: tuple[tuple[int, dict[str, list[Rule]]], ...] = ()
        if len(rules) <= _FEW:
            return
        filed: dict[int, list[tuple[Rule, frozenset[str]]]] = {}
        for rule in rules:
            pieces = (*rule.pattern.middle, rule.pattern.last)
            size = min(_GRAM, max(map(len, pieces)))
            filed.setdefault(size, []).append((rule, frozenset().union(*(_grams(piece, size) for piece in pieces))))
        self.always = [rule for rule, _ in filed.pop(0, [])]
        self.by_gram = tuple((size, _by_rarest(some)) for size, some in filed.items())


def _by_rarest(rules: list[tuple[Rule, frozenset[str]]]) -> dict[str, list[Rule]]:
    """Each rule under the one of its grams that fewest others have."""
    frequency = Counter(gram for _, grams in rules for gram in grams)
    table: dict[str, list[Rule]] = {}
    for rule, grams in rules:
        table.setdefault(min(grams, key=lambda gram: (frequency[gram], gram)), []).append(rule)
    return table


def _first_match(rules: list[Rule], target: str, best: Rule | None) -> Rule | None:
    floor = -1 if best is None else best.rank
    for rule in rules:
        if rule.rank <= floor:
            return best
        if rule.pattern.matches(target):
            return rule
    return best


def _grams(text: str, size: int) -> frozenset[str]:
    return frozenset([text[at : at + size] for at in range(len(text) - size + 1)])


def _compile(raw: Iterable[RawRule], mode: Mode) -> Iterator[Rule]:
    for line in raw:
        _, allow, path = line
        yield Rule(Pattern(path, mode), line)
        if allow and mode == "google":
            # Google: allowing `/dir/index.htm...` allows `/dir/` too, with the weight of `/dir/$`.
            slash = path.rfind("/")
            if path.startswith("/index.htm", slash):
                yield Rule(Pattern(path[: slash + 1] + "$", mode), line)


def _prefix_forest(heads: Iterable[str]) -> tuple[list[str], list[int]]:
    """Heads in order, and for each the index of the longest other head that is its prefix (-1 = none)."""
    ordered = sorted(heads)
    parents: list[int] = []
    stack: list[int] = []
    for index, head in enumerate(ordered):
        while stack and not head.startswith(ordered[stack[-1]]):
            stack.pop()
        parents.append(stack[-1] if stack else -1)
        stack.append(index)
    return ordered, parents


def _best_on_path(heads: list[str], parents: list[int], rules: dict[str, Rule]) -> list[Rule]:
    """For each head the best rule among its own and those of its prefixes: a URL that has the head has them all."""
    best: list[Rule] = []
    for head, parent in zip(heads, parents, strict=True):
        rule = rules[head]
        if parent >= 0 and best[parent].rank > rule.rank:
            rule = best[parent]
        best.append(rule)
    return best
