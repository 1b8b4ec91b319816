"""The ledger on disk: JSONL segments that one process writes and nobody changes afterwards.

A row is in the file (one write(2)) before `append` returns, so it survives SIGKILL; `sync` makes it survive power loss
(decision 11). The chain runs on from segment to segment; each begins with a `segment` row that names the head before
it, so one file can be checked alone and a missing one is noticed.
"""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path

from archiver.clock import Clock, ts17
from archiver.errors import DiskError, room
from archiver.ledger.body import Stamp
from archiver.ledger.chain import FORMAT, START, make_row
from archiver.model import Actor, Labels, LedgerEntry

_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
_NAMES_TRIED = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The last hash of a chain and the file it stands in (name only): what the next segment starts from."""

    hash: str
    file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerSegment:
    """A closed, fsynced segment. `sha256` is of the whole file, hex; `head` its last row's hash; size in bytes."""

    file: str
    path: Path
    rows: int
    first_seq: int
    head: str
    size: int
    sha256: str


@dataclass(slots=True, kw_only=True)
class _Open:
    """The segment being written."""

    path: Path
    fd: int
    first_seq: int
    size: int = 0
    in_folder: bool = False


class JsonlLedger:
    """Implements `ports.Ledger` in `folder` (`logs/`). Threads may share it; processes may not: each has its own chain.

    `previous` is the head of an earlier process's chain (see `reader.last_head`), told in the first row. The first
    segment is created at once, so that a folder which cannot be written is known before anything is fetched.
    """

    def __init__(  # noqa: PLR0913 - who, for what and where: a value object would only rename them
        self,
        folder: Path,
        clock: Clock,
        *,
        job: str,
        actor: Actor,
        labels: Labels | None = None,
        tenant: str = "main",
        previous: Head | None = None,
    ) -> None:
        self._folder = folder
        self._clock = clock
        self._job = job
        self._stamp = Stamp(job=job, actor=actor, labels=labels or Labels(), tenant=tenant)
        self._previous = previous
        self._last = START
        self._open: _Open | None = None
        self._lock = threading.Lock()
        self._named = datetime.min.replace(tzinfo=clock.now().tzinfo)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            raise _disk_error(folder, exc, 0) from exc
        with self._lock:
            self._start()

    @property
    def head(self) -> str:
        return self._last.hash

    @property
    def file(self) -> str | None:
        """Name of the segment being written; None between `rotate` and the next row."""
        return None if self._open is None else self._open.path.name

    def append(self, entry: LedgerEntry) -> int:
        """write(2) one row; its number. Raises DiskError with nothing written, ValueError for data it cannot take."""
        return self.append_many((entry,))

    def append_many(self, entries: Sequence[LedgerEntry]) -> int:
        """All rows in one write(2), or none; the last row's number."""
        with self._lock:
            bodies = [self._stamp.body(entry, self._clock.now()) for entry in entries]
            if bodies:
                self._write(self._open or self._start(), bodies)
            return self._last.seq

    def sync(self) -> None:
        """fsync; other threads may append meanwhile. Raises DiskError."""
        with self._lock:
            segment = self._open
            if segment is None:
                return
            fd, in_folder = os.dup(segment.fd), segment.in_folder
            segment.in_folder = True
        try:
            os.fsync(fd)
            if not in_folder:
                _sync_folder(self._folder)
        except OSError as exc:
            segment.in_folder = in_folder
            raise _disk_error(segment.path, exc, 0) from exc
        finally:
            os.close(fd)

    def rotate(self) -> LedgerSegment | None:
        """Close the segment (fsync); the next row starts another. None when no row came since the last call."""
        with self._lock:
            segment, self._open = self._open, None
            if segment is None:
                return None
            self._previous = Head(hash=self._last.hash, file=segment.path.name)
            return self._closed(segment)

    def close(self) -> None:
        """As `rotate`; a later `append` would open a new segment, so nothing is ever lost to a late row."""
        self.rotate()

    def _closed(self, segment: _Open) -> LedgerSegment:
        try:
            os.fsync(segment.fd)
            _sync_folder(self._folder)
            with segment.path.open("rb") as file:
                digest = sha256()
                while chunk := file.read(1 << 20):
                    digest.update(chunk)
        except OSError as exc:
            raise _disk_error(segment.path, exc, 0) from exc
        finally:
            os.close(segment.fd)
        return LedgerSegment(
            file=segment.path.name,
            path=segment.path,
            rows=self._last.seq - segment.first_seq + 1,
            first_seq=segment.first_seq,
            head=self._last.hash,
            size=segment.size,
            sha256=digest.hexdigest(),
        )

    def _start(self) -> _Open:
        segment = self._create()
        previous = self._previous
        data = {
            "format": FORMAT,
            "first_seq": segment.first_seq,
            "prev_head": previous.hash if previous else None,
            "prev_file": previous.file if previous else None,
        }
        body = self._stamp.body(LedgerEntry(event="segment", data=data), self._clock.now())
        try:
            self._write(segment, [body])
        except DiskError:
            os.close(segment.fd)
            segment.path.unlink(missing_ok=True)
            raise
        self._open = segment
        return segment

    def _create(self) -> _Open:
        """A new file; its time moves on by milliseconds where the clock stands still, so names sort as written."""
        moment = max(self._clock.now(), self._named + timedelta(milliseconds=1))
        for _ in range(_NAMES_TRIED):
            path = self._folder / f"ledger-{ts17(moment)}-{self._job[:8]}-{os.getpid()}.jsonl"
            try:
                fd = os.open(path, _FLAGS, 0o666)
            except FileExistsError:
                moment += timedelta(milliseconds=1)
            except OSError as exc:
                raise _disk_error(path, exc, 0) from exc
            else:
                self._named = moment
                return _Open(path=path, fd=fd, first_seq=self._last.seq + 1)
        raise _disk_error(path, OSError(errno.EEXIST, os.strerror(errno.EEXIST)), 0)

    def _write(self, segment: _Open, bodies: Sequence[bytes]) -> None:
        last, lines = self._last, []
        for body in bodies:
            line, last = make_row(last, body)
            lines.append(line)
        block = b"".join(lines)
        try:
            written = os.write(segment.fd, block)
            while written < len(block):  # a full disk takes a part first and fails at the rest
                written += os.write(segment.fd, block[written:])
        except OSError as exc:
            self._roll_back(segment)
            raise _disk_error(segment.path, exc, len(block)) from exc
        segment.size += len(block)
        self._last = last

    def _roll_back(self, segment: _Open) -> None:
        """Cut the part of a row that got in. Where even that fails, the segment ends here, torn, and another begins."""
        try:
            os.ftruncate(segment.fd, segment.size)
        except OSError:
            if self._open is segment:
                self._open = None
                self._previous = Head(hash=self._last.hash, file=segment.path.name)
                os.close(segment.fd)


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _disk_error(path: Path, exc: OSError, needed: int) -> DiskError:
    return DiskError(f"cannot write the ledger {path}: {exc.strerror or exc} ({room(path)}, {needed:,} needed)")
