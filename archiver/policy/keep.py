"""The keep verdict: how an answer is stored and who may see it, from its signals and the policy's lines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from archiver.model import Access, Candidate, Elements, Exchange, Keep, Kind, Lane, Reason
from archiver.policy.profiles import Profile
from archiver.policy.signals import NO_SIGNALS, Carriers, Evidence, PageSignals, collect, names_of, read
from archiver.policy.signals.carriers import TDM
from archiver.policy.signals.tdmrep import UNSET

REMEMBERED = 512
_PLAIN = Keep()
_NOT_KEPT = frozenset({"noarchive", "nocache"})
_PRIVATE_REQUEST = frozenset({b"cookie", b"authorization"})
_ACCESS = {"dark": Access.DARK, "drop-body": Access.DARK, "restricted": Access.RESTRICTED}
_LEGAL = 451
_BLOCKED = frozenset({402, 403, _LEGAL})


class _Verdict(NamedTuple):
    access: Access
    drop_body: bool
    reason: Reason
    rule: str


_OPEN = _Verdict(Access.OPEN, False, Reason.ALLOWED, "")


class Judge:
    """Called once a response, and once more when the document's elements are known; the second verdict replaces.

    Pages of a site carry the same signals: equal ones are judged once.
    """

    def __init__(self, profile: Profile, agents: Sequence[str]) -> None:
        self._lines = profile.signals
        self._agents = tuple(agents)
        self._names = frozenset({"robots", *TDM}) | names_of(self._agents)
        self._known: dict[tuple[Carriers | None, bool, int], Keep] = {}

    def concerns(self, elements: Elements) -> bool:
        """Whether any of these could change the verdict; on most pages none does."""
        return bool(elements.licenses) or any(name in self._names for name, _ in elements.metas)

    def __call__(self, candidate: Candidate, exchange: Exchange, elements: Elements, robots: Any) -> Keep:
        """robots.txt is evidence for every decision and always kept open; everything else follows its signals."""
        if candidate.kind is Kind.ROBOTS:
            return _PLAIN
        carriers = collect(
            headers=exchange.headers,
            meta=elements.metas,
            links=elements.licenses,
            agents=self._agents,
            url=candidate.url,
            robots=robots,
            tdm_file=UNSET,
            strict=True,
        )
        credentialed = bool(candidate.headers) and _is_ours(candidate)
        status = exchange.status if exchange.status in _BLOCKED else 0
        if carriers is None and not credentialed and not status:
            return _PLAIN
        return self._remembered(carriers, credentialed, status)

    def _remembered(self, carriers: Carriers | None, credentialed: bool, status: int) -> Keep:
        key = (carriers, credentialed, status)
        keep = self._known.get(key)
        if keep is None:
            keep = self._keep(*key)
            if carriers is None or carriers.may_be_remembered:
                if len(self._known) >= REMEMBERED:
                    self._known.clear()
                self._known[key] = keep
        return keep

    def _keep(self, carriers: Carriers | None, credentialed: bool, status: int) -> Keep:
        found = NO_SIGNALS if carriers is None else read(carriers)
        verdict = self._verdict(found, credentialed, status)
        image_unlisted = carriers is not None and carriers.image and "noimageindex" in found.rules
        noted = found.flags if self._lines.cache_control == "flag" else found.flags & {"memento"}
        return Keep(
            access=verdict.access,
            drop_body=verdict.drop_body,
            reason=verdict.reason,
            rule=verdict.rule,
            listed=not (found.noindex or image_unlisted),
            follow=not (found.nofollow and self._lines.nofollow == "obey"),
            expires=found.expires if self._lines.unavailable_after == "expire" else None,
            usage={name: label for name, label in found.usage_json.items() if label["value"] != "unknown"},
            signals=tuple(one.as_dict() for one in found.signals),
            flags=tuple(sorted(noted)),
            review=status != 0 and self._lines.blocked == "review",
        )

    def _verdict(self, found: PageSignals, credentialed: bool, status: int) -> _Verdict:
        """The strictest first: what the page asks of archives, then our own credentials, then what it asks of lists."""
        deciding = next((one for one in found.signals if _forbids_archive(one)), None)
        if deciding is not None:
            wish = self._lines.noarchive
            verdict = _Verdict(_ACCESS[wish], wish == "drop-body", Reason.NOARCHIVE, _quoted(deciding))
            if verdict.access is Access.DARK or not credentialed:
                return verdict
        if credentialed:
            return _Verdict(Access.RESTRICTED, False, Reason.CREDENTIALED, "the request carried credentials")
        if found.noindex and self._lines.noindex == "reading-room":
            says = next(one for one in found.signals if _binds(one) and "noindex" in one.parsed["rules"])
            return _Verdict(Access.RESTRICTED, False, Reason.NOINDEX, _quoted(says))
        if status == _LEGAL:
            return _OPEN._replace(reason=Reason.UNAVAILABLE_FOR_LEGAL_REASONS, rule=_why_blocked(found))
        return _OPEN


def _is_ours(candidate: Candidate) -> bool:
    """Credentials of the operator's. Those that a page's own scripts or cookies add in a browser with a jar of its own,
    empty at first, are what the site gives to anybody."""
    return candidate.lane is Lane.HTTP and any(name.lower() in _PRIVATE_REQUEST for name, _ in candidate.headers)


def _quoted(one: Evidence) -> str:
    return f"{one.kind}: {one.raw.strip()}"


def _binds(one: Evidence) -> bool:
    return one.kind == "x-robots-tag" or one.kind.startswith("meta ")


def _forbids_archive(one: Evidence) -> bool:
    """noarchive, and nocache, Bing's word for it. `none` is noindex and nofollow only (Google's table of rules)."""
    return _binds(one) and not _NOT_KEPT.isdisjoint(one.parsed.get("rules", ()))


def _why_blocked(found: PageSignals) -> str:
    """RFC 7725, 4: `Link rel=blocked-by` names who had it blocked."""
    by = next((one for one in found.signals if one.kind == "link blocked-by"), None)
    return "status 451" + (f", blocked by {by.parsed}" if by is not None else "")
