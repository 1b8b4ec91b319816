"""The scopes of all seeds as one rule: in scope is what any seed's scope takes in and does not exclude."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from archiver.model import Candidate, Kind, Objection, Reason
from archiver.policy.scope import Scope, ScopeRules, first_objection
from archiver.urls import origin_of


class SeedScopes:
    """`check` for links found, `admit` for every request. Raises ConfigError for a pattern RE2 does not take."""

    def __init__(self, rules: Sequence[ScopeRules]) -> None:
        self._rules = tuple(rules)
        self._scopes = [one.compiled() for one in self._rules]
        # ten thousand seeds are common: a URL is compared with those that could take it in, not with all
        self._anywhere = [scope for scope in self._scopes if not scope.keeps_to_host]
        self._by_host: dict[str, list[Scope]] = {}
        for scope in self._scopes:
            if scope.keeps_to_host:
                self._by_host.setdefault(scope.host, []).append(scope)
        distinct = {rules.exclude: scope for rules, scope in zip(self._rules, self._scopes, strict=True)}
        self._excluding = [scope for exclude, scope in distinct.items() if exclude]

    def check(self, candidate: Candidate) -> Objection | None:
        """What to say about a link; None = in scope."""
        if len(self._scopes) == 1:
            return self._scopes[0].check(candidate)
        near = self._near(candidate.origin.host)
        return first_objection([scope.check(candidate) for scope in near or self._scopes[:1]])

    def takes(self, url: str, key: str) -> bool:
        """Whether some scope holds this URL without extra hops."""
        return any(scope.takes(url, key) for scope in self._near(origin_of(key).host))

    def _near(self, host: str) -> list[Scope]:
        """The scopes that a URL of this host may lie in: those of the host and of the domains above it."""
        found = list(self._anywhere)
        name = host.removeprefix("www.")
        while name:
            found += self._by_host.get(name, ())
            name = name.partition(".")[2]
        return found

    @property
    def has_extra_hops(self) -> bool:
        return any(rules.extra_hops for rules in self._rules)

    def admit(self, candidate: Candidate) -> Objection | None:
        """A `policy.decide.Rule`. A seed may lead anywhere (a redirect of what the user asked for), but into nothing
        excluded; requisites are bound by exclusions only."""
        if candidate.seed or candidate.kind is not Kind.DOCUMENT:
            objections = (scope.excluded(candidate.url) for scope in self._excluding)
            return _as_redirect(candidate, next((one for one in objections if one is not None), None))
        return _as_redirect(candidate, self.check(candidate))

    @property
    def signature(self) -> str:
        """Names seeds and scopes: an interrupted crawl goes on only under the same ones."""
        text = "\n".join(repr(one) for one in self._rules)
        return hashlib.sha256(text.encode()).hexdigest()


def _as_redirect(candidate: Candidate, objection: Objection | None) -> Objection | None:
    """Browsertrix has a name of its own for a redirect that leads into what was excluded."""
    if objection is None or not candidate.hops or objection.reason is not Reason.USER_EXCLUSION:
        return objection
    return replace(objection, reason=Reason.REDIRECT_TO_EXCLUDED)
