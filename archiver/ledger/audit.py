"""All that a check of a collection has to know of a ledger segment, from one reading, small enough to cross processes.

The chain is checked by `chain.verify_rows`; what the rows say of files and records is taken out on the way.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from archiver.ledger.chain import parse_body, verify_rows
from archiver.ledger.reader import SegmentReport, previous_of

PlaceKey = Callable[[int, str], int]
"""Offset and record id (`urn:uuid:...`) to the number under which the WARC's own reading keeps the place."""

_KEPT = ("stored", "imported")
_MARKS = tuple(b'\\"event\\":\\"%b\\"' % event.encode() for event in _KEPT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What a row says of a whole file: where it was put, and its bytes. `uri` is empty where the row names a file."""

    file: str
    uri: str
    sha256: str
    size: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerAudit:
    """`hashes`: the first eight bytes of each row's hash. `refs`: by WARC name, packed pairs of place key and offset.

    `access`: by WARC name, the access classes that `outcome` rows give its records. `cut`: by WARC name, where salvage
    cut it. `sha256` hex and `size` are of the bytes that were read: the file may be growing.
    """

    report: SegmentReport
    sha256: str
    size: int
    hashes: bytes
    refs: Mapping[str, bytes]
    access: Mapping[str, tuple[str, ...]]
    kept: tuple[Kept, ...]
    cut: Mapping[str, int]


def audit_segment(path: Path, place_key: PlaceKey) -> LedgerAudit:
    """Check every row and gather what the rows say. Raises OSError."""
    gathered = _Gathered(place_key)
    with path.open("rb") as file:
        chain = verify_rows(gathered.read(file))
    return LedgerAudit(
        report=SegmentReport(path=path, chain=chain, previous=previous_of(path)),
        sha256=gathered.digest.hexdigest(),
        size=gathered.size,
        hashes=gathered.hashes.tobytes(),
        refs={file: pairs.tobytes() for file, pairs in gathered.refs.items()},
        access={file: tuple(sorted(found)) for file, found in gathered.access.items()},
        kept=tuple(gathered.kept),
        cut=gathered.cut,
    )


def kept_rows(lines: Iterable[bytes]) -> Iterator[Kept]:
    """What rows say of whole files, without a look at the chain; only such lines are parsed."""
    for line in lines:
        if any(mark in line for mark in _MARKS):
            gathered = _Gathered(lambda offset, name: 0)
            gathered.row(line)
            yield from gathered.kept


def head_number(digest: str) -> int | None:
    """The number under which `LedgerAudit.hashes` keeps a row's hash; None for what is no hash."""
    try:
        return int(digest[:16], 16) if len(digest) == 64 else None
    except ValueError:
        return None


@dataclass(slots=True)
class _Gathered:
    place_key: PlaceKey
    digest: Any = field(default_factory=sha256)
    size: int = 0
    hashes: array[int] = field(default_factory=lambda: array("Q"))
    refs: dict[str, array[int]] = field(default_factory=dict)
    access: dict[str, set[str]] = field(default_factory=dict)
    kept: list[Kept] = field(default_factory=list)
    cut: dict[str, int] = field(default_factory=dict)

    def read(self, file: BinaryIO) -> Iterator[bytes]:
        for line in file:
            self.digest.update(line)
            self.size += len(line)
            self.row(line)
            yield line

    def row(self, line: bytes) -> None:
        """A row that is none is for the chain's check to tell."""
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError:
            return
        if not isinstance(row, dict):
            return
        number = head_number(str(row.get("hash")))
        if number is not None:
            self.hashes.append(number)
        text = row.get("body")
        body = parse_body(text) if isinstance(text, str) else None
        if body is not None:
            self._body(body)

    def _body(self, body: Mapping[str, Any]) -> None:
        event = body.get("event")
        if event in _KEPT:
            self._keep(body)
        elif event == "salvage" and isinstance(body.get("cut"), int):
            self.cut[str(body.get("file"))] = body["cut"]
        record = body.get("record")
        if isinstance(record, dict):
            self._refer(record)
            if event == "outcome" and isinstance(body.get("access"), str):
                self.access.setdefault(str(record.get("file")), set()).add(body["access"])
        records = body.get("records")
        for one in records if isinstance(records, list) else ():
            if isinstance(one, dict):
                self._refer(one)

    def _refer(self, record: Mapping[str, Any]) -> None:
        offset, name = record.get("offset"), record.get("record_id")
        if isinstance(offset, int) and offset >= 0 and isinstance(name, str):
            pairs = self.refs.setdefault(str(record.get("file")), array("Q"))
            pairs.append(self.place_key(offset, name))
            pairs.append(offset)

    def _keep(self, body: Mapping[str, Any]) -> None:
        uri, digest, size = str(body.get("uri") or ""), str(body.get("sha256") or ""), body.get("size")
        file = str(body.get("file") or "") or uri.rpartition("/")[2]
        if file and digest:
            self.kept.append(Kept(file=file, uri=uri, sha256=digest, size=size if isinstance(size, int) else None))
