"""The keep verdict: how an answer is stored and who may see it, from its signals and the policy's lines."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from archiver.model import Access, Candidate, Exchange, Keep, Kind, Reason
from archiver.policy.profiles import Profile
from archiver.policy.signals import NO_SIGNALS, Evidence, PageSignals, page_signals

_PLAIN = Keep()
_WORDS = re.compile(r"[,:\s]+")
_PRIVATE_REQUEST = frozenset({b"cookie", b"authorization"})
_ACCESS = {"dark": Access.DARK, "drop-body": Access.DARK, "restricted": Access.RESTRICTED}


class Judge:
    """Called once a response, and once more when the page's meta elements are known; the second verdict replaces."""

    def __init__(self, profile: Profile, agents: Sequence[str]) -> None:
        self._lines = profile.signals
        self._agents = tuple(agents)
        self._names = frozenset({"robots", "tdm-reservation", "tdm-policy", *(agent.lower() for agent in agents)})

    def concerns(self, metas: Sequence[tuple[str, str]]) -> bool:
        """Whether any of these is one that `page_signals` reads; most pages have none."""
        return any(name.strip().lower() in self._names for name, _ in metas)

    def __call__(
        self, candidate: Candidate, exchange: Exchange, metas: Sequence[tuple[str, str]], robots: Any
    ) -> Keep:
        """robots.txt is evidence for every decision and always kept open; everything else follows its signals."""
        if candidate.kind is Kind.ROBOTS:
            return _PLAIN
        found = page_signals(
            headers=exchange.headers, meta=metas, agents=self._agents, url=candidate.url, robots=robots
        )
        credentialed = any(name.lower() in _PRIVATE_REQUEST for name, _ in candidate.headers)
        if found is NO_SIGNALS and not credentialed:
            return _PLAIN
        access, drop_body, reason, rule = self._access(found)
        if credentialed and access is Access.OPEN:
            access, reason, rule = Access.RESTRICTED, Reason.CREDENTIALED, "the request carried credentials"
        return Keep(
            access=access,
            drop_body=drop_body,
            reason=reason,
            rule=rule,
            listed=not found.noindex,
            follow=not (found.nofollow and self._lines.nofollow == "obey"),
            expires=found.expires if self._lines.unavailable_after == "expire" else None,
            usage={name: label for name, label in found.usage_json.items() if label["value"] != "unknown"},
            signals=tuple(one.as_dict() for one in found.signals),
        )

    def _access(self, found: PageSignals) -> tuple[Access, bool, Reason, str]:
        deciding = next((one for one in found.signals if _forbids_archive(one)), None)
        if deciding is None:
            return Access.OPEN, False, Reason.ALLOWED, ""
        wish = self._lines.noarchive
        rule = f"{deciding.kind}: {deciding.raw.strip()}"
        return _ACCESS[wish], wish == "drop-body", Reason.NOARCHIVE, rule


def _forbids_archive(one: Evidence) -> bool:
    """noarchive, nocache (Bing's word for it), and `none`, which sites write when they want nothing kept."""
    if one.kind != "x-robots-tag" and not one.kind.startswith("meta "):
        return False
    rules = set(one.parsed.get("rules", ()))
    if rules & {"noarchive", "nocache"}:
        return True
    return {"noindex", "nofollow"} <= rules and "none" in _WORDS.split(one.raw.lower())
