"""What was hidden, written and read: rows in small segments of their own, so that a run can ask without reading all.

A hiding's job is named `hide...`, and a segment's name begins with its job: the files are found by name. All hides are
written here and nowhere else.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from archiver.clock import Clock, iso
from archiver.ledger.reader import last_head, read_rows, segment_paths
from archiver.ledger.segments import JsonlLedger
from archiver.model import Actor, LedgerEntry

Match = Literal["url", "prefix", "capture"]

_JOB = "hide"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hide:
    """One hiding in force. `target` is a canonical URL, the beginning of one, or a capture_id.

    `until` is the row's ISO time, None = until it is taken back. `capture` says of a hidden capture which index lines
    are its own: `files` (WARC names), `urls`, and `first` and `last` (14 digits, both included).
    """

    match: Match
    target: str
    because: str
    by: str
    t: str
    until: str | None = None
    capture: Mapping[str, Any] = field(default_factory=dict)

    def lasts(self, now: datetime) -> bool:
        return self.until is None or self.until > iso(now)


def write(logs: Path, clock: Clock, actor: Actor, entries: Sequence[LedgerEntry], job: str = _JOB) -> None:
    """Append `hide` and `unhide` rows (or those of `ledger.opens`) as a job of their own and fsync them. Raises
    DiskError."""
    name = job + uuid.uuid4().hex[len(job) :]
    ledger = JsonlLedger(logs, clock, job=name, actor=actor, previous=last_head(logs))
    try:
        ledger.append_many(entries)
        ledger.sync()
    finally:
        ledger.close()


def standing(logs: Path) -> tuple[Hide, ...]:
    """Every hiding that no `unhide` took back, oldest first; ask each whether it `lasts`.

    Raises LedgerError for a damaged row: what somebody hid must not come back because a byte flipped.
    """
    found: dict[tuple[str, str], Hide] = {}
    for body in sorted(_bodies(logs), key=lambda body: str(body.get("t"))):
        place = (str(body.get("match")), str(body.get("target")))
        found.pop(place, None)
        if body["event"] == "hide":
            found[place] = _hide(body)
    return tuple(found.values())


def segments(logs: Path, job: str = _JOB) -> list[Path]:
    """The files that hold hides (or what another verb of this kind wrote), oldest first."""
    return [path for path in segment_paths(logs) if f"-{job}" in path.name]


def _bodies(logs: Path) -> Iterator[Mapping[str, Any]]:
    for path in segments(logs):
        for row in read_rows(path):
            if row.body is not None and row.body.get("event") in ("hide", "unhide"):
                yield row.body


def _hide(body: Mapping[str, Any]) -> Hide:
    return Hide(
        match=body["match"],
        target=body["target"],
        because=str(body.get("because") or ""),
        by=str((body.get("actor") or {}).get("name") or "somebody"),
        t=str(body["t"]),
        until=body.get("until"),
        capture=body.get("capture") or {},
    )
