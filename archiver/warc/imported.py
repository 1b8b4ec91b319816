"""A WARC of others, looked at: is it whole, what does it say of itself, which captures are in it. Memory is bounded.

Its own digests and dates are checked, its claims are not; an index that came with it is not read.
"""

from __future__ import annotations

import contextlib
import heapq
import os
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from archiver.warc.fields import parse_fields
from archiver.warc.members import MAGIC, Damage
from archiver.warc.ordinary import Ordinary
from archiver.warc.reader import RecordHead, open_source, open_stream
from archiver.warc.reindex import Indexer, index_lines
from archiver.warc.verify import Report, verify_file

SPILLED = 100_000
"""Lines of an index that are sorted in memory at a time, some 30 MB."""

CLAIMS = (
    "software", "operator", "publisher", "hostname", "robots", "isPartOf", "description", "format", "conformsTo",
    "http-header-user-agent",
)  # fmt: skip
"""Fields of a warcinfo record that are kept as what the file claims (WARC 1.1, 6.2; Heritrix's too)."""

MAX_CLAIM = 500
_MAX_INFO = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """What a file is. `index`: lines written; `claims` of its first record, when that is a warcinfo."""

    report: Report
    index: int = 0
    claims: dict[str, str] = field(default_factory=dict)


def is_gzip(path: Path) -> bool:
    """By its first bytes, whatever its name says. Raises OSError."""
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def examine(path: Path, name: str, index: Path) -> Examined:
    """Read a WARC strictly and write its CDXJ to `index` in the same pass; `name` stands in the lines.

    Where there are errors the index is incomplete and not to be used. Raises OSError.
    """
    with tempfile.TemporaryDirectory(dir=index.parent, prefix=".sort-") as folder:
        lines = _Sorted(Path(folder))
        indexer = Indexer(name)

        def seen(head: RecordHead | Ordinary, start: bytes, offset: int, length: int) -> None:
            indexer.add(head, start, offset, length)
            if indexer.lines:
                lines.extend(indexer.lines)
                indexer.lines.clear()

        report = verify_file(path, seen=seen)
        if report.errors:
            return Examined(report=report)
        indexer.finish()
        # an uncompressed file is not told record by record
        lines.extend(indexer.lines if indexer.records == report.records else index_lines(path, name=name))
        return Examined(report=report, index=lines.write(index), claims=claims(path))


def claims(path: Path) -> dict[str, str]:
    """What the file's first record, a warcinfo, says of who made it and how. Raises OSError."""
    with open_source(path) as source:
        try:
            stream = open_stream(source, 0)
            head = stream.head(0)
            if head.type != "warcinfo" or head.length > _MAX_INFO:
                return {}
            block = b"".join(stream.block(head.length))
        except Damage:
            return {}
    wanted = {name.lower(): name for name in CLAIMS}
    found: dict[str, str] = {}
    for name, value in parse_fields(block):
        known = wanted.get(name.lower())
        if known is not None and value:
            found.setdefault(known, " ".join(value.split())[:MAX_CLAIM])
    return found


class _Sorted:
    """Lines that are sorted on disk once there are more than `SPILLED`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lines: list[bytes] = []
        self._parts: list[Path] = []

    def extend(self, lines: Iterable[bytes]) -> None:
        for line in lines:
            self._lines.append(line)
            if len(self._lines) >= SPILLED:
                self._spill()

    def write(self, target: Path) -> int:
        """All lines in byte order, none twice, fsynced; their number."""
        self._lines.sort()
        with contextlib.ExitStack() as stack:
            parts: list[Iterable[bytes]] = [stack.enter_context(part.open("rb")) for part in self._parts]
            out = stack.enter_context(target.open("wb"))
            number = _write(out, heapq.merge(*parts, self._lines))
            out.flush()
            os.fsync(out.fileno())
        return number

    def _spill(self) -> None:
        part = self._folder / f"{len(self._parts)}"
        with part.open("wb") as file:
            file.writelines(sorted(self._lines))
        self._parts.append(part)
        self._lines.clear()


def _write(out: BinaryIO, lines: Iterator[bytes]) -> int:
    number, last = 0, b""
    for line in lines:
        if line != last:
            out.write(line)
            number += 1
        last = line
    return number
