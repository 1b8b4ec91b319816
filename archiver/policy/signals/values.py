"""What the signal readers take and give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from archiver.policy.preferences import Usage

LABELS = ("ai-train", "ai-input", "search", "tdm")
"""The usage labels of a capture. They describe; they never stop a fetch, a replay or a verification."""


class MetaTag(NamedTuple):
    """A `<meta name content>` element. A plain pair will do."""

    name: str
    content: str


class LinkTag(NamedTuple):
    """A `<link>` element: `rel` and `type` as written, `href` absolute or as written."""

    rel: str
    href: str
    type: str = ""


class Evidence(NamedTuple):
    """One signal as found and as read. `raw` keeps octets one by one (ISO 8859-1); `parsed` is JSON-able."""

    kind: str
    carrier: str
    raw: str
    parsed: Any

    def as_dict(self) -> dict[str, Any]:
        return {"kind": self.kind, "carrier": self.carrier, "raw": self.raw, "parsed": self.parsed}


@dataclass(frozen=True, slots=True)
class Label:
    """A usage label and what it rests on, e.g. `header content-usage`."""

    value: Usage
    sources: tuple[str, ...] = ()


NO_LABEL = Label(Usage.UNKNOWN)
NO_LABELS: Mapping[str, Label] = MappingProxyType(dict.fromkeys(LABELS, NO_LABEL))
_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSignals:
    """Everything a response says about its own use, for our agent.

    `rules`: the effective robots rules (X-Robots-Tag and meta, generic and our token, summed). `params`: values of
    `max-*`. `unknown`: rules without a meaning here, as written. `expires`: `unavailable_after`, the earliest.
    `tdm_reservation` 1, 0 or None, `tdm_policy` only with 1. `licenses`: RSL documents; `license_links`: other
    `rel=license` targets. `flags`: `cache-no-store`, `cache-private`, `memento`: they only flag, they never decide.
    """

    rules: frozenset[str] = frozenset()
    params: Mapping[str, int | str] = field(default_factory=lambda: _NOTHING)
    unknown: tuple[str, ...] = ()
    expires: datetime | None = None
    tdm_reservation: int | None = None
    tdm_policy: str | None = None
    licenses: tuple[str, ...] = ()
    license_links: tuple[str, ...] = ()
    usage: Mapping[str, Label] = field(default_factory=lambda: NO_LABELS)
    flags: frozenset[str] = frozenset()
    signals: tuple[Evidence, ...] = ()

    @property
    def usage_json(self) -> dict[str, Any]:
        """The labels as plain values: `{"ai-train": {"value": "disallow", "sources": [...]}, ...}`."""
        return {name: {"value": one.value.value, "sources": list(one.sources)} for name, one in self.usage.items()}

    @property
    def noarchive(self) -> bool:
        """`nocache` is Bing's word for it; both together are no weaker to an archive."""
        return "noarchive" in self.rules or "nocache" in self.rules

    @property
    def nofollow(self) -> bool:
        return "nofollow" in self.rules

    @property
    def noindex(self) -> bool:
        return "noindex" in self.rules


NO_SIGNALS = PageSignals()
"""The answer for most of the web."""
