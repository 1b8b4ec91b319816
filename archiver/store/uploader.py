"""Closed files go up while the crawl runs: a few at a time, tried again with growing pauses. Local files stay."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType

from archiver.clock import SYSTEM, Clock
from archiver.errors import ArchiverError, StoreAuthError, StoreError, StoreSetupError
from archiver.model import ClosedSegment, StoredObject
from archiver.ports import Store
from archiver.store.files import StoreConflict, StoreRejection
from archiver.store.spool import SpoolFile, SpoolJournal, segment_files, spool_file

_FINAL = (StoreAuthError, StoreSetupError)  # what no other try, and no other file, gets past
_THIS_FILE = (StoreConflict, StoreRejection)
GROWING = "growing"  # noted in the journal: when such files last went up
_LOOK = 0.5  # seconds between looks at whether the store gives signs of life
_STILL = 3  # tries of a file that is written on while it goes up


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadLimits:
    """Uploads at a time; seconds between tries of a file (doubling, jittered) and at most; seconds between two uploads
    of what grows."""

    at_once: int = 4
    pause: float = 5.0
    longest_pause: float = 300.0
    growing: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Drained:
    """What `drain` came to. `stored`: of what this run added or took up, by key. `error`: why some is left.

    `later`: growing files whose minute is not over; they wait in the journal and are not amiss.
    """

    stored: dict[str, StoredObject]
    left: tuple[SpoolFile, ...] = ()
    later: tuple[SpoolFile, ...] = ()
    error: ArchiverError | None = None


class Uploader:
    """An async context: entering takes up what an earlier run left, leaving stops at once and keeps the journal.

    A crawl calls `add` as files close and `drain` at its end. A fault of the store never stops the crawl by itself:
    it is kept in `fault` for whoever decides that.
    """

    def __init__(  # noqa: PLR0913 - what it works with; a value object would only rename them
        self,
        store: Store,
        journal: SpoolJournal,
        *,
        limits: UploadLimits | None = None,
        on_stored: Callable[[SpoolFile, StoredObject], None] | None = None,
        grows: Callable[[str], bool] = lambda key: False,
        moved: Callable[[], float] = lambda: 0.0,
        refused: Callable[[], str] = lambda: "",
        clock: Clock = SYSTEM,
    ) -> None:
        """`grows`: keys of files that runs write on. They go up as they are then, when `drain` asks for it, once a
        minute at most. `moved`: when the store last gave a sign of life, by the monotonic clock; `refused`: why its
        last request failed, if it did."""
        self._store = store
        self._journal = journal
        self._limits = limits or UploadLimits()
        self._on_stored = on_stored
        self._grows = grows
        self._moved = moved
        self._refused = refused
        self._clock = clock
        self._queue: asyncio.Queue[SpoolFile] = asyncio.Queue()
        self._queued: set[tuple[str, str]] = set()
        self._hurry = asyncio.Event()
        self._deadline = float("inf")
        self._given_up = False
        self._stored: dict[str, StoredObject] = {}
        self._workers: list[asyncio.Task[None]] = []
        self.fault: ArchiverError | None = None
        self.again = 0

    async def __aenter__(self) -> Uploader:
        left = await asyncio.to_thread(self._journal.pending)
        self._enqueue([file for file in left if not self._grows(file.key)])
        loop = asyncio.get_running_loop()
        self._workers = [loop.create_task(self._work()) for _ in range(self._limits.at_once)]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers:
            worker.cancel()
        results = await asyncio.gather(*self._workers, return_exceptions=True)
        for result in results:
            if isinstance(result, Exception) and error is None:
                raise result

    @property
    def up(self) -> int:
        """How many files came up, or were found to be there."""
        return len(self._stored)

    async def add(self, files: Sequence[SpoolFile]) -> None:
        """Journal files, then upload in turn what is not up yet. Raises DiskError when that cannot be written."""
        await asyncio.to_thread(self._journal.add, files)
        known = await asyncio.to_thread(self._journal.stored, files)
        self._stored.update(known)
        self._enqueue([file for file in files if file.key not in known and not self._grows(file.key)])

    async def add_segments(self, segments: Sequence[ClosedSegment]) -> None:
        """Closed WARCs with their indexes, as `Recorder.roll` gives them."""
        await self.add([file for segment in segments for file in segment_files(segment, self._journal.out)])

    async def drain(self, patience: float = 300.0, *, growing: bool = False, at_once: bool = False) -> Drained:
        """Wait until all is up, or `patience` seconds of tries did not help; the rest stays journaled and on disk.

        `growing`: what grows goes up as well, when its minute is over (`at_once`: in any case). A store that gives no
        sign of life for so long is given up altogether; an upload that is slow and moves is waited for.
        """
        later = await self._take_growing(at_once=at_once) if growing else True
        self._deadline = asyncio.get_running_loop().time() + patience
        self._hurry.set()
        await self._wait(patience)
        left = await asyncio.to_thread(self._journal.pending)
        waits = tuple(file for file in left if later and self._grows(file.key))
        amiss = tuple(file for file in left if file not in waits)
        return Drained(stored=dict(self._stored), left=amiss, later=waits, error=self._left_because(amiss))

    async def _wait(self, patience: float) -> None:
        waiting = asyncio.get_running_loop().create_task(self._queue.join())
        began = self._clock.monotonic()
        ended: set[asyncio.Task[None]] = set()
        while not ended and not self._given_up:
            ended, _ = await asyncio.wait([waiting, *self._workers], timeout=_LOOK, return_when=asyncio.FIRST_COMPLETED)
            if not ended and self._clock.monotonic() - max(began, self._moved()) > patience:
                self._given_up = True
                self._note(self.fault or StoreError(self._silence(patience)))
        waiting.cancel()

    def _silence(self, patience: float) -> str:
        if refused := self._refused():
            return f"nothing came further for {patience:.0f} s; the last answer was: {refused}"
        return f"the store gave no answer for {patience:.0f} s"

    def _left_because(self, left: Sequence[SpoolFile]) -> ArchiverError | None:
        if not left:
            return None
        fault = self.fault or StoreError("the uploads ended early")
        return type(fault)(f"{len(left)} of the closed files are not in the store yet, all are kept here: {fault}")

    async def _take_growing(self, *, at_once: bool) -> bool:
        """Whether it is too early for what grows."""
        files = [file for file in await asyncio.to_thread(self._journal.pending) if self._grows(file.key)]
        if not files:
            return False
        wait = 0.0 if at_once else self._limits.growing
        if not await asyncio.to_thread(self._journal.due, GROWING, wait, self._clock.epoch()):
            return True
        self._enqueue(files)
        return False

    def _enqueue(self, files: Sequence[SpoolFile]) -> None:
        for file in files:
            # it may have come up between the look into the journal and now
            up = self._stored.get(file.key)
            if (file.key, file.sha256) not in self._queued and (up is None or up.sha256 != file.sha256):
                self._queued.add((file.key, file.sha256))
                self._queue.put_nowait(file)

    async def _work(self) -> None:
        while True:
            file = await self._queue.get()
            try:
                await self._upload(file)
            finally:
                self._queued.discard((file.key, file.sha256))
                self._queue.task_done()

    async def _upload(self, file: SpoolFile) -> None:
        """Until it is up, or another try is pointless, or patience ran out."""
        tries = 0
        while not isinstance(self.fault, _FINAL):
            draining = self._hurry.is_set()
            wanted = await asyncio.to_thread(self._as_it_is, file) if self._grows(file.key) else file
            if wanted is None:
                return
            try:
                stored = await self._store.put(
                    wanted.key, self._journal.path(wanted), sha256=wanted.sha256, metadata=wanted.metadata
                )
            except ArchiverError as error:
                self._note(error)
                await asyncio.to_thread(self._journal.mark_failed, wanted, str(error))
                tries += 1
                self.again += 1
                if not self._worth_it(wanted, error, tries) or not await self._pause(tries, draining):
                    return
            else:
                await self._is_up(wanted, stored)
                return

    async def _is_up(self, file: SpoolFile, stored: StoredObject) -> None:
        self._stored[file.key] = stored
        await asyncio.to_thread(self._journal.mark_stored, file, stored)
        if self._grows(file.key):
            await asyncio.to_thread(self._journal.note_done, GROWING, self._clock.epoch())
        if self._on_stored is not None:
            self._on_stored(file, stored)

    def _as_it_is(self, file: SpoolFile) -> SpoolFile | None:
        """A growing file with its hash of now; None when it is gone, or no other than what is stored."""
        try:
            now = spool_file(self._journal.path(file), self._journal.out, **file.metadata)
        except FileNotFoundError:
            self._journal.drop(file)
            return None
        self._journal.add([now])
        return None if self._journal.stored([now]) else now

    def _worth_it(self, file: SpoolFile, error: ArchiverError, tries: int) -> bool:
        """Whether another try may help."""
        if isinstance(error, StoreConflict) and self._grows(file.key):
            return tries < _STILL
        return not isinstance(error, (*_THIS_FILE, *_FINAL))

    def _note(self, error: ArchiverError) -> None:
        if not isinstance(self.fault, _FINAL):
            self.fault = error

    async def _pause(self, tries: int, draining: bool) -> bool:
        """Wait for the next try; False when there is no time for one. A `drain` that begins after the try did
        (`draining` is False) ends the pause."""
        limits = self._limits
        pause = min(limits.longest_pause, limits.pause * 2.0 ** (tries - 1)) * random.uniform(0.5, 1.0)
        if draining:
            if asyncio.get_running_loop().time() + pause > self._deadline:
                return False
            await asyncio.sleep(pause)
            return True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause):
                await self._hurry.wait()
        return True
