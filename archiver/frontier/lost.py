"""Visits whose records are lost: put back, with what they fetched besides. Runs in the database thread only."""

from __future__ import annotations

from collections.abc import Sequence

from archiver.frontier.ranges import Ranges
from archiver.frontier.schema import State
from archiver.frontier.tables import Tables
from archiver.ports.frontier import Span

_WORK = (
    "CREATE TEMP TABLE IF NOT EXISTS touched(url INTEGER PRIMARY KEY)",
    "CREATE TEMP TABLE IF NOT EXISTS begun(file INTEGER, start INTEGER, PRIMARY KEY(file, start)) WITHOUT ROWID",
    "CREATE TEMP TABLE IF NOT EXISTS gone(url INTEGER PRIMARY KEY)",
    "DELETE FROM temp.touched",
    "DELETE FROM temp.begun",
    "DELETE FROM temp.gone",
)
_SPREAD = (
    "INSERT OR IGNORE INTO temp.begun SELECT file, start FROM places WHERE n = 0 AND url IN temp.touched",
    "INSERT INTO temp.gone SELECT url FROM places WHERE n = 0 AND (file, start) IN temp.begun",
    "DELETE FROM places WHERE url IN temp.gone",
)


def requeue(tables: Tables, name: str, lost: Sequence[Span]) -> int:
    """Put back every visit that rests on bytes of a file that are lost; how many pages that makes.

    A visit is known by where it begins: what it fetched besides is forgotten, its page will ask for it again. What was
    fetched as part of it and stands here as a page is put back too. Reads all places: for the start of a run.
    """
    db, ranges = tables.db, Ranges(lost)
    tables.flush()
    found = db.execute("SELECT id FROM files WHERE name = ?", (name,)).fetchone()
    if found is None:
        return 0
    touched = [
        (url,)
        for url, start, stop in db.execute("SELECT url, start, stop FROM places WHERE file = ?", found)
        if ranges.touch(start, stop)
    ]
    for statement in _WORK:
        db.execute(statement)
    db.executemany("INSERT OR IGNORE INTO temp.touched VALUES(?)", touched)
    for statement in _SPREAD:
        db.execute(statement)
    pages = db.execute(
        "UPDATE urls SET state = 0, attempts = NULL, reason = NULL WHERE state = 2 AND id IN temp.gone RETURNING origin"
    ).fetchall()
    forgotten = db.execute("DELETE FROM urls WHERE state = 5 AND id IN temp.gone RETURNING hash").fetchall()
    tables.seen.remove([hashed for (hashed,) in forgotten])
    for (origin,) in pages:
        tables.more_ready(origin)
    tables.move(State.DONE, State.PENDING, len(pages))
    tables.count_requisites(-len(forgotten))
    return len(pages)
