"""Statements over the host budget's tables. Runs in the database thread only."""

from __future__ import annotations

import sqlite3
from typing import Any

import orjson

from archiver.frontier import timeline
from archiver.frontier.budget import LEASE
from archiver.frontier.owner import is_gone, me
from archiver.frontier.thread import Hooks
from archiver.frontier.timeline import Timeline
from archiver.model import Origin
from archiver.policy.pace_values import Bound, OriginState

VERSION = 2
FORGET = 30 * 86_400.0
"""Seconds after which a host that was not visited is forgotten."""

SCHEMA = f"""
{timeline.SCHEMA}
CREATE TABLE hosts(
  scheme TEXT NOT NULL, host TEXT NOT NULL, port INTEGER NOT NULL,
  state TEXT NOT NULL,                -- policy.pace.OriginState as JSON; times are steady seconds (timeline)
  slow INTEGER NOT NULL,              -- 1 while it rests or recovers
  used REAL NOT NULL,
  PRIMARY KEY(host, port, scheme)
) WITHOUT ROWID;
CREATE INDEX hosts_slow ON hosts(slow) WHERE slow = 1;
CREATE TABLE visits(
  token INTEGER PRIMARY KEY AUTOINCREMENT,
  scheme TEXT NOT NULL, host TEXT NOT NULL, port INTEGER NOT NULL,
  owner TEXT NOT NULL, started REAL NOT NULL,
  until REAL NOT NULL                 -- the end of its lease
);
CREATE INDEX visits_host ON visits(host, port, scheme);
"""
MIGRATIONS = {
    1: f"""
ALTER TABLE visits ADD COLUMN until REAL NOT NULL DEFAULT 0;
UPDATE visits SET until = started + {LEASE};
"""
}


class HostTables(Hooks):
    """Every method is part of a transaction that somebody else opened; times are steady seconds."""

    def __init__(self, db: sqlite3.Connection, time: Timeline) -> None:
        self.db = db
        self.time = time
        self._me = me()
        db.execute("DELETE FROM hosts WHERE used < ? AND slow = 0", (time.now() - FORGET,))

    def state(self, origin: Origin) -> OriginState:
        row = self.db.execute(
            "SELECT state FROM hosts WHERE host = ? AND port = ? AND scheme = ?", _key(origin)
        ).fetchone()
        return OriginState() if row is None else _decode(row[0])

    def save(self, origin: Origin, state: OriginState, now: float) -> None:
        self.db.execute(
            "INSERT OR REPLACE INTO hosts(host, port, scheme, state, slow, used) VALUES(?, ?, ?, ?, ?, ?)",
            (*_key(origin), orjson.dumps(state).decode("utf-8"), int(state.is_slowed(now)), now),
        )

    def slow(self) -> dict[Origin, OriginState]:
        """Hosts that rest or recover."""
        rows = self.db.execute("SELECT scheme, host, port, state FROM hosts WHERE slow = 1")
        return {Origin(scheme, host, port): _decode(state) for scheme, host, port, state in rows}

    def others(self, origin: Origin, now: float) -> int:
        """Visits under way there; those whose process has ended, or that took far too long, are removed."""
        rows = self.db.execute(
            "SELECT token, owner, until FROM visits WHERE host = ? AND port = ? AND scheme = ?", _key(origin)
        ).fetchall()
        alive = 0
        for token, owner, until in rows:
            # A visit from the future is one of before the clock was set back: its process is of another boot.
            if (owner != self._me and is_gone(owner)) or not now < until <= now + LEASE:
                self.db.execute("DELETE FROM visits WHERE token = ?", (token,))
            else:
                alive += 1
        return alive

    def enter(self, origin: Origin, now: float) -> int:
        """Note a visit; its token, never given twice."""
        cursor = self.db.execute(
            "INSERT INTO visits(host, port, scheme, owner, started, until) VALUES(?, ?, ?, ?, ?, ?)",
            (*_key(origin), self._me, now, now + LEASE),
        )
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def renew(self, token: int, now: float) -> bool:
        """A later end; False when the visit was given up on."""
        query = "UPDATE visits SET until = ? WHERE token = ? AND until > ?"
        return self.db.execute(query, (now + LEASE, token, now)).rowcount > 0

    def leave(self, token: int, now: float) -> tuple[float | None, bool]:
        """End a visit: when it started, None when it was given up on and removed; and whether it was still held."""
        row = self.db.execute("DELETE FROM visits WHERE token = ? RETURNING started, until", (token,)).fetchone()
        return (None, False) if row is None else (row[0], row[1] > now)

    def leave_all(self) -> None:
        self.db.execute("DELETE FROM visits WHERE owner = ?", (self._me,))


def _key(origin: Origin) -> tuple[str, int, str]:
    return origin.host, origin.port, origin.scheme


def _decode(text: str) -> OriginState:
    row: dict[str, Any] = orjson.loads(text)
    row["bound"] = Bound(row["bound"])
    row["rest_bound"] = Bound(row["rest_bound"])
    return OriginState(**row)
