"""One slot at a time: a redirect elsewhere is a visit there."""

from __future__ import annotations

import pytest

from archiver.clock import ManualClock
from archiver.engine.turn import Turn
from archiver.frontier.budget import LEASE
from archiver.frontier.hosts_memory import MemoryHostBudget
from archiver.model import Reason, Verdict
from archiver.ports import Burst, Declared, PaceRules, VisitSlot, Wait
from archiver.urls import origin_of

HERE, THERE = origin_of("http://a.test/"), origin_of("https://a.test/")
RULES = PaceRules(delay=2.0)


class Bench:
    """A turn at HERE, and a budget of strangers' hosts."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.budget = MemoryHostBudget(self.clock, own=lambda origin: False)

    async def turn(self) -> Turn:
        slot = await self.budget.begin_visit(HERE, RULES)
        assert isinstance(slot, VisitSlot)
        return Turn(self.budget, self.clock, self.sleep, slot, RULES)

    async def sleep(self, seconds: float) -> None:
        self.clock.advance(seconds)

    async def until(self, origin: object) -> float:
        """Seconds until the next visit there may begin."""
        told = await self.budget.begin_visit(origin, RULES)
        assert isinstance(told, Wait), told
        return told.until - self.clock.epoch()


async def test_the_same_origin_is_the_same_visit() -> None:
    bench = Bench()
    turn = await bench.turn()
    assert await turn.move(HERE, RULES, within=0.0) is None
    await turn.end(0.0, ())
    assert await bench.until(HERE) == pytest.approx(2.0)


async def test_another_origin_is_waited_for_and_the_first_one_given_back() -> None:
    bench = Bench()
    other = await bench.budget.begin_visit(THERE, RULES)
    assert isinstance(other, VisitSlot)
    turn, began = await bench.turn(), bench.clock.monotonic()
    await bench.budget.end_visit(other, RULES, burst=0.0)
    assert await turn.move(THERE, RULES, within=60.0) is None
    assert turn.origin == THERE and bench.clock.monotonic() - began == pytest.approx(2.0)
    assert isinstance(await bench.budget.begin_visit(HERE, RULES), VisitSlot), "free while we are elsewhere"
    await turn.end(3.0, [Burst(origin=HERE, rules=RULES, seconds=9.0)])
    assert await bench.until(THERE) == pytest.approx(3.0)


async def test_a_turn_that_does_not_come_in_time_is_a_deferral() -> None:
    bench = Bench()
    await bench.budget.report(THERE, RULES, status=429, retry_after=600.0, seconds=0.1)
    turn = await bench.turn()
    objection = await turn.move(THERE, RULES, within=90.0)
    assert objection is not None and objection.not_before is not None
    assert (objection.verdict, objection.reason) == (Verdict.DEFER, Reason.RATE_LIMITED)
    assert objection.not_before.timestamp() == pytest.approx(bench.clock.epoch() + 600, rel=0, abs=1e-3)
    assert turn.origin is None
    await turn.end(0.0, ())


async def test_closed_hours_there_are_told_as_such() -> None:
    bench = Bench()
    minute = int(bench.clock.epoch() % 86_400) // 60
    window = ((minute + 60) % 1440, (minute + 120) % 1440)
    objection = await (await bench.turn()).move(
        THERE, PaceRules(declared=Declared(visit_time_utc=(window,))), within=90.0
    )
    assert objection is not None and objection.reason is Reason.VISIT_TIME


async def test_two_visits_that_redirect_to_each_other_both_arrive() -> None:
    bench = Bench()
    one = await bench.turn()
    slot = await bench.budget.begin_visit(THERE, RULES)
    assert isinstance(slot, VisitSlot)
    two = Turn(bench.budget, bench.clock, bench.sleep, slot, RULES)
    assert await one.move(THERE, RULES, within=1.0) is not None, "the other one is there"
    assert await two.move(HERE, RULES, within=60.0) is None
    assert two.origin == HERE


@pytest.mark.parametrize("times", [0, 3], ids=["left-alone", "renewed"])
async def test_a_slot_that_is_renewed_is_nobody_elses(times: int) -> None:
    bench = Bench()
    turn = await bench.turn()
    for _ in range(3):
        bench.clock.advance(LEASE * 0.8)
        for _ in range(times):
            await turn.renew()
    told = await bench.budget.begin_visit(HERE, RULES)
    assert isinstance(told, Wait if times else VisitSlot), "without it the host would be asked twice at a time"
    await turn.renew()  # a slot that was lost is not taken back from who has it
    await turn.end(0.0, ())
    await turn.renew()
    assert turn.origin is None
