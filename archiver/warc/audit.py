"""All that a check of a collection has to know of one WARC, from one reading, small enough to cross processes.

What can be settled inside the file is: a revisit leaves here only when its original lies in another file. Record
places and originals are packed as sorted 8-byte numbers: a million records take 8 or 16 MB, not hundreds.
"""

from __future__ import annotations

import hashlib
import os
from array import array
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from archiver.warc.fields import parse_fields
from archiver.warc.ordinary import Ordinary
from archiver.warc.reader import RecordHead
from archiver.warc.reindex import Indexer, compare_index, index_lines
from archiver.warc.verify import Problem, Report, key_of, originals_for, verify_file

_LAG = 4 << 20  # bytes that the hash of the file may be behind the reading: what was read is still in memory
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class WarcAudit:
    """`report` holds the revisits that this file cannot resolve, and no originals: those are packed in `originals`.

    `sha256` hex, of the whole file. `index` is what the CDXJ says other than the file, None when there is none to
    compare. `lines`: index lines that the file should have. `places`: packed `place_key` of each record of a gzip
    file. `heads`: ledger heads that warcinfo records name.
    """

    report: Report
    sha256: str
    index: tuple[Problem, ...] | None
    lines: int
    places: bytes
    originals: bytes
    heads: tuple[str, ...]


def audit_warc(path: Path, index: Path | None) -> WarcAudit:
    """Read a file to its end, once; compare its index. Raises OSError."""
    with _Audit(path) as audit:
        report = verify_file(path, seen=audit.record)
        audit.indexer.finish()
        known = originals_for([report], [report])
        own = replace(
            report,
            originals=array("Q"),
            revisits=tuple(one for one in report.revisits if known.isdisjoint(one.keys)),
        )
        # else damage, several records a member, or a plain file: the index has its own way through those
        is_told = report.ok and audit.indexer.records == report.records
        lines = audit.indexer.lines if is_told else list(index_lines(path))
        return WarcAudit(
            report=own,
            sha256=audit.sha256(),
            index=None if index is None else tuple(compare_index(index, lines)),
            lines=len(lines),
            places=pack(audit.places),
            originals=pack(report.originals),
            heads=tuple(audit.heads),
        )


def place_key(offset: int, record_id: str) -> int:
    """Eight bytes that stand for a record's id at its place; `record_id` without angle brackets."""
    return key_of(str(offset), record_id)


def pack(numbers: Iterable[int]) -> bytes:
    """Unsigned 64-bit numbers, sorted, in the machine's byte order."""
    return array("Q", sorted(numbers)).tobytes()


def holds(packed: memoryview, number: int) -> bool:
    """Whether a `memoryview(...).cast("Q")` of packed numbers has this one."""
    at = bisect_left(packed, number)
    return at < len(packed) and packed[at] == number


class _Audit:
    """Told of each record; hashes the file right behind the reading, so that the disk is read once."""

    def __init__(self, path: Path) -> None:
        self.indexer = Indexer(path.name)
        self.places = array("Q")
        self.heads: list[str] = []
        self._path = path
        self._fd = -1
        self._hash = hashlib.sha256()
        self._hashed = 0

    def __enter__(self) -> _Audit:
        self._fd = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        return self

    def __exit__(self, *exc: object) -> None:
        os.close(self._fd)

    def record(self, head: RecordHead | Ordinary, start: bytes, offset: int, length: int) -> None:
        self.indexer.add(head, start, offset, length)
        self.places.append(place_key(offset, head.record_id))
        if head.type == "warcinfo":
            named = dict(parse_fields(start)).get("ledgerHead")
            if named:
                self.heads.append(named)
        if offset + length - self._hashed >= _LAG:
            self._follow(offset + length)

    def sha256(self) -> str:
        self._follow(None)
        return self._hash.hexdigest()

    def _follow(self, end: int | None) -> None:
        while end is None or self._hashed < end:
            piece = os.pread(self._fd, _PIECE if end is None else min(_PIECE, end - self._hashed), self._hashed)
            if not piece:
                return
            self._hash.update(piece)
            self._hashed += len(piece)
