"""A ledger in memory, with the same chain: for tests and for runs that keep nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from archiver.clock import SYSTEM, Clock
from archiver.ledger.body import Stamp
from archiver.ledger.chain import START, Link, make_row
from archiver.model import Actor, Labels, LedgerEntry


class MemoryLedger:
    """Implements `ports.Ledger`. `lines` are the rows as a file would hold them; a `segment` row is not needed."""

    def __init__(
        self,
        clock: Clock = SYSTEM,
        *,
        job: str = "job",
        actor: Actor | None = None,
        labels: Labels | None = None,
    ) -> None:
        self._clock = clock
        self._stamp = Stamp(job=job, actor=actor or Actor(name="somebody"), labels=labels or Labels())
        self._last: Link = START
        self.lines: list[bytes] = []
        self.synced = 0
        self.closed = False

    @property
    def head(self) -> str:
        return self._last.hash

    def append(self, entry: LedgerEntry) -> int:
        return self.append_many((entry,))

    def append_many(self, entries: Sequence[LedgerEntry]) -> int:
        bodies = [self._stamp.body(entry, self._clock.now()) for entry in entries]
        for body in bodies:
            line, self._last = make_row(self._last, body)
            self.lines.append(line)
        return self._last.seq

    def sync(self) -> None:
        """Counts rows that would now survive power loss."""
        self.synced = len(self.lines)

    def close(self) -> None:
        self.sync()
        self.closed = True

    def bodies(self, event: str | None = None) -> list[dict[str, Any]]:
        """What was told, in order; of one event only when named."""
        every = [orjson.loads(orjson.loads(line)["body"]) for line in self.lines]
        return [body for body in every if event is None or body["event"] == event]
