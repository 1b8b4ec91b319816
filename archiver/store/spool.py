"""The journal of closed files that have to go up. It survives a crash; what it lists is found again at the next start.

A row is added when a file is closed and marked once the store holds it, compared. Only `freeing` deletes local files,
and only those that are marked so.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from archiver.errors import DiskError, room
from archiver.model import Access, ClosedSegment, StoredObject
from archiver.processes import has_ended, this_process
from archiver.store.files import check_key, file_sha256
from archiver.store.spool_tables import ADD, AWAY, GOING, HERE, PATIENCE, prepare


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolFile:
    """A closed file: its key is its path below the folder that holds `collections/`. Size in bytes, SHA-256 in hex."""

    key: str
    sha256: str
    size: int
    metadata: Mapping[str, str] = field(default_factory=dict)
    attempts: int = 0
    error: str = ""


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
    """SQLite, one short transaction a call; may be called from any thread. Raises DiskError when it cannot write.

    `place` names the store (`S3Settings.place`): what was stored in another one counts as not stored.
    """

    def __init__(self, database: Path, out: Path, place: str = "") -> None:
        self.out = out.absolute()
        self._database = database
        self._place = place
        self._lock = threading.Lock()
        with self._named("opened"):
            self._db = sqlite3.connect(database, check_same_thread=False, isolation_level=None, timeout=PATIENCE)
            prepare(self._db, place)

    def path(self, file: SpoolFile) -> Path:
        """Where the file lies."""
        return self.out / check_key(file.key)

    def add(self, files: Sequence[SpoolFile]) -> None:
        """List files for upload. What is listed with the same hash stays as it is; another hash is another upload."""
        rows = [(file.key, file.sha256, file.size, json.dumps(dict(file.metadata))) for file in files]
        self._write(ADD, rows)

    def mark_stored(self, file: SpoolFile, stored: StoredObject) -> None:
        self._write("UPDATE files SET uri = ?, place = ?, error = '' WHERE key = ? AND sha256 = ?",
                    [(stored.uri, self._place, file.key, file.sha256)])  # fmt: skip

    def mark_failed(self, file: SpoolFile, message: str) -> None:
        self._write("UPDATE files SET attempts = attempts + 1, error = ? WHERE key = ? AND sha256 = ? AND uri IS NULL",
                    [(message, file.key, file.sha256)])  # fmt: skip

    def drop(self, file: SpoolFile) -> None:
        """Forget a file that is not there any longer, such as an index that was merged into another."""
        self._write("DELETE FROM files WHERE key = ? AND sha256 = ? AND uri IS NULL", [(file.key, file.sha256)])

    def pending(self) -> list[SpoolFile]:
        """What still has to go up, least tried first."""
        return self._files("uri IS NULL ORDER BY attempts, key")

    def keys(self) -> frozenset[str]:
        """Everything that is listed, stored or not."""
        return frozenset(key for (key,) in self._read("SELECT key FROM files"))

    def stored(self, files: Sequence[SpoolFile]) -> dict[str, StoredObject]:
        """Which of these files, by key, the store was seen to hold."""
        found: dict[str, StoredObject] = {}
        for file in files:
            wanted = (file.key, file.sha256)
            query = "SELECT uri, size FROM files WHERE key = ? AND sha256 = ? AND uri IS NOT NULL"
            for uri, size in self._read(query, wanted):
                found[file.key] = StoredObject(uri=uri, sha256=file.sha256, size=size, key=file.key)
        return found

    def all_stored(self) -> dict[str, StoredObject]:
        """Everything that the store was seen to hold, by key."""
        rows = self._read("SELECT key, sha256, size, uri FROM files WHERE uri IS NOT NULL")
        return {key: StoredObject(uri=uri, sha256=sha256, size=size, key=key) for key, sha256, size, uri in rows}

    def untold(self) -> list[StoredObject]:
        """What is stored and has no ledger row that says so; a run that was killed leaves some."""
        rows = self._read("SELECT key, sha256, size, uri FROM files WHERE uri IS NOT NULL AND told = 0 ORDER BY key")
        return [StoredObject(uri=uri, sha256=sha256, size=size, key=key) for key, sha256, size, uri in rows]

    def mark_told(self, stored: Sequence[StoredObject]) -> None:
        """Their rows are written and synced."""
        self._write("UPDATE files SET told = 1 WHERE key = ? AND sha256 = ?", [(one.key, one.sha256) for one in stored])

    def waiting_bytes(self) -> int:
        """What still has to go up."""
        ((found,),) = self._read("SELECT coalesce(sum(size), 0) FROM files WHERE uri IS NULL")
        return int(found)

    # --- local copies that are given up -------------------------------------------------------------------------------

    def freeable(self) -> list[SpoolFile]:
        """WARCs that lie here and were compared in the store that is configured, and whose ledger rows say so."""
        return self._files("uri IS NOT NULL AND told = 1 AND local = ? AND place = ? AND key LIKE '%.warc.gz' "
                           "ORDER BY key", (HERE, self._place))  # fmt: skip

    def going(self) -> list[SpoolFile]:
        """Whose deletion was begun; a crash may have come between."""
        return self._files("local = ? ORDER BY key", (GOING,))

    def mark_going(self, file: SpoolFile) -> None:
        self._set_local(file, GOING)

    def mark_away(self, file: SpoolFile) -> None:
        self._set_local(file, AWAY)

    # --- uploads in parts (`s3multipart.UploadLog`), and when something was last done --------------------------------

    def begun(self, full_key: str, upload_id: str) -> None:
        self._write("INSERT OR REPLACE INTO parts (upload_id, key, pid, process) VALUES (?, ?, 0, ?)",
                    [(upload_id, full_key, this_process())])  # fmt: skip

    def ended(self, upload_id: str) -> None:
        self._write("DELETE FROM parts WHERE upload_id = ?", [(upload_id,)])

    def left_parts(self) -> list[tuple[str, str]]:
        """Full key and id of uploads in parts whose process is gone. One whose process no row names is an older
        version's, which no longer runs here."""
        rows = self._read("SELECT key, upload_id, process FROM parts ORDER BY key")
        return [(key, upload_id) for key, upload_id, process in rows if not process or has_ended(process)]

    def due(self, name: str, seconds: float, now: float) -> bool:
        """Whether `seconds` have passed since this was noted as done. `now` in epoch seconds."""
        rows = self._read("SELECT epoch FROM times WHERE name = ?", (name,))
        return not any(0 <= now - epoch < seconds for (epoch,) in rows)

    def note_done(self, name: str, now: float) -> None:
        self._write("INSERT OR REPLACE INTO times VALUES (?, ?)", [(name, now)])

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def _set_local(self, file: SpoolFile, state: int) -> None:
        self._write("UPDATE files SET local = ? WHERE key = ? AND sha256 = ? AND uri IS NOT NULL",
                    [(state, file.key, file.sha256)])  # fmt: skip

    def _files(self, which: str, wanted: Sequence[object] = ()) -> list[SpoolFile]:
        rows = self._read(f"SELECT key, sha256, size, metadata, attempts, error FROM files WHERE {which}", wanted)
        return [
            SpoolFile(key=key, sha256=sha256, size=size, metadata=json.loads(about), attempts=attempts, error=error)
            for key, sha256, size, about, attempts, error in rows
        ]

    def _write(self, statement: str, rows: Sequence[Sequence[object]]) -> None:
        with self._named("written"), self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                self._db.executemany(statement, rows)
                self._db.execute("COMMIT")
            except BaseException:
                self._db.execute("ROLLBACK")
                raise

    def _read(self, statement: str, wanted: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._db.execute(statement, wanted).fetchall()

    @contextlib.contextmanager
    def _named(self, what: str) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise DiskError(
                f"{self._database}: the journal of uploads cannot be {what}: {error} ({room(self._database)})"
            ) from error
