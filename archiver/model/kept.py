"""What is written, where it lies, and what became of a page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from archiver.model.asked import Candidate, Decision, Keep, Objection
from archiver.model.wire import Exchange, Failure
from archiver.model.words import Access, Lane, Truncated


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureItem:
    """An exchange on its way into a WARC: response (or revisit), request, and the decision as `urn:policy:<url>`.

    Record ids are given (`urn:uuid:...`, without angle brackets), so that rows can cite a record before it is written.
    """

    exchange: Exchange
    response_id: str
    policy_json: bytes
    access: Access = Access.OPEN
    drop_body: bool = False
    dedupe: bool = True
    page_id: str | None = None
    resource_type: str | None = None
    hop_path: str = ""
    via: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentItem:
    """Any other record: `metadata`, `resource` or `conversion`, with a target URI of its own (`urn:policy:` ...).

    `about` goes into its header as `WARC-JSON-Metadata`.
    """

    type: str
    target: str
    content_type: str
    payload: bytes
    record_id: str
    date: datetime
    access: Access = Access.OPEN
    concurrent_to: str | None = None
    refers_to: str | None = None
    truncated: Truncated | None = None
    about: Mapping[str, Any] = field(default_factory=dict)


WarcItem = CaptureItem | DocumentItem


@dataclass(frozen=True, slots=True, kw_only=True)
class WarcRecordRef:
    """Where a record lies: file name (no folder), byte offset and length of its gzip member."""

    file: str
    offset: int
    length: int
    record_id: str
    type: str
    access: Access = Access.OPEN
    payload_digest: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedSegment:
    """A finished, fsynced, renamed WARC with its index. `sha256` is of the whole file, hex; sizes in bytes."""

    file: str
    path: str
    access: Access
    size: int
    sha256: str
    records: int
    cdxj_path: str
    cdxj_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObject:
    """An object that the store holds and that was read back or checksummed.

    `key`: as given to `put`; in a listing `sha256` is empty, since no store lists it.
    """

    uri: str
    sha256: str
    size: int
    key: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A requisite that is missing from a page, and why."""

    url: str
    type: str
    reason: str
    rule: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Completeness:
    """`complete`, `gaps` (some requisite is missing) or `document-only` (requisites were not asked for)."""

    verdict: str
    kept: int = 0
    refused: int = 0
    failed: int = 0
    matter: tuple[Gap, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentOutcome:
    """What happened to a consent notice; outcomes as listed in docs/consent."""

    outcome: str
    engine: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


class Status(StrEnum):
    """What became of a seed or page. `captured` survives a crash; `archived` is stored and checked."""

    ARCHIVED = "archived"
    CAPTURED = "captured"
    REFUSED = "refused"
    DEFERRED = "deferred"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlink:
    """A link found on a page, canonical, with its scope verdict already taken (None = in scope).

    `lastmod` is what a sitemap or feed says of it, as written.
    """

    candidate: Candidate
    objection: Objection | None = None
    lastmod: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A visit that ended: a document with its hops and requisites, as one transaction.

    `lane_why` is what the `lane` row says beside the lane; empty where there was nothing to say.
    """

    candidate: Candidate
    capture_id: str
    status: Status
    lane: Lane
    decision: Decision
    started_at: datetime
    seconds: float
    final_url: str
    http_status: int | None = None
    title: str = ""
    access: Access = Access.OPEN
    keep: Keep | None = None
    completeness: Completeness = field(default_factory=lambda: Completeness(verdict="document-only"))
    records: tuple[WarcRecordRef, ...] = ()
    consent: ConsentOutcome | None = None
    failure: Failure | None = None
    wire_bytes: int = 0
    fetched: int = 0
    usage: Mapping[str, Any] = field(default_factory=dict)
    mime: str = ""
    payload_digest: str | None = None
    overridden: tuple[str, ...] = ()
    lane_why: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """One fact. `event` names its kind (see docs/ledger); `data` is JSON-able and holds the rest."""

    event: str
    url: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
