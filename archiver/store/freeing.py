"""Local copies are given up only once the store was seen to hold them, in steps that a crash may come between.

Intent in the journal, unlink, done in the journal: what is found half done is done at the next start (F-04). Indexes
and ledgers stay, so `list`, `why` and replay go on knowing what there is.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Mapping
from pathlib import Path

from archiver.errors import DiskError
from archiver.model import StoredObject
from archiver.store.files import sync_folder
from archiver.store.spool import SpoolFile, SpoolJournal
from archiver.store.spool_tables import HERE

_AWAY = "SELECT key, sha256, size, uri FROM files WHERE local <> ? AND uri IS NOT NULL"


def finish_freeing(journal: SpoolJournal) -> None:
    """Deletions that an earlier process began. Raises DiskError."""
    for file in journal.going():
        _unlink(journal, file)


def free_local(journal: SpoolJournal, wanted: int | None = None) -> int:
    """Delete local WARCs that the store holds until `wanted` bytes are free; None = all of them. Bytes freed.

    Raises DiskError.
    """
    freed = 0
    for file in journal.freeable():
        if wanted is not None and freed >= wanted:
            break
        journal.mark_going(file)
        _unlink(journal, file)
        freed += file.size
    return freed


def _unlink(journal: SpoolJournal, file: SpoolFile) -> None:
    path = journal.path(file)
    try:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        sync_folder(path.parent)
    except OSError as error:
        raise DiskError(f"{path}: cannot be deleted: {error.strerror}") from error
    journal.mark_away(file)


def away(database: Path) -> Mapping[str, StoredObject]:
    """Files of a collection, by name, that lie in the store alone; read from `state/uploads.sqlite`.

    Raises DiskError for a journal that cannot be read.
    """
    if not database.is_file():
        return {}
    try:
        with contextlib.closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True, timeout=30)) as db:
            if "local" not in {row[1] for row in db.execute("PRAGMA table_info(files)")}:
                return {}
            rows = db.execute(_AWAY, (HERE,)).fetchall()
    except sqlite3.Error as error:
        raise DiskError(f"{database}: the journal of uploads cannot be read: {error}") from error
    return {
        key.rpartition("/")[2]: StoredObject(uri=uri, sha256=sha256, size=size, key=key)
        for key, sha256, size, uri in rows
    }
