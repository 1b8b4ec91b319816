"""`archiver report [COLLECTION]`: what a job did, as JSON, CSV, a crawl.log and a page to read, from the ledger."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from archiver.cli.collections import add_place_options, places_of
from archiver.clock import SYSTEM, iso
from archiver.config import Places
from archiver.errors import DiskError, UsageError
from archiver.ledger.imports import imported
from archiver.ledger.index import LedgerIndex
from archiver.ledger.reader import read_rows, segment_paths, verify_folder
from archiver.ledger.report import Report
from archiver.ledger.report_check import Recount
from archiver.ledger.report_html import page
from archiver.ledger.report_log import CrawlLog
from archiver.ledger.report_urls import printable, write_codebook, write_urls
from archiver.ledger.report_words import answers, as_json, reason_rows

EXIT_DAMAGED = 1
_FIRST_ROWS = 20
"""A process says what it is in the first rows of its first segment."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("collection", nargs="?", help="default: main")
    parser.add_argument("--job", metavar="ID", help="the job's id or its beginning (default: the newest job)")
    add_place_options(parser)


def run(options: argparse.Namespace) -> int:
    """0; 1 when the count or a chain of the ledger does not hold. The files are written either way and say so."""
    places = places_of(options.collection, options.out)
    job = chosen(jobs_in(places.logs), options.job, places.name)
    with LedgerIndex(places.state / "ledger-index.sqlite", places.logs, collection=places.name) as index:
        report = _write(places, job, index)
    for answer in answers(report):
        print(printable(answer.question))
        for sentence in answer.sentences:
            print(f"  {printable(sentence)}")
    print(f"\nWritten to {places.reports}: {', '.join(names(job).values())}")
    for fault in report.faults:
        print(f"The count does not hold: {printable(fault)}.", file=sys.stderr)
    return EXIT_DAMAGED if report.faults or report.ledger else 0


def names(job: str) -> dict[str, str]:
    """The files of a report, by what they are."""
    short = job[:8]
    return {
        "html": f"report-{short}.html",
        "json": f"report-{short}.json",
        "csv": f"urls-{short}.csv",
        "codebook": "urls-codebook.csv",
        "log": f"crawl-{short}.log",
    }


def jobs_in(logs: Path) -> dict[str, bool]:
    """Job ids by their newest segment, oldest first; whether a `run` row of it is there (a crawl or a save)."""
    found: dict[str, bool] = {}
    for path in segment_paths(logs):
        for row, _ in zip(read_rows(path, damaged=[]), range(_FIRST_ROWS), strict=False):
            if row.body is not None and row.body.get("job"):
                job = str(row.body["job"])
                found[job] = found.pop(job, False) or row.body.get("event") == "run"
    return found


def chosen(jobs: dict[str, bool], wanted: str | None, collection: str) -> str:
    """The job meant. Raises UsageError when there is none, or when the beginning of an id fits several."""
    if not jobs:
        raise UsageError(f"collection {collection!r} has no ledger rows to report on")
    if wanted is None:
        return next((job for job in reversed(jobs) if jobs[job]), next(reversed(jobs)))
    fitting = [job for job in jobs if job.startswith(wanted)]
    if len(fitting) != 1:
        known = ", ".join(job[:8] for job in fitting or jobs)
        raise UsageError(f"--job {wanted!r}: {'several fit' if fitting else 'no such job'}; there are: {known}")
    return fitting[0]


def _write(places: Places, job: str, index: LedgerIndex) -> Report:
    files = {kind: places.reports / name for kind, name in names(job).items()}
    report = Report(job=job, collection=places.name, generated=iso(SYSTEM.now()))
    index.refresh()
    recount = Recount(has_fate=lambda key: index.has_fate(key, job))
    with _made(files["log"]) as out:
        log = CrawlLog()
        for body in rows_of(places.logs, job):
            report.take(body)
            recount.row(body)
            out.write(log.line(body) or "")
    with _made(files["csv"]) as out:
        write_urls(out, recount.watched(index.fates(job)))
    _complete(report, places.logs, index)
    report.rows, report.faults = recount.rows, recount.faults(report.counts)
    with _made(files["codebook"]) as out:
        write_codebook(out)
    with _made(files["json"]) as out:
        json.dump(as_json(report), out, ensure_ascii=False, indent=1)
    with _made(files["html"]) as out:
        out.writelines(page(report))
    return report


def rows_of(logs: Path, job: str) -> Iterator[dict[str, Any]]:
    """The job's rows, segment by segment, without damaged and erased ones: checking the chain names the damage."""
    for path in segment_paths(logs):
        for row in read_rows(path, damaged=[]):
            if row.body is not None and row.body.get("job") == job:
                yield row.body


def _complete(report: Report, logs: Path, index: LedgerIndex) -> None:
    """What one row after the other does not tell: counts, gaps between visits, what is stored, whether chains hold."""
    counts = index.counts(job=report.job)
    report.counts = {
        "discovered": counts.discovered,
        "fetched": counts.fetched,
        "refused": counts.refused,
        "failed": counts.failed,
        "pending": counts.pending,
    }
    report.reasons = reason_rows(counts.reasons)
    report.began(index.visits(report.job))
    report.stored = report.files & index.stored()
    for one in imported(logs):
        report.imported.add({"file": one.file, "t": one.t, "by": one.by, "note": one.note, "access": one.access.value})
    folder = verify_folder(logs)
    report.segments = len(folder.segments)
    for segment in folder.segments:
        if not segment.ok:
            report.ledger.append(f"{segment.path.name}: {segment.joint or 'a row does not hold; see archiver verify'}")


@contextlib.contextmanager
def _made(path: Path) -> Iterator[TextIO]:
    """A file that is there whole or not at all; a symlink in its place is not followed. Raises DiskError."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(os.open(temporary, flags, 0o666), "w", encoding="utf-8", errors="replace", newline="") as out:
            yield out
        os.replace(temporary, path)
    except OSError as error:
        raise DiskError(f"{path}: {error.strerror or error}") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()
