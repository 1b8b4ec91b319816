"""The frontier's tables. One row a URL; what is known of its hash is written with it, in one transaction."""

from __future__ import annotations

from enum import IntEnum

from archiver.frontier import timeline
from archiver.model import Outlink, Reason

VERSION = 2


class State(IntEnum):
    """What became of a URL. `WAITING` is pending with a time of its own; `REQUISITE` was fetched with some page."""

    PENDING = 0
    CLAIMED = 1
    DONE = 2
    REFUSED = 3
    FAILED = 4
    REQUISITE = 5
    WAITING = 6


COLUMN = {
    State.PENDING: "pending",
    State.WAITING: "pending",
    State.CLAIMED: "claimed",
    State.DONE: "done",
    State.REFUSED: "refused",
    State.FAILED: "failed",
    State.REQUISITE: "requisites",
}
"""Where a state is counted."""

SCHEMA = f"""
{timeline.SCHEMA}
CREATE TABLE origins(
  id INTEGER PRIMARY KEY,
  scheme TEXT NOT NULL, host TEXT NOT NULL, port INTEGER NOT NULL,
  next_due REAL NOT NULL,             -- steady seconds; also the turn: who was served longest ago comes first
  ready INTEGER NOT NULL DEFAULT 0,   -- rows of urls in state 0
  busy INTEGER NOT NULL DEFAULT 0,    -- 1 while a claim is out, on hosts that are not the operator's own
  UNIQUE(host, port, scheme)
);
CREATE INDEX origins_due ON origins(next_due) WHERE ready > 0 AND busy = 0;
CREATE TABLE urls(
  id INTEGER PRIMARY KEY,             -- order of discovery
  hash BLOB NOT NULL,                 -- rows.digest of the canonical key; unique, see seen
  origin INTEGER NOT NULL,
  depth INTEGER NOT NULL,
  state INTEGER NOT NULL,             -- State
  data TEXT,                          -- rows.encode; null for a requisite, which is never claimed
  attempts INTEGER,                   -- visits that failed or were deferred
  not_before REAL,                    -- state 6 only
  reason TEXT
);
CREATE TABLE seen(                    -- of the rows of urls up to counts.sorted
  hash BLOB PRIMARY KEY, url INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE places(                  -- the bytes that a completed visit rests on
  url INTEGER NOT NULL,
  n INTEGER NOT NULL,                 -- 0: where the visit begins; what it fetched besides has the same, and only that
  file INTEGER NOT NULL, start INTEGER NOT NULL, stop INTEGER NOT NULL,
  PRIMARY KEY(url, n)
) WITHOUT ROWID;
CREATE INDEX urls_ready ON urls(origin, depth) WHERE state = 0;
CREATE INDEX urls_waiting ON urls(not_before) WHERE state = 6;
CREATE TABLE claims(
  fence INTEGER PRIMARY KEY,
  url INTEGER NOT NULL, origin INTEGER NOT NULL, lease_until REAL NOT NULL, owner INTEGER NOT NULL
);
CREATE TABLE owners(id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE files(
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,
  stop INTEGER NOT NULL DEFAULT 0     -- the end of the last record that a visit has there
);
CREATE TABLE facts(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE counts(
  one INTEGER PRIMARY KEY CHECK(one = 1),
  fence INTEGER NOT NULL DEFAULT 0,   -- the last one given out; never goes back
  seen REAL NOT NULL DEFAULT 0,       -- steady seconds of the last change, to notice a clock set back
  sorted INTEGER NOT NULL DEFAULT 0,  -- the last row of urls whose hash stands in seen
  pending INTEGER NOT NULL DEFAULT 0, claimed INTEGER NOT NULL DEFAULT 0, done INTEGER NOT NULL DEFAULT 0,
  refused INTEGER NOT NULL DEFAULT 0, failed INTEGER NOT NULL DEFAULT 0, requisites INTEGER NOT NULL DEFAULT 0
);
INSERT INTO counts(one) VALUES(1);
"""

MIGRATIONS = {
    1: """
ALTER TABLE urls RENAME TO old;
DROP INDEX urls_ready;
DROP INDEX urls_waiting;
CREATE TABLE urls(
  id INTEGER PRIMARY KEY, hash BLOB NOT NULL, origin INTEGER NOT NULL, depth INTEGER NOT NULL, state INTEGER NOT NULL,
  data TEXT, attempts INTEGER, not_before REAL, reason TEXT
);
INSERT INTO urls SELECT id, hash, origin, depth, state, data, attempts, not_before, reason FROM old;
CREATE INDEX urls_ready ON urls(origin, depth) WHERE state = 0;
CREATE INDEX urls_waiting ON urls(not_before) WHERE state = 6;
CREATE TABLE seen(hash BLOB PRIMARY KEY, url INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO seen SELECT hash, id FROM urls ORDER BY hash;
CREATE TABLE places(
  url INTEGER NOT NULL, n INTEGER NOT NULL, file INTEGER NOT NULL, start INTEGER NOT NULL, stop INTEGER NOT NULL,
  PRIMARY KEY(url, n)
) WITHOUT ROWID;
INSERT INTO places SELECT id, 0, file, coalesce(start, 0), coalesce(start, 0) + 1 FROM old WHERE file IS NOT NULL;
DROP TABLE old;
ALTER TABLE files ADD COLUMN stop INTEGER NOT NULL DEFAULT 0;
UPDATE files SET stop = coalesce((SELECT max(stop) FROM places WHERE file = files.id), 0);
ALTER TABLE counts ADD COLUMN sorted INTEGER NOT NULL DEFAULT 0;
UPDATE counts SET sorted = (SELECT coalesce(max(id), 0) FROM urls);
"""
}
"""From each version to the next. Of a record kept under version 1 only where it begins is known."""

REOPENABLE = frozenset({Reason.NOFOLLOW.value, Reason.DEPTH_LIMIT.value})
"""Refusals of one link, not of the URL: another page may link to it in a way that is allowed."""


def is_final(outlink: Outlink) -> bool:
    """Whether nothing that is found later can change what the frontier keeps of this link."""
    return outlink.objection is None or outlink.objection.reason.value not in REOPENABLE
