"""The wall clock may be set to anything while we run and between two runs: no pace gets faster, no host is parked.

The site's clock is the monotonic one: it counts what is asked of it.
"""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archiver.clock import ManualClock
from archiver.frontier.hosts import SqliteHostBudget
from archiver.frontier.hosts_memory import MemoryHostBudget
from archiver.ports import Burst, Declared, PaceRules, VisitSlot
from tests.frontier.conftest import is_own
from tests.frontier.samples import origin

SITE, CDN = origin("a.test"), origin("cdn.test")
DAY = 86_400.0
AnyBudget = SqliteHostBudget | MemoryHostBudget

steps = st.lists(
    st.tuples(
        st.floats(0.0, 5.0),  # seconds that pass
        st.sampled_from([0.0, -1.0, 1.0, -3600.0, 3600.0, -400 * DAY, 400 * DAY, 0.3]),  # the step of the wall clock
        st.sampled_from(["visit", "visit", "429", "burst"]),
    ),
    min_size=3,
    max_size=12,
)


def budget_of(kind: str, path: Path, clock: ManualClock) -> AnyBudget:
    if kind == "memory":
        return MemoryHostBudget(clock, own=is_own)
    return SqliteHostBudget(path, clock, own=is_own, jitter=lambda: 0.0)


async def turn(budget: AnyBudget, rules: PaceRules, clock: ManualClock, step: Callable[[], float]) -> VisitSlot:
    """Wait as the driver does: until the time told by the wall clock, but a second at most, then ask again."""
    began = clock.monotonic()
    while not isinstance(slot := await budget.begin_visit(SITE, rules), VisitSlot):
        clock.advance(min(max(slot.until - clock.epoch(), 0.005), 1.0), wall=step())
        assert clock.monotonic() - began < 600, f"parked: {slot}"
    return slot


@pytest.mark.parametrize("kind", ["sqlite", "memory"])
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps, delay=st.sampled_from([1.0, 4.0]), declared=st.sampled_from([0.0, 2.0]))
async def test_steps_of_the_wall_clock_change_no_pace(
    tmp_path_factory: pytest.TempPathFactory,
    kind: str,
    steps: list[tuple[float, float, str]],
    delay: float,
    declared: float,
) -> None:
    clock = ManualClock()
    budget = budget_of(kind, tmp_path_factory.mktemp("hosts") / "hosts.sqlite", clock)
    rules = PaceRules(delay=delay, declared=Declared(delay=declared))
    earliest, request = -1e9, -1e9
    for passes, jump, event in steps:
        slot = await turn(budget, rules, clock, lambda jump=jump: jump)
        start = clock.monotonic()
        assert start >= earliest - 1e-6
        wait = await budget.request_wait(SITE, rules)
        clock.advance(wait, wall=jump)
        assert clock.monotonic() >= request + declared - 1e-6
        request, earliest = clock.monotonic(), start + delay
        if event == "429":
            await budget.report(SITE, rules, status=429, retry_after=20.0, seconds=0.01)
            earliest = max(earliest, clock.monotonic() + 20.0)
        clock.advance(passes, wall=jump)
        burst = 3.0 if event == "burst" else 0.0
        await budget.end_visit(slot, rules, burst=burst)
        earliest = max(earliest, clock.monotonic() + burst)
    await budget.close()


def another_boot(path: Path) -> None:
    """As if the file had been left by an earlier run of the machine."""
    with sqlite3.connect(path) as db:
        db.execute("UPDATE timeline SET boot = 'earlier'")
    db.close()


@pytest.mark.parametrize("back", [0.0, 5.0, 3600.0, 400 * DAY])
async def test_a_machine_that_starts_with_its_clock_set_back_waits_no_longer_than_was_meant(
    tmp_path: Path, back: float
) -> None:
    path, clock = tmp_path / "hosts.sqlite", ManualClock()
    first = budget_of("sqlite", path, clock)
    rules = PaceRules(delay=10.0, declared=Declared(delay=7.0))
    slot = await first.begin_visit(SITE, rules)
    assert isinstance(slot, VisitSlot)
    await first.request_wait(SITE, rules)
    await first.report(origin("b.test"), rules, status=429, retry_after=50.0, seconds=0.0)
    await first.end_visit(slot, rules, burst=0.0, elsewhere=[Burst(origin=CDN, rules=rules, seconds=30.0)])
    await first.close()
    another_boot(path)

    later = ManualClock(clock.epoch() - back)
    second = budget_of("sqlite", path, later)
    for site, most in ((SITE, 10.0), (CDN, 30.0)):
        told = await second.begin_visit(site, rules)
        assert not isinstance(told, VisitSlot)
        assert told.until == pytest.approx(later.epoch() + most, rel=0, abs=1e-3)
    resting = await second.resting_until(origin("b.test"))
    assert resting == pytest.approx(later.epoch() + 50.0, rel=0, abs=1e-3)
    later.advance(30.0)
    assert isinstance(await second.begin_visit(SITE, rules), VisitSlot)
    assert isinstance(await second.begin_visit(CDN, rules), VisitSlot)
    await second.close()


async def test_a_visit_of_before_the_clock_was_set_back_blocks_nobody(tmp_path: Path) -> None:
    path, clock = tmp_path / "hosts.sqlite", ManualClock()
    first = budget_of("sqlite", path, clock)
    assert isinstance(await first.begin_visit(SITE, PaceRules()), VisitSlot)
    another_boot(path)
    later = ManualClock(clock.epoch() - 400 * DAY)
    second = budget_of("sqlite", path, later)
    gap = await second.begin_visit(SITE, PaceRules())
    assert not isinstance(gap, VisitSlot) and gap.rule.startswith("delay"), "not busy"
    later.advance(1.0)
    assert isinstance(await second.begin_visit(SITE, PaceRules()), VisitSlot)
    await second.close()


async def test_visit_time_goes_by_the_wall_clock_as_it_stands(tmp_path: Path) -> None:
    """Hours are the site's: a clock that is put right moves them, and the host's gap stays."""
    clock = ManualClock(20_000 * DAY + 12 * 3600.0)
    budget = budget_of("sqlite", tmp_path / "hosts.sqlite", clock)
    rules = PaceRules(declared=Declared(visit_time_utc=((13 * 60, 14 * 60),)))
    closed = await budget.begin_visit(SITE, rules)
    assert not isinstance(closed, VisitSlot) and closed.until == pytest.approx(clock.epoch() + 3600, rel=0, abs=1e-3)
    clock.advance(1.0, wall=3660.0)
    slot = await budget.begin_visit(SITE, rules)
    assert isinstance(slot, VisitSlot)
    await budget.end_visit(slot, rules, burst=0.0)
    clock.advance(0.5, wall=-5.0)
    gap = await budget.begin_visit(SITE, rules)
    assert not isinstance(gap, VisitSlot) and gap.until == pytest.approx(clock.epoch() + 0.5, rel=0, abs=1e-3)
    await budget.close()
