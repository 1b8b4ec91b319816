"""What a visit may still ask, what it owes, and what its user is told before."""

from __future__ import annotations

import asyncio

import pytest

from archiver.clock import ManualClock
from archiver.engine.allowance import Allowance
from archiver.engine.limits import VisitLimits
from archiver.frontier.hosts_memory import MemoryHostBudget
from archiver.model import Reason
from archiver.ports import Declared, PaceRules
from archiver.urls import origin_of

SITE, CDN = origin_of("https://a.test/"), origin_of("https://cdn.test/")
RULES = PaceRules()
SLOW = PaceRules(declared=Declared(delay=10.0, source="Crawl-delay: 10"))


def bench(**limits: float) -> tuple[ManualClock, MemoryHostBudget, list[str], Allowance]:
    clock = ManualClock()
    budget = MemoryHostBudget(clock, own=lambda origin: False)
    told: list[str] = []
    allowance = Allowance(budget, clock, VisitLimits(**limits), told.append)  # type: ignore[arg-type]
    return clock, budget, told, allowance


async def test_each_origin_owes_for_its_own_burst() -> None:
    clock, _, _, allowance = bench()
    allowance.begin(RULES)
    for origin, seconds in ((SITE, 4.0), (CDN, 6.0), (SITE, 0.0)):
        assert await allowance.take(origin, RULES) is None
        clock.advance(seconds)
        allowance.give(origin)
    clock.advance(1.0)
    here, elsewhere = allowance.owed(SITE)
    assert here == pytest.approx(10.0 - 1.0), "from its first request to its last answer, which was a second ago"
    ((one),) = elsewhere
    assert (one.origin, one.seconds, one.ago) == (CDN, pytest.approx(6.0), pytest.approx(1.0))
    assert allowance.owed(None)[0] == 0.0 and len(allowance.owed(None)[1]) == 2


async def test_the_limit_grows_where_a_delay_is_declared() -> None:
    clock, _, _, allowance = bench()
    allowance.begin(RULES)
    clock.advance(95.0)
    refused = await allowance.take(SITE, RULES)
    assert refused is not None and refused.reason is Reason.TIME_LIMIT
    assert await allowance.take(CDN, SLOW) is None
    clock.advance(200.0)
    allowance.give(CDN)
    refused = await allowance.take(CDN, SLOW)
    assert refused is not None and refused.reason is Reason.CRAWL_DELAY_BUDGET
    document = bench()[3]
    document.begin(SLOW)
    assert (document.seconds(RULES), document.seconds(SLOW)) == (300.0, 300.0)


async def test_other_visits_places_are_waited_for_so_long_and_no_longer() -> None:
    _, budget, _, allowance = bench(place=0.01)
    allowance.begin(RULES)
    places = [await budget.take_place(CDN, RULES, within=0.0) for _ in range(4)]
    refused = await allowance.take(CDN, RULES)
    assert refused is not None and refused.reason is Reason.RATE_LIMITED
    assert places[0] is not None and budget.give_place(places[0])
    assert await allowance.take(CDN, RULES) is None


async def test_a_wait_that_a_declared_delay_causes_may_last_as_long_as_the_visit() -> None:
    _, budget, _, allowance = bench(place=0.0)
    allowance.begin(SLOW)
    place = await budget.take_place(CDN, SLOW, within=0.0)
    waiting = asyncio.create_task(allowance.take(CDN, SLOW))
    await asyncio.sleep(0.02)
    assert not waiting.done()
    assert place is not None and budget.give_place(place)
    assert await waiting is None


async def test_a_rest_that_another_visit_heard_of_stops_this_one() -> None:
    _, budget, _, allowance = bench()
    allowance.begin(RULES)
    await budget.report(CDN, RULES, status=301, retry_after=60.0, seconds=0.1)
    refused = await allowance.take(CDN, RULES)
    assert refused is not None and refused.reason is Reason.RATE_LIMITED
    assert await budget.take_place(CDN, PaceRules(requisites=1), within=0.0), "no place is kept"


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (40, "takes at least 400 s, visit limit 300 s: 10 will be left out"),
        (30, "takes at least 300 s, visit limit 300 s"),
        (1, "takes at least 10 s, visit limit 300 s"),
        (0, None),
    ],
)
async def test_the_user_is_told_beforehand_once_an_origin(count: int, said: str | None) -> None:
    _, _, told, allowance = bench()
    allowance.begin(SLOW)
    for _ in range(count):
        assert allowance.one_more(SITE) is None
    for _ in range(min(count, 2)):
        assert await allowance.take(SITE, SLOW) is None
        allowance.give(SITE)
    expected = [] if said is None else [f"https://a.test: Crawl-delay 10 s x {count} requisites: {said}"]
    assert told == expected


async def test_nothing_is_told_where_nothing_is_declared() -> None:
    _, _, told, allowance = bench()
    allowance.begin(RULES)
    assert allowance.one_more(SITE) is None
    assert await allowance.take(SITE, RULES) is None
    assert told == []
