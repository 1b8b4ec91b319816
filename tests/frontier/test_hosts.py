"""What every host budget does (decisions 12 and 13); run over SQLite and over memory."""

import pytest

from archiver.clock import ManualClock
from archiver.frontier.hosts import SqliteHostBudget
from archiver.frontier.hosts_memory import MemoryHostBudget
from archiver.model import Reason
from archiver.ports import Burst, Declared, PaceRules, VisitSlot, Wait
from tests.frontier.samples import origin

AnyBudget = SqliteHostBudget | MemoryHostBudget
SITE, OWN = origin("a.test"), origin("own.test")
RULES = PaceRules(delay=2.0)
FREE = PaceRules(delay=0.0, parallel=2)


async def visit(budget: AnyBudget, rules: PaceRules = RULES, site: object = SITE) -> VisitSlot:
    slot = await budget.begin_visit(site, rules)
    assert isinstance(slot, VisitSlot), slot
    return slot


async def wait(budget: AnyBudget, rules: PaceRules = RULES, site: object = SITE) -> Wait:
    told = await budget.begin_visit(site, rules)
    assert isinstance(told, Wait), told
    return told


async def test_one_visit_at_a_time_an_origin(budget: AnyBudget, clock: ManualClock) -> None:
    slot = await visit(budget)
    assert slot.started == pytest.approx(clock.epoch(), rel=0, abs=1e-3)
    clock.advance(10)
    busy = await wait(budget)
    assert clock.epoch() < busy.until <= clock.epoch() + 1
    assert busy.rule.startswith("busy")
    assert isinstance(await budget.begin_visit(origin("b.test"), RULES), VisitSlot)
    await budget.end_visit(slot, RULES, burst=0.0)
    await visit(budget)


async def test_the_gap_counts_from_the_start(budget: AnyBudget, clock: ManualClock) -> None:
    slot = await visit(budget)
    clock.advance(0.5)
    await budget.end_visit(slot, RULES, burst=0.0)
    told = await wait(budget)
    assert told.until == pytest.approx(slot.started + 2.0, rel=0, abs=1e-3)
    assert told.why == Reason.RATE_LIMITED
    assert told.rule.startswith("delay")
    clock.advance(1.5)
    await visit(budget)


async def test_a_burst_is_paid_back(budget: AnyBudget, clock: ManualClock) -> None:
    slot = await visit(budget)
    clock.advance(3)
    await budget.end_visit(slot, RULES, burst=2.5)
    told = await wait(budget)
    assert told.until == pytest.approx(clock.epoch() + 2.5, rel=0, abs=1e-3)
    assert told.rule.startswith("payback")


async def test_delay_0_on_a_foreign_host_is_one_second_and_says_so(budget: AnyBudget, clock: ManualClock) -> None:
    await budget.end_visit(await visit(budget, FREE), FREE, burst=0.0)
    told = await wait(budget, FREE)
    assert told.until == pytest.approx(clock.epoch() + 1.0, rel=0, abs=1e-3)
    assert "delay 0 raised to 1 s" in told.rule
    clock.advance(1)
    await visit(budget, FREE)
    assert (await wait(budget, FREE)).rule.startswith("busy")


async def test_own_hosts_go_as_fast_and_as_many_as_told(budget: AnyBudget, clock: ManualClock) -> None:
    slots = [await visit(budget, FREE, OWN) for _ in range(2)]
    assert (await wait(budget, FREE, OWN)).rule.startswith("busy")
    await budget.end_visit(slots[0], FREE, burst=5.0)
    await visit(budget, FREE, OWN)


@pytest.mark.parametrize(("site", "rules"), [(SITE, RULES), (OWN, FREE)])
async def test_retry_after_binds_everybody_own_hosts_too(
    budget: AnyBudget, clock: ManualClock, site: object, rules: PaceRules
) -> None:
    slot = await visit(budget, rules, site)
    until = await budget.report(site, rules, status=429, retry_after=60.0, seconds=0.1)
    assert until == pytest.approx(clock.epoch() + 60, rel=0, abs=1e-3)
    assert await budget.resting_until(site) == until
    await budget.end_visit(slot, rules, burst=0.0)
    told = await wait(budget, rules, site)
    assert told.until == pytest.approx(until, rel=0, abs=1e-3)
    assert told.rule.startswith("retryAfter")
    clock.advance(60)
    assert await budget.resting_until(site) is None
    await visit(budget, rules, site)


