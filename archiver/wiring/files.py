"""The files of a run: who writes them, how they are read back, closed and stored."""

from __future__ import annotations

import contextlib
import math
import platform
import re
from collections.abc import Awaitable, Callable, Mapping

from archiver.clock import SYSTEM, Clock
from archiver.config import Config, Places
from archiver.engine.ship import ClosedFile, closed_file
from archiver.errors import DiskError
from archiver.ids import new_record_id
from archiver.ledger import exports, fixity, opens
from archiver.ledger.hides import segments
from archiver.ledger.segments import JsonlLedger
from archiver.model import Access, ClosedSegment, DocumentItem
from archiver.warc.reindex import verify_closed
from archiver.warc.streams import SegmentSettings
from archiver.warc.writer import WarcRecorder
from archiver.wiring.describe import describe

_NOT_HOST = re.compile(r"[^A-Za-z0-9.-]+")


def recorder_of(
    config: Config,
    places: Places,
    clock: Clock,
    job: str,
    fields: Callable[[Access], Mapping[str, str]],
    *,
    saving: bool,
) -> WarcRecorder:
    host = _NOT_HOST.sub("-", platform.node()).strip("-.")[:40] or "localhost"
    settings = SegmentSettings(
        job=job,
        host=host,
        rollover_size=config.limits.rollover_size,
        # one `save` run is one WARC an access class, however long it takes
        rollover_seconds=math.inf if saving else config.limits.rollover_seconds,
    )
    return WarcRecorder(places.root, clock, settings, fields)


async def let_go(recorder: WarcRecorder) -> None:
    """Whatever ended the run: its files are closed where that is possible, and not held any longer where it is not."""
    with contextlib.suppress(DiskError):
        await recorder.close()


def check_segment(segment: ClosedSegment) -> list[str]:
    """Read a closed WARC and its index back, strictly; what is wrong, one sentence each."""
    report, of_index = verify_closed(segment.cdxj_path, segment.path)
    return [str(problem) for problem in (*report.errors, *of_index)]


def epilogue_of(
    ledger: JsonlLedger, recorder: WarcRecorder, places: Places, clock: Clock, job: str
) -> Callable[[], Awaitable[None]]:
    """For `save` the rows travel in its WARC too (decision 10)."""

    async def write() -> None:
        if ledger.file is None:
            return
        text = (places.logs / ledger.file).read_bytes()
        item = DocumentItem(
            type="metadata",
            target=f"urn:ledger:{job}",
            content_type="application/x-ndjson",
            payload=text,
            record_id=new_record_id(),
            date=clock.now(),
            access=Access.OPEN,
        )
        await recorder.record([item])

    return write


def rotated(ledger: JsonlLedger) -> ClosedFile | None:
    segment = ledger.rotate()
    return None if segment is None else ClosedFile(path=segment.path, sha256=segment.sha256)


def leftovers(places: Places) -> list[ClosedFile]:
    """Files that are complete only at the end of a run, with their digests (blocking)."""
    grown = [
        closed_file(path)
        for path in (
            *places.pages.glob("*.jsonl"),
            *segments(places.logs),
            *segments(places.logs, opens.JOB),
            *exports.segments(places.logs),
            *fixity.segments(places.logs),
        )
    ]
    return [*grown, *describe(places, SYSTEM)]
