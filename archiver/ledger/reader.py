"""Ledger files read back: rows with their places, checks of one file and of a folder's chains."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from archiver.errors import LedgerError
from archiver.ledger.chain import FIELDS, START, ZEROS, ChainReport, parse_body, verify_rows
from archiver.ledger.segments import Head

_BLOCK = 1 << 16
_OPEN_FILES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerRow:
    """A row and where it stands: file name, byte offset and length of its line. `body` is None after erasure."""

    file: str
    offset: int
    length: int
    seq: int
    hash: str
    body: dict[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentReport:
    """One file checked. `joint` says what is wrong with its link to the segment before it, empty when nothing."""

    path: Path
    chain: ChainReport
    joint: str = ""
    previous: Head | None = None

    @property
    def ok(self) -> bool:
        return self.chain.ok and not self.joint


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderReport:
    """Every segment of a folder. `open_heads` are heads that no later segment names: rows cut there go unnoticed
    unless the head is known from elsewhere (warcinfo, manifest)."""

    segments: tuple[SegmentReport, ...] = ()
    open_heads: tuple[Head, ...] = ()

    @property
    def ok(self) -> bool:
        return all(segment.ok for segment in self.segments)


def segment_paths(folder: Path) -> list[Path]:
    """The ledger files of `logs/`, oldest first by name. What is no regular file (a fifo) is none of ours."""
    try:
        with os.scandir(folder) as entries:  # asks nothing a file: there are as many as there are WARCs
            names = [one.name for one in entries if one.name.startswith("ledger-") and one.is_file()]
    except FileNotFoundError:
        return []
    return [folder / name for name in sorted(names) if name.endswith(".jsonl")]


def read_rows(path: Path, start: int = 0, *, damaged: list[str] | None = None) -> Iterator[LedgerRow]:
    """Rows from byte `start` on; an unfinished last line is left out.

    A line that is no row raises LedgerError naming file and offset; with `damaged` it is named there and passed over.
    """
    with path.open("rb") as file:
        file.seek(start)
        offset = start
        for line in file:
            if not line.endswith(b"\n"):
                return
            try:
                yield parse_row(line, path.name, offset)
            except LedgerError as exc:
                if damaged is None:
                    raise
                damaged.append(str(exc))
            offset += len(line)


def read_row(file: BinaryIO, name: str, offset: int, length: int) -> LedgerRow:
    """The row at a known place. Raises LedgerError when there is none."""
    file.seek(offset)
    return parse_row(file.read(length), name, offset)


class Rows:
    """Rows at known places of many segments, their files kept open between reads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, BinaryIO] = {}

    def __enter__(self) -> Rows:
        return self

    def __exit__(self, *exc: object) -> None:
        for file in self._files.values():
            file.close()
        self._files.clear()

    def read(self, name: str, offset: int, length: int) -> LedgerRow:
        """Raises LedgerError when no row is there."""
        if name not in self._files:
            if len(self._files) >= _OPEN_FILES:
                self.__exit__()
            self._files[name] = (self._folder / name).open("rb")
        return read_row(self._files[name], name, offset, length)


def parse_row(line: bytes, name: str, offset: int) -> LedgerRow:
    """One line as a row, its hashes unchecked. Raises LedgerError."""
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as exc:
        raise LedgerError(f"{name}: no ledger row at byte {offset}") from exc
    if not isinstance(row, dict) or not row.keys() >= FIELDS or type(row["seq"]) is not int:
        raise LedgerError(f"{name}: no ledger row at byte {offset}")
    return LedgerRow(
        file=name, offset=offset, length=len(line), seq=row["seq"], hash=row["hash"], body=parse_body(row["body"])
    )


def verify_segment(path: Path, *, head: str | None = None) -> SegmentReport:
    """Check one file alone. `head` is its last hash where something else names it."""
    with path.open("rb") as file:
        chain = verify_rows(file, head=head)
    return SegmentReport(path=path, chain=chain, previous=previous_of(path))


def verify_folder(folder: Path) -> FolderReport:
    """Check every segment, and that each head a segment names is the last hash of the file that it names."""
    segments = joints([verify_segment(path) for path in segment_paths(folder)])
    named = {segment.previous.hash for segment in segments if segment.previous is not None}
    heads = {segment.path.name: segment.chain.last.hash for segment in segments}
    ends = tuple(Head(hash=head, file=name) for name, head in heads.items() if head not in named)
    return FolderReport(segments=segments, open_heads=ends)


def joints(reports: Sequence[SegmentReport]) -> tuple[SegmentReport, ...]:
    """The same reports, of all segments of one folder, each with what is wrong with its link to the one before."""
    heads = {report.path.name: report.chain.last.hash for report in reports}
    return tuple(replace(report, joint=_joint(report, heads)) for report in reports)


def last_head(folder: Path) -> Head | None:
    """Where the newest segment with a whole row ends: what a new process names as `previous`. Reads one file's end."""
    for path in reversed(segment_paths(folder)):
        line = _last_line(path)
        if line is None:
            continue
        try:
            return Head(hash=parse_row(line, path.name, 0).hash, file=path.name)
        except LedgerError:  # zeros or rubbish behind the rows, as a power cut may leave it
            newest = deque(read_rows(path, damaged=[]), maxlen=1)
            if newest:
                return Head(hash=newest[0].hash, file=path.name)
    return None


def _joint(report: SegmentReport, heads: dict[str, str]) -> str:
    previous = report.previous
    if previous is None:
        return ""
    found = heads.get(previous.file)
    if found is None:
        return f"the segment before it, {previous.file}, is not in this folder"
    if found == previous.hash:
        return ""
    # another process's chain may have been running when this one began: then the head lies inside its file
    if report.chain.first == START and _holds(report.path.parent / previous.file, previous.hash):
        return ""
    return f"{previous.file} does not hold the head that this segment names: rows were cut or changed there"


def _holds(path: Path, digest: str) -> bool:
    try:
        return any(row.hash == digest for row in read_rows(path))
    except LedgerError:
        return False


def previous_of(path: Path) -> Head | None:
    """What the first row names as the segment before it."""
    with path.open("rb") as file:
        line = file.readline()
    try:
        body = parse_row(line, path.name, 0).body if line.endswith(b"\n") else None
    except LedgerError:
        return None
    if body is None or body.get("event") != "segment" or not body.get("prev_file"):
        return None
    return Head(hash=str(body.get("prev_head") or ZEROS), file=str(body["prev_file"]))


def _last_line(path: Path) -> bytes | None:
    """The last line that ends with a line feed, read backwards in blocks."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        tail = b""
        while size > 0:
            step = min(_BLOCK, size)
            size -= step
            file.seek(size)
            tail = file.read(step) + tail
            whole = tail[: tail.rfind(b"\n") + 1]
            start = whole.rfind(b"\n", 0, -1)
            if whole and (start >= 0 or size == 0):
                return whole[start + 1 :]
    return None
