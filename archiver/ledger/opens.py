"""Captures of an override that somebody opened to the public: rows in small segments of their own, as hides are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archiver.ledger.hides import segments
from archiver.ledger.reader import read_rows

JOB = "open"
"""Begins the job's name, and with it the segment's: the files are found by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """One capture that the public may see. `records`: offsets of its records by WARC file."""

    target: str
    url: str
    because: str
    by: str
    t: str
    records: Mapping[str, frozenset[int]]


def opened(logs: Path) -> tuple[Opened, ...]:
    """Every capture that was opened, oldest first. Raises LedgerError for a damaged row: then nothing is known."""
    found = {body["target"]: _opened(body) for body in sorted(_bodies(logs), key=lambda body: str(body.get("t")))}
    return tuple(found.values())


def records_by_file(found: tuple[Opened, ...]) -> dict[str, frozenset[int]]:
    """WARC names to the offsets of what is open in them."""
    by_file: dict[str, frozenset[int]] = {}
    for one in found:
        for file, offsets in one.records.items():
            by_file[file] = by_file.get(file, frozenset()) | offsets
    return by_file


def _bodies(logs: Path) -> Iterator[Mapping[str, Any]]:
    for path in segments(logs, JOB):
        for row in read_rows(path):
            if row.body is not None and row.body.get("event") == "open":
                yield row.body


def _opened(body: Mapping[str, Any]) -> Opened:
    return Opened(
        target=body["target"],
        url=str(body.get("url") or ""),
        because=str(body.get("because") or ""),
        by=str(body.get("by") or ""),
        t=str(body["t"]),
        records={
            file: frozenset(offsets) for file, offsets in (body.get("opened") or {}).items() if Path(file).name == file
        },
    )
