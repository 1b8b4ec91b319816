"""One run of one job: what happens before the first claim, beside the visits, and after the last."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from archiver.clock import Clock
from archiver.engine.pressure import Pressure, told
from archiver.engine.pump import first_of
from archiver.engine.rows import pending_entry, salvage_entry, seed_entry, stored_entry
from archiver.engine.ship import ClosedFile, Shipper
from archiver.engine.source import LEASE
from archiver.errors import ArchiverError, StoreError, WarcError
from archiver.model import Candidate, ClosedSegment, LedgerEntry, Outlink, Reason, StoredObject
from archiver.ports import Frontier, FrontierCounts, Ledger, Recorder

_LOG = logging.getLogger(__name__)
KEEPER_SECONDS = 1.0
RENEW_SECONDS = LEASE / 5
"""Four attempts before the end of a lease: a machine that was paused or stuck for minutes keeps what it holds."""
LEFTOVER_TRIES = 3
RESUMABLE = frozenset(
    {Reason.INTERRUPTED, Reason.TIME_LIMIT, Reason.SIZE_LIMIT, Reason.DISK_UTILIZATION, Reason.SPOOL_LIMIT}
)
"""After these the same command goes on; a page limit that was reached ends the job."""


@dataclass(slots=True)
class Shipped:
    """What is stored and checked. `files` are names that every store holds; `error` is why something is left."""

    stored: list[StoredObject] = field(default_factory=list)
    files: set[str] = field(default_factory=set)
    error: ArchiverError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunParts:
    """`facts` is the data of the run row; `epilogue` writes what belongs into the WARC before it is closed.

    `pressure` is asked every second whether to go on, to wait or to stop as after a signal. `finished` is called when
    the job is over (not when it was interrupted). `rotate` closes the ledger's segment and gives its file, None when
    it holds nothing new; `leftovers` the files complete only at the end (the list of pages).
    `unshipped`: files that an earlier process closed and did not live to store; `on_shipped` is told each name,
    `on_checked` what passed the strict reader.
    """

    clock: Clock
    ledger: Ledger
    recorder: Recorder
    frontier: Frontier
    shipper: Shipper
    facts: dict[str, Any]
    epilogue: Callable[[], Awaitable[None]]
    finished: Callable[[], Awaitable[object]]
    pressure: Pressure
    rotate: Callable[[], ClosedFile | None]
    leftovers: Callable[[], Sequence[ClosedFile]]
    salvaged: Sequence[Salvaged] = ()
    unshipped: Sequence[ClosedSegment] = ()
    on_shipped: Callable[[str], None] = lambda name: None
    on_checked: Callable[[ClosedSegment], None] = lambda segment: None


class Salvaged(Protocol):
    """A WARC that a killed process left behind, made whole: what was cut off, and the file if anything was kept."""

    @property
    def file(self) -> str: ...
    @property
    def cut_at(self) -> int: ...
    @property
    def kept_records(self) -> int: ...
    @property
    def segment(self) -> ClosedSegment | None: ...


class Run:
    """`async with run.open(): drive ...; await run.finish(...)`. A fault inside leaves all that was captured.

    `on_notice` is given what the user is to know, such as that the run waits for room; else it goes to the log.
    Each of `renews` is called every few minutes: it moves the ends of the leases that are out.
    `on_counts` is called about every second with what the frontier holds, for whoever shows progress.
    """

    def __init__(self, parts: RunParts) -> None:
        self._p = parts
        self._group: asyncio.TaskGroup | None = None
        self._shipping: set[asyncio.Task[None]] = set()
        self._damaged: WarcError | None = None
        self._finishing = False
        self._telling = asyncio.Lock()
        self.shipped = Shipped()
        self.renews: list[Callable[[], Awaitable[None]]] = []
        self.on_notice: Callable[[str], None] | None = None
        self.on_counts: Callable[[FrontierCounts], None] | None = None

    @contextlib.asynccontextmanager
    async def open(self, seeds: Sequence[Candidate]) -> AsyncIterator[None]:
        """Write the start, enqueue the seeds, and keep files synced and shipped until the block ends."""
        p = self._p
        p.ledger.append(LedgerEntry(event="run", data=p.facts))
        if seeds:
            p.ledger.append_many([seed_entry(seed) for seed in seeds])
            await p.frontier.add([Outlink(candidate=seed) for seed in seeds])
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                await self._adopt()
                beside = [group.create_task(self._keep()), group.create_task(self._renew())]
                try:
                    yield
                finally:
                    for task in beside:
                        task.cancel()
        except BaseExceptionGroup as failed:
            # The fault itself, not asyncio's wrapping: the command line turns it into one line and an exit code.
            raise first_of(failed) from failed

    async def _adopt(self) -> None:
        """Files that a killed process left: told, and shipped like our own."""
        for one in self._p.salvaged:
            self._p.ledger.append(salvage_entry(one.file, kept=one.kept_records, cut=one.cut_at))
            if one.segment is not None:
                self._take([one.segment])
        self._take(self._p.unshipped)

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(KEEPER_SECONDS)
            await asyncio.to_thread(self._p.ledger.sync)
            await self._watch_room()
            if self.on_counts is not None:
                self.on_counts(await self._p.frontier.counts())
            closed = await self._p.recorder.closed()
            if closed:
                self._take(closed)
                await self._ship_ledger()
            if not self._finishing:
                await self._tell_stored()

    async def _renew(self) -> None:
        """By itself: nothing that the keeper waits for may cost a visit its lease."""
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            await asyncio.gather(*(renew() for renew in self.renews))

    async def _watch_room(self) -> None:
        pressure = self._p.pressure
        row = None if self._finishing else await pressure.look()
        if row is None or self._finishing:
            return
        self._p.ledger.append(row)
        if self.on_notice is not None:
            self.on_notice(told(row))
        else:
            _LOG.warning("%s", told(row))
        if pressure.hold.reason is Reason.DISK_UTILIZATION:
            self._take(await self._p.recorder.roll())  # what is being written can only go up when it is closed

    async def _tell_stored(self) -> None:
        """Rows of what came up since the last call, synced before the journal takes them for told."""
        remote = self._p.shipper.remote
        if remote is None:
            return
        async with self._telling:
            fresh = await remote.untold()
            if fresh:
                self._p.ledger.append_many([stored_entry(one) for one in fresh])
                await asyncio.to_thread(self._p.ledger.sync)
                await remote.mark_told(fresh)

    def _take(self, segments: Sequence[ClosedSegment]) -> None:
        for segment in segments:
            assert self._group is not None
            task = self._group.create_task(self._ship(segment))
            self._shipping.add(task)
            task.add_done_callback(self._shipping.discard)

    async def _ship(self, segment: ClosedSegment) -> None:
        try:
            stored = await self._p.shipper.ship(segment)
        except WarcError as damaged:  # its pages stay `captured`, with this as their error; the job goes on
            self._damaged = self._damaged or damaged
            self._p.on_shipped(segment.file)  # judged once: a later run need not fail for it again
            return
        self._p.on_checked(segment)
        self.shipped.stored.extend(stored)
        self.shipped.files.add(segment.file)
        if self._p.shipper.remote is None:  # else it is archived when that holds it
            self._p.ledger.append_many([stored_entry(one) for one in stored])
        # Whoever finds the name there looks for nothing more in the file: its rows are to outlive the power as well.
        await asyncio.to_thread(self._p.ledger.sync)
        self._p.on_shipped(segment.file)
        await self._watch_room()  # a fast site fills the spool between two looks

    async def finish(self, *, stopped: Reason | None, counts: dict[str, int]) -> Shipped:
        """Close everything, then check and store it; tells what was not fetched and why. Call inside `open`."""
        p = self._p
        self._finishing = True
        # What is left of a run that nothing stopped waits for hosts that rest longer than the run has patience.
        await self._tell_pending(stopped or Reason.RATE_LIMITED)
        await p.epilogue()
        self._take(await p.recorder.close())
        while self._shipping:
            await asyncio.gather(*self._shipping)
        await self._drain()
        uploads = await self._let_go()
        found = await p.frontier.counts()
        frontier = {
            "discovered": found.discovered, "fetched": found.done, "refused": found.refused, "failed": found.failed,
            "pending": found.pending + found.claimed,
        }  # fmt: skip
        reason = stopped.value if stopped is not None else None
        end = {"stopped": reason, "counts": counts, "frontier": frontier, **uploads}
        p.ledger.append(LedgerEntry(event="end", data=end))
        await self._ship_ledger()
        if stopped not in RESUMABLE:
            await p.finished()
        await self._ship_leftovers()
        await self._drain(last=True)
        return self.shipped

    async def _ship_leftovers(self) -> None:
        """Files that another run into this collection may be appending to; then the one that ends last stores them."""
        for _ in range(LEFTOVER_TRIES):
            files = await asyncio.to_thread(self._p.leftovers)
            with contextlib.suppress(StoreError):  # it grew between being hashed and being compared
                self.shipped.stored.extend(await self._p.shipper.ship_files(files, {}))
                return

    async def _ship_ledger(self) -> None:
        """Ledger segments end with the WARCs (decision 10); the next row starts another."""
        segment = await asyncio.to_thread(self._p.rotate)
        if segment is not None:
            self.shipped.stored.extend(await self._p.shipper.ship_files([segment], {}))

    async def _drain(self, *, last: bool = False) -> None:
        """What could not be uploaded is not archived; it stays journaled and on disk."""
        drained = await self._p.shipper.drain(last=last)
        known = {one.uri for one in self.shipped.stored}
        self.shipped.stored.extend(one for one in drained.stored.values() if one.uri not in known)
        self.shipped.files -= drained.left
        self.shipped.error = self._damaged or drained.error
        if not last:
            await self._tell_stored()

    async def _let_go(self) -> dict[str, Any]:
        """What uploads came to, for the last row; local copies go where the configuration wants none."""
        remote = self._p.shipper.remote
        if remote is None:
            return {}
        freed = 0 if self._p.pressure.rules.keep_local else await remote.free()
        return {"uploads": {**remote.told(), **({"freed_bytes": freed} if freed else {})}}

    async def _tell_pending(self, reason: Reason) -> None:
        batch: list[LedgerEntry] = []
        async for candidate in self._p.frontier.pending():
            batch.append(pending_entry(candidate, reason))
            if len(batch) >= 500:
                self._p.ledger.append_many(batch)
                batch.clear()
        if batch:
            self._p.ledger.append_many(batch)
