"""Statements over the frontier's tables: what is stored, counted and put back. Runs in the database thread only."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from archiver.frontier.rows import decode, digest, encode
from archiver.frontier.schema import COLUMN, REOPENABLE, State, is_final
from archiver.frontier.thread import Hooks
from archiver.frontier.timeline import Timeline
from archiver.model import Candidate, Origin, Outlink
from archiver.ports import FrontierCounts

CHUNK = 500
_INSERT = "INSERT OR IGNORE INTO urls(hash, origin, depth, state, data, reason) VALUES(?, ?, ?, ?, ?, ?)"
ORIGINS_KEPT = 50_000


@dataclass(frozen=True, slots=True)
class OriginRow:
    """An origin as the database knows it. `prefix` is what its URLs begin with."""

    id: int
    origin: Origin
    prefix: str
    own: bool


class Tables(Hooks):
    """Rows in, rows out. Every method is part of a transaction that somebody else opened.

    Counters are gathered in memory and written once a transaction (`flush`).
    """

    def __init__(self, db: sqlite3.Connection, time: Timeline, own: Callable[[Origin], bool]) -> None:
        self.db = db
        self.time = time
        self._own = own
        self._by_origin: dict[Origin, OriginRow] = {}
        self._by_id: dict[int, OriginRow] = {}
        self._files: dict[str, int] = {}
        self._ready: Counter[int] = Counter()
        self._counted: Counter[str] = Counter()
        query = f"SELECT 1 FROM urls WHERE state = 3 AND reason IN ({','.join('?' * len(REOPENABLE))}) LIMIT 1"
        self._reopenable = db.execute(query, tuple(REOPENABLE)).fetchone() is not None

    def before_commit(self) -> None:
        self.flush()

    def after_rollback(self) -> None:
        for cache in (self._by_id, self._by_origin, self._files, self._ready, self._counted):
            cache.clear()

    def flush(self) -> None:
        """Write the gathered counters, and with them the time, by which a clock set back between runs is noticed."""
        ready = [(by, number) for number, by in self._ready.items() if by]
        if ready:
            self.db.executemany("UPDATE origins SET ready = ready + ? WHERE id = ?", ready)
            self._ready.clear()
        if self._counted:
            assignments = ", ".join(f"{name} = {name} + ?" for name in self._counted)
            self.db.execute(f"UPDATE counts SET seen = ?, {assignments}", (self.time.now(), *self._counted.values()))
            self._counted.clear()

    # --- origins ---------------------------------------------------------------------------------------------------

    def origin(self, origin: Origin) -> OriginRow:
        row = self._by_origin.get(origin)
        if row is not None:
            return row
        key = (origin.scheme, origin.host, origin.port)
        self.db.execute(
            "INSERT OR IGNORE INTO origins(scheme, host, port, next_due) VALUES(?, ?, ?, ?)", (*key, self.time.now())
        )
        query = "SELECT id FROM origins WHERE scheme = ? AND host = ? AND port = ?"
        return self._remember(self.db.execute(query, key).fetchone()[0], origin)

    def origin_by_id(self, number: int) -> OriginRow:
        row = self._by_id.get(number)
        if row is not None:
            return row
        found = self.db.execute("SELECT scheme, host, port FROM origins WHERE id = ?", (number,)).fetchone()
        return self._remember(number, Origin(*found))

    def _remember(self, number: int, origin: Origin) -> OriginRow:
        if len(self._by_id) >= ORIGINS_KEPT:
            self._by_id.clear()
            self._by_origin.clear()
        row = OriginRow(number, origin, str(origin), self._own(origin))
        self._by_id[number] = self._by_origin[origin] = row
        return row

    def more_ready(self, origin: int, by: int = 1) -> None:
        """Count rows of an origin that may be claimed."""
        self._ready[origin] += by

    # --- URLs ------------------------------------------------------------------------------------------------------

    def candidate(self, data: str, origin: int, depth: int) -> Candidate:
        row = self.origin_by_id(origin)
        return decode(data, row.origin, row.prefix, depth)

    def insert(self, outlinks: Iterable[Outlink]) -> list[str]:
        """Store what is new, objected ones as refused; the keys that were new."""
        rows: dict[bytes, tuple[object, ...]] = {}
        links: dict[bytes, Outlink] = {}
        for outlink in outlinks:
            candidate, objection = outlink.candidate, outlink.objection
            hashed, origin = digest(candidate.key), self.origin(candidate.origin)
            if hashed in rows:
                continue
            state, reason = (0, None) if objection is None else (3, objection.reason.value)
            rows[hashed] = (hashed, origin.id, candidate.depth, state, encode(candidate, origin.prefix), reason)
            links[hashed] = outlink
        fresh = [links[hashed] for hashed in self._insert_rows(rows)]
        for outlink in fresh:
            if outlink.objection is None:
                self._ready[self.origin(outlink.candidate.origin).id] += 1
                self._counted["pending"] += 1
            else:
                self._counted["refused"] += 1
                self._reopenable = self._reopenable or not is_final(outlink)
        if self._reopenable and len(fresh) < len(links):
            self._reopen({hashed: link for hashed, link in links.items() if link.objection is None})
        return [outlink.candidate.key for outlink in fresh]

    def _reopen(self, links: Mapping[bytes, Outlink]) -> None:
        """A URL refused for how one page linked to it (nofollow, depth) is fetched when another page links properly."""
        marks = ",".join("?" * len(REOPENABLE))
        for hashed, link in links.items():
            candidate = link.candidate
            data = encode(candidate, self.origin(candidate.origin).prefix)
            values = (candidate.depth, data, hashed, *REOPENABLE)
            changed = self.db.execute(
                f"UPDATE urls SET state = 0, reason = NULL, depth = ?, data = ? WHERE hash = ? AND state = 3"
                f" AND reason IN ({marks})",
                values,
            )
            if changed.rowcount:
                self.more_ready(self.origin(candidate.origin).id)
                self.move(State.REFUSED, State.PENDING)

    def _insert_rows(self, rows: Mapping[bytes, tuple[object, ...]]) -> Iterable[bytes]:
        """Insert what is not there yet; the hashes that were not. Told apart only when some were."""
        if not rows:
            return ()
        last = self.db.execute("SELECT coalesce(max(id), 0) FROM urls").fetchone()[0]
        if self.db.executemany(_INSERT, rows.values()).rowcount == len(rows):
            return rows
        return [hashed for (hashed,) in self.db.execute("SELECT hash FROM urls WHERE id > ? ORDER BY id", (last,))]

    def fetched(self, keys: Sequence[str]) -> frozenset[str]:
        """Which keys were fetched, as page or as requisite."""
        hashes = {digest(key): key for key in keys}
        done = (State.DONE, State.REQUISITE)
        return frozenset(hashes[hashed] for hashed, (_, state, _) in self._states(hashes).items() if state in done)

    def mark_requisites(self, requisites: Sequence[Candidate], file: int | None, start: int | None) -> None:
        """These were fetched with a page. One that stood here as a page itself is done now, not a second row."""
        wanted = {digest(candidate.key): candidate for candidate in requisites}
        known = self._states(wanted)
        done = []
        for number, state, origin in known.values():
            if state in (State.PENDING, State.WAITING, State.REFUSED, State.FAILED):
                done.append((file, start, number))
                self.move(State(state), State.DONE)
                self._ready[origin] -= state == State.PENDING
        new = [
            (hashed, self.origin(candidate.origin).id, candidate.depth, file, start)
            for hashed, candidate in wanted.items()
            if hashed not in known
        ]
        self.db.executemany(
            "UPDATE urls SET state = 2, not_before = NULL, reason = 'requisite', file = ?, start = ? WHERE id = ?", done
        )
        self.db.executemany("INSERT INTO urls(hash, origin, depth, state, file, start) VALUES(?, ?, ?, 5, ?, ?)", new)
        self._counted["requisites"] += len(new)

    def _states(self, hashes: Iterable[bytes]) -> dict[bytes, tuple[int, int, int]]:
        """Of these hashes the stored ones: id, state, origin."""
        asked = list(hashes)
        found: dict[bytes, tuple[int, int, int]] = {}
        for first in range(0, len(asked), CHUNK):
            part = asked[first : first + CHUNK]
            marks = ",".join("?" * len(part))
            query = f"SELECT hash, id, state, origin FROM urls WHERE hash IN ({marks})"
            for hashed, number, state, origin in self.db.execute(query, part):
                found[hashed] = (number, state, origin)
        return found

    def unfinished(self, after: int, limit: int) -> tuple[int, list[Candidate]]:
        """Candidates not fetched, in order of discovery, beyond row `after`; the last row's number to go on from."""
        rows = self.db.execute(
            "SELECT id, data, origin, depth FROM urls WHERE state IN (0, 1, 6) AND id > ? ORDER BY id LIMIT ?",
            (after, limit),
        ).fetchall()
        last = rows[-1][0] if rows else after
        return last, [self.candidate(data, origin, depth) for _, data, origin, depth in rows]

    # --- files -----------------------------------------------------------------------------------------------------

    def file(self, name: str | None) -> int | None:
        if name is None:
            return None
        if name not in self._files:
            self.db.execute("INSERT OR IGNORE INTO files(name) VALUES(?)", (name,))
            self._files[name] = self.db.execute("SELECT id FROM files WHERE name = ?", (name,)).fetchone()[0]
        return self._files[name]

    def files(self) -> frozenset[str]:
        return frozenset(name for (name,) in self.db.execute("SELECT name FROM files"))

    def requeue(self, name: str, from_offset: int) -> int:
        """Put back what was recorded in a file at or after an offset; requisites are forgotten, pages ask for them."""
        found = self.db.execute("SELECT id FROM files WHERE name = ?", (name,)).fetchone()
        if found is None:
            return 0
        lost = "file = ? AND coalesce(start, 0) >= ?"
        where = (found[0], from_offset)
        rows = self.db.execute(
            "UPDATE urls SET state = 0, attempts = NULL, reason = NULL, file = NULL, start = NULL"
            f" WHERE {lost} AND state = 2 RETURNING origin",
            where,
        ).fetchall()
        forgotten = self.db.execute(f"DELETE FROM urls WHERE {lost} AND state = 5", where).rowcount
        for (origin,) in rows:
            self.more_ready(origin)
        self.move(State.DONE, State.PENDING, len(rows))
        self._counted["requisites"] -= forgotten
        return len(rows)

    # --- counts and facts ------------------------------------------------------------------------------------------

    def move(self, old: State, new: State, number: int = 1) -> None:
        """Count rows that changed their state."""
        self._counted[COLUMN[old]] -= number
        self._counted[COLUMN[new]] += number

    def counts(self) -> FrontierCounts:
        self.flush()
        row = self.db.execute("SELECT pending, claimed, done, refused, failed, requisites FROM counts").fetchone()
        return FrontierCounts(
            pending=row[0], claimed=row[1], done=row[2], refused=row[3], failed=row[4], requisites=row[5]
        )

    def fact(self, name: str) -> str | None:
        row = self.db.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return None if row is None else row[0]

    def set_fact(self, name: str, value: str) -> None:
        self.db.execute("INSERT OR REPLACE INTO facts(name, value) VALUES(?, ?)", (name, value))
