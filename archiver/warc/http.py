"""Just enough HTTP to index and check a block: where the final head lies, its status and type, and chunked coding.

Writer, index rebuild and verifier all look at blocks through these functions, so they cannot disagree.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from archiver import framing

MAX_HEAD = 1 << 20

# The usual head down to its type; anything else in it (interim heads, bare LF, no type) is left to `parse_head`.
_USUAL = re.compile(
    rb"HTTP/1\.[01] ([2-5][0-9]{2})(?![0-9])[^\r\n]*+\r\n(?:[^\r\n]++\r\n)*?content-type[ \t]*:[ \t]*([^;\s,]+)", re.I
)
_STATUS = re.compile(rb"[A-Za-z]+/?[0-9.]*[ \t]+([0-9]{3})(?![0-9])")
_TYPE = re.compile(rb"\ncontent-type[ \t]*:[ \t]*([^;\s,]+)", re.I)
_WINDOW = {b"gzip": 31, b"x-gzip": 31, b"deflate": 15}
_PIECE = 1 << 18


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
        while block[start : start + 1] in (b"\r", b"\n"):  # empty lines before a status line (RFC 9112, 2.2)
            start += 1
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


def status_and_mime(block: bytes) -> tuple[int, str]:
    """`status` and `mime` of `parse_head`."""
    usual = _USUAL.match(block, 0, MAX_HEAD)
    if usual is not None:
        return int(usual[1]), usual[2].decode("ascii", "replace")
    head = parse_head(block)
    return head.status, head.mime


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
    values = [value for name, value in framing.header_fields(block[start:end]) if name == b"transfer-encoding"]
    codings = framing.transfer_codings(b",".join(values))
    is_chunked = codings[-1:] == (b"chunked",)
    rest = codings[:-1] if is_chunked else codings
    return is_chunked, rest[0] if len(rest) == 1 else b""


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
            self.broken = self._out > framing.uncoded_limit(1 << 62)
            yield piece

    @property
    def is_usable(self) -> bool:
        """False as well where it grew past what our client decodes: that keeps such a body as it came."""
        return not self.broken and self._out <= framing.uncoded_limit(self._in)


class ChunkDecoder:
    """Undo chunked coding piece by piece, as the wire client did. Trailers are read and dropped.

    `broken` says that the coding was malformed; what was decoded up to there stays decoded. `done` says that the last
    chunk and its trailers were seen.
    """

    def __init__(self) -> None:
        self._out: list[bytes] = []
        self._decoder = framing.ChunkDecoder(self._out.append, trailer_limit=MAX_HEAD)

    @property
    def done(self) -> bool:
        return self._decoder.done

    @property
    def broken(self) -> bool:
        return self._decoder.is_broken

    def feed(self, data: bytes) -> list[bytes]:
        """The decoded pieces that `data` completes."""
        if not (self.done or self.broken):
            self._decoder.feed(data)
        out = self._out.copy()
        self._out.clear()
        return out
