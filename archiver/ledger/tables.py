"""The tables of the ledger index, and what one row puts into them.

Every statement merges by rank (time, then file and offset), so the order in which segments are read does not matter:
what several writers wrote at once gives the same index whether it was built at once or bit by bit.
"""

from __future__ import annotations

import sqlite3
from typing import Any

import orjson

from archiver.ledger.reader import LedgerRow
from archiver.ledger.states import state_of

VERSION = 4
"""Of the tables; an index with another is thrown away and built anew."""

SCHEMA = """
CREATE TABLE segments(id INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL, offset INTEGER NOT NULL,
    tail INTEGER NOT NULL, tail_sum INTEGER NOT NULL);
CREATE TABLE urls(id INTEGER PRIMARY KEY, key TEXT UNIQUE NOT NULL);
CREATE TABLE rows(url INTEGER, t TEXT, segment INTEGER, offset INTEGER, length INTEGER,
    PRIMARY KEY(url, t, segment, offset)) WITHOUT ROWID;
CREATE TABLE states(url INTEGER, job TEXT, rank TEXT NOT NULL, state TEXT NOT NULL, reason TEXT NOT NULL,
    PRIMARY KEY(url, job)) WITHOUT ROWID;
CREATE TABLE captures(id TEXT PRIMARY KEY, rank TEXT NOT NULL, key TEXT, url TEXT, t TEXT, data TEXT, job TEXT)
    WITHOUT ROWID;
CREATE INDEX captures_by_url ON captures(url, t);
CREATE TABLE labels(capture TEXT, rank TEXT, usage TEXT NOT NULL, PRIMARY KEY(capture, rank)) WITHOUT ROWID;
CREATE TABLE evidence(id TEXT PRIMARY KEY, file TEXT, offset INTEGER) WITHOUT ROWID;
CREATE TABLE stored(file TEXT PRIMARY KEY, t TEXT) WITHOUT ROWID;
CREATE TABLE cuts(file TEXT PRIMARY KEY, size INTEGER) WITHOUT ROWID;
CREATE TABLE hides(match TEXT, target TEXT, rank TEXT NOT NULL, hidden INTEGER, until TEXT, segment INTEGER,
    offset INTEGER, length INTEGER, PRIMARY KEY(match, target)) WITHOUT ROWID;
"""

_STATE = """INSERT INTO states VALUES(?, ?, ?, ?, ?) ON CONFLICT(url, job) DO UPDATE SET
    rank = excluded.rank, state = excluded.state, reason = excluded.reason
    WHERE excluded.rank > states.rank"""
_CAPTURE = """INSERT INTO captures VALUES(?, ?, ?, ?, ?, ?, ?) ON CONFLICT(id) DO UPDATE SET
    rank = excluded.rank, key = excluded.key, url = excluded.url, t = excluded.t, data = excluded.data,
    job = excluded.job WHERE excluded.rank > captures.rank"""
_EVIDENCE = """INSERT INTO evidence VALUES(?, ?, ?) ON CONFLICT(id) DO UPDATE SET
    file = excluded.file, offset = excluded.offset WHERE (excluded.file, excluded.offset) > (file, offset)"""
_LABELS = "INSERT OR IGNORE INTO labels VALUES(?, ?, ?)"
_STORED = "INSERT INTO stored VALUES(?, ?) ON CONFLICT(file) DO UPDATE SET t = min(t, excluded.t)"
_CUT = "INSERT INTO cuts VALUES(?, ?) ON CONFLICT(file) DO UPDATE SET size = min(size, excluded.size)"
_HIDE = """INSERT INTO hides VALUES(?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT(match, target) DO UPDATE SET
    rank = excluded.rank, hidden = excluded.hidden, until = excluded.until, segment = excluded.segment,
    offset = excluded.offset, length = excluded.length WHERE excluded.rank > hides.rank"""

_CACHED_URLS = 50_000


class Ingest:
    """Puts rows into the tables, inside the caller's transaction."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._ids: dict[str, int] = {}

    def row(self, row: LedgerRow, segment: int) -> None:
        body = row.body
        if body is None:
            return
        rank = f"{body.get('t')}|{row.file}|{row.offset:015d}"
        event = body.get("event")
        if body.get("url"):
            self._url(row, body, segment, rank)
        if event == "stored":
            file = str(body.get("file") or body.get("uri") or "").rpartition("/")[2]
            self._db.execute(_STORED, (file, body.get("t")))
        elif event == "salvage":
            self._db.execute(_CUT, (body.get("file"), body.get("cut")))
        elif event == "labels" and body.get("capture_id"):
            self._db.execute(_LABELS, (body["capture_id"], rank, orjson.dumps(body.get("usage") or {}).decode()))
        elif event in ("hide", "unhide"):
            place = (segment, row.offset, row.length)
            match, target = str(body.get("match", "url")), str(body.get("target", body.get("url", "")))
            self._db.execute(_HIDE, (match, target, rank, event == "hide", body.get("until"), *place))

    def _url(self, row: LedgerRow, body: dict[str, Any], segment: int, rank: str) -> None:
        key = str(body.get("key") or body["url"])
        url = self._id(key)
        self._db.execute(
            "INSERT OR IGNORE INTO rows VALUES(?, ?, ?, ?, ?)", (url, body.get("t"), segment, row.offset, row.length)
        )
        state, job = state_of(body), str(body.get("job", ""))
        if state is not None:
            self._db.execute(_STATE, (url, job, f"{state.weight}|{rank}", state.word, state.reason))
        if body.get("event") == "visit" and body.get("capture_id"):
            at = body.get("started_at") or body.get("t")
            data = orjson.dumps(body).decode()
            self._db.execute(_CAPTURE, (body["capture_id"], rank, key, body["url"], at, data, job))
        record = body.get("record")
        if body.get("event") in ("outcome", "robotsCopy") and body.get("kind") == "robots" and isinstance(record, dict):
            self._db.execute(_EVIDENCE, (record.get("record_id"), record.get("file"), record.get("offset")))

    def _id(self, key: str) -> int:
        known = self._ids.get(key)
        if known is not None:
            return known
        if len(self._ids) >= _CACHED_URLS:
            self._ids.clear()
        found = self._db.execute("SELECT id FROM urls WHERE key = ?", (key,)).fetchone()
        if found is None:
            found = (self._db.execute("INSERT INTO urls(key) VALUES(?)", (key,)).lastrowid,)
        self._ids[key] = int(found[0])
        return self._ids[key]
