"""Closed files go up while the crawl runs: a few at a time, tried again with growing pauses. Local files stay."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType

from archiver.errors import ArchiverError, StoreAuthError, StoreError, StoreSetupError
from archiver.model import ClosedSegment, StoredObject
from archiver.ports import Store
from archiver.store.files import StoreConflict, StoreRejection
from archiver.store.spool import SpoolFile, SpoolJournal, segment_files

_FINAL = (StoreAuthError, StoreSetupError)  # what no other try, and no other file, gets past
_THIS_FILE = (StoreConflict, StoreRejection)


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadLimits:
    """Uploads at a time; seconds between tries of a file (doubling, jittered) and at most."""

    at_once: int = 4
    pause: float = 5.0
    longest_pause: float = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Drained:
    """What `drain` came to. `stored`: of what this run added or took up, by key. `error`: why some is left."""

    stored: dict[str, StoredObject]
    left: tuple[SpoolFile, ...] = ()
    error: ArchiverError | None = None


class Uploader:
    """An async context: entering takes up what an earlier run left, leaving stops at once and keeps the journal.

    A crawl calls `add` as files close and `drain` at its end. A fault of the store never stops the crawl by itself:
    it is kept in `fault` for whoever decides that.
    """

    def __init__(
        self,
        store: Store,
        journal: SpoolJournal,
        *,
        limits: UploadLimits | None = None,
        on_stored: Callable[[SpoolFile, StoredObject], None] | None = None,
        grows: Callable[[str], bool] = lambda key: False,
    ) -> None:
        """`grows`: keys of files that the run writes on; what an earlier run left of them waits until they are added
        again, when they are still."""
        self._store = store
        self._journal = journal
        self._limits = limits or UploadLimits()
        self._on_stored = on_stored
        self._grows = grows
        self._queue: asyncio.Queue[SpoolFile] = asyncio.Queue()
        self._queued: set[tuple[str, str]] = set()
        self._hurry = asyncio.Event()
        self._deadline = float("inf")
        self._stored: dict[str, StoredObject] = {}
        self._workers: list[asyncio.Task[None]] = []
        self.fault: ArchiverError | None = None

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

    async def add(self, files: Sequence[SpoolFile]) -> None:
        """Journal files, then upload in turn what is not up yet. Raises DiskError when that cannot be written."""
        await asyncio.to_thread(self._journal.add, files)
        known = await asyncio.to_thread(self._journal.stored, files)
        self._stored.update(known)
        self._enqueue([file for file in files if file.key not in known])

    async def add_segments(self, segments: Sequence[ClosedSegment]) -> None:
        """Closed WARCs with their indexes, as `Recorder.roll` gives them."""
        await self.add([file for segment in segments for file in segment_files(segment, self._journal.out)])

    async def drain(self, patience: float = 300.0) -> Drained:
        """Wait until all is up, or `patience` seconds of tries did not help; the rest stays journaled and on disk."""
        self._deadline = asyncio.get_running_loop().time() + patience
        self._hurry.set()
        waiting = asyncio.get_running_loop().create_task(self._queue.join())
        await asyncio.wait([waiting, *self._workers], return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        left = tuple(await asyncio.to_thread(self._journal.pending))
        return Drained(stored=dict(self._stored), left=left, error=self._left_because(left))

    def _left_because(self, left: Sequence[SpoolFile]) -> ArchiverError | None:
        if not left:
            return None
        fault = self.fault or StoreError("the uploads ended early")
        return type(fault)(f"{len(left)} of the closed files are not in the store yet, all are kept here: {fault}")

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
            try:
                path = self._journal.path(file)
                stored = await self._store.put(file.key, path, sha256=file.sha256, metadata=file.metadata)
                self._stored[file.key] = stored
            except ArchiverError as error:
                self._note(error)
                await asyncio.to_thread(self._journal.mark_failed, file, str(error))
                tries += 1
                if isinstance(error, (*_THIS_FILE, *_FINAL)) or not await self._pause(tries, draining):
                    return
            else:
                await asyncio.to_thread(self._journal.mark_stored, file, stored)
                if self._on_stored is not None:
                    self._on_stored(file, stored)
                return

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
        try:
            async with asyncio.timeout(pause):
                await self._hurry.wait()
        except TimeoutError:
            pass
        return True
