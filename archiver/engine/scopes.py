"""The scopes of all seeds as one rule: in scope is what any seed's scope takes in and does not exclude."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from archiver.model import Candidate, Kind, Objection, Reason
from archiver.policy.scope import ScopeRules, first_objection


class SeedScopes:
    """`check` for links found, `admit` for every request. Raises ConfigError for a pattern RE2 does not take."""

    def __init__(self, rules: Sequence[ScopeRules]) -> None:
        self._rules = tuple(rules)
        self._scopes = [one.compiled() for one in self._rules]

    def check(self, candidate: Candidate) -> Objection | None:
        """What to say about a link; None = in scope."""
        if len(self._scopes) == 1:
            return self._scopes[0].check(candidate)
        return first_objection([scope.check(candidate) for scope in self._scopes])

    def takes(self, url: str, key: str) -> bool:
        """Whether some scope holds this URL without extra hops."""
        return any(scope.takes(url, key) for scope in self._scopes)

    @property
    def has_extra_hops(self) -> bool:
        return any(rules.extra_hops for rules in self._rules)

    def admit(self, candidate: Candidate) -> Objection | None:
        """A `policy.decide.Rule`. A seed may lead anywhere (a redirect of what the user asked for), but into nothing
        excluded; requisites are bound by exclusions only."""
        if candidate.seed or candidate.kind is not Kind.DOCUMENT:
            objections = (scope.excluded(candidate.url) for scope in self._scopes)
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
