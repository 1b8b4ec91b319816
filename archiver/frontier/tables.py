"""Statements over the frontier's tables: what is stored, counted and put back. Runs in the database thread only."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from archiver.frontier.rows import decode, digest, encode
from archiver.frontier.schema import COLUMN, REOPENABLE, State, is_final
from archiver.frontier.seen import Seen
from archiver.frontier.thread import Hooks
from archiver.frontier.timeline import Timeline
from archiver.model import Candidate, Origin, Outlink
from archiver.ports import FrontierCounts
from archiver.ports.frontier import Stretch

CHUNK = 500
_INSERT = "INSERT INTO urls(id, hash, origin, depth, state, data, reason) VALUES(?, ?, ?, ?, ?, ?, ?)"
_PLACE = "INSERT OR REPLACE INTO places(url, n, file, start, stop) VALUES(?, ?, ?, ?, ?)"
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

    Counters, completed visits and their places are gathered in memory and written once a transaction (`flush`).
    """

    def __init__(self, db: sqlite3.Connection, time: Timeline, own: Callable[[Origin], bool], seen: Seen) -> None:
        self.db = db
        self.time = time
        self._own = own
        self._by_origin: dict[Origin, OriginRow] = {}
        self._by_id: dict[int, OriginRow] = {}
        self._files: dict[str, int] = {}
        self._ends: dict[int, int] = {}
        self._done: list[tuple[int]] = []
        self._placed: list[tuple[int, int, int, int, int]] = []
        self.seen = seen
        self._ready: Counter[int] = Counter()
        self._counted: Counter[str] = Counter()
        query = f"SELECT 1 FROM urls WHERE state = 3 AND reason IN ({','.join('?' * len(REOPENABLE))}) LIMIT 1"
        self._reopenable = db.execute(query, tuple(REOPENABLE)).fetchone() is not None

    def before_commit(self) -> None:
        self.flush()
        self.seen.settle()

    def after_rollback(self) -> None:
        for cache in (self._by_id, self._by_origin, self._files, self._ends, self._ready, self._counted):
            cache.clear()
        self._done.clear()
        self._placed.clear()
        self.seen.forget()

    def flush(self) -> None:
        """Write what was gathered, and with it the time, by which a clock set back between runs is noticed."""
        if self._done:
            self.db.executemany("UPDATE urls SET state = 2 WHERE id = ?", self._done)
            self._done.clear()
        if self._placed:
            self.db.executemany(_PLACE, self._placed)
            self._placed.clear()
        ready = [(by, number) for number, by in self._ready.items() if by]
        if ready:
            self.db.executemany("UPDATE origins SET ready = ready + ? WHERE id = ?", ready)
            self._ready.clear()
        if self._ends:
            ends = [(stop, number) for number, stop in self._ends.items()]
            self.db.executemany("UPDATE files SET stop = max(stop, ?) WHERE id = ?", ends)
            self._ends.clear()
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
        links: dict[bytes, Outlink] = {}
        for outlink in outlinks:
            first = links.setdefault(digest(outlink.candidate.key), outlink)
            if first.objection is not None and outlink.objection is None and not is_final(first):
                links[digest(outlink.candidate.key)] = outlink
        if not links:
            return []
        known = self.seen.find(links)
        fresh = {hashed: outlink for hashed, outlink in links.items() if hashed not in known} if known else links
        self._store(fresh)
        if known and self._reopenable:
            self._reopen({known[hashed]: link for hashed, link in links.items() if hashed in known})
        return [outlink.candidate.key for outlink in fresh.values()]

    def _store(self, fresh: Mapping[bytes, Outlink]) -> None:
        rows: list[tuple[object, ...]] = []
        ready: list[int] = []
        known: Origin | None = None
        at: OriginRow | None = None
        for number, (hashed, outlink) in enumerate(fresh.items(), self.seen.last + 1):
            candidate, objection = outlink.candidate, outlink.objection
            if at is None or candidate.origin is not known:  # links of a page come from few hosts, in runs
                known, at = candidate.origin, self.origin(candidate.origin)
            data = encode(candidate, at.prefix)
            if objection is None:
                rows.append((number, hashed, at.id, candidate.depth, 0, data, None))
                ready.append(at.id)
            else:
                rows.append((number, hashed, at.id, candidate.depth, 3, data, objection.reason.value))
                self._reopenable = self._reopenable or not is_final(outlink)
        self.db.executemany(_INSERT, rows)
        self.seen.add(list(fresh))
        self._ready.update(ready)
        self._counted["pending"] += len(ready)
        self._counted["refused"] += len(rows) - len(ready)

    def _reopen(self, links: Mapping[int, Outlink]) -> None:
        """A URL refused for how one page linked to it (nofollow, depth) is fetched when another page links properly."""
        marks = ",".join("?" * len(REOPENABLE))
        for number, link in links.items():
            if link.objection is not None:
                continue
            candidate = link.candidate
            data = encode(candidate, self.origin(candidate.origin).prefix)
            changed = self.db.execute(
                f"UPDATE urls SET state = 0, reason = NULL, depth = ?, data = ? WHERE id = ? AND state = 3"
                f" AND reason IN ({marks})",
                (candidate.depth, data, number, *REOPENABLE),
            )
            if changed.rowcount:
                self.more_ready(self.origin(candidate.origin).id)
                self.move(State.REFUSED, State.PENDING)

    def fetched(self, keys: Sequence[str]) -> frozenset[str]:
        """Which keys were fetched, as page or as requisite."""
        hashes = {digest(key): key for key in keys}
        done = (State.DONE, State.REQUISITE)
        return frozenset(hashes[hashed] for hashed, (_, state, _) in self._states(hashes).items() if state in done)

    def mark_requisites(self, requisites: Sequence[Candidate], where: Sequence[Stretch]) -> None:
        """These were fetched with a page. One that stood here as a page itself is done now, not a second row.

        One that somebody holds is done when its holder says so; where it lies is noted already.
        """
        wanted = {digest(candidate.key): candidate for candidate in requisites}
        known = self._states(wanted)
        done = []
        for number, state, origin in known.values():
            if state in (State.PENDING, State.WAITING, State.REFUSED, State.FAILED):
                done.append(number)
                self.move(State(state), State.DONE)
                self._ready[origin] -= state == State.PENDING
        held = [number for number, state, _ in known.values() if state == State.CLAIMED]
        self.db.executemany(
            "UPDATE urls SET state = 2, not_before = NULL, reason = 'requisite' WHERE id = ?",
            [(number,) for number in done],
        )
        fresh = {hashed: candidate for hashed, candidate in wanted.items() if hashed not in known}
        numbers = range(self.seen.last + 1, self.seen.last + 1 + len(fresh))
        self.db.executemany(
            "INSERT INTO urls(id, hash, origin, depth, state) VALUES(?, ?, ?, ?, 5)",
            [
                (number, hashed, self.origin(candidate.origin).id, candidate.depth)
                for number, (hashed, candidate) in zip(numbers, fresh.items(), strict=True)
            ],
        )
        self.seen.add(list(fresh))
        self._counted["requisites"] += len(fresh)
        for number in (*done, *held, *numbers):
            self.place(number, where[:1])

    def _states(self, hashes: Iterable[bytes]) -> dict[bytes, tuple[int, int, int]]:
        """Of these hashes the stored ones: id, state, origin."""
        self.flush()
        known = self.seen.find(hashes)
        numbers, rows = list(known.values()), {}
        for first in range(0, len(numbers), CHUNK):
            part = numbers[first : first + CHUNK]
            query = f"SELECT id, state, origin FROM urls WHERE id IN ({','.join('?' * len(part))})"
            rows.update({row[0]: row for row in self.db.execute(query, part)})
        return {hashed: rows[number] for hashed, number in known.items()}

    def unfinished(self, after: int, limit: int) -> tuple[int, list[Candidate]]:
        """Candidates not fetched, in order of discovery, beyond row `after`; the last row's number to go on from."""
        self.flush()
        rows = self.db.execute(
            "SELECT id, data, origin, depth FROM urls WHERE state IN (0, 1, 6) AND id > ? ORDER BY id LIMIT ?",
            (after, limit),
        ).fetchall()
        last = rows[-1][0] if rows else after
        return last, [self.candidate(data, origin, depth) for _, data, origin, depth in rows]

    def youngest(self, limit: int) -> list[tuple[Candidate, str]]:
        """Candidates that wait, are claimed or were refused, youngest first, with the reason of a refusal."""
        self.flush()
        rows = self.db.execute(
            "SELECT data, origin, depth, state, reason FROM urls WHERE state IN (0, 1, 3, 6) AND data IS NOT NULL"
            " ORDER BY id DESC LIMIT ?",
            (limit,),
        ).fetchall()
        return [
            (self.candidate(data, origin, depth), (reason or "") if state == State.REFUSED else "")
            for data, origin, depth, state, reason in rows
        ]

    # --- files -----------------------------------------------------------------------------------------------------

    def done(self, url: int) -> None:
        """A visit is complete. No reason is kept: the row would not fit its page any more."""
        self._done.append((url,))

    def place(self, url: int, records: Sequence[Stretch]) -> None:
        """Note what a visit rests on, and how far each file is used."""
        for number, (name, start, stop) in enumerate(records):
            file = self._files.get(name) or self._file(name)
            self._placed.append((url, number, file, start, stop))
            if stop > self._ends.get(file, 0):
                self._ends[file] = stop

    def _file(self, name: str) -> int:
        self.db.execute("INSERT OR IGNORE INTO files(name) VALUES(?)", (name,))
        number: int = self.db.execute("SELECT id FROM files WHERE name = ?", (name,)).fetchone()[0]
        self._files[name] = number
        return number

    def files(self) -> dict[str, int]:
        """Names of the files that visits rest on, with the end of what they use of it."""
        self.flush()
        return dict(self.db.execute("SELECT name, stop FROM files").fetchall())

    def count_requisites(self, by: int) -> None:
        self._counted["requisites"] += by

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
