"""Lending URLs: claim, renew, give back, complete, and what to do with claims whose holder is gone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import orjson

from archiver.frontier.owner import is_gone
from archiver.frontier.schema import State
from archiver.frontier.tables import Tables
from archiver.model import Claim, Outlink
from archiver.ports import Completed, VisitOutcome

LONGEST_WAIT = 86_400.0
"""Seconds ahead that an origin or a URL can be put off; then it is asked again whether it may."""
LENT_KEPT = 8192
Row = tuple[int, int, int, int | None, str]
_NEXT = "SELECT id FROM urls WHERE state = 0 AND origin = {} ORDER BY depth, id LIMIT {}"
_PICKED = "UPDATE urls SET state = 1 WHERE id IN ({}) RETURNING depth, id, origin, attempts, data"
_PICK = _PICKED.format(_NEXT.format("?", "?"))
_PICK_ONE = _PICKED.format(f"SELECT ({_NEXT.format('one.value', 1)}) FROM json_each(?) AS one")
_NOTHING_NEW = Completed()


@dataclass(frozen=True, slots=True)
class Due:
    """An origin that may be visited: how many of its URLs wait, and whether several may be lent at once."""

    origin: int
    ready: int
    many: bool


def shares(due: Sequence[Due], n: int) -> dict[int, int]:
    """How many URLs each origin may lend: one for each, in turn, then what is left evenly among those that may."""
    taken = {one.origin: 1 for one in due[:n]}
    left = n - len(taken)
    hungry = [one for one in due[:n] if one.many and one.ready > 1]
    while left > 0 and hungry:
        each = max(1, left // len(hungry))
        for one in hungry:
            more = min(each, left, one.ready - taken[one.origin])
            taken[one.origin] += more
            left -= more
        hungry = [one for one in hungry if taken[one.origin] < one.ready]
    return taken


class Leases:
    """The claims of one owner on shared tables. Every method is part of a transaction that somebody else opened."""

    def __init__(self, tables: Tables, *, owner: str, max_attempts: int) -> None:
        self._t = tables
        self._db = tables.db
        self._max_attempts = max_attempts
        # What a fence stands for never changes, whether or not its claim is still there.
        self._lent: dict[int, tuple[int, int]] = {}
        self._recover()
        self._owner = self._db.execute("INSERT INTO owners(name) VALUES(?)", (owner,)).lastrowid

    # --- lending ---------------------------------------------------------------------------------------------------

    def claim(self, n: int, lease: float) -> list[Claim]:
        now = self._t.time.now()
        self._t.flush()
        self._reclaim(self._db.execute("DELETE FROM claims WHERE lease_until <= ? RETURNING url, origin", (now,)))
        self._wake(now)
        self._t.flush()
        lent = self._pick(shares(self._due(now, n), n))
        taken = Counter(row[2] for row in lent)
        # The turn: who was served now is behind all who were not.
        self._db.executemany(
            "UPDATE origins SET ready = ready - ?, busy = ?, next_due = ? WHERE id = ?",
            [(count, 0 if self._t.origin_by_id(origin).own else 1, now, origin) for origin, count in taken.items()],
        )
        return self._lend(sorted(lent), now + lease) if lent else []

    def _pick(self, wanted: Mapping[int, int]) -> list[Row]:
        """The next URLs of each origin, as many as it may lend: depth, number, origin, attempts, data of each."""
        ones = [origin for origin, share in wanted.items() if share == 1]
        found = self._db.execute(_PICK_ONE, (orjson.dumps(ones).decode(),)).fetchall() if ones else []
        for origin, share in wanted.items():
            if share > 1:
                found.extend(self._db.execute(_PICK, (origin, share)).fetchall())
        return found

    def _due(self, now: float, n: int) -> list[Due]:
        rows = self._db.execute(
            "SELECT id, ready FROM origins WHERE ready > 0 AND busy = 0 AND next_due <= ?"
            " ORDER BY next_due, id LIMIT ?",
            (now, n),
        ).fetchall()
        return [Due(number, ready, self._t.origin_by_id(number).own) for number, ready in rows]

    def _lend(self, rows: Sequence[Row], until: float) -> list[Claim]:
        count = len(rows)
        last = self._db.execute("UPDATE counts SET fence = fence + ? RETURNING fence", (count,)).fetchone()[0]
        fences = range(last - count + 1, last + 1)
        self._db.executemany(
            "INSERT INTO claims(fence, url, origin, lease_until, owner) VALUES(?, ?, ?, ?, ?)",
            [(fence, row[1], row[2], until, self._owner) for fence, row in zip(fences, rows, strict=True)],
        )
        if len(self._lent) > LENT_KEPT:
            self._lent.clear()
        self._lent.update(zip(fences, ((row[1], row[2]) for row in rows), strict=True))
        self._t.move(State.PENDING, State.CLAIMED, count)
        wall = self._t.time.to_wall(until)
        return [
            Claim(
                candidate=self._t.candidate(data, origin, depth),
                fence=fence,
                lease_until=wall,
                attempts=(attempts or 0) + 1,
            )
            for fence, (depth, _, origin, attempts, data) in zip(fences, rows, strict=True)
        ]

    def renew(self, fence: int, lease: float) -> float | None:
        """The new end of the lease in wall time, None when it was lost."""
        until = self._t.time.now() + lease
        cursor = self._db.execute("UPDATE claims SET lease_until = ? WHERE fence = ?", (until, fence))
        return self._t.time.to_wall(until) if cursor.rowcount else None

    def release(self, fence: int, not_before: float, reason: str) -> bool:
        taken = self._take(fence)
        if taken is None:
            return False
        url, origin = taken
        self._db.execute("UPDATE urls SET state = 0, reason = ? WHERE id = ?", (reason or None, url))
        self._db.execute(
            "UPDATE origins SET busy = 0, next_due = max(next_due, ?) WHERE id = ?", (self._clamp(not_before), origin)
        )
        self._t.more_ready(origin)
        self._t.move(State.CLAIMED, State.PENDING)
        return True

    # --- ending ----------------------------------------------------------------------------------------------------

    def complete(self, fence: int, outcome: VisitOutcome, outlinks: Sequence[Outlink]) -> Completed:
        taken = self._take(fence)
        if taken is None:
            return Completed(lost=True)
        url, origin = taken
        ended = self._finish(url, outcome)
        if ended is State.PENDING:
            self._t.more_ready(origin)
        elif ended is State.DONE and outcome.records:
            # A visit without records of its own may have been fetched with a page: then that page's are noted.
            self._t.place(url, outcome.records)
        self._t.move(State.CLAIMED, ended)
        self._free(origin)
        if outcome.requisites:
            self._t.mark_requisites(outcome.requisites, outcome.records)
        return Completed(fresh=frozenset(self._t.insert(outlinks))) if outlinks else _NOTHING_NEW

    def _finish(self, url: int, outcome: VisitOutcome) -> State:
        if outcome.state == "done":
            self._t.done(url)
            return State.DONE
        if outcome.state == "refused":
            self._db.execute("UPDATE urls SET state = 3, reason = ? WHERE id = ?", (outcome.reason or None, url))
            return State.REFUSED
        if outcome.state not in ("failed", "deferred"):
            raise ValueError(f"no such outcome: {outcome.state}")
        state, at = State.PENDING, None
        made = self._db.execute("SELECT coalesce(attempts, 0) + 1 FROM urls WHERE id = ?", (url,)).fetchone()[0]
        if made >= self._max_attempts:
            # an answer that said to come back is an answer: its record stands
            state = State.DONE if outcome.records else State.FAILED
        elif outcome.not_before is not None:
            state, at = State.WAITING, self._clamp(outcome.not_before)
        self._db.execute(
            "UPDATE urls SET state = ?, attempts = ?, reason = ?, not_before = ? WHERE id = ?",
            (int(state), made, outcome.reason or None, at, url),
        )
        return state

    def _free(self, origin: int) -> None:
        if not self._t.origin_by_id(origin).own:
            self._db.execute("UPDATE origins SET busy = 0 WHERE id = ?", (origin,))

    def _take(self, fence: int) -> tuple[int, int] | None:
        """End a claim; its URL and origin, None when the lease had gone to somebody else."""
        held = self._lent.get(fence)
        if held is None:
            held = self._db.execute("SELECT url, origin FROM claims WHERE fence = ?", (fence,)).fetchone()
        gone = self._db.execute("DELETE FROM claims WHERE fence = ?", (fence,)).rowcount
        return held if gone else None

    def _clamp(self, epoch: float) -> float:
        return min(self._t.time.from_wall(epoch), self._t.time.now() + LONGEST_WAIT)

    # --- time ------------------------------------------------------------------------------------------------------

    def next_due(self) -> float | None:
        """Wall time when something may become claimable: an origin, a retry, or the end of somebody's lease."""
        self._t.flush()
        row = self._db.execute(
            "SELECT min(at) FROM ("
            " SELECT min(next_due) AS at FROM origins WHERE ready > 0 AND busy = 0"
            " UNION ALL SELECT min(not_before) FROM urls WHERE state = 6"
            " UNION ALL SELECT min(lease_until) FROM claims)"
        ).fetchone()
        return None if row[0] is None else self._t.time.to_wall(row[0])

    def _wake(self, now: float) -> None:
        rows = self._db.execute(
            "UPDATE urls SET state = 0, not_before = NULL WHERE state = 6 AND not_before <= ? RETURNING origin", (now,)
        ).fetchall()
        for (origin,) in rows:
            self._t.more_ready(origin)

    def _reclaim(self, ended: Iterable[tuple[int, int]]) -> None:
        """Back to pending. No attempt is counted: nothing is known about the URL, only about its holder."""
        for url, origin in list(ended):
            self._db.execute("UPDATE urls SET state = 0 WHERE id = ?", (url,))
            self._t.more_ready(origin)
            self._t.move(State.CLAIMED, State.PENDING)
            self._free(origin)

    # --- opening and closing ---------------------------------------------------------------------------------------

    def _recover(self) -> None:
        """Claims of owners that are gone go back, waits are shortened by what the clock was set back since."""
        for number, name in self._db.execute("SELECT id, name FROM owners").fetchall():
            if is_gone(name):
                self._drop_owner(number)
        self._unwind()
        self._db.execute("UPDATE origins SET busy = 0 WHERE busy <> 0")
        for (number,) in self._db.execute("SELECT DISTINCT origin FROM claims").fetchall():
            if not self._t.origin_by_id(number).own:
                self._db.execute("UPDATE origins SET busy = 1 WHERE id = ?", (number,))

    def _unwind(self) -> None:
        now = self._t.time.now()
        seen = self._db.execute("SELECT seen FROM counts").fetchone()[0]
        back = max(0.0, seen - now)
        for table, column in (("origins", "next_due"), ("urls", "not_before"), ("claims", "lease_until")):
            self._db.execute(
                f"UPDATE {table} SET {column} = min({column} - ?, ?) WHERE {column} > ?",
                (back, now + LONGEST_WAIT, now),
            )

    def _drop_owner(self, number: int | None) -> None:
        self._reclaim(self._db.execute("DELETE FROM claims WHERE owner = ? RETURNING url, origin", (number,)))
        self._db.execute("DELETE FROM owners WHERE id = ?", (number,))

    def end(self) -> None:
        """Give back what this owner still holds."""
        self._drop_owner(self._owner)