async def test_an_own_host_recovers_to_full_speed(budget: AnyBudget, clock: ManualClock) -> None:
    await budget.end_visit(await visit(budget, FREE, OWN), FREE, burst=0.0)
    await budget.report(OWN, FREE, status=503, retry_after=1.0, seconds=0.1)
    clock.advance(1)
    slot = await visit(budget, FREE, OWN)
    assert (await wait(budget, FREE, OWN)).rule.startswith("busy"), "one at a time while it recovers"
    for _ in range(4):
        await budget.report(OWN, FREE, status=200, retry_after=None, seconds=0.1)
        await budget.end_visit(slot, FREE, burst=0.0)
        clock.advance(5)
        slot = await visit(budget, FREE, OWN)
    await visit(budget, FREE, OWN)


async def test_without_retry_after_a_minute_and_three_503_park(budget: AnyBudget, clock: ManualClock) -> None:
    rests = []
    for _ in range(3):
        until = await budget.report(SITE, RULES, status=503, retry_after=None, seconds=0.1)
        assert until is not None
        rests.append(until - clock.epoch())
        clock.advance(rests[-1] + 1)
    assert rests == pytest.approx([60.0, 120.0, 86_400.0])


async def test_an_answer_between_503_breaks_the_row(budget: AnyBudget, clock: ManualClock) -> None:
    for _ in range(5):
        until = await budget.report(SITE, RULES, status=503, retry_after=1.0, seconds=0.1)
        assert until == pytest.approx(clock.epoch() + 1, rel=0, abs=1e-3)
        clock.advance(2)
        assert await budget.report(SITE, RULES, status=200, retry_after=None, seconds=0.1) is None


async def test_a_declared_delay_spaces_requests(budget: AnyBudget, clock: ManualClock) -> None:
    rules = PaceRules(declared=Declared(delay=3.0))
    await visit(budget, rules)
    waits = [await budget.request_wait(SITE, rules) for _ in range(3)]
    assert waits == pytest.approx([0.0, 3.0, 6.0])
    assert await budget.request_wait(SITE, rules, limit=5.0) == pytest.approx(9.0)
    assert await budget.request_wait(SITE, rules) == pytest.approx(9.0), "over the limit nothing was reserved"


async def test_the_next_visit_waits_for_the_declared_delay(budget: AnyBudget, clock: ManualClock) -> None:
    rules = PaceRules(declared=Declared(delay=30.0))
    slot = await visit(budget, rules)
    await budget.request_wait(SITE, rules)
    await budget.end_visit(slot, rules, burst=0.0)
    told = await wait(budget, rules)
    assert told.until == pytest.approx(clock.epoch() + 30, rel=0, abs=1e-3)
    assert told.rule.startswith("crawlDelay")


async def test_no_declared_delay_no_wait(budget: AnyBudget) -> None:
    assert [await budget.request_wait(SITE, RULES) for _ in range(3)] == [0.0, 0.0, 0.0]


async def test_visit_time(budget: AnyBudget, clock: ManualClock) -> None:
    minute = int(clock.epoch() % 86_400) // 60
    window = ((minute + 10) % 1440, (minute + 70) % 1440)
    rules = PaceRules(declared=Declared(visit_time_utc=(window,)))
    told = await wait(budget, rules)
    assert told.why == Reason.VISIT_TIME
    assert 540 < told.until - clock.epoch() <= 600
    clock.advance(600)
    await visit(budget, rules)


@pytest.mark.parametrize("step", [365 * 86_400.0, -3600.0])
async def test_a_step_of_the_wall_clock_neither_hurries_nor_stalls(
    budget: AnyBudget, clock: ManualClock, step: float
) -> None:
    await budget.end_visit(await visit(budget), RULES, burst=0.0)
    await budget.report(origin("b.test"), RULES, status=429, retry_after=50.0, seconds=0.1)
    clock.advance(1, wall=step)
    assert (await wait(budget)).until == pytest.approx(clock.epoch() + 1, rel=0, abs=1e-3)
    assert await budget.resting_until(origin("b.test")) == pytest.approx(clock.epoch() + 49, rel=0, abs=1e-3)
    clock.advance(1)
    await visit(budget)


