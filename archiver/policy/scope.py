"""Which links a crawl follows: Browsertrix's scope types, exclusions, and the budgets that traps run into. Pure.

Patterns are RE2 (linear in the URL's length, whatever the pattern); what RE2 lacks is refused with the fix named.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import re2

from archiver.errors import ConfigError
from archiver.model import Candidate, Kind, Objection, Reason, Verdict

_BARE = ("https://www.", "http://www.", "https://", "http://")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrapLimits:
    """Past these a URL is taken for a trap (`trap:<rule>` in the ledger). Counts; `length` in characters."""

    length: int = 4096
    depth: int = 40
    repeats: int = 4
    parameters: int = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeRules:
    """One seed's scope. `seed` is its URL; `depth` -1 = no bound.

    `prefix` (default): up to the last `/` of the seed's path; `host`: the seed's host; `domain`: the host and its
    subdomains; `www.` and http/https make no difference, as in Browsertrix; `page` (and `page-spa`): the seed alone;
    `any`; `custom`: what `include` matches. `exclude` binds always, requisites too.
    """

    seed: str
    scope_type: str = "prefix"
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    depth: int = -1
    extra_hops: int = 0
    traps: TrapLimits = field(default_factory=TrapLimits)

    def compiled(self) -> Scope:
        """Raises ConfigError naming a pattern that RE2 does not take."""
        return Scope(self)


class Scope:
    """`check` objects to what is outside; stateless, so any number of visits may ask at once."""

    def __init__(self, rules: ScopeRules) -> None:
        self._rules = rules
        self._include = [_compile(pattern, "include") for pattern in rules.include]
        self._exclude = [_compile(pattern, "exclude") for pattern in rules.exclude]
        self._prefixes = _prefixes(rules)
        self._domain = "." + _bare_host(rules.seed)

    def excluded(self, url: str) -> Objection | None:
        """What `exclude` has against a URL of any kind."""
        for pattern, source in zip(self._exclude, self._rules.exclude, strict=True):
            if pattern.search(url):
                return _refuse(Reason.USER_EXCLUSION, f"exclude: {source}")
        return None

    def check(self, candidate: Candidate) -> Objection | None:
        """None = in scope. Requisites are bound by exclusions only."""
        objection = self.excluded(candidate.url) if self._exclude else None
        if objection is not None or candidate.kind is Kind.REQUISITE:
            return objection
        if not self._takes(candidate):
            return _refuse(Reason.OUT_OF_SCOPE, f"{self._rules.scope_type} of {self._rules.seed}")
        if 0 <= self._rules.depth < candidate.depth:
            return _refuse(Reason.DEPTH_LIMIT, f"depth {self._rules.depth}")
        return self._trap(candidate.url)

    def _takes(self, candidate: Candidate) -> bool:
        url, kind = candidate.url, self._rules.scope_type
        if kind == "any":
            return True
        if kind == "custom":
            return any(pattern.search(url) for pattern in self._include)
        if kind == "domain":
            return f".{candidate.origin.host}".endswith(self._domain)
        return url.startswith(self._prefixes) if kind in ("prefix", "host") else url in self._prefixes

    def _trap(self, url: str) -> Objection | None:
        limits = self._rules.traps
        if len(url) > limits.length:
            return _trapped("length", f"longer than {limits.length} characters")
        path, _, query = url.partition("?")
        if path.count("/") > limits.depth + 3:
            return _trapped("depth", f"more than {limits.depth} folders deep")
        if query.count("&") >= limits.parameters:
            return _trapped("parameters", f"more than {limits.parameters} parameters")
        # Four equal segments need at least this many slashes; most paths end here.
        if path.count("/") > limits.repeats + 2:
            segments = Counter(segment for segment in path.split("/")[3:] if segment)
            if segments and max(segments.values()) >= limits.repeats:
                return _trapped("repeats", f"a path segment repeated {limits.repeats} times")
        return None


def _prefixes(rules: ScopeRules) -> tuple[str, ...]:
    """What an in-scope URL begins with (or, for `page`, is), in every spelling of scheme and `www.`."""
    seed = rules.seed
    bare = next(seed[len(start) :] for start in _BARE if seed.startswith(start))
    if rules.scope_type == "host":
        bare = bare.partition("/")[0] + "/"
    elif rules.scope_type == "prefix":
        path = bare.partition("?")[0]
        bare = path[: path.rindex("/") + 1]
    return tuple(start + bare for start in _BARE)


def _bare_host(url: str) -> str:
    host = urlsplit(url).hostname or ""
    return host.removeprefix("www.").rstrip(".")


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


def first_objection(objections: Sequence[Objection | None]) -> Objection | None:
    """Of what several scopes say about one URL: None when any takes it in, else the most telling objection."""
    if any(one is None for one in objections):
        return None
    found = [one for one in objections if one is not None]
    return min(found, key=lambda one: _TELLING.index(one.reason) if one.reason in _TELLING else len(_TELLING))


_TELLING = (Reason.USER_EXCLUSION, Reason.DEPTH_LIMIT, Reason.TRAP, Reason.OUT_OF_SCOPE)
