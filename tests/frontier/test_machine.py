"""Claim, expire, release, complete in any order: nothing lost, nothing lent twice, fences only grow.

One machine drives SQLite and memory side by side; what they answer must be equal, and equal to a plain model.
"""

import asyncio
import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from archiver.clock import ManualClock
from archiver.frontier.memory import MemoryFrontier
from archiver.frontier.sqlite import SqliteFrontier
from archiver.model import Claim, Outlink
from archiver.ports import VisitOutcome
from archiver.ports.frontier import Stretch
from tests.frontier.conftest import is_own
from tests.frontier.samples import link, refused, requisite

hosts = st.sampled_from(["a.test", "b.test", "own.test"])
paths = st.integers(0, 12).map(lambda n: f"/{n}")
links = st.lists(
    st.one_of(
        st.builds(lambda h, p, d: link(h, p, depth=d), hosts, paths, st.integers(0, 2)),
        st.builds(refused, hosts, paths),
    ),
    max_size=5,
)
outcomes = st.builds(
    lambda state, wait, requisites: (state, wait, tuple(requisites)),
    st.sampled_from(["done", "refused", "failed", "deferred"]),
    st.none() | st.integers(0, 40),
    st.lists(st.builds(requisite, hosts, paths), max_size=3),
)


class Frontiers(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = ManualClock()
        self.path = Path(self.folder.name) / "frontier.sqlite"
        self.sqlite = self.open()
        self.memory = MemoryFrontier(self.clock, own=is_own)
        self.seen: set[str] = set()
        self.held: dict[int, Claim] = {}
        self.stale: list[Claim] = []
        self.fence = 0
        self.begun = 0
        self.besides: dict[str, int] = {}

    def open(self) -> SqliteFrontier:
        return SqliteFrontier(self.path, self.clock, own=is_own, tail=4)

    def both(self, call: str, *args: object, **kwargs: object) -> object:
        async def ask() -> tuple[object, object]:
            return await asyncio.gather(*(getattr(one, call)(*args, **kwargs) for one in (self.sqlite, self.memory)))

        first, second = self.loop.run_until_complete(ask())
        assert first == second
        return first

    def teardown(self) -> None:
        self.loop.run_until_complete(self.sqlite.close())
        self.loop.close()
        self.folder.cleanup()

    @rule(batch=links)
    def add(self, batch: list[Outlink]) -> None:
        fresh = self.both("add", batch)
        assert fresh == {one.candidate.key for one in batch} - self.seen
        self.seen |= fresh

    @rule(n=st.integers(1, 6), lease=st.sampled_from([10.0, 60.0]))
    def claim(self, n: int, lease: float) -> None:
        now = self.clock.epoch()
        for fence in [fence for fence, held in self.held.items() if held.lease_until <= now]:
            self.stale.append(self.held.pop(fence))
        claims = self.both("claim", n, lease=lease)
        assert len(claims) <= n
        busy = {held.candidate.key for held in self.held.values()}
        for claim in claims:
            assert claim.fence > self.fence, "fences only grow"
            assert claim.candidate.key in self.seen - busy, "lent to two holders"
            self.fence = claim.fence
            busy.add(claim.candidate.key)
            self.held[claim.fence] = claim
        for host in ("a.test", "b.test"):
            assert sum(held.candidate.origin.host == host for held in self.held.values()) <= 1

    def take(self, data: st.DataObject) -> Claim:
        return self.held.pop(data.draw(st.sampled_from(sorted(self.held))))

    @precondition(lambda self: self.held)
    @rule(data=st.data(), outcome=outcomes, found=links)
    def complete(self, data: st.DataObject, outcome: tuple, found: list[Outlink]) -> None:
        state, wait, requisites = outcome
        at = None if wait is None else self.clock.epoch() + wait
        begun = self.begun = self.begun + 100
        records = (Stretch("A.warc.gz", begun, begun + 100),)
        told = VisitOutcome(state=state, not_before=at, requisites=requisites, records=records)
        completed = self.both("complete", self.take(data), told, found)
        assert not completed.lost
        fetched = {one.key for one in requisites}
        assert completed.fresh == {one.candidate.key for one in found} - self.seen - fetched
        self.besides |= dict.fromkeys(fetched - self.seen, begun)
        self.seen |= completed.fresh | fetched

    @precondition(lambda self: self.held)
    @rule(data=st.data(), wait=st.integers(0, 40))
    def release(self, data: st.DataObject, wait: int) -> None:
        assert self.both("release", self.take(data), not_before=self.clock.epoch() + wait, reason="rateLimited")

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def renew(self, data: st.DataObject) -> None:
        claim = self.take(data)
        renewed = self.both("renew", claim, lease=60.0)
        self.held[claim.fence] = renewed

    @precondition(lambda self: self.stale)
    @rule(data=st.data(), found=links)
    def complete_too_late(self, data: st.DataObject, found: list[Outlink]) -> None:
        claim = data.draw(st.sampled_from(self.stale))
        assert self.both("complete", claim, VisitOutcome(state="done"), found).lost

    @rule(first=st.integers(0, 8), length=st.integers(1, 250))
    def requeue(self, first: int, length: int) -> None:
        """Some bytes are lost: what else the visits there fetched is no longer known."""
        start, stop = 100 * first + 50, 100 * first + 50 + length
        self.both("requeue", "A.warc.gz", [(start, stop)])
        gone = {key for key, begun in self.besides.items() if begun < stop and start < begun + 100}
        self.seen -= gone
        for key in gone:
            del self.besides[key]

    @rule(seconds=st.integers(0, 30), step=st.none() | st.sampled_from([86_400.0 * 365, -3600.0]))
    def time(self, seconds: int, step: float | None) -> None:
        before = self.clock.epoch()
        self.clock.advance(seconds, wall=step)
        moved = self.clock.epoch() - before - seconds
        # Leases are told in wall time; this keeps our own note of them on the clock as it now stands.
        self.held = {fence: _moved(claim, moved) for fence, claim in self.held.items()}

    @rule()
    def reopen(self) -> None:
        """Everything that was held goes back, in both."""
        self.loop.run_until_complete(self.sqlite.close())
        self.loop.run_until_complete(self.memory.close())
        self.sqlite = self.open()
        self.stale.extend(self.held.values())
        self.held.clear()

    @invariant()
    def nothing_is_lost(self) -> None:
        counts = self.both("counts")
        assert counts.discovered + counts.requisites == len(self.seen)
        assert counts.claimed >= len(self.held)
        self.both("next_due")


def _moved(claim: Claim, by: float) -> Claim:
    return Claim(
        candidate=claim.candidate, fence=claim.fence, lease_until=claim.lease_until + by, attempts=claim.attempts
    )


Frontiers.TestCase.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
TestFrontiers = Frontiers.TestCase
