"""The seams. One small Protocol per outside world; a fake of each ships beside its real implementation."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from archiver.model import (
    Candidate,
    ClosedSegment,
    Decision,
    DocumentItem,
    Elements,
    Exchange,
    Fetched,
    LedgerEntry,
    Objection,
    Origin,
    StoredObject,
    WarcItem,
    WarcRecordRef,
)
from archiver.model.site_file import SiteFile
from archiver.ports.browser import Tap
from archiver.ports.frontier import Completed as Completed
from archiver.ports.frontier import Frontier as Frontier
from archiver.ports.frontier import FrontierCounts as FrontierCounts
from archiver.ports.frontier import Stretch
from archiver.ports.frontier import VisitOutcome as VisitOutcome
from archiver.ports.hosts import Burst as Burst
from archiver.ports.hosts import HostBudget as HostBudget
from archiver.ports.hosts import HostPlace as HostPlace
from archiver.ports.hosts import PaceRules as PaceRules
from archiver.ports.hosts import VisitSlot as VisitSlot
from archiver.ports.hosts import Wait as Wait
from archiver.ports.robots import Declared as Declared
from archiver.ports.robots import FetchRobots as FetchRobots
from archiver.ports.robots import Robots as Robots
from archiver.ports.robots import RobotsAnswer as RobotsAnswer
from archiver.ports.robots import RobotsCopy as RobotsCopy

# --- the wire ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Vetted:
    """A host's addresses after the address rules. `addresses` are textual IPs, all allowed, in resolver order.

    `objection` says why there are none (`privateAddress`, `badPort`); `error` why the name did not resolve.
    """

    addresses: tuple[str, ...] = ()
    objection: Objection | None = None
    error: str | None = None


class Dialer(Protocol):
    """Resolve and vet, then connect to what was vetted and to nothing else."""

    async def vet(self, origin: Origin) -> Vetted:
        """Resolve the host (cached for seconds) and check every address against the list in `policy.address`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WireLimits:
    """Seconds and bytes one exchange may take. `body` counts wire bytes; `head` all heads together."""

    connect: float = 15.0
    idle: float = 30.0
    total: float = 300.0
    head: int = 262_144
    interim: int = 100
    body: int = 1 << 30
    memory: int = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class WireRequest:
    """What to put on the wire. `headers` go out in order and case as given; Host, Connection and framing included.

    `upgrade`: another protocol is offered (a WebSocket), so a 101 is an answer.
    """

    url: str
    origin: Origin
    method: str
    target: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    addresses: tuple[str, ...]
    body: bytes = b""
    limits: WireLimits = field(default_factory=WireLimits)
    upgrade: bool = False


class Client(Protocol):
    async def exchange(self, request: WireRequest, tap: Tap | None = None) -> Exchange:
        """Send and receive once, no redirects. Raises CaptureError (code = a FailureCode) when no head came back.

        A body that was cut is no error: the exchange says `truncated`. `tap` follows the answer while it comes in.
        """
        ...

    async def close(self) -> None: ...


# --- admission --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Admitted:
    """What admission found out about a candidate: the decision, where it may be dialled, and what binds its pace.

    `robots` is the parsed robots.txt (RobotsAnswer.parsed), for the usage rules it may hold.
    """

    decision: Decision
    vetted: Vetted
    rules: PaceRules
    robots: Any = None


class Gateway(Protocol):
    """The choke point, as the visit, the proxy and the add-on see it."""

    async def admit(self, candidate: Candidate) -> Admitted:
        """Run every rule; asks robots.txt when needed, dials nothing else."""
        ...

    async def fetch(
        self,
        candidate: Candidate,
        admitted: Admitted | None = None,
        *,
        within: float | None = None,
        tap: Tap | None = None,
    ) -> Fetched:
        """Admit, tell the ledger, dial, judge the answer's headers. Faults of the site are values.

        `within` bounds the exchange in seconds; what came until then is kept as truncated. `tap` follows the answer.
        """
        ...

    def judge(self, fetched: Fetched, elements: Elements) -> Fetched:
        """The keep verdict again, with what the document's own elements say."""
        ...

    def refuse(self, candidate: Candidate, decision: Decision) -> Fetched:
        """Write the row of a request that is not made."""
        ...

    async def record(self, batch: Sequence[Fetched], *, page_id: str | None = None) -> list[Recorded]:
        """Write the exchanges of a visit, in order, then their ledger rows."""
        ...

    async def attach(self, items: Sequence[DocumentItem]) -> list[Recorded]:
        """Write what was made of a page: views, page information, consent."""
        ...

    def tell(self, entries: Sequence[LedgerEntry]) -> None:
        """Rows that belong to no single exchange (visits, discoveries)."""
        ...


# --- records ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """Where an item went. `refs[0]` is the response, revisit, metadata or resource record; then request and policy.

    `original`: where the record lies whose payload a revisit stands for.
    """

    refs: tuple[WarcRecordRef, ...]
    revisit: bool = False
    payload_digest: str | None = None
    original: Stretch | None = None


class Recorder(Protocol):
    """WARC writing, off the event loop. A batch is contiguous in its file and written before the call returns."""

    async def record(self, items: Sequence[WarcItem]) -> list[Recorded]:
        """write(2) a visit's records; survives SIGKILL afterwards. Raises DiskError, rolled back to a whole record."""
        ...

    async def closed(self) -> list[ClosedSegment]:
        """The segments that rollover has closed since the last call of this, `roll` or `close`; closes nothing."""
        ...

    async def roll(self) -> list[ClosedSegment]:
        """Close what is open (fsync, rename, index); returns the segments closed since the last call."""
        ...

    async def close(self) -> list[ClosedSegment]: ...


class Ledger(Protocol):
    def append(self, entry: LedgerEntry) -> int:
        """write(2) a row; its sequence number. Cheap enough for the event loop."""
        ...

    def append_many(self, entries: Sequence[LedgerEntry]) -> int: ...

    @property
    def head(self) -> str:
        """Hash of the last row, hex."""
        ...

    def sync(self) -> None:
        """fsync (decision 11)."""
        ...

    def close(self) -> None: ...


class SiteFileMemory(Protocol):
    """What outlives a job about files of sites (tdmrep.json, licences). Raises DiskError."""

    async def load(self, url: str) -> SiteFile | None: ...

    async def save(self, file: SiteFile) -> None:
        """Replaces what was remembered of that URL."""
        ...

    async def close(self) -> None: ...


class Store(Protocol):
    """Where closed files go. Keys are relative POSIX paths, `collections/NAME/archive/X.warc.gz`."""

    async def put(self, key: str, path: Path, *, sha256: str, metadata: Mapping[str, str]) -> StoredObject:
        """Upload and check against what the store really holds. Raises StoreError / StoreAuthError."""
        ...

    async def stat(self, key: str) -> StoredObject | None: ...

    async def read(self, key: str, start: int = 0, length: int | None = None) -> bytes: ...

    def chunks(self, key: str, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """The bytes of an object of any size, in pieces of at most 1 MiB. Raises StoreError when it is not there."""
        ...

    def list(self, prefix: str = "") -> AsyncIterator[StoredObject]:
        """What is stored under keys that begin with `prefix`, in no order; without their SHA-256. Raises StoreError."""
        ...

    async def close(self) -> None: ...


class Progress(Protocol):
    """What a long run tells the terminal or the log; must be cheap."""

    def page(self, url: str, status: str, *, wire_bytes: int, refused: Mapping[str, int]) -> None: ...

    def queue(self, pending: int, done: int) -> None: ...
