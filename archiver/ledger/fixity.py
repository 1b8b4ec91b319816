"""The fixity log: rows that say which files of a collection were read again, when, where, and what was found.

They stand in segments of their own, as hides do (the job is named `fixity...`), so that the log can be read, and the
next part of a rotating plan found, without reading the whole ledger.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from archiver.clock import Clock
from archiver.ledger import hides
from archiver.ledger.reader import read_rows
from archiver.model import Actor, LedgerEntry

JOB = "fixity"
Where = Literal["local", "remote"]

FILES_A_ROW = 500
PROBLEMS_SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixity:
    """What one file came to. `file` is its path in the collection (`archive/X.warc.gz`), `state` one of `holds`,
    `damaged`, `missing`; `sha256` hex of what was read, empty when nothing was."""

    file: str
    state: str
    sha256: str = ""
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One check of a collection: `place` is its folder, or `s3://BUCKET/PREFIX`."""

    where: Where
    place: str
    found: Iterable[Fixity]
    summary: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class LastCheck:
    """A file's newest row in the log of one place. `t` is ISO time."""

    t: str
    state: str
    sha256: str = ""


@dataclass(slots=True, kw_only=True)
class Log:
    """Files by path in the collection, by place. `checks`: (time, place, summary) of whole checks, oldest first.

    `damaged`: rows of the log that cannot be read.
    """

    local: dict[str, LastCheck] = field(default_factory=dict)
    remote: dict[str, LastCheck] = field(default_factory=dict)
    checks: list[tuple[str, Where, Mapping[str, Any]]] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)

    def of(self, where: Where) -> dict[str, LastCheck]:
        return self.local if where == "local" else self.remote


def write(logs: Path, clock: Clock, actor: Actor, check: Check) -> None:
    """Append `fixity` rows as a job of its own and fsync them; the last one holds the summary. Raises DiskError."""
    about = {"where": check.where, "place": check.place}
    entries = [_entry(about, part) for part in _parts(check.found)]
    entries.append(LedgerEntry(event="fixity", data={**about, "summary": dict(check.summary)}))
    hides.write(logs, clock, actor, entries, job=JOB)


def segments(logs: Path) -> list[Path]:
    """The files that hold such rows, oldest first."""
    return hides.segments(logs, JOB)


def read(paths: Sequence[Path]) -> Log:
    """The log that these segments hold. Raises OSError."""
    log = Log()
    for path in paths:
        for row in read_rows(path, damaged=log.damaged):
            if row.body is not None and row.body.get("event") == "fixity":
                _take(log, row.body)
    log.checks.sort(key=lambda check: check[0])
    return log


def _take(log: Log, body: Mapping[str, Any]) -> None:
    t, where = str(body.get("t")), body.get("where")
    if where not in ("local", "remote"):
        return
    known = log.of(where)
    found: list[tuple[str, LastCheck]] = [
        (file, LastCheck(t=t, state="holds", sha256=str(digest))) for file, digest in (body.get("files") or {}).items()
    ]
    found += [
        (str(one.get("file")), LastCheck(t=t, state="damaged", sha256=str(one.get("sha256") or "")))
        for one in body.get("damaged") or ()
    ]
    found += [(str(file), LastCheck(t=t, state="missing")) for file in body.get("missing") or ()]
    for file, check in found:
        if file not in known or known[file].t <= t:
            known[file] = check
    if isinstance(body.get("summary"), dict):
        log.checks.append((t, where, body["summary"]))


def _parts(found: Iterable[Fixity]) -> Iterator[list[Fixity]]:
    part: list[Fixity] = []
    for one in found:
        part.append(one)
        if len(part) >= FILES_A_ROW:
            yield part
            part = []
    if part:
        yield part


def _entry(about: Mapping[str, str], part: Sequence[Fixity]) -> LedgerEntry:
    data: dict[str, Any] = {
        **about,
        "files": {one.file: one.sha256 for one in part if one.state == "holds"},
    }
    damaged = [
        {"file": one.file, "sha256": one.sha256, "problems": list(one.problems[:PROBLEMS_SHOWN])}
        for one in part
        if one.state == "damaged"
    ]
    missing = [one.file for one in part if one.state == "missing"]
    if damaged:
        data["damaged"] = damaged
    if missing:
        data["missing"] = missing
    return LedgerEntry(event="fixity", data=data)
