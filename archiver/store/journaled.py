"""What a journal of uploads says, read without touching it: for checks, which may stand on read-only media."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from archiver.store.spool import SpoolFile


def journaled(database: Path) -> list[tuple[SpoolFile, bool]]:
    """Every file that was to go up, and whether the store was seen to hold it. Empty without a readable journal."""
    if not database.is_file():
        return []
    try:
        with closing(sqlite3.connect(f"file:{quote(str(database.absolute()))}?mode=ro", uri=True, timeout=10)) as db:
            rows = db.execute("SELECT key, sha256, size, uri IS NOT NULL FROM files").fetchall()
    except sqlite3.Error:
        return []
    return [(SpoolFile(key=key, sha256=sha256, size=size), bool(up)) for key, sha256, size, up in rows]
