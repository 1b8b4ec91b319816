"""Rows that say that a data set was made: by whom, under which rules, and what was left out. In segments of their own.

The job is named `data...`, and a segment's name begins with its job.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from archiver.clock import Clock
from archiver.ledger.reader import last_head, segment_paths
from archiver.ledger.segments import JsonlLedger
from archiver.model import Actor, LedgerEntry

_JOB = "data"


def write(logs: Path, clock: Clock, actor: Actor, data: Mapping[str, Any]) -> None:
    """Append a `dataset` row as a job of its own and fsync it. Raises DiskError."""
    job = _JOB + uuid.uuid4().hex[len(_JOB) :]
    ledger = JsonlLedger(logs, clock, job=job, actor=actor, previous=last_head(logs))
    try:
        ledger.append(LedgerEntry(event="dataset", data=data))
        ledger.sync()
    finally:
        ledger.close()


def segments(logs: Path) -> list[Path]:
    """The files that hold such rows, oldest first."""
    return [path for path in segment_paths(logs) if f"-{_JOB}" in path.name]
