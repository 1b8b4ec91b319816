"""Parts of a WARC as a WARC: whole members copied byte for byte, and index lines moved to where these then stand."""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import orjson

from archiver.warc.reader import RecordHead, open_source
from archiver.warc.reindex import scan

_PIECE = 1 << 20


class Member(NamedTuple):
    """A record where it stands. `start` is the beginning of its block, at most `verify.START` bytes."""

    head: RecordHead
    start: bytes
    offset: int
    length: int


class Span(NamedTuple):
    """Bytes `[start, end)` of a file."""

    start: int
    end: int


def members(path: Path, offset: int = 0) -> Iterator[Member]:
    """Every readable record from `offset` on; damage is passed over, and is in no member. Raises OSError."""
    with open_source(path) as source:
        for found in scan(source, offset):
            yield Member(*found)


class Spans:
    """What is taken of one file: in its order, neighbours joined."""

    def __init__(self, places: Iterable[tuple[int, int]] = ()) -> None:
        """`places` are (offset, length), in the file's order."""
        self.spans: list[Span] = []
        for offset, length in places:
            self.add(offset, length)

    def add(self, offset: int, length: int) -> None:
        if self.spans and self.spans[-1].end == offset:
            self.spans[-1] = Span(self.spans[-1].start, offset + length)
        else:
            self.spans.append(Span(offset, offset + length))

    @property
    def size(self) -> int:
        return sum(end - start for start, end in self.spans)

    def pieces(self, path: Path) -> Iterator[bytes]:
        """The bytes, a piece at a time. Raises OSError, also where the file ends before a span does."""
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            for start, end in self.spans:
                while start < end:
                    piece = os.pread(fd, min(_PIECE, end - start), start)
                    if not piece:
                        raise OSError(5, "the file became shorter", str(path))
                    start += len(piece)
                    yield piece
        finally:
            os.close(fd)

    def moved(self) -> Moved:
        return Moved(self.spans)


class Moved:
    """Offsets in a file to offsets in the cut of it."""

    def __init__(self, spans: Iterable[Span]) -> None:
        self._starts: list[int] = []
        self._places: list[tuple[int, int]] = []
        position = 0
        for start, end in spans:
            self._starts.append(start)
            self._places.append((end, position))
            position += end - start

    def to(self, offset: int) -> int | None:
        """None = not in the cut."""
        at = bisect_right(self._starts, offset) - 1
        if at < 0 or offset >= self._places[at][0]:
            return None
        return self._places[at][1] + offset - self._starts[at]


def moved_lines(lines: Iterable[bytes], moved: Moved | None, name: str | None) -> Iterator[bytes]:
    """CDXJ lines of a cut (None: of a whole file), under another file name where one is given.

    A line that cannot be read names no record of the cut.
    """
    for line in lines:
        if moved is None and name is None:
            yield line
            continue
        place, _, text = line.partition(b" {")
        try:
            fields = orjson.loads(b"{" + text)
            offset = int(fields["offset"])
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
            continue
        to = offset if moved is None else moved.to(offset)
        if to is None:
            continue
        fields["offset"] = str(to)
        if name is not None:
            fields["filename"] = name
        yield b"%b %b\n" % (place, orjson.dumps(fields))
