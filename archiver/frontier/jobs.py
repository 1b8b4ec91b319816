"""Which frontier file a crawl uses: an interrupted crawl of the same seeds and scope goes on, any other begins anew."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from archiver.clock import Clock
from archiver.errors import DiskError
from archiver.frontier.sqlite import SqliteFrontier
from archiver.model import Origin

_JOB = "job"
_SIGNATURE = "signature"
_FINISHED = "finished"


@dataclass(slots=True, kw_only=True)
class FrontierFile:
    """An open frontier, the job it belongs to, and the lock that keeps other processes off it."""

    frontier: SqliteFrontier
    job: str
    resumed: bool
    lock: int

    async def finish(self) -> None:
        """The crawl came to its end: the next one begins anew."""
        await self.frontier.set_meta(_FINISHED, True)

    async def close(self) -> None:
        await self.frontier.close()
        os.close(self.lock)


async def open_frontier(
    state: Path, clock: Clock, *, job: str, signature: str, own: Callable[[Origin], bool], max_attempts: int
) -> FrontierFile:
    """`signature` names seeds and scope; `job` is taken for a new crawl. Finished files are removed on the way.

    Raises DiskError when `state` cannot be written.
    """
    for path in sorted(state.glob("frontier-*.sqlite")):
        lock = _try_lock(path)
        if lock is None:
            continue
        frontier = SqliteFrontier(path, clock, own=own, max_attempts=max_attempts)
        if await frontier.get_meta(_FINISHED):
            await frontier.close()
            _remove(path)
        elif await frontier.get_meta(_SIGNATURE) == signature:
            known = str(await frontier.get_meta(_JOB))
            return FrontierFile(frontier=frontier, job=known, resumed=True, lock=lock)
        else:
            await frontier.close()
        os.close(lock)
    path = state / f"frontier-{job[:8]}.sqlite"
    lock = _try_lock(path)
    if lock is None:
        raise DiskError(f"{path}: another crawl of this name is running; give another crawlId")
    frontier = SqliteFrontier(path, clock, own=own, max_attempts=max_attempts)
    await frontier.set_meta(_JOB, job)
    await frontier.set_meta(_SIGNATURE, signature)
    return FrontierFile(frontier=frontier, job=job, resumed=False, lock=lock)


def _lock_path(path: Path) -> Path:
    return path.with_suffix(".lock")


def _try_lock(path: Path) -> int | None:
    """An exclusive lock for as long as this process lives; None when another has it."""
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        fd = os.open(_lock_path(path), flags, 0o600)
    except OSError as error:
        raise DiskError(f"{_lock_path(path)}: {error.strerror}") from error
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
