"""The frontier of one machine: one SQLite file, its own thread, every call one transaction (decision 14).

What survives: a killed process loses no URL (its claims go back to pending when the file is next opened), power loss
costs at most the transactions of the last moments, whose visits are then made again. Nothing of the port needs SQL or
a shared clock: a claim is known by its fence alone.
"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from archiver.clock import Clock
from archiver.frontier.leases import Leases
from archiver.frontier.lost import requeue
from archiver.frontier.owner import me
from archiver.frontier.recent import RecentSet
from archiver.frontier.schema import MIGRATIONS, SCHEMA, VERSION, is_final
from archiver.frontier.seen import TAIL, Seen
from archiver.frontier.tables import Tables
from archiver.frontier.thread import SqliteThread
from archiver.frontier.timeline import Timeline
from archiver.model import Candidate, Claim, Origin, Outlink
from archiver.ports import Completed, FrontierCounts, VisitOutcome
from archiver.ports.frontier import WHOLE, Span

PAGE = 1000
LINGER = 0.002


class SqliteFrontier:
    """`own` says which origins are the operator's: there several URLs may be claimed at once. `tail`: see `Seen`.

    Raises DiskError when the file cannot be opened or written, UsageError when a newer version wrote it.
    """

    def __init__(
        self, path: Path, clock: Clock, *, own: Callable[[Origin], bool], max_attempts: int = 3, tail: int = TAIL
    ) -> None:
        self._thread = SqliteThread(path, SCHEMA, version=VERSION, migrations=MIGRATIONS, linger=LINGER)
        self._known = RecentSet()
        self._fetched = RecentSet()

        def prepare(db: sqlite3.Connection) -> Tables:
            tables = Tables(db, Timeline(db, clock), own, Seen(db, tail=tail))
            self._leases = Leases(tables, owner=me(), max_attempts=max_attempts)
            return tables

        self._tables = self._thread.start(prepare)

    async def add(self, batch: Sequence[Outlink]) -> frozenset[str]:
        """Enqueue what is new (objected ones are kept as refused); returns the keys not seen before."""
        unknown = self._unknown(batch)
        if not unknown:
            return frozenset()
        fresh = await self._thread.run(lambda _: self._tables.insert(unknown))
        self._known.update(outlink.candidate.key for outlink in unknown if is_final(outlink))
        return frozenset(fresh)

    def _unknown(self, outlinks: Sequence[Outlink]) -> list[Outlink]:
        # The links that every page of a site repeats end here; SQLite sees the rest.
        if not outlinks:
            return []
        unknown = self._known.missing([outlink.candidate.key for outlink in outlinks])
        return [outlink for outlink in outlinks if outlink.candidate.key in unknown]

    async def claim(self, n: int, *, lease: float = 300.0) -> list[Claim]:
        """Up to `n` candidates of origins that are due, by depth, then discovery; one an origin unless its own."""
        return await self._thread.run(lambda _: self._leases.claim(n, lease)) if n > 0 else []

    async def renew(self, claim: Claim, *, lease: float = 300.0) -> Claim | None:
        """The claim with a later end, None when it went to somebody else."""
        until = await self._thread.run(lambda _: self._leases.renew(claim.fence, lease))
        return None if until is None else replace(claim, lease_until=until)

    async def release(self, claim: Claim, *, not_before: float, reason: str) -> bool:
        """Give back unvisited, no attempt counted; the whole origin waits until `not_before` (epoch), a day at most."""
        return await self._thread.run(lambda _: self._leases.release(claim.fence, not_before, reason))

    async def complete(self, claim: Claim, outcome: VisitOutcome, outlinks: Sequence[Outlink]) -> Completed:
        """End a claim: outcome, requisites and new links in one transaction. Raises ValueError on an unknown state."""
        unknown = self._unknown(outlinks)
        completed = await self._thread.run(lambda _: self._leases.complete(claim.fence, outcome, unknown))
        if not completed.lost:
            self._known.update(outlink.candidate.key for outlink in unknown if is_final(outlink))
            self._fetched.update(candidate.key for candidate in outcome.requisites)
        return completed

    async def is_known_requisite(self, keys: Sequence[str]) -> frozenset[str]:
        """Which of these keys this job has already fetched, as page or as requisite."""
        known = {key for key in keys if key in self._fetched}
        asked = [key for key in keys if key not in known]
        if asked:
            found = await self._thread.run(lambda _: self._tables.fetched(asked))
            self._fetched.update(found)
            known |= found
        return frozenset(known)

    async def next_due(self) -> float | None:
        """Epoch seconds when something may become claimable, the end of a lease included; None = nothing left."""
        return await self._thread.run(lambda _: self._leases.next_due())

    async def counts(self) -> FrontierCounts:
        return await self._thread.run(lambda _: self._tables.counts())

    async def pending(self) -> AsyncIterator[Candidate]:
        """Every URL not fetched, claimed ones included, in order of discovery."""
        after = 0
        while True:
            after, candidates = await self._unfinished(after)
            for candidate in candidates:
                yield candidate
            if len(candidates) < PAGE:
                return

    async def _unfinished(self, after: int) -> tuple[int, list[Candidate]]:
        return await self._thread.run(lambda _: self._tables.unfinished(after, PAGE))

    async def youngest(self, limit: int) -> list[tuple[Candidate, str]]:
        """URLs that wait, are claimed or were refused, youngest first, with the reason of a refusal (else "")."""
        return await self._thread.run(lambda _: self._tables.youngest(limit))

    async def files(self) -> Mapping[str, int]:
        """Files that visits rest on, each with the end of what they use of it (bytes)."""
        return await self._thread.run(lambda _: self._tables.files())

    async def requeue(self, file: str, lost: Sequence[Span] = WHOLE) -> int:
        """Put back completed visits that rest on these bytes of `file`: they are lost. How many pages that makes."""
        count = await self._thread.run(lambda _: requeue(self._tables, file, lost))
        self._known.clear()
        self._fetched.clear()
        return count

    async def get_meta(self, name: str) -> Any:
        """A fact about the job that was kept here, None when there is none."""
        value = await self._thread.run(lambda _: self._tables.fact(name))
        return None if value is None else orjson.loads(value)

    async def set_meta(self, name: str, value: Any) -> None:
        """Keep a JSON-able fact about the job."""
        text = orjson.dumps(value).decode("utf-8")
        await self._thread.run(lambda _: self._tables.set_fact(name, text))

    async def close(self) -> None:
        """Give back what is still claimed, then close the file. Again is harmless."""
        if not self._thread.closed:
            await self._thread.run(lambda _: self._leases.end())
        await self._thread.close()
