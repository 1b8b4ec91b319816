"""Every value that crosses a border between packages. Frozen, keyword-only; refusals are data, never exceptions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from archiver.spooled import Spool


class Verdict(StrEnum):
    ALLOW = "allow"
    REFUSE = "refuse"
    DEFER = "defer"


class Lane(StrEnum):
    HTTP = "http"
    BROWSER = "browser"


class Access(StrEnum):
    """Who may see a record at replay; one WARC stream and one folder each (`archive/`, `restricted/`, `dark/`)."""

    OPEN = "open"
    RESTRICTED = "restricted"
    DARK = "dark"


class Kind(StrEnum):
    """What a candidate is fetched for. Scope binds documents; robots binds all but `robots`."""

    DOCUMENT = "document"
    REQUISITE = "requisite"
    ROBOTS = "robots"
    SITEMAP = "sitemap"
    WEBHOOK = "webhook"


class Reason(StrEnum):
    """Why a URL was allowed, kept, hidden, refused, deferred or left. Browsertrix's strings where it has one."""

    ALLOWED = "allowed"
    OUT_OF_SCOPE = "outOfScope"
    USER_EXCLUSION = "outOfScopeUserExclusion"
    REDIRECT_TO_EXCLUDED = "redirectToExcluded"
    PAGE_LIMIT = "pageLimit"
    DEPTH_LIMIT = "depthLimit"
    TIME_LIMIT = "timeLimit"
    INTERRUPTED = "interrupted"
    DISK_UTILIZATION = "diskUtilization"
    DUPLICATE = "duplicate"
    NOFOLLOW = "nofollow"
    ROBOTS_TXT = "robotsTxt"
    ROBOTS_UNREACHABLE = "robotsUnreachable"
    RATE_LIMITED = "rateLimited"
    CRAWL_DELAY_BUDGET = "crawlDelayBudget"
    VISIT_TIME = "visitTime"
    REQUISITE_LIMIT = "requisiteLimit"
    SIZE_LIMIT = "sizeLimit"
    PRIVATE_ADDRESS = "privateAddress"
    BAD_PORT = "badPort"
    UNSUPPORTED_SCHEME = "unsupportedScheme"
    CREDENTIALS_IN_URL = "credentialsInUrl"
    TOO_MANY_REDIRECTS = "tooManyRedirects"
    TRAP = "trap"
    HIDDEN = "hidden"
    NOARCHIVE = "noarchive"
    TDM_RESERVED = "tdmReserved"
    CREDENTIALED = "credentialed"
    UNAVAILABLE_FOR_LEGAL_REASONS = "unavailableForLegalReasons"
    CONSENT_BLOCKED = "consentBlocked"
    FAILED = "failed"


class FailureCode(StrEnum):
    """Why an exchange has no usable answer: facts about the network, never a policy."""

    DNS_ERROR = "dnsError"
    CONNECT_ERROR = "connectError"
    CONNECT_TIMEOUT = "connectTimeout"
    TLS_ERROR = "tlsError"
    IDLE_TIMEOUT = "idleTimeout"
    TOTAL_TIMEOUT = "totalTimeout"
    DISCONNECTED = "disconnected"
    PROTOCOL_ERROR = "protocolError"
    HEADER_LIMIT = "headerLimit"
    TOO_MANY_REDIRECTS = "tooManyRedirects"
    INTERNAL = "internal"


class Truncated(StrEnum):
    """WARC-Truncated values (WARC 1.1, 5.13)."""

    LENGTH = "length"
    TIME = "time"
    DISCONNECT = "disconnect"
    UNSPECIFIED = "unspecified"


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
    Heritrix letters (L link, R redirect, E embed, X speculative, P prerequisite).
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
    """The verdict on a response: how it is stored and who may see it. `rule` quotes the signal that decided."""

    access: Access = Access.OPEN
    drop_body: bool = False
    reason: Reason = Reason.ALLOWED
    rule: str = ""
    listed: bool = True
    follow: bool = True
    expires: datetime | None = None
    usage: Mapping[str, Any] = field(default_factory=dict)
    signals: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why there is no answer. `transient` failures are tried again later."""

    code: FailureCode
    message: str
    transient: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsInfo:
    """What was negotiated. `chain` holds the DER certificates, leaf first; `chain_id` their SHA-256 in hex."""

    version: str
    cipher: str
    chain_id: str
    chain: tuple[bytes, ...] = ()


class Framing(StrEnum):
    """How the body's end was known (RFC 9112, 6.3)."""

    NONE = "none"
    LENGTH = "length"
    CHUNKED = "chunked"
    CLOSE = "close"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and its answer, byte for byte as they crossed the wire.

    `response` holds every byte received, interim (1xx) heads and trailers included; the final head is
    `[head_start, body_start)`. `entity` holds the transfer-decoded body where it differs from `response[body_start:]`
    (chunked), else None. Header names in `headers` are lower case, in wire order. `malformed` says what our strict
    parser refused, when the bytes were framed leniently.
    """

    url: str
    method: str
    request: bytes
    response: Spool
    head_start: int
    body_start: int
    status: int
    reason: str
    headers: tuple[tuple[bytes, bytes], ...]
    framing: Framing
    ip: str
    port: int
    started_at: datetime
    seconds: float
    first_byte_seconds: float = 0.0
    entity: Spool | None = None
    tls: TlsInfo | None = None
    protocol: str = "http/1.1"
    truncated: Truncated | None = None
    malformed: str | None = None
    synthetic: bool = False

    def header(self, name: bytes) -> bytes | None:
        """The first value of a header; `name` in lower case."""
        for key, value in self.headers:
            if key == name:
                return value
        return None

    def header_all(self, name: bytes) -> list[bytes]:
        return [value for key, value in self.headers if key == name]

    @property
    def entity_size(self) -> int:
        return self.entity.size if self.entity is not None else self.response.size - self.body_start

    def entity_bytes(self) -> bytes:
        """The whole transfer-decoded body; ask `entity_size` first."""
        return self.entity.read() if self.entity is not None else self.response.read(self.body_start)

    def entity_chunks(self) -> Iterator[bytes]:
        """The transfer-decoded body in pieces (what WARC-Payload-Digest covers; WARC 1.1, 5.9)."""
        return self.entity.chunks() if self.entity is not None else self.response.chunks(self.body_start)

    def close(self) -> None:
        self.response.close()
        if self.entity is not None:
            self.entity.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What the gateway says about one candidate. Exactly one of `exchange`, `failure`, a non-allowing `decision`."""

    candidate: Candidate
    decision: Decision
    exchange: Exchange | None = None
    keep: Keep | None = None
    failure: Failure | None = None
    response_id: str | None = None


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
    """Any other record: `metadata` or `resource` with a target URI of its own (`urn:policy:`, `urn:pageinfo:` ...)."""

    type: str
    target: str
    content_type: str
    payload: bytes
    record_id: str
    date: datetime
    access: Access = Access.OPEN
    concurrent_to: str | None = None
    refers_to: str | None = None


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
    """An object that the store holds and that was read back or checksummed."""

    uri: str
    sha256: str
    size: int


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
    """A link found on a page, canonical, with its scope verdict already taken (None = in scope)."""

    candidate: Candidate
    objection: Objection | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A visit that ended: a document with its hops and requisites, as one transaction."""

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


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerEntry:
    """One fact. `event` names its kind (see docs/ledger); `data` is JSON-able and holds the rest."""

    event: str
    url: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
