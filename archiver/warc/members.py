"""gzip members by offset: streaming, bounded, and able to find the next one behind damage.

warcio and most readers stop at a damaged member or hide every record behind it; here each member is opened at its own
offset, checked to its last byte (CRC and length; RFC 1952, 2.3.1), and the search for the next good one is explicit.
"""

from __future__ import annotations

import os
import re
import zlib
from collections.abc import Callable
from functools import partial

from isal import isal_zlib

INFLATE_ERRORS: tuple[type[Exception], ...] = (isal_zlib.error, zlib.error)  # type: ignore[assignment]
MAGIC = b"\x1f\x8b\x08"
_FIRST_FEED = 4096
_MAX_FEED = 1 << 18
_OUTPUT = 1 << 18
_WINDOW = 1 << 20
_PLAIN_START = MAGIC + b"\0"  # no flags: no name, no comment
_LEAST = 18  # bytes of a gzip header and trailer
_PROBE = 2048
EMPTY = 20
"""Bytes of a gzip member without name and content, as every writer makes it."""
# An atomic group: a possessive `{1,50000}+` takes the beginning of the next member along in Python 3.11 before 3.11.5.
_EMPTY_RUN = re.compile(rb"(?>(?:\x1f\x8b\x08\0.{6}\x03\0\0{8}){1,50000})", re.S)


class Damage(Exception):
    """A member or record that cannot be read to its end. `code` is a `verify` code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


ReadAt = Callable[[int, int], bytes]
"""At most so many bytes (first) from an offset (second), as pread(2); b"" at the end alone."""


class Source:
    """Bytes read by position, with one window kept: many small members cost one read between them."""

    def __init__(self, read_at: ReadAt, size: int) -> None:
        self._read_at = read_at
        self.size = size
        self._start = 0
        self._window = b""

    @classmethod
    def of_file(cls, fd: int) -> Source:
        """An open file; it stays the caller's to close."""
        return cls(partial(os.pread, fd), os.fstat(fd).st_size)

    def read(self, offset: int, length: int) -> bytes:
        """At most `length` bytes from `offset`; b"" at the end."""
        if not (self._start <= offset and offset + length <= self._start + len(self._window)):
            self._start, self._window = offset, self._read_at(max(length, _MAX_FEED), offset)
        begin = offset - self._start
        return self._window[begin : begin + length]

    def whole_member(self, offset: int) -> bytes | None:
        """What lies between the gzip header at `offset` and the next one or the file's end: a member, most likely.

        None when no plain gzip header begins there, or when neither end lies within a window's length.
        """
        if self.read(offset, 4) != _PLAIN_START:
            return None
        begin = offset - self._start
        end = self._next_start(begin)
        if end is None:
            begin, self._start, self._window = 0, offset, self._read_at(_WINDOW, offset)
            end = self._next_start(0)
        return None if end is None else self._window[begin:end]

    def _next_start(self, begin: int) -> int | None:
        found = self._window.find(_PLAIN_START, begin + _LEAST)
        if found < 0:
            return len(self._window) if self._start + len(self._window) >= self.size else None
        return found


class GzipStream:
    """The content of one gzip member. `end` is the offset behind it, known once `read` has given b""."""

    def __init__(self, source: Source, offset: int) -> None:
        """Raises Damage when no member begins at `offset`."""
        start = source.read(offset, 4)
        if start[:3] != MAGIC:
            raise Damage("badGzip", "no gzip member begins here (damaged magic)")
        if start[3:] > b"\x1f":
            raise Damage("badGzip", "reserved gzip flags are set (RFC 1952, 2.3.1.2)")
        self._source = source
        self._begin = self._next = offset
        self._feed = _FIRST_FEED
        self._inflate = isal_zlib.decompressobj(31)
        self._tail = b""
        self.total = 0
        self.end: int | None = None

    @property
    def consumed(self) -> int:
        """Bytes of the file read so far for this member."""
        return self._next - self._begin

    def read(self) -> bytes:
        """The next piece, b"" at the member's end. Raises Damage `badGzip` or `truncated`."""
        while self.end is None:
            data = self._tail or self._fetch()
            try:
                out = self._inflate.decompress(data, _OUTPUT)
            except INFLATE_ERRORS as error:
                raise Damage("badGzip", f"gzip data damaged: {error}") from error
            self._tail = self._inflate.unconsumed_tail
            if self._inflate.eof:
                self.end = self._next - len(self._inflate.unused_data)
            if out:
                self.total += len(out)
                return out
            if not data and self.end is None:
                raise Damage("truncated", "the file ends inside a gzip member")
        return b""

    def _fetch(self) -> bytes:
        """More of the file; b"" at its end, where the inflater may still hold output back."""
        data = self._source.read(self._next, self._feed)
        self._next += len(data)
        self._feed = min(self._feed * 2, _MAX_FEED)
        return data


class PlainStream:
    """An uncompressed WARC as one stream from `offset` to the end of the file."""

    def __init__(self, source: Source, offset: int) -> None:
        self._source = source
        self._begin = self._next = offset
        self.total = 0
        self.end: int | None = None

    @property
    def consumed(self) -> int:
        return self._next - self._begin

    def read(self) -> bytes:
        data = self._source.read(self._next, _MAX_FEED)
        self._next += len(data)
        self.total += len(data)
        if not data:
            self.end = self._next
        return data


def next_record_member(source: Source, offset: int) -> int | None:
    """The first offset from `offset` on where a gzip member begins whose content begins with `WARC/`.

    A window is read once, however many false beginnings lie in it.
    """
    while offset < source.size:
        window = source.read(offset, _WINDOW)
        enough = len(window) if offset + len(window) >= source.size else len(window) - _PROBE
        at = window.find(MAGIC)
        while 0 <= at <= enough:
            run = _EMPTY_RUN.match(window, at)
            if run is None and _begins_record(window[at : at + _PROBE]):
                return offset + at
            at = window.find(MAGIC, at + 1 if run is None else run.end())
        offset += max(len(window) - 2, 1) if at < 0 else at
    return None


def _begins_record(data: bytes) -> bool:
    if data[3:4] > b"\x1f":  # reserved flags
        return False
    try:
        return isal_zlib.decompressobj(31).decompress(data, 5) == b"WARC/"
    except INFLATE_ERRORS:
        return False


def empty_members(source: Source, offset: int) -> int:
    """The length of the run of empty members at `offset`, at most one window: a million of them cost no inflater."""
    if source.read(offset, EMPTY)[10:] != b"\x03\0" + bytes(8):
        return 0
    for size in (_PROBE, _WINDOW):
        found = _EMPTY_RUN.match(source.read(offset, size))
        if found is None or found.end() <= size - EMPTY:
            break
    return found.end() if found else 0


def zeros_until(source: Source, offset: int) -> int:
    """The end of the run of zero bytes at `offset` (what a file system may leave behind after power loss)."""
    while offset < source.size:
        window = source.read(offset, _WINDOW)
        rest = window.lstrip(b"\0")
        offset += len(window) - len(rest)
        if rest:
            break
    return offset
