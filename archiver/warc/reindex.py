"""An index made from a WARC file itself: byte for byte what the writer collected, for salvage and for checking."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import orjson

from archiver.warc.cdxj import Indexed, line, merge
from archiver.warc.http import MAX_HEAD, parse_head
from archiver.warc.members import Damage, GzipStream, Source, next_record_member
from archiver.warc.reader import RecordHead, RecordStream, bare, open_source
from archiver.warc.verify import Problem

_MAX_REQUEST = 1 << 20


class _Waiting:
    """A response or revisit whose request may be the next record."""

    def __init__(self, head: RecordHead, start: bytes, offset: int, length: int) -> None:
        self.head, self.start, self.offset, self.length = head, start, offset, length

    def line(self, filename: str, request: bytes) -> bytes | None:
        return line(
            Indexed(
                url=self.head.target or "",
                date=self.head.get("WARC-Date") or "",
                revisit=self.head.type == "revisit",
                head=parse_head(self.start),
                digest=self.head.get("WARC-Payload-Digest") or "",
                filename=filename,
                offset=self.offset,
                length=self.length,
                request=request,
            )
        )


def index_lines(path: Path | str, *, name: str | None = None) -> Iterator[bytes]:
    """The lines of a file in its own order, records behind damage included. `name` stands in `filename`."""
    filename = name or Path(path).name
    waiting: _Waiting | None = None
    with open_source(path) as source:
        for head, start, offset, length in _scan(source):
            is_request = head.type == "request"
            if waiting is not None:
                own = is_request and bare(head.get("WARC-Concurrent-To") or "") == waiting.head.record_id
                made = waiting.line(filename, start if own else b"")
                waiting = None
                if made is not None:
                    yield made
            if head.type in ("response", "revisit"):
                waiting = _Waiting(head, start, offset, length)
    if waiting is not None and (made := waiting.line(filename, b"")) is not None:
        yield made


def _scan(source: Source) -> Iterator[tuple[RecordHead, bytes, int, int]]:
    """(header, beginning of the block, offset, length) of each readable gzip member."""
    offset: int | None = 0
    while offset is not None and offset < source.size:
        try:
            stream = GzipStream(source, offset)
            reader = RecordStream(stream, offset)
            head = reader.head(offset)
            start = _start_of(reader, head.length)
            reader.finish()
            if not reader.drain(0) or stream.end is None:
                raise Damage("gzipNotPerRecord", "several records in one gzip member")
        except Damage:
            offset = next_record_member(source, offset + 1)
            continue
        yield head, start, offset, stream.end - offset
        offset = stream.end


def _start_of(reader: RecordStream, length: int) -> bytes:
    limit = max(MAX_HEAD, _MAX_REQUEST)
    pieces: list[bytes] = []
    kept = 0
    for piece in reader.block(length):
        if kept < limit:
            pieces.append(piece[: limit - kept])
            kept += len(pieces[-1])
    return b"".join(pieces)


def build_index(path: Path | str, *, name: str | None = None) -> bytes:
    """The content of the file's `.cdxj`. Raises OSError."""
    return merge(index_lines(path, name=name))


def verify_index(cdxj: Path | str, warc: Path | str) -> list[Problem]:
    """Does an index say exactly what its WARC holds, in order? Compares values, whatever the JSON's spelling."""
    name = Path(cdxj).name
    content = Path(cdxj).read_bytes()
    rows = content.splitlines()
    problems = []
    if content and not content.endswith(b"\n"):
        problems.append(_problem(name, len(content), "indexCut", "the last line has no end"))
    if any(later <= earlier for earlier, later in pairwise(rows)):
        problems.append(_problem(name, 0, "indexOrder", "lines are not in byte order, or stand there twice"))
    expected = {_normal(row) for row in index_lines(warc)}
    found: set[bytes] = set()
    position = 0
    for row in rows:
        normal = _normal(row)
        if normal not in expected:
            problems.append(_problem(name, position, "indexExtra", f"no such record in the WARC: {row[:120]!r}"))
        found.add(normal)
        position += len(row) + 1
    missing = sorted(expected - found)
    return problems + [_problem(name, 0, "indexMissing", f"a record has no line: {row[:120]!r}") for row in missing]


def _normal(row: bytes) -> bytes:
    """A line with sorted keys and string values; a line that is none stays as it is."""
    parts = row.rstrip(b"\n").split(b" ", 2)
    try:
        fields = orjson.loads(parts[2])
        plain = {key: value if isinstance(value, str) else str(value) for key, value in fields.items()}
    except (IndexError, AttributeError, orjson.JSONDecodeError):
        return row
    return b" ".join([*parts[:2], orjson.dumps(plain, option=orjson.OPT_SORT_KEYS)])


def _problem(file: str, offset: int, code: str, message: str) -> Problem:
    return Problem(file=file, offset=offset, record_id="", code=code, message=message)
