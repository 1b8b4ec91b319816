"""`pages/pages.jsonl` of a collection: what WACZ and replay list as pages (WACZ 1.1.1, 5.3)."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from pathlib import Path

import orjson

from archiver.clock import iso
from archiver.errors import DiskError, room
from archiver.model import Access, Page

_HEADER = {"format": "json-pages-1.0", "id": "pages", "title": "All Pages"}
_PIECE = 1 << 16


class PagesFile:
    """Appends a line a page; open pages only, so that nothing hidden is listed. One write(2) a line. `title` heads a
    list that is begun."""

    def __init__(self, folder: Path, title: str = "") -> None:
        self._path = folder / "pages.jsonl"
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            self._fd = os.open(self._path, flags, 0o666)
            if not stat.S_ISREG(os.fstat(self._fd).st_mode):
                raise OSError(errno.EINVAL, "is no regular file")
            self._mend()
            if os.fstat(self._fd).st_size == 0:
                self._write(orjson.dumps({**_HEADER, "title": title or _HEADER["title"]}) + b"\n")
        except OSError as error:
            raise DiskError(f"{self._path}: {error.strerror} ({room(self._path)})") from error

    def _mend(self) -> None:
        """A line that a full disk or a power cut left without its end is cut off, unless somebody writes there now."""
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        size = os.fstat(self._fd).st_size
        end = size
        while end > 0:
            start = max(0, end - _PIECE)
            at = os.pread(self._fd, end - start, start).rfind(b"\n")
            end = start + at + 1
            if at >= 0:
                break
        if end < size:
            os.ftruncate(self._fd, end)
        fcntl.flock(self._fd, fcntl.LOCK_SH)

    def add(self, page: Page) -> None:
        """Raises DiskError when the line cannot be written."""
        if page.access is not Access.OPEN or (page.keep is not None and not page.keep.listed):
            return
        row = {
            "id": page.capture_id,
            "url": page.final_url,
            "ts": iso(page.started_at),
            "title": page.title or page.final_url,
            "status": page.http_status,
            "size": page.wire_bytes,
            "seed": page.candidate.seed,
        }
        try:
            self._write(orjson.dumps(row) + b"\n")
        except OSError as error:
            raise DiskError(f"{self._path}: {error.strerror} ({room(self._path)})") from error

    def _write(self, line: bytes) -> None:
        while line:
            line = line[os.write(self._fd, line) :]

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
