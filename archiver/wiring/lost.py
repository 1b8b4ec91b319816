"""Which visits of an interrupted job are in no verified file any more, and are therefore made again."""

from __future__ import annotations

import asyncio
import math
import os
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from archiver.config import Places
from archiver.ledger.reader import segment_paths
from archiver.model import Access, ClosedSegment
from archiver.ports import Frontier
from archiver.ports.frontier import WHOLE, Span
from archiver.store.shipped import ShippedNames
from archiver.store.spool import SpoolJournal
from archiver.warc.salvage import Salvaged
from archiver.warc.verify import MAX_PROBLEMS, verify_file

_SECOND = re.compile(r"-[0-9]+\.warc\.gz$")


class CheckedFiles:
    """Closed WARCs that passed the strict reader: name, size and time of change. What changed since is read again."""

    def __init__(self, places: Places) -> None:
        self._names = ShippedNames(places.state / "checked")

    def add(self, segment: ClosedSegment) -> None:
        """Raises DiskError."""
        self.add_path(Path(segment.path))

    def add_path(self, path: Path) -> None:
        self._names.add(_line(path.name, path.stat()))

    def lines(self) -> frozenset[str]:
        return self._names.names()


def _line(name: str, stat: os.stat_result) -> str:
    return f"{name} {stat.st_size} {stat.st_mtime_ns}"


async def requeue_lost(frontier: Frontier, places: Places, salvaged: Sequence[Salvaged] = ()) -> int:
    """Put back what rests on bytes that no verified file holds; how many pages that makes. Raises DiskError.

    Such files are there after a power cut, which may take what was written last, and after damage. A file that was
    moved to `restricted/` or `dark/` is where it is; one that lies in the bucket alone was compared there. One that
    salvage had to give another name is not the one that the ledger's rows speak of.
    """
    renamed = {_SECOND.sub(".warc.gz", one.file) for one in salvaged if _SECOND.search(one.file)}
    uploaded = await asyncio.to_thread(_uploaded, places)
    checked = CheckedFiles(places)
    known, count = await asyncio.to_thread(checked.lines), 0
    for name, end in sorted((await frontier.files()).items()):
        lost = WHOLE
        if name not in renamed:
            lost = await asyncio.to_thread(_lost_of, places, name, known, checked, uploaded)
        if lost and lost[0][0] < end:
            count += await frontier.requeue(name, lost)
    return count


def begun(logs: Path, job: str) -> float:
    """Epoch seconds from which on a job can have asked for anything; 0 where none of its rows are left."""
    times = [path.name.split("-")[1] for path in segment_paths(logs) if f"-{job[:8]}-" in path.name]
    return datetime.strptime(min(times)[:14], "%Y%m%d%H%M%S").replace(tzinfo=UTC).timestamp() if times else 0.0


def _lost_of(
    places: Places, name: str, known: frozenset[str], checked: CheckedFiles, uploaded: frozenset[str]
) -> tuple[Span, ...]:
    path = next((path for access in Access if (path := places.warcs(access) / name).is_file()), None)
    if path is None:
        return () if name in uploaded else WHOLE
    stat = path.stat()
    if _line(name, stat) in known:
        return ((stat.st_size, math.inf),)
    lost = lost_spans(path)
    if len(lost) == 1 and lost[0][0] == stat.st_size:
        checked.add_path(path)
    return lost


def _uploaded(places: Places) -> frozenset[str]:
    """WARCs that a store was seen to hold, by name."""
    if not places.uploads.exists():
        return frozenset()
    journal = SpoolJournal(places.uploads, places.out)
    try:
        return frozenset(Path(key).name for key in journal.all_stored())
    finally:
        journal.close()


def lost_spans(path: Path) -> tuple[Span, ...]:
    """What of a file does not pass the strict reader, from record to record. Raises OSError.

    Behind the end of a file everything is lost: it may have been longer.
    """
    records: list[tuple[int, int]] = []
    report = verify_file(path, seen=lambda head, start, offset, length: records.append((offset, length)))
    if not report.errors:
        return ((report.size, math.inf),) if report.size else WHOLE
    bad = {problem.offset for problem in report.errors}
    told_until = max(bad) if len(report.errors) >= MAX_PROBLEMS else math.inf
    good = ((offset, length) for offset, length in records if offset not in bad and offset < told_until)
    return tuple(_between(good))


def _between(good: Iterable[tuple[int, int]]) -> Iterable[Span]:
    end = 0
    for offset, length in good:
        if offset > end:
            yield end, offset
        end = offset + length
    yield end, math.inf
