"""What a check has read so far, so that an interrupted one goes on: results by file, size and time of change.

The file lies among the user's own state, never in the collection: what is checked may be read-only, and is not to be
believed. Only files without fault are taken from it; the others are read again.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import sqlite3
from array import array
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from archiver.clock import Clock
from archiver.ledger.audit import Kept, LedgerAudit
from archiver.ledger.chain import ChainReport, Link
from archiver.ledger.reader import SegmentReport
from archiver.ledger.segments import Head
from archiver.warc.audit import WarcAudit
from archiver.warc.verify import Problem, Report, Revisit

Audit = WarcAudit | LedgerAudit

VERSION = 1
"""Of the table and of what a check looks at; what another one left is thrown away."""

OLDEST = 7 * 86400.0
"""Seconds after which what an interrupted check had read is read again: storage decays."""

_PATIENCE = 0.5  # seconds for another check of the same collection to let go of it

_SCHEMA = """CREATE TABLE results(path TEXT PRIMARY KEY, size INTEGER, changed INTEGER, index_size INTEGER,
    index_changed INTEGER, at REAL, whole INTEGER, kind TEXT, data BLOB) WITHOUT ROWID"""


class Remembered:
    """`path` None, or one that cannot be written: in memory, and nothing outlives the process."""

    def __init__(self, path: Path | None, clock: Clock) -> None:
        self._clock = clock
        self.path = path
        self._db = _open(path)
        if self._db is None:
            self.path = None
            self._db = sqlite3.connect(":memory:", isolation_level=None)
            _prepare(self._db)

    def whole(self, path: Path, index: Path | None) -> bool:
        """Whether this very file (and its index) was read lately and held."""
        wanted = (str(path.absolute()), *_stamp(path), *_stamp(index), self._clock.epoch() - OLDEST)
        query = """SELECT 1 FROM results WHERE path = ? AND size = ? AND changed = ? AND index_size = ?
            AND index_changed = ? AND at > ? AND whole"""
        return self._run(query, wanted).fetchone() is not None

    def keep(self, path: Path, index: Path | None, audit: Audit, *, whole: bool) -> None:
        kind = "warc" if isinstance(audit, WarcAudit) else "ledger"
        row = (str(path.absolute()), *_stamp(path), *_stamp(index), self._clock.epoch(), whole, kind, _encode(audit))
        self._run("INSERT OR REPLACE INTO results VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)", row)

    def warc(self, path: Path) -> WarcAudit:
        """What `keep` was given. Raises KeyError."""
        return _warc(self._data(path))

    def ledger(self, path: Path) -> LedgerAudit:
        """What `keep` was given. Raises KeyError."""
        return _ledger(self._data(path))

    def forget(self) -> None:
        """The check has ended: the next one reads everything."""
        self.close()
        if self.path is not None:
            for suffix in ("", "-journal"):
                self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)

    def close(self) -> None:
        assert self._db is not None
        self._db.close()

    def __enter__(self) -> Remembered:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _data(self, path: Path) -> dict[str, Any]:
        found = self._run("SELECT data FROM results WHERE path = ?", (str(path.absolute()),)).fetchone()
        if found is None:
            raise KeyError(str(path))
        data: dict[str, Any] = orjson.loads(found[0])
        return data

    def _run(self, statement: str, values: tuple[object, ...]) -> sqlite3.Cursor:
        assert self._db is not None
        return self._db.execute(statement, values)


def state_path(state_dir: Path, root: Path) -> Path:
    """Where the results of a collection's check lie; the name stands for the folder's path."""
    name = hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:32]
    return state_dir / "verify" / f"{name}.sqlite"


def _open(path: Path | None) -> sqlite3.Connection | None:
    if path is None:
        return None
    with contextlib.suppress(OSError, sqlite3.OperationalError):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        for _ in range(2):
            db = sqlite3.connect(path, isolation_level=None, timeout=_PATIENCE)
            try:
                _prepare(db)
                return db
            except sqlite3.OperationalError:  # another check of this collection has it, or there is no room
                db.close()
                raise
            except sqlite3.DatabaseError:
                db.close()
                path.unlink(missing_ok=True)
    return None


def _prepare(db: sqlite3.Connection) -> None:
    db.execute("PRAGMA locking_mode = EXCLUSIVE")
    db.execute("PRAGMA synchronous = OFF")  # at worst a file is read again
    db.execute("BEGIN EXCLUSIVE")
    if db.execute("PRAGMA user_version").fetchone()[0] != VERSION:
        db.execute("DROP TABLE IF EXISTS results")
        db.execute(_SCHEMA)
        db.execute(f"PRAGMA user_version = {VERSION}")
    db.execute("COMMIT")


def _stamp(path: Path | None) -> tuple[int, int]:
    """Size and time of change in nanoseconds; -1 for what is not there."""
    try:
        found = None if path is None else path.stat()
    except OSError:
        found = None
    return (-1, -1) if found is None else (found.st_size, found.st_mtime_ns)


def _encode(audit: Audit) -> bytes:
    return orjson.dumps(asdict(audit), default=_plain)


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return list(value) if isinstance(value, tuple | array) else str(value)


def _warc(data: dict[str, Any]) -> WarcAudit:
    report = data.pop("report")
    index = data.pop("index")
    return WarcAudit(
        report=Report(
            **{
                **report,
                "errors": _problems(report["errors"]),
                "revisits": tuple(Revisit(**{**one, "keys": tuple(one["keys"])}) for one in report["revisits"]),
                "originals": array("Q", report["originals"]),
                "notes": tuple(report["notes"]),
            }
        ),
        index=None if index is None else tuple(_problems(index)),
        places=base64.b64decode(data.pop("places")),
        originals=base64.b64decode(data.pop("originals")),
        heads=tuple(data.pop("heads")),
        **data,
    )


def _problems(found: list[dict[str, Any]]) -> list[Problem]:
    return [Problem(**one) for one in found]


def _ledger(data: dict[str, Any]) -> LedgerAudit:
    report = data.pop("report")
    chain, previous = report["chain"], report["previous"]
    chain = {**chain, "first": Link(*chain["first"]), "last": Link(*chain["last"])}
    chain["problems"] = ()  # told when they were found; such a segment is read again by the next check
    return LedgerAudit(
        report=SegmentReport(
            path=Path(report["path"]),
            chain=ChainReport(**chain),
            joint=report["joint"],
            previous=None if previous is None else Head(**previous),
        ),
        hashes=base64.b64decode(data.pop("hashes")),
        refs={file: base64.b64decode(pairs) for file, pairs in data.pop("refs").items()},
        access={file: tuple(found) for file, found in data.pop("access").items()},
        kept=tuple(Kept(**one) for one in data.pop("kept")),
        **data,
    )
