"""A parsed robots.txt: groups, the rules of an agent, and the records that are no access rules.

Only Allow and Disallow end a run of user-agent lines (RFC 9309, 2.2.4). The de facto records are also read the older
way, in which each of them ends the run: `Crawl-delay` under `User-agent: a` is not meant for the `User-agent: b` below.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TypeVar

from archiver.policy.preferences import ContentSignal, Usage
from archiver.policy.robots.directives import (
    RequestRate,
    Window,
    is_absolute,
    read_clean_param,
    read_delay,
    read_rate,
    read_window,
)
from archiver.policy.robots.lines import Kind, cut, records
from archiver.policy.robots.pattern import Mode, path_and_query, rfc_target
from archiver.policy.robots.rules import RawRule, RobotsVerdict, RuleSet
from archiver.policy.robots.usage import GroupPreferences

_token_start = re.compile(r"[A-Za-z_\-]*").match
_PREFERENCES = frozenset({Kind.CONTENT_USAGE, Kind.CONTENT_SIGNAL})
_MEMBERS = _PREFERENCES | {Kind.CRAWL_DELAY, Kind.REQUEST_RATE, Kind.VISIT_TIME}
_AGENT_SETS = 64

T = TypeVar("T")

Group = list[RawRule]
Values = list[tuple[Kind, str]]


class RobotsFile:
    """What a robots.txt says. Immutable after construction; asking it is cheap and never raises.

    Agents are product tokens in order of preference: the first that the file names decides, all its groups merged;
    if it names none of them, its `*` groups do; the two are never mixed (RFC 9309, 2.2.1).

    `truncated` = the file was longer than is read. File-global: `sitemaps` and `licenses` (RSL 1.0), absolute URLs in
    file order, `invalid_licenses` the other License values; `host` and `clean_param` are Yandex's, recorded only.
    `has_preferences` = some record speaks of usage or licences.
    """

    def __init__(self, data: bytes, mode: Mode) -> None:
        if mode not in ("rfc9309", "google"):
            raise ValueError(f"mode must be rfc9309 or google, not {mode!r}")
        self.mode: Mode = mode
        kept, self.truncated = cut(data)
        self._rules: dict[str, list[Group]] = {}
        self._values: dict[str, list[Values]] = {}
        self._usage: dict[str, list[Values]] = {}
        self._global: Values = []
        self.has_preferences = False
        self._implicit = mode == "rfc9309"
        self._target = rfc_target if mode == "rfc9309" else path_and_query
        self._sets: dict[tuple[str, ...], RuleSet] = {}
        self._preferences: dict[tuple[str, ...], GroupPreferences] = {}
        self._read(kept)
        self._read_globals()

    def _read(self, data: bytes) -> None:
        # Each run of user-agent lines shares these; `closed` says that the next user-agent line opens a new run.
        rules: Group = []
        shared: Values = []
        values: Values = []
        closed = values_closed = False
        google = self.mode == "google"
        for line, kind, value in records(data, self.mode):
            if kind is Kind.ALLOW or kind is Kind.DISALLOW:
                closed = values_closed = True
                # An empty value is no rule; other first characters can never match (RFC 9309, 2.2.2).
                if value[:1] in ("/", "*"):
                    rules.append((line, kind is Kind.ALLOW, value))
            elif kind is Kind.USER_AGENT:
                if closed:
                    rules, shared, closed = [], [], False
                if values_closed:
                    values, values_closed = [], False
                token = _google_token(value) if google else value.lower() if value.isascii() else ""
                self._rules.setdefault(token, []).append(rules)
                self._usage.setdefault(token, []).append(shared)
                self._values.setdefault(token, []).append(values)
            elif kind in _MEMBERS:
                if not self._rules:
                    continue  # before the first group: nobody's
                self.has_preferences |= kind in _PREFERENCES
                values_closed = True
                values.append((kind, value))
                shared.append((kind, value))
            else:
                self._global.append((kind, value))

    def _read_globals(self) -> None:
        """The records that belong to the whole file, wherever they stand."""
        of: dict[Kind, list[str]] = {}
        for kind, value in self._global:
            if value:
                of.setdefault(kind, []).append(value)
        licenses, params = of.get(Kind.LICENSE, []), of.get(Kind.CLEAN_PARAM, [])
        self.sitemaps = tuple(filter(is_absolute, of.get(Kind.SITEMAP, [])))
        self.has_preferences |= bool(licenses)
        self.licenses = tuple(filter(is_absolute, licenses))
        self.invalid_licenses = tuple(value for value in licenses if not is_absolute(value))
        self.host = next(iter(of.get(Kind.HOST, [])), None)
        self.clean_param = tuple(one for one in map(read_clean_param, params) if one is not None)

    def match(self, agents: Sequence[str], url: str) -> RobotsVerdict:
        """The verdict on `url` (absolute; only path and query count). `/robots.txt` is always allowed (2.2.2)."""
        rules = self._sets.get(agents) if type(agents) is tuple else None
        if rules is None:
            rules = self._rules_of(_as_tuple(agents))
        target = self._target(url)
        if self._implicit and target == "/robots.txt":
            return rules.silent
        return rules.match(target)

    def group(self, agents: Sequence[str]) -> str | None:
        """Which group binds: the token as given, `*`, or None where the file has neither."""
        for agent in _as_tuple(agents):
            if agent and agent.lower() in self._rules:
                return agent
        return "*" if "*" in self._rules else None

    def _rules_of(self, agents: tuple[str, ...]) -> RuleSet:
        found = self._sets.get(agents)
        if found is None:
            group = self.group(agents)
            merged = _distinct(self._rules, group)
            found = RuleSet([rule for one in merged for rule in one], group, self.mode)
            if len(self._sets) >= _AGENT_SETS:
                self._sets.clear()
            self._sets[agents] = found
        return found

    def _of(self, agents: Sequence[str], kind: Kind, where: dict[str, list[Values]] | None = None) -> list[str]:
        runs = _distinct(self._values if where is None else where, self.group(agents))
        return [value for one in runs for which, value in one if which is kind]

    def crawl_delay(self, agents: Sequence[str]) -> float | None:
        """Seconds between request starts; the largest where several are given."""
        delays = [read_delay(value) for value in self._of(agents, Kind.CRAWL_DELAY)]
        return max((delay for delay in delays if delay is not None), default=None)

    def request_rates(self, agents: Sequence[str]) -> tuple[RequestRate, ...]:
        """All rates, slowest first."""
        rates = [read_rate(value) for value in self._of(agents, Kind.REQUEST_RATE)]
        return tuple(sorted((rate for rate in rates if rate is not None), key=lambda rate: -rate.delay))

    def visit_times(self, agents: Sequence[str]) -> tuple[Window, ...]:
        """All opening hours, shortest first."""
        windows = [read_window(value) for value in self._of(agents, Kind.VISIT_TIME)]
        return tuple(sorted((window for window in windows if window is not None), key=lambda window: window.minutes))

    def request_rate(self, agents: Sequence[str]) -> RequestRate | None:
        """The slowest rate."""
        return next(iter(self.request_rates(agents)), None)

    def visit_time(self, agents: Sequence[str]) -> Window | None:
        """The shortest opening hours."""
        return next(iter(self.visit_times(agents)), None)

    def preferences(self, agents: Sequence[str]) -> GroupPreferences:
        """What the group says about usage, read once."""
        key = _as_tuple(agents)
        found = self._preferences.get(key)
        if found is None:
            readings = [self._of(key, Kind.CONTENT_USAGE, where) for where in (self._values, self._usage)]
            found = GroupPreferences(readings, self._of(key, Kind.CONTENT_SIGNAL), self.mode)
            if len(self._preferences) >= _AGENT_SETS:
                self._preferences.clear()
            self._preferences[key] = found
        return found

    def content_signal(self, agents: Sequence[str]) -> ContentSignal:
        """Cloudflare's signals of the group."""
        return self.preferences(agents).signal

    def content_usage(self, agents: Sequence[str], url: str) -> dict[str, Usage] | None:
        """aipref preferences for `url` by category; None where Disallow applies (draft-ietf-aipref-attach-05, 3)."""
        if not self.match(agents, url).allowed:
            return None
        return self.preferences(agents).usage(self._target(url))


