"""The journal of closed files that have to go up. It survives a crash; what it lists is found again at the next start.

A row is added when a file is closed and marked once the store holds it, compared. Local files are never deleted here.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from archiver.errors import DiskError
from archiver.model import Access, ClosedSegment, StoredObject
from archiver.store.files import check_key, file_sha256

_SCHEMA = """
CREATE TABLE IF NOT EXISTS files (
    key TEXT PRIMARY KEY, sha256 TEXT NOT NULL, size INTEGER NOT NULL, metadata TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, error TEXT NOT NULL DEFAULT '', uri TEXT
) WITHOUT ROWID
"""
_ADD = """
INSERT INTO files (key, sha256, size, metadata) VALUES (?, ?, ?, ?)
ON CONFLICT (key) DO UPDATE SET sha256 = excluded.sha256, size = excluded.size, metadata = excluded.metadata,
    attempts = 0, error = '', uri = NULL
WHERE files.sha256 <> excluded.sha256
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolFile:
    """A closed file: its key is its path below the folder that holds `collections/`. Size in bytes, SHA-256 in hex."""

    key: str
    sha256: str
    size: int
    metadata: Mapping[str, str] = field(default_factory=dict)
    attempts: int = 0
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolCounts:
    """Files and bytes that still have to go up, and files that are there."""

    pending: int
    pending_bytes: int
    stored: int


def spool_file(path: Path, out: Path, *, sha256: str | None = None, **metadata: str) -> SpoolFile:
    """A file under `out` as a row; its hash is computed when not given (blocking). Raises OSError, ValueError."""
    key = check_key(path.absolute().relative_to(out.absolute()).as_posix())
    digest = sha256 or file_sha256(path)
    return SpoolFile(key=key, sha256=digest, size=path.stat().st_size, metadata=dict(metadata))


def segment_files(segment: ClosedSegment, out: Path) -> tuple[SpoolFile, SpoolFile]:
    """A closed WARC and its index. `access` travels as metadata, for bucket policies."""
    access = Access(segment.access).value
    warc = spool_file(Path(segment.path), out, sha256=segment.sha256, access=access, type="warc")
    index = spool_file(Path(segment.cdxj_path), out, sha256=segment.cdxj_sha256, access=access, type="cdxj")
    return warc, index


class SpoolJournal:
    """SQLite, one short transaction a call; may be called from any thread. Raises DiskError when it cannot write."""

    def __init__(self, database: Path, out: Path) -> None:
        self.out = out.absolute()
        self._database = database
        self._lock = threading.Lock()
        try:
            self._db = sqlite3.connect(database, check_same_thread=False, isolation_level=None, timeout=30)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute(_SCHEMA)
        except sqlite3.Error as error:
            raise DiskError(f"{database}: the journal of uploads cannot be opened: {error}") from error

    def path(self, file: SpoolFile) -> Path:
        """Where the file lies."""
        return self.out / check_key(file.key)

    def add(self, files: Sequence[SpoolFile]) -> None:
        """List files for upload. What is listed with the same hash stays as it is; another hash is another upload."""
        rows = [(file.key, file.sha256, file.size, json.dumps(dict(file.metadata))) for file in files]
        self._write(_ADD, rows)

    def mark_stored(self, file: SpoolFile, stored: StoredObject) -> None:
        self._write("UPDATE files SET uri = ?, error = '' WHERE key = ? AND sha256 = ?",
                    [(stored.uri, file.key, file.sha256)])  # fmt: skip

    def mark_failed(self, file: SpoolFile, message: str) -> None:
        self._write("UPDATE files SET attempts = attempts + 1, error = ? WHERE key = ? AND sha256 = ? AND uri IS NULL",
                    [(message, file.key, file.sha256)])  # fmt: skip

    def pending(self) -> list[SpoolFile]:
        """What still has to go up, least tried first."""
        rows = self._read(
            "SELECT key, sha256, size, metadata, attempts, error FROM files WHERE uri IS NULL ORDER BY attempts, key"
        )
        return [
            SpoolFile(key=key, sha256=sha256, size=size, metadata=json.loads(about), attempts=attempts, error=error)
            for key, sha256, size, about, attempts, error in rows
        ]

    def stored(self, files: Sequence[SpoolFile]) -> dict[str, StoredObject]:
        """Which of these files, by key, the store was seen to hold."""
        found: dict[str, StoredObject] = {}
        for file in files:
            wanted = (file.key, file.sha256)
            query = "SELECT uri, size FROM files WHERE key = ? AND sha256 = ? AND uri IS NOT NULL"
            for uri, size in self._read(query, wanted):
                found[file.key] = StoredObject(uri=uri, sha256=file.sha256, size=size)
        return found

    def counts(self) -> SpoolCounts:
        ((pending, pending_bytes, stored),) = self._read(
            "SELECT count(*) FILTER (WHERE uri IS NULL), coalesce(sum(size) FILTER (WHERE uri IS NULL), 0), "
            "count(*) FILTER (WHERE uri IS NOT NULL) FROM files"
        )
        return SpoolCounts(pending=pending, pending_bytes=pending_bytes, stored=stored)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def _write(self, statement: str, rows: Sequence[Sequence[object]]) -> None:
        try:
            with self._lock:
                self._db.execute("BEGIN IMMEDIATE")
                try:
                    self._db.executemany(statement, rows)
                    self._db.execute("COMMIT")
                except BaseException:
                    self._db.execute("ROLLBACK")
                    raise
        except sqlite3.Error as error:
            raise DiskError(f"{self._database}: the journal of uploads cannot be written: {error}") from error

    def _read(self, statement: str, wanted: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._db.execute(statement, wanted).fetchall()
