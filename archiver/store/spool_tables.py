"""The tables of the journal of uploads, and how a journal of an earlier version becomes one of this."""

from __future__ import annotations

import sqlite3

from archiver.database import write_ahead

_TABLES = """
CREATE TABLE IF NOT EXISTS files (
    key TEXT PRIMARY KEY, sha256 TEXT NOT NULL, size INTEGER NOT NULL, metadata TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, error TEXT NOT NULL DEFAULT '', uri TEXT
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS parts (upload_id TEXT PRIMARY KEY, key TEXT NOT NULL, pid INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS times (name TEXT PRIMARY KEY, epoch REAL NOT NULL) WITHOUT ROWID;
"""
_COLUMNS = {
    # where it was stored: `S3Settings.place`; a file that another store holds is not in this one
    "place": "ALTER TABLE files ADD COLUMN place TEXT NOT NULL DEFAULT ''",
    # whether a ledger row says that it is stored
    "told": "ALTER TABLE files ADD COLUMN told INTEGER NOT NULL DEFAULT 0",
    # the local copy: 1 here, 2 about to be deleted, 0 deleted
    "local": "ALTER TABLE files ADD COLUMN local INTEGER NOT NULL DEFAULT 1",
}
_OF_PARTS = "ALTER TABLE parts ADD COLUMN process TEXT NOT NULL DEFAULT ''"
"""Who sends the parts (`processes.this_process`); the bare `pid` of earlier versions may be another process by now."""
_INDEXES = """
CREATE INDEX IF NOT EXISTS waiting ON files (size) WHERE uri IS NULL;
CREATE INDEX IF NOT EXISTS untold ON files (key) WHERE uri IS NOT NULL AND told = 0;
"""
"""What is asked every second stays cheap, however many files were stored."""

PATIENCE = 30.0
"""For how long another process is waited for, seconds."""
HERE, GOING, AWAY = 1, 2, 0

ADD = """
INSERT INTO files (key, sha256, size, metadata) VALUES (?, ?, ?, ?)
ON CONFLICT (key) DO UPDATE SET sha256 = excluded.sha256, size = excluded.size, metadata = excluded.metadata,
    attempts = 0, error = '', uri = NULL, told = 0
WHERE files.sha256 <> excluded.sha256
"""


def prepare(db: sqlite3.Connection, place: str) -> None:
    """Make or renew the tables. What another `place` holds has to go up here too, unless no copy is left to send."""
    write_ahead(db, PATIENCE)
    db.execute("PRAGMA synchronous = FULL")
    db.executescript(_TABLES)
    there = {row[1] for row in db.execute("PRAGMA table_info(files)")}
    for name, statement in _COLUMNS.items():
        if name not in there:
            db.execute(statement)
    if "process" not in {row[1] for row in db.execute("PRAGMA table_info(parts)")}:
        db.execute(_OF_PARTS)
    db.executescript(_INDEXES)
    if place:
        db.execute("UPDATE files SET place = ? WHERE place = '' AND uri IS NOT NULL", (place,))
        db.execute(
            "UPDATE files SET uri = NULL, attempts = 0, error = '', told = 0 "
            "WHERE uri IS NOT NULL AND place <> ? AND local = ?", (place, HERE),
        )  # fmt: skip