@lru_cache(maxsize=16)
def _cached(data: bytes, mode: Mode) -> RobotsFile:
    return RobotsFile(data, mode)


def parse(robots_txt: bytes, mode: Mode = "rfc9309") -> RobotsFile:
    """Read a robots.txt: at most `MAX_BYTES`, cut at the last full line (`truncated` says so). Any bytes will do.

    Raises ValueError for an unknown mode only.
    """
    return RobotsFile(bytes(robots_txt), mode)


def evaluate(robots_txt: bytes, agents: Sequence[str], url: str, mode: Mode = "rfc9309") -> RobotsVerdict:
    """`parse(robots_txt, mode).match(agents, url)`; the last few files stay parsed, so asking again is cheap."""
    if type(agents) is list:
        agents = tuple(agents)
    return _cached(robots_txt if type(robots_txt) is bytes else bytes(robots_txt), mode).match(agents, url)


def _as_tuple(agents: Sequence[str]) -> tuple[str, ...]:
    return (agents,) if isinstance(agents, str) else tuple(agents)


def _google_token(value: str) -> str:
    """Google reads a token up to the first character that cannot be in one; `* anything` is `*`."""
    if value[:1] == "*" and (len(value) == 1 or value[1] in " \t\v\f"):
        return "*"
    found = _token_start(value)
    return found.group().lower() if found else ""


def _distinct(table: dict[str, list[T]], group: str | None) -> list[T]:
    """The runs of one token, each once though it may name the token twice."""
    runs = [] if group is None else table.get(group.lower(), [])
    return list({id(run): run for run in runs}.values())
