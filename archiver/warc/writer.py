"""`Recorder` on WARC files: one writer thread, so that neither compression nor a slow disk holds up the event loop."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from archiver.clock import Clock
from archiver.model import ClosedSegment, WarcItem
from archiver.ports import Recorded
from archiver.warc.streams import SegmentSettings, Streams, WarcInfo, size_of

SYNC_SECONDS = 1.0  # group fsync, while anything is unsynced
LINGER = 0.002  # seconds a record waits for others: less than its write takes, and many a wake-up saved
_GROUP = 32  # calls taken up, and results handed back to the loop, at once
_GROUP_BYTES = 4 << 20  # about as much is written at once, so that a file does not grow far beyond its size

_Outcome = tuple["asyncio.Future[Any]", Any, BaseException | None]
_Call = tuple[Sequence[WarcItem] | Callable[[], Any], "asyncio.Future[Any]"]
_Batch = tuple[Sequence[WarcItem], "asyncio.Future[Any]"]


class _Unhurried(asyncio.Future[Any]):
    """A future that a task's cancellation waits for: cheaper than `shield`, and the spools stay open meanwhile."""

    def cancel(self, msg: Any | None = None) -> bool:
        return False


class WarcRecorder:
    """Writes captures of one job into a collection folder (see `ports.Recorder`).

    Lives on one event loop. `warcinfo` may be a function; it is called on the writer thread.
    """

    def __init__(self, folder: Path, clock: Clock, settings: SegmentSettings, warcinfo: WarcInfo) -> None:
        self._clock = clock
        self._streams = Streams(folder, clock, settings, warcinfo)
        self._queue: queue.SimpleQueue[list[_Call]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._fault: Exception | None = None
        self._synced = clock.monotonic()
        self._stopping = False
        self._waiting: list[_Call] = []
        self._ending: asyncio.Future[None] | None = None  # the thread was told to end and has not ended yet

    async def record(self, items: Sequence[WarcItem]) -> list[Recorded]:
        """Write a visit's records together; they survive SIGKILL afterwards.

        Raises DiskError (nothing of the batch is kept) and WarcError. When the caller is cancelled, the batch is still
        written before the cancellation goes on, so that the spools it reads from stay open until then.
        """
        recorded: list[Recorded] = await self._call(items)
        return recorded

    async def closed(self) -> list[ClosedSegment]:
        """The segments that rollover has closed since the last call of this, `roll` or `close`; closes nothing."""
        segments: list[ClosedSegment] = await self._call(self._streams.take_closed)
        return segments

    async def roll(self) -> list[ClosedSegment]:
        """Close what is open; every segment closed since the last call. Raises DiskError."""
        segments: list[ClosedSegment] = await self._call(self._streams.roll)
        return segments

    async def close(self) -> list[ClosedSegment]:
        """`roll`, then end the thread. After a DiskError the files stay `.open` for `salvage`."""
        try:
            segments: list[ClosedSegment] = await self._call(self._streams.roll)
            return segments
        finally:
            await self._end()

    async def _end(self) -> None:
        """What is asked for meanwhile waits, and is done by another thread: nobody reads this one's queue any more."""
        while self._ending is not None:
            await asyncio.shield(self._ending)
        stopped = self._ask(self._stop)
        self._ending = asyncio.get_running_loop().create_future()
        try:
            await stopped
            if self._thread is not None:
                await asyncio.to_thread(self._thread.join)
        finally:
            if self._thread is not None:
                self._thread.join()  # again only when the wait for it was cancelled
            self._thread = None
            self._ending.set_result(None)
            self._ending = None

    # --- loop side ----------------------------------------------------------------------------------------------------

    async def _call(self, work: Sequence[WarcItem] | Callable[[], Any]) -> Any:
        while self._ending is not None:
            await asyncio.shield(self._ending)
        return await self._ask(work)

    def _ask(self, work: Sequence[WarcItem] | Callable[[], Any]) -> asyncio.Future[Any]:
        loop = asyncio.get_running_loop()
        if self._thread is None:
            self._start(loop)
        future = _Unhurried(loop=loop)
        if not self._waiting and not callable(work):
            loop.call_later(LINGER, self._send)
        self._waiting.append((work, future))
        if callable(work):
            self._send()
        return future

    def _send(self) -> None:
        """What visits bring within `LINGER` goes over together: one wake-up of the thread instead of several."""
        if self._waiting:
            self._queue.put(self._waiting)
            self._waiting = []

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop, self._stopping = loop, False
        self._thread = threading.Thread(target=self._run, name="warc-writer", daemon=True)
        self._thread.start()

    # --- thread side --------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stopping:
            calls: list[_Call] = []
            with contextlib.suppress(queue.Empty):
                calls.extend(self._queue.get(timeout=self._patience()))
                while len(calls) < _GROUP:
                    calls.extend(self._queue.get_nowait())
            if calls:
                self._hand_back(self._perform(calls))
            self._housekeep()

    def _patience(self) -> float:
        """Seconds until there may be something to sync or to roll over."""
        if not self._streams.dirty:
            return SYNC_SECONDS
        return max(0.0, SYNC_SECONDS - (self._clock.monotonic() - self._synced))

    def _perform(self, calls: Sequence[_Call]) -> list[_Outcome]:
        """In order; batches that follow one another are written together."""
        outcomes: list[_Outcome] = []
        group: list[_Batch] = []
        size = 0
        for work, future in calls:
            if callable(work):
                outcomes += self._write_group(group)
                outcomes.append(_attempt(work, future))
                group, size = [], 0
                continue
            group.append((work, future))
            size += sum(map(size_of, work))
            if size > _GROUP_BYTES:
                outcomes += self._write_group(group)
                group, size = [], 0
        return outcomes + self._write_group(group)

    def _write_group(self, group: Sequence[_Batch]) -> list[_Outcome]:
        """All at once; should that fail, each alone, so that a fault reaches those only that it concerns."""
        if len(group) > 1 and self._fault is None:
            with contextlib.suppress(Exception):
                written = self._streams.write_all([items for items, _ in group])
                return [(future, recorded, None) for (_, future), recorded in zip(group, written, strict=True)]
        return [_attempt(partial(self._write, items), future) for items, future in group]

    def _write(self, items: Sequence[WarcItem]) -> list[Recorded]:
        if self._fault is not None:
            raise self._fault
        return self._streams.write(items)

    def _hand_back(self, outcomes: list[_Outcome]) -> None:
        assert self._loop is not None
        try:
            self._loop.call_soon_threadsafe(_resolve, outcomes)
        except RuntimeError:  # the loop is gone, and whoever waited with it
            self._stopping = True

    def _housekeep(self) -> None:
        """Group fsync and rollover by age. A fault refuses further records until a later attempt succeeds."""
        now = self._clock.monotonic()
        if now - self._synced < SYNC_SECONDS:
            return
        self._synced = now
        try:
            self._streams.sync()
            self._streams.roll_due()
            self._fault = None
        except Exception as error:  # nothing may end this thread while callers wait for it
            self._fault = error

    def _stop(self) -> None:
        self._streams.abandon()
        self._stopping = True


def _attempt(work: Callable[[], Any], future: asyncio.Future[Any]) -> _Outcome:
    try:
        return future, work(), None
    except BaseException as error:  # whatever it is belongs to the caller that waits
        return future, None, error


def _resolve(outcomes: list[_Outcome]) -> None:
    for future, value, error in outcomes:
        if future.done():
            continue
        if error is None:
            future.set_result(value)
        else:
            future.set_exception(error)
