"""The index of a WACZ: the CDXJ lines of all its WARCs merged, in compressed blocks with a small index of their own.

`index.cdx.gz` and `index.idx` (ZipNum; WACZ 1.1.1, 5.2): a viewer loads the small one and asks for single blocks, so
a million captures open as quickly as ten. The name ends in `.cdx.gz` because `wb-manager add --unpack-wacz` looks for
that ending.
"""

from __future__ import annotations

import gzip
import hashlib
import heapq
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby, islice
from pathlib import Path

import orjson

NAME = "index.cdx.gz"
SMALL_NAME = "index.idx"
LINES = 1024
"""Lines a block, as other writers have it."""
_AT_ONCE = 100  # files open at a time
_HEAD = orjson.dumps({"format": "cdxj-gzip-1.0", "filename": NAME})

Lines = Callable[[], Iterator[bytes]]
"""Sorted lines with their newlines, from the start each time."""


def merged(sources: Sequence[Lines], folder: Path) -> Iterator[bytes]:
    """All lines in order (`LC_ALL=C`), none twice. Many sources are merged in rounds, through files in `folder`.

    Lines of one key and time may come in any order: what stands behind these was changed when a WARC was cut.
    """
    while len(sources) > _AT_ONCE:
        sources = [_spilled(sources[at : at + _AT_ONCE], folder) for at in range(0, len(sources), _AT_ONCE)]
    yield from _merged(sources)


def _merged(sources: Iterable[Lines]) -> Iterator[bytes]:
    for _, lines in groupby(heapq.merge(*(source() for source in sources), key=_place), key=_place):
        yield from sorted(set(lines))


def _place(line: bytes) -> bytes:
    """Key and timestamp: what the order of lines rests on."""
    return line[: line.find(b" {")]


def _spilled(sources: Sequence[Lines], folder: Path) -> Lines:
    with tempfile.NamedTemporaryFile(dir=folder, suffix=".cdxj", delete=False) as file:
        file.writelines(_merged(sources))
    return lambda: lines_of(Path(file.name))


def lines_of(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from file


class ZipNum:
    """Blocks of lines as gzip members. `small` is the content of `index.idx` once `pieces` was read to its end."""

    def __init__(self) -> None:
        self._rows = [b"!meta 0 %b\n" % _HEAD]
        self.lines = 0

    @property
    def small(self) -> bytes:
        return b"".join(self._rows)

    def pieces(self, lines: Iterator[bytes]) -> Iterator[bytes]:
        """The content of `index.cdx.gz`."""
        offset = 0
        while block := list(islice(lines, LINES)):
            data = gzip.compress(b"".join(block), mtime=0)
            row = {
                "offset": offset,
                "length": len(data),
                "digest": f"sha256:{hashlib.sha256(data).hexdigest()}",
                "filename": NAME,
            }
            self._rows.append(b"%b %b\n" % (_place(block[0]), orjson.dumps(row)))
            self.lines += len(block)
            offset += len(data)
            yield data
