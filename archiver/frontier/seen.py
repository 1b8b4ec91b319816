"""Which URLs a job has: hash to row number, exact, in little memory. Runs in the database thread only.

A unique index over hashes would write one page of it a URL, since hashes land anywhere. So the youngest rows are known
by a table in memory, made from the rows themselves after a start, and go into the sorted table many at a time.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence

TAIL = 1 << 15
"""Rows that may wait for being sorted in; about 5 MB of memory."""
_ASK = (8, 128, 1024)
"""How many hashes one statement asks for: few sizes, so that few statements are compiled."""


class Seen:
    """Every method is part of a transaction that somebody else opened; other processes may have written before it."""

    def __init__(self, db: sqlite3.Connection, *, tail: int = TAIL) -> None:
        self._db = db
        self._size = tail
        self._tail: dict[bytes, int] = {}
        self._last = -1

    @property
    def last(self) -> int:
        """The highest row number, as `find` left it in this transaction."""
        return self._last

    def find(self, hashes: Iterable[bytes]) -> dict[bytes, int]:
        """Of these hashes those that are stored, with their row numbers."""
        self._look()
        tail, found, asked = self._tail, {}, []
        for hashed in hashes:
            number = tail.get(hashed)
            if number is None:
                asked.append(hashed)
            else:
                found[hashed] = number
        for part, marks in _parts(asked):
            found.update(self._db.execute(f"SELECT hash, url FROM seen WHERE hash IN ({marks})", part).fetchall())
        return found

    def _look(self) -> None:
        """Take in what others have stored since."""
        last = self._db.execute("SELECT coalesce(max(id), 0) FROM urls").fetchone()[0]
        if last < self._last:
            self.forget()
        if last != self._last:
            after = max(self._last, self._sorted())
            self._tail.update(self._db.execute("SELECT hash, id FROM urls WHERE id > ?", (after,)))
            self._last = last

    def add(self, hashes: Sequence[bytes]) -> None:
        """Rows were stored under the next numbers, in this order."""
        first = self._last + 1
        self._tail.update(zip(hashes, range(first, first + len(hashes)), strict=True))
        self._last += len(hashes)

    def remove(self, hashes: Sequence[bytes]) -> None:
        """Their rows are gone, and the highest numbers may be given again."""
        self._db.executemany("DELETE FROM seen WHERE hash = ?", [(hashed,) for hashed in hashes])
        self._db.execute("UPDATE counts SET sorted = min(sorted, (SELECT coalesce(max(id), 0) FROM urls))")
        self.forget()

    def settle(self) -> None:
        """Sort in what waits, when it is enough."""
        if len(self._tail) < self._size:
            return
        self._look()
        after = self._sorted()
        self._db.execute("INSERT INTO seen(hash, url) SELECT hash, id FROM urls WHERE id > ? ORDER BY hash", (after,))
        self._db.execute("UPDATE counts SET sorted = ?", (self._last,))
        self._tail.clear()

    def forget(self) -> None:
        """What is in memory may not be in the file."""
        self._tail.clear()
        self._last = -1

    def _sorted(self) -> int:
        number: int = self._db.execute("SELECT sorted FROM counts").fetchone()[0]
        return number


def _parts(asked: Sequence[bytes]) -> Iterator[tuple[Sequence[bytes], str]]:
    """Pieces of a list, each filled up to one of few lengths, with as many question marks."""
    for first in range(0, len(asked), _ASK[-1]):
        part = asked[first : first + _ASK[-1]]
        length = next(size for size in _ASK if size >= len(part))
        yield [*part, *[part[-1]] * (length - len(part))], ",".join("?" * length)
