"""Which links a crawl follows: Browsertrix's scope types, exclusions, and the budgets that traps run into.

Patterns are RE2 (linear in the URL's length, whatever the pattern); what RE2 lacks is refused with the fix named.
They are searched in the URL as requested; prefixes, hosts and pages compare canonical keys (`archiver.urls`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import re2

from archiver import urls
from archiver.errors import ConfigError
from archiver.model import Candidate, Kind, Objection, Reason, Verdict

_BARE = ("https://www.", "http://www.", "https://", "http://")
_CALENDAR = re.compile(
    r"[?&](?:[a-z_-]*(?:date|month|year|week|calendar|day)[a-z_-]*)=|[?&=](?:19|20|21)\d\d-(?:0[1-9]|1[0-2])",
    re.IGNORECASE,
)
_LONGEST_GROUP = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class TrapLimits:
    """Past these a URL is taken for a trap (`trap:<rule>` in the ledger). 0 turns a rule off.

    `length` counts characters of the URL, `depth` its folders, `parameters` those of its query; `repeats` how often one
    folder may stand behind itself (a group of two to eight folders: once less); `calendar` how many different queries
    that look like dates one path may have in a job (a resumed job counts afresh).
    """

    length: int = 4096
    depth: int = 40
    repeats: int = 4
    parameters: int = 60
    calendar: int = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeRules:
    """One seed's scope. `seed` is its URL; `depth` -1 = no bound.

    `prefix` (default): up to the last `/` of the seed's path; `host`: the seed's host and port; `domain`: the host and
    its subdomains, any port; `page` and `page-spa`: the seed alone (keys have no fragments, so a page's views are one
    page); `any`; `custom`: the seed and what `include` matches. `www.` and http/https make no difference, as in
    Browsertrix. `exclude` binds always, seeds and requisites too. `extra_hops` pages past the scope are still taken.
    """

    seed: str
    scope_type: str = "prefix"
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    depth: int = -1
    extra_hops: int = 0
    traps: TrapLimits = field(default_factory=TrapLimits)

    def compiled(self) -> Scope:
        """Raises ConfigError naming a pattern that RE2 does not take, or a seed that is no URL."""
        return Scope(self)


class Scope:
    """`check` objects to what is outside. It remembers nothing but the calendar pages it let pass: to ask again about
    a URL gives the same answer."""

    def __init__(self, rules: ScopeRules) -> None:
        self._rules = rules
        self._include = [_compile(pattern, "include") for pattern in rules.include]
        self._exclude = [_compile(pattern, "exclude") for pattern in rules.exclude]
        key = urls.canonical(rules.seed)
        if not key.startswith(_BARE):
            raise ConfigError(f"seeds: {urls.redacted(rules.seed)} is no http(s) URL; write it as https://example.org/")
        self._prefixes = _prefixes(key, rules.scope_type)
        self._host = urls.origin_of(key).host.removeprefix("www.")
        self._subdomain = f".{self._host}"
        self._calendars: dict[str, set[int]] = {}

    @property
    def host(self) -> str:
        """The seed's host without `www.`."""
        return self._host

    @property
    def keeps_to_host(self) -> bool:
        """Whether all that it takes in lies on its host or below it."""
        return self._rules.scope_type not in ("any", "custom") and not self._rules.extra_hops

    def excluded(self, url: str) -> Objection | None:
        """What `exclude` has against a URL of any kind."""
        for pattern, source in zip(self._exclude, self._rules.exclude, strict=True):
            if pattern.search(url):
                return _refuse(Reason.USER_EXCLUSION, f"exclude: {source}")
        return None

    def check(self, candidate: Candidate) -> Objection | None:
        """None = in scope; a seed is by being one. Requisites are bound by exclusions only, lists (sitemaps, feeds)
        not by the scope and its depth."""
        url = candidate.url
        objection = self.excluded(url) if self._exclude else None
        if objection is not None or candidate.kind is Kind.REQUISITE:
            return objection
        if not url.startswith(("https://", "http://")):
            return _refuse(Reason.UNSUPPORTED_SCHEME, f"{url.partition(':')[0][:40]} is neither http nor https")
        if "@" in url and urls.has_credentials(url):
            return _refuse(Reason.CREDENTIALS_IN_URL, "the URL holds a user name or password")
        if candidate.kind is Kind.SITEMAP:
            return self._trap(url, candidate.key)
        if not (candidate.seed or self.takes(url, candidate.key) or self._is_extra_hop(candidate)):
            return _refuse(Reason.OUT_OF_SCOPE, f"{self._rules.scope_type} of {self._rules.seed}")
        if 0 <= self._rules.depth < candidate.depth:
            return _refuse(Reason.DEPTH_LIMIT, f"depth {self._rules.depth}")
        return self._trap(url, candidate.key)

    def takes(self, url: str, key: str) -> bool:
        """Whether the scope itself, without extra hops, holds this URL (its *url* and *key* form)."""
        kind = self._rules.scope_type
        if kind in ("prefix", "host"):
            return key.startswith(self._prefixes)
        if kind == "any":
            return True
        if kind == "domain":
            host = urls.origin_of(key).host
            return host == self._host or host.endswith(self._subdomain)
        if kind == "custom" and any(pattern.search(url) for pattern in self._include):
            return True
        return key in self._prefixes

    def _is_extra_hop(self, candidate: Candidate) -> bool:
        """Whether the page it was found on is in scope, or is itself at most `extra_hops - 1` past it.

        How far past a page is stands in its hop path: `X` for each link that left the scope, at its end.
        """
        if not self._rules.extra_hops or candidate.via is None:
            return False
        past = _hops_past(candidate.path)
        if past == 0:
            return self.takes(candidate.via, urls.canonical(candidate.via))
        return past < self._rules.extra_hops

    def _trap(self, url: str, key: str) -> Objection | None:
        limits = self._rules.traps
        if 0 < limits.length < len(url):
            return _trapped("length", f"longer than {limits.length} characters")
        path, _, query = url.partition("?")
        slashes = path.count("/")
        if 0 < limits.depth < slashes - 3:
            return _trapped("depth", f"more than {limits.depth} folders deep")
        # three copies of two folders, or four of one, need at least this many; most paths end here
        if 0 < limits.repeats <= slashes - 2 and _repeats(path.split("/")[3:], limits.repeats):
            return _trapped("repeats", f"folders repeated {limits.repeats - 1} to {limits.repeats} times in a row")
        if not query:
            return None
        if 0 < limits.parameters <= query.count("&"):
            return _trapped("parameters", f"more than {limits.parameters} parameters")
        if limits.calendar and _CALENDAR.search(url, len(path)):
            return self._calendar(path, key)
        return None

    def _calendar(self, path: str, key: str) -> Objection | None:
        seen = self._calendars.setdefault(path, set())
        name = hash(key)
        if name in seen:
            return None
        if len(seen) >= self._rules.traps.calendar:
            return _trapped("calendar", f"more than {self._rules.traps.calendar} dates asked of {path}")
        seen.add(name)
        return None


