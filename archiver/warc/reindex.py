"""An index made from a WARC file itself: byte for byte what the writer collected, for salvage and for checking."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import orjson

from archiver.warc.cdxj import Indexed, line, merge
from archiver.warc.fields import WARC_FIELDS
from archiver.warc.members import Damage, GzipStream, PlainStream, Source, next_record_member
from archiver.warc.ordinary import Ordinary
from archiver.warc.reader import RecordHead, RecordStream, bare, open_source
from archiver.warc.verify import START, Problem, Report, verify_file

_NEEDED = {"url", "digest", "filename", "offset", "length"}


class _Waiting:
    """A response, revisit or resource whose request may be the next record."""

    def __init__(self, head: RecordHead | Ordinary, start: bytes, offset: int, length: int) -> None:
        self.head, self.start, self.offset, self.length = head, start, offset, length
        self.record_id = head.record_id

    def line(self, filename: str, request: bytes) -> bytes | None:
        head = self.head
        return line(
            Indexed(
                url=head.target or "",
                date=head.get("WARC-Date") or "",
                revisit=head.type == "revisit",
                block=self.start,
                digest=head.get("WARC-Payload-Digest") or "",
                filename=filename,
                offset=self.offset,
                length=self.length,
                request=request,
                mime=_mime_of(head) if head.type == "resource" else None,
            )
        )


def _is_content(head: RecordHead | Ordinary) -> bool:
    """Whether a resource record is something to show: fields about a capture are not (cdxj-indexer's rule)."""
    return _mime_of(head) != WARC_FIELDS


def _mime_of(head: RecordHead | Ordinary) -> str:
    return (head.get("Content-Type") or "").partition(";")[0].strip().lower() or "unk"


class Indexer:
    """Makes `lines` out of a file's records, told one by one in their order."""

    def __init__(self, filename: str) -> None:
        self.lines: list[bytes] = []
        self.records = 0
        self._filename = filename
        self._waiting: _Waiting | None = None

    def add(self, head: RecordHead | Ordinary, start: bytes, offset: int, length: int) -> None:
        self.records += 1
        kind = head.type
        if self._waiting is not None:
            own = kind == "request" and bare(head.get("WARC-Concurrent-To") or "") == self._waiting.record_id
            self.finish(start if own else b"")
        if kind in ("response", "revisit") or (kind == "resource" and _is_content(head)):
            self._waiting = _Waiting(head, start, offset, length)

    def finish(self, request: bytes = b"") -> None:
        """No other record comes (or `request` has come) for the one in hand."""
        made = None if self._waiting is None else self._waiting.line(self._filename, request)
        self._waiting = None
        if made is not None:
            self.lines.append(made)


def index_lines(path: Path | str, *, name: str | None = None) -> Iterator[bytes]:
    """The lines of a file in its own order, records behind damage included. `name` stands in `filename`."""
    indexer = Indexer(name or Path(path).name)
    with open_source(path) as source:
        for head, start, offset, length in scan(source):
            indexer.add(head, start, offset, length)
            yield from indexer.lines
            indexer.lines.clear()
    indexer.finish()
    yield from indexer.lines


def scan(source: Source, start_at: int = 0) -> Iterator[tuple[RecordHead, bytes, int, int]]:
    """(header, beginning of the block, offset, length) of each readable gzip member, or of each plain record."""
    offset: int | None = start_at
    while offset is not None and offset < source.size:
        try:
            if source.read(offset, 5) == b"WARC/":
                yield from _scan_plain(source, offset)
                return
            stream = GzipStream(source, offset)
            reader = RecordStream(stream, offset)
            head = reader.head(offset)
            start = _start_of(reader, head.length)
            reader.finish()
            if not reader.at_end() or stream.end is None:
                raise Damage("gzipNotPerRecord", "several records in one gzip member")
        except Damage:
            offset = next_record_member(source, offset + 1)
            continue
        yield head, start, offset, stream.end - offset
        offset = stream.end


def _scan_plain(source: Source, offset: int) -> Iterator[tuple[RecordHead, bytes, int, int]]:
    reader = RecordStream(PlainStream(source, offset), offset)
    while not reader.at_end():
        offset = reader.position
        head = reader.head(offset)
        start = _start_of(reader, head.length)
        reader.finish()
        yield head, start, offset, reader.position - offset


def _start_of(reader: RecordStream, length: int) -> bytes:
    pieces: list[bytes] = []
    kept = 0
    for piece in reader.block(length):
        if kept < START:
            pieces.append(piece[: START - kept])
            kept += len(pieces[-1])
    return b"".join(pieces)


def build_index(path: Path | str, *, name: str | None = None) -> bytes:
    """The content of the file's `.cdxj`. Raises OSError."""
    return merge(index_lines(path, name=name))


def visits_in(path: Path | str) -> dict[str, list[tuple[int, int]]]:
    """Visit (`WARC-Page-ID`) -> its records, each from its first byte to behind its last. Raises OSError."""
    found: dict[str, list[tuple[int, int]]] = {}

    def add(head: RecordHead | Ordinary, start: bytes, offset: int, length: int) -> None:
        visit = head.get("WARC-Page-ID")
        if visit:
            found.setdefault(visit, []).append((offset, offset + length))

    verify_file(path, seen=add)
    return found


def verify_index(cdxj: Path | str, warc: Path | str) -> list[Problem]:
    """Does an index say what its WARC holds, in order? Other tools may leave fields out.

    Raises OSError.
    """
    return compare_index(Path(cdxj), index_lines(warc))


def verify_closed(cdxj: Path | str, warc: Path | str) -> tuple[Report, list[Problem]]:
    """`verify_file` and `verify_index` in one reading of the WARC. Raises OSError."""
    indexer = Indexer(Path(warc).name)
    report = verify_file(warc, seen=indexer.add)
    indexer.finish()
    is_told = report.ok and indexer.records == report.records  # else damage, or a plain file: the index has its own way
    return report, compare_index(Path(cdxj), indexer.lines if is_told else index_lines(warc))


def compare_index(cdxj: Path, lines: Iterable[bytes]) -> list[Problem]:
    """What an index says other than `lines`, which are made from its WARC."""
    name, content = cdxj.name, cdxj.read_bytes()
    own_lines = list(lines)
    if content == merge(own_lines):
        return []
    rows = content.splitlines()
    problems = []
    if content and not content.endswith(b"\n"):
        problems.append(_problem(name, len(content), "indexCut", "the last line has no end"))
    if any(later <= earlier for earlier, later in pairwise(rows)):
        problems.append(_problem(name, 0, "indexOrder", "lines are not in byte order, or stand there twice"))
    expected = {made.fields["offset"]: made for made in map(_parse, own_lines) if made is not None}
    found: set[str] = set()
    position = 0
    for row in rows:
        made = _parse(row)
        own = expected.get(made.fields.get("offset", "")) if made is not None else None
        if made is None or own is None or not _agree(made, own):
            problems.append(_problem(name, position, "indexExtra", f"no such record in the WARC: {_show(row)}"))
        else:
            found.add(own.fields["offset"])
        position += len(row) + 1
    missing = [made for offset, made in expected.items() if offset not in found]
    return problems + [
        _problem(name, 0, "indexMissing", f"no line for {made.fields['url']} at {made.fields['offset']}")
        for made in missing
    ]


class _Row(NamedTuple):
    prefix: bytes
    fields: dict[str, str]


def _parse(row: bytes) -> _Row | None:
    """Key and timestamp, and the fields as strings (pywb writes strings, others integers); None for no line."""
    parts = row.rstrip(b"\n").split(b" ", 2)
    try:
        fields = orjson.loads(parts[2])
        return _Row(b" ".join(parts[:2]), {key: str(value) for key, value in fields.items()})
    except (IndexError, AttributeError, orjson.JSONDecodeError):
        return None


def _agree(row: _Row, own: _Row) -> bool:
    return (
        row.prefix == own.prefix
        and row.fields.keys() >= _NEEDED
        and all(own.fields.get(key, value) == value for key, value in row.fields.items())
    )


def _show(row: bytes) -> str:
    return row[:120].decode("utf-8", "replace")


def _problem(file: str, offset: int, code: str, message: str) -> Problem:
    return Problem(file=file, offset=offset, record_id="", code=code, message=message)
