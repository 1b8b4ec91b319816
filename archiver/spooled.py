"""Append-only bytes that start in memory and move to an unnamed file: what the wire is teed into."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator

MEMORY_LIMIT = 1 << 20
CHUNK = 1 << 18


class Spool:
    """Bytes written once, front to back, then read any number of times.

    Up to `limit` bytes stay in memory; past it they go to an unlinked temporary file in `directory`, so that
    neither a crash nor a forgotten object leaves anything behind.
    """

    __slots__ = ("_chunks", "_directory", "_fd", "_limit", "_whole", "size")

    def __init__(self, data: bytes = b"", *, limit: int = MEMORY_LIMIT, directory: str | None = None) -> None:
        self._chunks: list[bytes] = [data] if data else []
        self._whole: bytes | None = data
        self._fd = -1
        self._limit = limit
        self._directory = directory
        self.size = len(data)

    def append(self, data: bytes) -> None:
        """Add bytes at the end. Raises OSError when the disk is full, with the folder, free and needed bytes."""
        self.size += len(data)
        self._whole = None
        if self._fd < 0:
            self._chunks.append(data)
            if self.size <= self._limit:
                return
        try:
            if self._fd >= 0:
                _write_all(self._fd, data)
            else:
                self._to_disk()
        except OSError as error:
            raise self._told(error) from error

    def _told(self, error: OSError) -> OSError:
        folder = self._directory or tempfile.gettempdir()
        free = shutil.disk_usage(folder).free
        return OSError(error.errno, f"{error.strerror} ({free:,} bytes free, {self.size:,} needed)", folder)

    def _to_disk(self) -> None:
        fd, path = tempfile.mkstemp(prefix="exchange-", dir=self._directory)
        os.unlink(path)
        for chunk in self._chunks:
            _write_all(fd, chunk)
        self._chunks, self._fd = [], fd

    @property
    def in_memory(self) -> bool:
        return self._fd < 0

    def read(self, start: int = 0, length: int | None = None) -> bytes:
        """The bytes `[start, start + length)`, fewer at the end."""
        stop = self.size if length is None else min(self.size, start + length)
        if self._fd >= 0:
            return _pread_all(self._fd, max(0, stop - start), start)
        if self._whole is None:
            self._whole = b"".join(self._chunks)
            self._chunks = [self._whole]
        return self._whole if start == 0 and stop == self.size else self._whole[start:stop]

    def chunks(self, start: int = 0) -> Iterator[bytes]:
        """The bytes from `start` on, in pieces of at most 256 KiB when on disk."""
        if self._fd < 0:
            if start < self.size:
                yield self.read(start)
            return
        while start < self.size:
            piece = _pread_all(self._fd, min(CHUNK, self.size - start), start)
            yield piece
            start += len(piece)

    def close(self) -> None:
        """Give the file back. Reading afterwards is an error."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        self._chunks, self._whole, self.size = [], b"", 0

    def __del__(self) -> None:
        if getattr(self, "_fd", -1) >= 0:
            os.close(self._fd)


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def _pread_all(fd: int, length: int, offset: int) -> bytes:
    pieces = []
    while length:
        piece = os.pread(fd, length, offset)
        if not piece:
            break
        pieces.append(piece)
        length -= len(piece)
        offset += len(piece)
    return b"".join(pieces)
