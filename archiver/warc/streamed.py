"""A file that comes once, from its first byte to its last, read by position: for files that lie in a store.

The strict reader goes forward but for short steps back, which a few kept megabytes serve; only behind damage it may
go far back, and then those bytes are asked for once more. Nothing is written to disk.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator

KEPT = 4 << 20
"""Bytes kept behind the furthest read: more than the widest window that the reader opens again."""


class Streamed:
    """`read_at` is for `members.Source`. `pieces` are the file's bytes in order, `again(offset, length)` brings some of
    them once more. Both may block, and raise; what they raise passes through."""

    def __init__(self, pieces: Iterator[bytes], again: Callable[[int, int], bytes]) -> None:
        self._pieces = pieces
        self._again = again
        self._kept = bytearray()
        self._start = 0
        self._hash = hashlib.sha256()
        self._is_whole = False

    @property
    def read(self) -> int:
        """Bytes that have come so far."""
        return self._start + len(self._kept)

    @property
    def kept(self) -> int:
        """Bytes in memory."""
        return len(self._kept)

    def read_at(self, length: int, offset: int) -> bytes:
        """At most `length` bytes from `offset`; b"" behind the end."""
        while self.read < offset + length and self._more(offset):
            pass
        if offset < self._start:
            return self._again(offset, length)
        begin = offset - self._start
        return bytes(self._kept[begin : begin + length])

    def sha256(self) -> str:
        """Of all that comes; reads what is left. Hex."""
        while self._more(self.read):
            pass
        return self._hash.hexdigest()

    def _more(self, needed: int) -> bool:
        """One piece more; what lies before `needed` may be let go of."""
        piece = b"" if self._is_whole else next(self._pieces, b"")
        if not piece:
            self._is_whole = True
            return False
        self._hash.update(piece)
        self._kept += piece
        surplus = min(len(self._kept) - KEPT, needed - self._start)
        if surplus > KEPT:
            del self._kept[:surplus]
            self._start += surplus
        return True
