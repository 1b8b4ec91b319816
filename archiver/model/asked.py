"""What is asked for, by whom, and what was decided about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from archiver.model.words import Access, Kind, Lane, Reason, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts (a person or a schedule) and through what (`cli`, `scrapy`, `api:<token name>`, `schedule:<id>`)."""

    name: str
    through: str = "cli"


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """What the user said about a job; stands in each of its ledger rows."""

    note: str = ""
    case: str = ""
    tags: tuple[str, ...] = ()


class Origin(NamedTuple):
    """(scheme, A-label host, effective port): the unit of robots.txt (RFC 9309, 2.3) and of pace."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        default = 443 if self.scheme == "https" else 80
        return f"{self.scheme}://{host}" if self.port == default else f"{self.scheme}://{host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A URL that something wants. `url` is absolute, WHATWG-serialised, without fragment; `key` its canonical form.

    `via` is the URL it was found on, `initiator` the document of the visit it belongs to, `path` the hop path in
    Heritrix letters (L link, R redirect, E embed, X speculative, P prerequisite, M listed in a sitemap or feed).
    """

    url: str
    key: str
    origin: Origin
    kind: Kind = Kind.DOCUMENT
    resource_type: str = "document"
    depth: int = 0
    via: str | None = None
    initiator: str | None = None
    path: str = ""
    lane: Lane = Lane.HTTP
    method: str = "GET"
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""
    seed: bool = False
    hops: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A candidate lent by the frontier. `fence` grows with each lending: a stale holder is told so at `complete`."""

    candidate: Candidate
    fence: int
    lease_until: float
    attempts: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Objection:
    """What one rule has against a candidate or a response; a rule can only object (see `policy`)."""

    verdict: Verdict
    reason: Reason
    rule: str = ""
    line: int | None = None
    evidence: str | None = None
    not_before: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The verdict on a candidate before the dial. `evidence` is the WARC-Record-ID it rests on (`urn:uuid:...`)."""

    verdict: Verdict
    reason: Reason
    rule: str = ""
    line: int | None = None
    evidence: str | None = None
    policy: str = ""
    not_before: datetime | None = None
    notes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def allowed(self) -> bool:
        return self.verdict is Verdict.ALLOW


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """The verdict on a response: how it is stored and who may see it. `rule` quotes the signal that decided.

    `listed` False = shown to who asks for the URL, in no public list; after `expires` the public sees it no more.
    `flags` note what decided nothing (`cache-no-store`, `cache-private`, `memento`); `review`: a person should look.
    """

    access: Access = Access.OPEN
    drop_body: bool = False
    reason: Reason = Reason.ALLOWED
    rule: str = ""
    listed: bool = True
    follow: bool = True
    expires: datetime | None = None
    usage: Mapping[str, Any] = field(default_factory=dict)
    signals: tuple[Mapping[str, Any], ...] = ()
    flags: tuple[str, ...] = ()
    review: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Elements:
    """What the elements of a document say about it, as written: `metas` hold (name in lower case, content) of
    `<meta name>`, `licenses` (rel, href, type) of links that name a licence."""

    metas: tuple[tuple[str, str], ...] = ()
    licenses: tuple[tuple[str, str, str], ...] = ()


NO_ELEMENTS = Elements()