def first_objection(objections: Sequence[Objection | None]) -> Objection | None:
    """Of what several scopes say about one URL: None when any takes it in, else the most telling objection."""
    found = [one for one in objections if one is not None]
    if len(found) < len(objections) or not found:
        return None
    return min(found, key=lambda one: _TELLING.index(one.reason) if one.reason in _TELLING else -1)


_TELLING = (Reason.USER_EXCLUSION, Reason.DEPTH_LIMIT, Reason.TRAP, Reason.OUT_OF_SCOPE)


def _prefixes(key: str, scope_type: str) -> tuple[str, ...]:
    """What an in-scope key begins with (or, for `page`, is), in every spelling of scheme and `www.`."""
    bare = next(key[len(start) :] for start in _BARE if key.startswith(start))
    if scope_type == "host":
        bare = bare.partition("/")[0] + "/"
    elif scope_type == "prefix":
        path = bare.partition("?")[0]
        bare = path[: path.rindex("/") + 1]
    return tuple(start + bare for start in _BARE)


def _hops_past(path: str) -> int:
    """How many links past the scope the page lies that a candidate with this hop path was found on."""
    links = path[:-1].rstrip("R")
    count = 0
    while links.endswith("X"):
        count += 1
        links = links[:-1].rstrip("R")
    return count


def _repeats(segments: list[str], most: int) -> bool:
    """Whether a group of folders stands in a row: one folder `most` times, two to eight `most - 1` times."""
    if len(segments) - len(set(segments)) < min(most - 1, 2):
        return False
    for size in range(1, min(_LONGEST_GROUP, len(segments) // max(most - 1, 2)) + 1):
        needed = size * ((most if size == 1 else max(most - 1, 2)) - 1)
        run = 0
        for one, other in zip(segments, segments[size:]):
            run = run + 1 if one == other and one else 0
            if run >= needed:
                return True
    return False


def _compile(pattern: str, name: str) -> re2._Regexp[str]:
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options=options)
    except re2.error as error:
        reason = error.args[0] if error.args else "not valid"
        text = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise ConfigError(
            f"{name}: {pattern!r} is no pattern that can be matched in linear time ({text}); "
            "use RE2 syntax: no look-around, no back-references"
        ) from error


def _refuse(reason: Reason, rule: str) -> Objection:
    return Objection(verdict=Verdict.REFUSE, reason=reason, rule=rule)


def _trapped(rule: str, words: str) -> Objection:
    return _refuse(Reason.TRAP, f"trap:{rule} ({words})")
