"""Just enough HTTP to index and check a block: where the final head lies, its status and type, and chunked coding.

Writer, index rebuild and verifier all look at blocks through these functions, so they cannot disagree.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from typing import NamedTuple

MAX_HEAD = 1 << 20

_STATUS = re.compile(rb"[A-Za-z]+/?[0-9.]* +([0-9]{3})(?![0-9])")
_TYPE = re.compile(rb"\ncontent-type[ \t]*:[ \t]*([^;\s,]+)", re.I)
_CODING = re.compile(rb"\ntransfer-encoding[ \t]*:([^\r\n]*)", re.I)
_CHUNK_SIZE = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\n]*)?\r?\n")
_MAX_LINE = 65_536
_WINDOW = {b"gzip": 31, b"x-gzip": 31, b"deflate": 15}
_PIECE, _RATIO, _FLOOR = 1 << 18, 100, 1 << 20


class Head(NamedTuple):
    """The final head of a response block: bytes `[start, end)`, blank line included. `status` 0 = there is none.

    `coding`: the one transfer coding besides chunked, such as `gzip`; empty when there is none, or more than one.
    """

    start: int
    end: int
    status: int
    mime: str
    chunked: bool
    coding: bytes = b""


def parse_head(block: bytes, start: int = 0) -> Head:
    """Find the final head behind any interim ones (1xx but 101; RFC 9110, 15.2). Needs the first `MAX_HEAD` bytes."""
    while True:
        end, whole = _blank_line(block, start)
        status = _status(block, start, end)
        if not whole or not 100 <= status < 200 or status == 101 or end >= len(block):
            break
        start = end
    names = block[start:end].lower()  # a look for the two names first: most of a head never meets an expression
    at = names.find(b"\ncontent-type")
    mime = _TYPE.search(block, start + at, end) if at >= 0 else None
    chunked, coding = _transfer(block, start, end) if b"\ntransfer-encoding" in names else (False, b"")
    return Head(start, end, status, mime[1].decode("ascii", "replace") if mime else "unk", chunked, coding)


def _blank_line(block: bytes, start: int) -> tuple[int, bool]:
    """Where the head at `start` ends, its empty line (CR LF or a bare LF) included; False = it has none."""
    limit = start + MAX_HEAD
    strict = block.find(b"\n\r\n", start, limit)
    loose = block.find(b"\n\n", start, limit if strict < 0 else strict + 1)
    if loose >= 0:
        return loose + 2, True
    return (strict + 3, True) if strict >= 0 else (len(block), False)


def _status(block: bytes, start: int, end: int) -> int:
    line = _STATUS.match(block, start, end)
    return int(line[1]) if line else 0


def _transfer(block: bytes, start: int, end: int) -> tuple[bool, bytes]:
    """Whether the last transfer coding is chunked, and the one before it (RFC 9112, 6.1)."""
    value = b",".join(found[1] for found in _CODING.finditer(block, start, end))
    codings = [part.partition(b";")[0].strip(b" \t").lower() for part in value.split(b",")]
    codings = [coding for coding in codings if coding]
    chunked = bool(codings) and codings[-1] == b"chunked"
    rest = codings[:-1] if chunked else codings
    return chunked, rest[0] if len(rest) == 1 else b""


class CodingDecoder:
    """Undo `gzip` or `deflate` as a transfer coding (RFC 9112, 7.2), in pieces.

    `done`: the coding came to its end; `broken`: it did not, or is one that nobody can undo.
    """

    def __init__(self, coding: bytes) -> None:
        window = _WINDOW.get(coding)
        self._decoder = zlib.decompressobj(window) if window is not None else None
        self._in = self._out = 0
        self.broken = self._decoder is None

    @property
    def done(self) -> bool:
        return not self.broken and self._decoder is not None and self._decoder.eof

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The decoded pieces that `data` gives."""
        self._in += len(data)
        while data and not self.broken and self._decoder is not None and not self._decoder.eof:
            try:
                piece = self._decoder.decompress(data, _PIECE)
            except zlib.error:
                self.broken = True
                return
            data = self._decoder.unconsumed_tail
            self._out += len(piece)
            yield piece

    @property
    def is_usable(self) -> bool:
        """False as well where it grew past what our client decodes: that keeps such a body as it came."""
        return not self.broken and self._out <= max(_FLOOR, _RATIO * self._in)


class ChunkDecoder:
    """Undo chunked coding piece by piece (RFC 9112, 7.1). Trailers are read and dropped.

    `broken` says that the coding was malformed; what was decoded up to there stays decoded. `done` says that the last
    chunk and its trailers were seen.
    """

    def __init__(self) -> None:
        self.done = False
        self.broken = False
        self._buffer = b""
        self._left = 0
        self._state = "size"

    def feed(self, data: bytes) -> list[bytes]:
        """The decoded pieces that `data` completes."""
        out: list[bytes] = []
        self._buffer += data
        while self._buffer and not (self.done or self.broken):
            if not self._step(out):
                break
        return out

    def _step(self, out: list[bytes]) -> bool:
        """One move of the machine; False = more input is needed."""
        if self._state == "data":
            piece, self._buffer = self._buffer[: self._left], self._buffer[self._left :]
            out.append(piece)
            self._left -= len(piece)
            if not self._left:
                self._state = "end"
            return True
        newline = self._buffer.find(b"\n")
        if newline < 0:
            self.broken = len(self._buffer) > _MAX_LINE
            return False
        line, self._buffer = self._buffer[: newline + 1], self._buffer[newline + 1 :]
        self._line(line)
        return True

    def _line(self, line: bytes) -> None:
        if self._state == "size":
            size = _CHUNK_SIZE.fullmatch(line)
            if size is None:
                self.broken = True
                return
            self._left = int(size[1], 16)
            self._state = "data" if self._left else "trailer"
        elif self._state == "end":
            self.broken = line not in (b"\r\n", b"\n")
            self._state = "size"
        elif line in (b"\r\n", b"\n"):
            self.done = True
