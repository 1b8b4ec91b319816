"""Visits that the frontier has as done and no ledger row tells of: a process died between the two, or the power went.

They would be in the WARC and in no list. Only files that the last process left are looked through, so that a start
after an orderly end costs nothing here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from archiver.ledger.reader import read_rows, segment_paths
from archiver.model import ClosedSegment
from archiver.ports import Frontier
from archiver.ports.frontier import Span
from archiver.warc.reindex import visits_in
from archiver.warc.salvage import Salvaged

_BEFORE = 2  # segments older than the file whose rows may still be about it


async def requeue_untold(
    frontier: Frontier, logs: Path, job: str, salvaged: Sequence[Salvaged], unshipped: Sequence[ClosedSegment]
) -> int:
    """Put back the visits of `job` in files of a dead process that have no `visit` row; how many pages that makes."""
    count = 0
    for segment in (*(one.segment for one in salvaged if one.segment is not None), *unshipped):
        spans = await asyncio.to_thread(untold, logs, job, Path(segment.path))
        if spans:
            count += await frontier.requeue(segment.file, spans)
    return count


def untold(logs: Path, job: str, warc: Path) -> tuple[Span, ...]:
    """Where in a WARC the records of visits stand of which the job's ledger does not tell (blocking)."""
    told = _told(logs, job, warc.name)
    return tuple(span for visit, spans in visits_in(warc).items() if visit not in told for span in spans)


def _told(logs: Path, job: str, warc: str) -> frozenset[str]:
    """The visits (capture_id) that rows of the job tell of, in the segments that can be about a file of that name."""
    begun = warc.split("-")[1] if warc.count("-") > 1 else ""
    paths = [path for path in segment_paths(logs) if f"-{job[:8]}-" in path.name]
    older = sum(path.name.split("-")[1] < begun for path in paths)
    rows = (row for path in paths[max(0, older - _BEFORE) :] for row in read_rows(path, damaged=[]))
    return frozenset(
        str(row.body["capture_id"]) for row in rows if row.body is not None and row.body.get("event") == "visit"
    )
