"""One steady line of time for all processes on a file: a wall clock that steps neither hurries nor stalls anybody."""

from __future__ import annotations

import sqlite3

from archiver.clock import Clock
from archiver.processes import boot

SCHEMA = "CREATE TABLE IF NOT EXISTS timeline(boot TEXT PRIMARY KEY, offset REAL NOT NULL) WITHOUT ROWID;\n"


class Timeline:
    """Epoch seconds as they were when the first process since boot opened the file, running on by the monotonic clock.

    Linux's monotonic clock is one for all processes of a boot, so they agree whatever NTP does in between. At the
    border times become wall time again: `to_wall` and `from_wall` keep the distance from now.
    """

    def __init__(self, connection: sqlite3.Connection, clock: Clock) -> None:
        self._clock = clock
        offset = clock.epoch() - clock.monotonic()
        name = boot()
        if name:
            connection.execute("DELETE FROM timeline WHERE boot <> ?", (name,))
            connection.execute("INSERT OR IGNORE INTO timeline(boot, offset) VALUES(?, ?)", (name, offset))
            offset = connection.execute("SELECT offset FROM timeline WHERE boot = ?", (name,)).fetchone()[0]
        self._offset = offset

    def now(self) -> float:
        return self._clock.monotonic() + self._offset

    def shift(self) -> float:
        """What to add to a steady time for UTC epoch seconds, as the wall clock stands now."""
        return self._clock.epoch() - self.now()

    def to_wall(self, steady: float) -> float:
        return steady + self.shift()

    def from_wall(self, epoch: float) -> float:
        return epoch - self.shift()
