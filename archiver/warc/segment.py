"""One WARC file while it grows: members appended in batches that are written whole or not at all.

The file is named `X.warc.gz.open` and locked (flock) until it is closed: data fsynced, index written, then renamed.
Closing may be tried again after a fault at any step.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from pathlib import Path
from typing import NamedTuple

from isal import igzip_lib, isal_zlib

from archiver.errors import WarcError
from archiver.model import Access, ClosedSegment
from archiver.warc import cdxj
from archiver.warc.files import OPEN_SUFFIX, disk_error, index_folder, sync_folder, warc_folder, write_at, write_atomic
from archiver.warc.records import RECORD_END, Draft

LEVEL = 1
WRITE_LIMIT = 8 << 20  # compressed bytes held back before they are written; a smaller record is one write(2)


class Mark(NamedTuple):
    """A point to roll back to."""

    size: int
    records: int
    lines: int
    digest: hashlib._Hash


class Segment:
    """An open WARC. `size` counts written and pending bytes; not safe for more than one thread."""

    def __init__(self, collection: Path, access: Access, name: str) -> None:
        """Create and lock the file. Raises FileExistsError when the name is taken, OSError when it cannot be made."""
        self.name = name
        self.access = access
        self.collection = collection
        self.final_path = warc_folder(collection, access) / name
        self.path = self.final_path.with_name(name + OPEN_SUFFIX)
        self.size = 0
        self.records = 0
        self.warcinfo_id = ""
        self.dirty = False
        self._entered = False
        self._lines: list[bytes] = []
        self._pending: list[bytes] = []
        self._pending_size = 0
        self._digest = hashlib.sha256()
        self._fd = self._create()

    def _create(self) -> int:
        if self.final_path.exists():
            raise FileExistsError(self.final_path)
        mode = 0o644 if self.access is Access.OPEN else 0o600
        fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, mode)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(fd).st_nlink == 0:
                raise FileExistsError(self.path)
        except OSError as error:  # a salvage run saw the file before its lock: leave it to that run
            os.close(fd)
            raise FileExistsError(self.path) from error
        return fd

    def mark(self) -> Mark:
        return Mark(self.size, self.records, len(self._lines), self._digest.copy())

    def append(self, *drafts: Draft) -> list[tuple[int, int]]:
        """Compress records, a gzip member each; their (offset, length). Raises OSError, WarcError for a short block."""
        places = []
        for draft in drafts:
            offset = self.size
            if isinstance(draft.block, bytes):
                text = b"".join((draft.head, draft.block, RECORD_END))
                self._hold(igzip_lib.compress(text, LEVEL, igzip_lib.COMP_GZIP))
            else:
                self._stream(draft)
            places.append((offset, self.size - offset))
        self.records += len(drafts)
        return places

    def _stream(self, draft: Draft) -> None:
        assert not isinstance(draft.block, bytes)
        compressor = isal_zlib.compressobj(LEVEL, isal_zlib.DEFLATED, 31)
        self._hold(compressor.compress(draft.head))
        length = 0
        for piece in draft.block():
            length += len(piece)
            self._hold(compressor.compress(piece))
        if length != draft.length:
            raise WarcError(f"{self.name}: block of {draft.record_id} gave {length} of {draft.length} bytes")
        self._hold(compressor.compress(RECORD_END))
        self._hold(compressor.flush())

    def _hold(self, data: bytes) -> None:
        size = len(data)
        self._pending.append(data)
        self._pending_size += size
        self.size += size
        if self._pending_size > WRITE_LIMIT:
            self.flush()

    def index(self, line: bytes | None) -> None:
        """Keep an index line for the end."""
        if line is not None:
            self._lines.append(line)

    def flush(self) -> None:
        """write(2) what is pending; afterwards it survives SIGKILL. Raises OSError."""
        if not self._pending:
            return
        data = self._pending[0] if len(self._pending) == 1 else b"".join(self._pending)
        self.dirty = True
        write_at(self._fd, data, self.size - self._pending_size)
        self._digest.update(data)
        self._pending, self._pending_size = [], 0

    def rollback(self, mark: Mark) -> None:
        """Back to `mark`, on disk too. A failing truncation is made up for by the next write at that offset."""
        self.size, self.records, self._digest = mark.size, mark.records, mark.digest
        del self._lines[mark.lines :]
        self._pending, self._pending_size = [], 0
        try:
            os.ftruncate(self._fd, mark.size)
        except OSError:
            self.dirty = True

    def sync(self) -> None:
        """fsync what was written. Raises DiskError, also when the file has been removed under us."""
        if not self.dirty:
            return
        try:
            os.fsync(self._fd)
            if not self._entered:
                sync_folder(self.path.parent)  # the name itself, once
                self._entered = True
            if os.fstat(self._fd).st_nlink == 0:
                raise FileNotFoundError(2, "the file was removed while it was written", str(self.path))
        except OSError as error:
            raise disk_error(self.path, self.size, error) from error
        self.dirty = False

    def close(self) -> ClosedSegment:
        """fsync, write the index, rename. Raises DiskError; may be called again then."""
        try:
            os.ftruncate(self._fd, self.size)
            self.dirty = True
            self.sync()
            index_path, index = write_index(self.collection, self.access, self.name, self._lines)
            os.rename(self.path, self.final_path)
            sync_folder(self.final_path.parent)
        except OSError as error:
            raise disk_error(self.path, self.size, error) from error
        os.close(self._fd)
        return ClosedSegment(
            file=self.name,
            path=str(self.final_path),
            access=self.access,
            size=self.size,
            sha256=self._digest.hexdigest(),
            records=self.records,
            cdxj_path=str(index_path),
            cdxj_sha256=hashlib.sha256(index).hexdigest(),
        )

    def discard(self) -> None:
        """Remove a file into which nothing was written."""
        os.close(self._fd)
        self.path.unlink(missing_ok=True)

    def abandon(self) -> None:
        """Give the file up as it is; salvage closes it at the next start."""
        os.close(self._fd)


def write_index(collection: Path, access: Access, name: str, lines: list[bytes]) -> tuple[Path, bytes]:
    """Write `<warc name>.cdxj` atomically; its path and content. Raises OSError."""
    content = cdxj.merge(lines)
    path = index_folder(collection, access) / f"{name}.cdxj"
    write_atomic(path, content, mode=0o644 if access is Access.OPEN else 0o600)
    return path, content
