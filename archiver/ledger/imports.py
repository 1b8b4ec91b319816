"""Files of others that were taken in, written and read: rows in small segments of their own, as hides are.

Their captures have no rows: nobody here decided about them, so nothing is made up. The policy is unknown, and none of
our figures counts them. A file that was not taken has a row too (`quarantined`).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from archiver.clock import Clock
from archiver.ledger.hides import segments
from archiver.ledger.reader import last_head, read_rows
from archiver.ledger.segments import JsonlLedger
from archiver.model import Access, Actor, Labels, LedgerEntry

JOB = "import"
"""Begins the job's name, and with it the segment's: the files are found by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """One file. `file` is its name here, `source` the one it had; `origin` is what somebody said, `claims` what its
    warcinfo says of itself, `container` the WACZ it came in (name, sha256). Nothing of this was checked."""

    file: str
    source: str
    sha256: str
    size: int
    records: int
    access: Access
    note: str
    by: str
    t: str
    origin: str = ""
    claims: Mapping[str, str] = field(default_factory=dict)
    container: Mapping[str, str] = field(default_factory=dict)


class ImportLedger:
    """The rows of one import. Nothing is created before there is one to write."""

    def __init__(self, logs: Path, clock: Clock, actor: Actor, note: str) -> None:
        self._logs = logs
        self._clock = clock
        self._actor = actor
        self._note = note
        self._ledger: JsonlLedger | None = None

    def append(self, *entries: LedgerEntry) -> None:
        """Append and fsync. Raises DiskError."""
        if not entries:
            return
        if self._ledger is None:
            job = JOB + uuid.uuid4().hex[len(JOB) :]
            self._ledger = JsonlLedger(
                self._logs, self._clock, job=job, actor=self._actor, labels=Labels(note=self._note),
                previous=last_head(self._logs),
            )  # fmt: skip
        self._ledger.append_many(entries)
        self._ledger.sync()

    def close(self) -> None:
        if self._ledger is not None:
            self._ledger.close()


def imported_entry(one: Imported) -> LedgerEntry:
    """The row of a file that is taken in. Who, when and the note are the ledger's to set."""
    data: dict[str, Any] = {
        "file": one.file,
        "source": one.source,
        "sha256": one.sha256,
        "size": one.size,
        "records": one.records,
        "access": one.access,
        "policy": "unknown",
        "origin": one.origin,
        "claims": dict(one.claims),
    }
    if one.container:
        data["container"] = dict(one.container)
    return LedgerEntry(event="imported", data=data)


def imported(logs: Path) -> tuple[Imported, ...]:
    """Every file that was taken in, oldest first, each content once. Raises LedgerError for a damaged row: what is not
    known to be imported would pass for our own."""
    found: dict[str, Imported] = {}
    for body in sorted(_bodies(logs), key=lambda body: str(body.get("t"))):
        found.setdefault(str(body.get("sha256") or body["file"]), _imported(body))
    return tuple(found.values())


def _bodies(logs: Path) -> Iterator[Mapping[str, Any]]:
    for path in segments(logs, JOB):
        for row in read_rows(path):
            if row.body is not None and row.body.get("event") == "imported":
                yield row.body


def _imported(body: Mapping[str, Any]) -> Imported:
    return Imported(
        file=Path(str(body["file"])).name,
        source=str(body.get("source") or body["file"]),
        sha256=str(body.get("sha256") or ""),
        size=int(body.get("size") or 0),
        records=int(body.get("records") or 0),
        access=Access(body.get("access") or Access.RESTRICTED),
        note=str(body.get("note") or ""),
        by=str((body.get("actor") or {}).get("name") or "somebody"),
        t=str(body["t"]),
        origin=str(body.get("origin") or ""),
        claims=body.get("claims") or {},
        container=body.get("container") or {},
    )