# --- other origins of a visit -----------------------------------------------------------------------------------------

CDN = origin("cdn.test")


async def test_every_origin_that_a_visit_asked_is_paid_back(budget: AnyBudget, clock: ManualClock) -> None:
    slot = await visit(budget)
    clock.advance(10)
    burst = Burst(origin=CDN, rules=RULES, seconds=6.0, ago=2.5)
    await budget.end_visit(slot, RULES, burst=0.0, elsewhere=[burst])
    told = await wait(budget, site=CDN)
    assert told.until == pytest.approx(clock.epoch() + 3.5, rel=0, abs=1e-3)
    assert told.rule.startswith("payback")
    await visit(budget)
    clock.advance(3.5)
    await visit(budget, site=CDN)


async def test_a_visit_under_way_does_not_wipe_out_what_another_owes_there(
    budget: AnyBudget, clock: ManualClock
) -> None:
    slots = [await visit(budget), await visit(budget, site=CDN)]
    clock.advance(5)
    burst = Burst(origin=CDN, rules=RULES, seconds=30.0)
    await budget.end_visit(slots[0], RULES, burst=0.0, elsewhere=[burst])
    clock.advance(1)
    await budget.end_visit(slots[1], RULES, burst=0.5)
    assert (await wait(budget, site=CDN)).until == pytest.approx(clock.epoch() + 29, rel=0, abs=1e-3)


async def test_a_free_visit_pays_back_elsewhere_and_own_hosts_are_owed_nothing(
    budget: AnyBudget, clock: ManualClock
) -> None:
    slot = await visit(budget, FREE, OWN)
    own = origin("own.test")
    owed = [Burst(origin=CDN, rules=FREE, seconds=4.0), Burst(origin=own, rules=FREE, seconds=4.0)]
    await budget.end_visit(slot, FREE, burst=9.0, elsewhere=owed)
    assert (await wait(budget, FREE, CDN)).until == pytest.approx(clock.epoch() + 4, rel=0, abs=1e-3)
    await visit(budget, FREE, OWN)


# --- places -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("site", "rules", "places"),
    [
        (SITE, RULES, 4),
        (SITE, PaceRules(requisites=2), 2),
        (SITE, PaceRules(delay=0.0, parallel=3), 4),
        (OWN, PaceRules(delay=0.0, parallel=3), 12),
        (OWN, PaceRules(delay=0.0, parallel=3, declared=Declared(delay=1.0)), 1),
    ],
    ids=["default", "two", "foreign in parallel", "own in parallel", "declared"],
)
async def test_so_many_sub_requests_at_once(budget: AnyBudget, site: object, rules: PaceRules, places: int) -> None:
    held = [await budget.take_place(site, rules, within=0.0) for _ in range(places)]
    assert await budget.take_place(site, rules, within=0.0) is None
    assert await budget.take_place(CDN, rules, within=0.0), "places are an origin's"
    assert held[0] is not None and budget.give_place(held[0])
    assert not budget.give_place(held[0])
    assert await budget.take_place(site, rules, within=0.0)
    assert await budget.take_place(site, rules, within=0.0) is None


# --- leases -----------------------------------------------------------------------------------------------------------


async def test_a_visit_that_never_ends_is_given_up_on_and_its_late_end_changes_nobodys(
    budget: AnyBudget, clock: ManualClock
) -> None:
    """F-39 for visits: a holder that was stopped past its lease gives back no place of another."""
    stuck = await visit(budget)
    assert stuck.until == pytest.approx(clock.epoch() + 900, rel=0, abs=1e-3)
    clock.advance(899)
    await wait(budget)
    clock.advance(1)
    other = await visit(budget)
    assert other.token != stuck.token
    assert await budget.renew_visit(stuck) is None
    assert not await budget.end_visit(stuck, RULES, burst=0.0)
    clock.advance(60)
    assert (await wait(budget)).rule.startswith("busy"), "the other visit still has its place"
    assert await budget.end_visit(other, RULES, burst=0.0)
    assert not await budget.end_visit(other, RULES, burst=0.0)


