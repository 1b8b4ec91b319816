"""Visits in a WARC that no row tells of: a process died between the frontier's commit and the ledger's row."""

from __future__ import annotations

from pathlib import Path

from archiver.clock import ManualClock
from archiver.frontier.memory import MemoryFrontier
from archiver.ledger.reader import read_rows, segment_paths
from archiver.warc.reader import iter_records
from archiver.warc.salvage import closed_segments
from archiver.wiring.untold import requeue_untold, untold
from tests.system.cli import ledger_bodies


def job_of(root: Path) -> str:
    return next(str(row["job"]) for row in ledger_bodies(root) if row["event"] == "run")


def cut_behind(root: Path, url_end: str) -> str:
    """The ledger as it was before the visit of a URL was told; the visit's number."""
    for path in segment_paths(root / "logs"):
        for row in read_rows(path):
            assert row.body is not None
            if row.body["event"] == "visit" and row.body["url"].endswith(url_end):
                later = [other for other in segment_paths(root / "logs") if other > path]
                for other in later:
                    other.unlink()
                path.write_bytes(path.read_bytes()[: row.offset])
                return str(row.body["capture_id"])
    raise AssertionError(f"no visit of {url_end}")


def test_where_every_visit_is_told_nothing_is_untold(root: Path) -> None:
    warcs = sorted((root / "archive").glob("*.warc.gz"))
    assert len(warcs) > 1
    assert [untold(root / "logs", job_of(root), warc) for warc in warcs] == [()] * len(warcs)


def test_the_records_of_a_visit_without_its_row_are_named(root: Path) -> None:
    job = job_of(root)
    visit = cut_behind(root, "/b")
    found = False
    for warc in sorted((root / "archive").glob("*.warc.gz")):
        spans = untold(root / "logs", job, warc)
        own = {
            (record.headers.offset, record.headers.get("WARC-Page-ID") == visit)
            for record in iter_records(warc)
            if record.headers.get("WARC-Page-ID") is not None
        }
        starts = {int(start) for start, _ in spans}
        assert {offset for offset, is_visit in own if is_visit} <= starts <= {offset for offset, _ in own}
        found = found or any(is_visit for _, is_visit in own)
    assert found


async def test_files_of_other_jobs_put_nothing_back(root: Path) -> None:
    frontier = MemoryFrontier(ManualClock(), own=lambda origin: True)
    left = closed_segments(root, frozenset())
    assert len(left) > 2
    assert await requeue_untold(frontier, root / "logs", job_of(root), (), left) == 0
