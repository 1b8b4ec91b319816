"""Which frontier file a crawl uses: an interrupted crawl of the same seeds and scope goes on, any other begins anew.

The lease of a job is a lock on a file beside the frontier: it ends with the process, however that ends, and not before,
so one that was stopped for a while finds its job as it left it.
"""

from __future__ import annotations

import contextlib
import fcntl
import itertools
import math
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from archiver.clock import Clock
from archiver.errors import DiskError, UsageError, room
from archiver.frontier.sqlite import SqliteFrontier
from archiver.model import Origin
from archiver.ports.jobs import JobInfo, JobLease, JobState

_JOB = "job"
_SIGNATURE = "signature"
_FINISHED = "finished"
_FENCE = "fence"


class FrontierFile:
    """An open frontier, its job, and the lock that keeps other processes off it (`ports.jobs.OpenJob`)."""

    def __init__(self, frontier: SqliteFrontier, lease: JobLease, lock: int, *, resumed: bool) -> None:
        self.frontier = frontier
        self.lease = lease
        self.resumed = resumed
        self._lock: int | None = lock

    @property
    def job(self) -> str:
        return self.lease.job

    async def renew(self) -> bool:
        """The lock lasts until it is closed."""
        return self._lock is not None

    async def finish(self) -> bool:
        """The crawl came to its end: the next one begins anew."""
        if self._lock is None:
            return False
        await self.frontier.set_meta(_FINISHED, True)
        return True

    async def close(self) -> None:
        """Close the frontier, then let go of the job. Again is harmless."""
        await self.frontier.close()
        lock, self._lock = self._lock, None
        if lock is not None:
            os.close(lock)


class FrontierFiles:
    """The jobs of a folder, `frontier-<job8>.sqlite` each (`ports.jobs.Jobs`, ADR 0015)."""

    def __init__(self, state: Path, clock: Clock, *, own: Callable[[Origin], bool], max_attempts: int = 3) -> None:
        self._state = state
        self._clock = clock
        self._own = own
        self._max_attempts = max_attempts

    async def open(self, *, job: str, signature: str) -> FrontierFile:
        """An unfinished job of this signature that nobody holds, else a new one. Finished files are removed on the way.

        Raises DiskError when the folder cannot be written, UsageError when somebody else drives a job of this name.
        """
        for path in self._paths():
            if (taken := await self._taken_up(path, signature)) is not None:
                return taken
        frontier, lock = await self._free(job)
        await frontier.set_meta(_JOB, job)
        await frontier.set_meta(_SIGNATURE, signature)
        return await _held(frontier, lock, resumed=False)

    async def _free(self, job: str) -> tuple[SqliteFrontier, int]:
        """A new file of that name; an interrupted crawl of other seeds or another scope keeps what it has."""
        for number in itertools.count(1):
            path = self._state / f"frontier-{job[:8]}{f'-{number}' if number > 1 else ''}.sqlite"
            lock = _try_lock(path)
            if lock is None:
                raise UsageError(f"{path}: another crawl of this name is running; give another crawlId")
            frontier = self._frontier(path, lock)
            if await frontier.get_meta(_SIGNATURE) is None:
                return frontier, lock
            await frontier.close()
            os.close(lock)
        raise AssertionError("unreachable")

    async def _taken_up(self, path: Path, signature: str) -> FrontierFile | None:
        lock = _try_lock(path)
        if lock is None:
            return None
        frontier = self._frontier(path, lock)
        finished = await frontier.get_meta(_FINISHED)
        if not finished and await frontier.get_meta(_SIGNATURE) == signature:
            return await _held(frontier, lock, resumed=True)
        await frontier.close()
        if finished:
            _remove(path)
        os.close(lock)
        return None

    async def list(self) -> Sequence[JobInfo]:
        """Every job of the folder. One that is held is named after its file, for it is its holder's to read."""
        found = []
        for path in self._paths():
            lock = _try_lock(path)
            if lock is None:
                name = path.stem.removeprefix("frontier-")
                found.append(JobInfo(job=name, signature="", state=JobState.HELD))
                continue
            frontier = self._frontier(path, lock)
            state = JobState.FINISHED if await frontier.get_meta(_FINISHED) else JobState.OPEN
            job, signature = await frontier.get_meta(_JOB), await frontier.get_meta(_SIGNATURE)
            await frontier.close()
            os.close(lock)
            found.append(JobInfo(job=str(job), signature=str(signature), state=state))
        return found

    def _paths(self) -> Sequence[Path]:
        return sorted(self._state.glob("frontier-*.sqlite"))

    def _frontier(self, path: Path, lock: int) -> SqliteFrontier:
        try:
            return SqliteFrontier(path, self._clock, own=self._own, max_attempts=self._max_attempts)
        except BaseException:
            os.close(lock)
            raise


async def _held(frontier: SqliteFrontier, lock: int, *, resumed: bool) -> FrontierFile:
    fence = int(await frontier.get_meta(_FENCE) or 0) + 1
    await frontier.set_meta(_FENCE, fence)
    lease = JobLease(job=str(await frontier.get_meta(_JOB)), fence=fence, until=math.inf)
    return FrontierFile(frontier, lease, lock, resumed=resumed)


def _lock_path(path: Path) -> Path:
    return path.with_suffix(".lock")


def _try_lock(path: Path) -> int | None:
    """An exclusive lock for as long as this process lives; None when another has it."""
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        fd = os.open(_lock_path(path), flags, 0o600)
    except OSError as error:
        raise DiskError(f"{_lock_path(path)}: {error.strerror} ({room(path)})") from error
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return None
    return fd


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(f"{path}{suffix}")
    with contextlib.suppress(FileNotFoundError):
        os.unlink(_lock_path(path))