async def test_a_renewed_visit_lasts(budget: AnyBudget, clock: ManualClock) -> None:
    slot = await visit(budget)
    clock.advance(800)
    renewed = await budget.renew_visit(slot)
    assert renewed is not None and renewed.token == slot.token
    assert renewed.until == pytest.approx(clock.epoch() + 900, rel=0, abs=1e-3)
    clock.advance(800)
    assert (await wait(budget)).rule.startswith("busy")
    assert await budget.end_visit(renewed, RULES, burst=0.0)


@pytest.mark.parametrize("step", [365 * 86_400.0, -3600.0], ids=["year-ahead", "hour-back"])
async def test_a_step_of_the_wall_clock_ends_no_visit(budget: AnyBudget, clock: ManualClock, step: float) -> None:
    """F-30, F-31."""
    slot = await visit(budget)
    clock.advance(1, wall=step)
    assert (await wait(budget)).rule.startswith("busy")
    renewed = await budget.renew_visit(slot)
    assert renewed is not None and renewed.until == pytest.approx(clock.epoch() + 900, rel=0, abs=1e-3)
    assert await budget.end_visit(renewed, RULES, burst=0.0)


async def test_a_free_visit_ends_once(budget: AnyBudget) -> None:
    slots = [await visit(budget, FREE, OWN) for _ in range(2)]
    assert isinstance(await budget.begin_visit(OWN, FREE), Wait)
    assert await budget.renew_visit(slots[0]) is not None
    assert await budget.end_visit(slots[0], FREE, burst=0.0)
    assert not await budget.end_visit(slots[0], FREE, burst=0.0)
    assert await budget.renew_visit(slots[0]) is None
    await visit(budget, FREE, OWN)
    assert isinstance(await budget.begin_visit(OWN, FREE), Wait), "ended twice, it frees one place"


# --- robots.txt under a declared delay --------------------------------------------------------------------------------


async def test_what_was_asked_before_the_delay_was_known_counts(budget: AnyBudget, clock: ManualClock) -> None:
    """robots.txt: its answer tells the delay, the first page waits for it."""
    assert await budget.robots_wait(SITE) == 0.0
    await budget.report(SITE, RULES, status=200, retry_after=None, seconds=0.1)
    clock.advance(0.5)
    rules = PaceRules(declared=Declared(delay=3.0))
    assert (await wait(budget, rules)).until == pytest.approx(clock.epoch() + 2.5, rel=0, abs=1e-3)
    assert await budget.request_wait(SITE, rules) == pytest.approx(2.5)
    assert await budget.request_wait(SITE, rules) == pytest.approx(5.5)


async def test_robots_txt_waits_for_the_delay_that_it_declared(budget: AnyBudget, clock: ManualClock) -> None:
    rules = PaceRules(declared=Declared(delay=3.0))
    assert await budget.request_wait(SITE, rules) == 0.0
    clock.advance(1)
    waits = await budget.robots_wait(SITE)
    assert 2.0 <= waits < 2.2
    clock.advance(waits)
    await budget.report(SITE, RULES, status=200, retry_after=None, seconds=0.1)
    assert 3.0 <= await budget.request_wait(SITE, rules) < 3.2


async def test_robots_txt_waits_for_a_minute_at_most(budget: AnyBudget, clock: ManualClock) -> None:
    """Else one page of a site that declares an hour would take two."""
    rules = PaceRules(declared=Declared(delay=3600.0))
    await budget.report(SITE, RULES, status=200, retry_after=None, seconds=0.1)
    assert await budget.request_wait(SITE, rules) == pytest.approx(60.0)
    assert await budget.robots_wait(SITE) == pytest.approx(60.0)
    assert await budget.request_wait(SITE, rules) == pytest.approx(3660.0)


async def test_robots_txt_of_a_host_without_a_delay_does_not_wait(budget: AnyBudget) -> None:
    for _ in range(3):
        assert await budget.robots_wait(SITE) == 0.0
        await budget.report(SITE, RULES, status=200, retry_after=None, seconds=0.1)
        assert await budget.request_wait(SITE, RULES) == 0.0
    await visit(budget)
