"""One hosts.sqlite, many processes: one pace."""

import asyncio
import itertools
import json
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from archiver.clock import SYSTEM, ManualClock
from archiver.frontier.hosts import SqliteHostBudget
from archiver.ports import Declared, PaceRules, VisitSlot, Wait
from tests.frontier.conftest import is_own
from tests.frontier.samples import origin

ROOT = Path(__file__).parents[2]
SITE, OWN = origin("a.test"), origin("own.test")
RULES = PaceRules(delay=60.0)
FREE = PaceRules(delay=0.0, parallel=4)

VISITOR = """
import asyncio, json, sys, time
from pathlib import Path
from archiver.clock import SYSTEM
from archiver.frontier.hosts import SqliteHostBudget
from archiver.ports import Declared, PaceRules, VisitSlot
from tests.frontier.samples import origin

async def main(path, gap, declared, visits):
    budget = SqliteHostBudget(Path(path), SYSTEM, own=lambda _: False)
    rules = PaceRules(delay=float(gap), declared=Declared(delay=float(declared)))
    print("ready", flush=True)
    sys.stdin.readline()
    for _ in range(int(visits)):
        while True:
            slot = await budget.begin_visit(origin("a.test"), rules)
            if isinstance(slot, VisitSlot):
                break
            await asyncio.sleep(max(0.0, slot.until - time.time()))
        start = slot.started
        requests = []
        for _ in range(2):
            await asyncio.sleep(await budget.request_wait(origin("a.test"), rules))
            requests.append(time.time())
            await budget.report(origin("a.test"), rules, status=200, retry_after=None, seconds=9.0)
        end = time.time()
        await budget.end_visit(slot, rules, burst=0.05)
        print(json.dumps([start, end, requests]), flush=True)
    if int(visits) == 0:
        await budget.begin_visit(origin("a.test"), rules)
        print("visiting", flush=True)
        await asyncio.sleep(60)
    await budget.close()

asyncio.run(main(*sys.argv[1:]))
"""


def visitor(path: Path, *, gap: float, declared: float = 0.0, visits: int) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", VISITOR, str(path), str(gap), str(declared), str(visits)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


def told(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def budget_at(path: Path, clock: ManualClock) -> SqliteHostBudget:
    return SqliteHostBudget(path, clock, own=is_own, jitter=lambda: 0.0)


@pytest.mark.parametrize(("gap", "declared"), [(0.15, 0.0), pytest.param(0.01, 0.1, marks=pytest.mark.soak)])
def test_two_processes_keep_one_pace(tmp_path: Path, gap: float, declared: float) -> None:
    """By the visitors' own clock readings: visits apart by the gap, never two at once, bursts paid back."""
    path = tmp_path / "hosts.sqlite"
    processes = [visitor(path, gap=gap, declared=declared, visits=5) for _ in range(2)]
    assert [told(process) for process in processes] == ["ready", "ready"]
    outputs = []
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in processes:
        outputs.append(process.communicate()[0])
        assert process.returncode == 0
    visits = sorted(json.loads(line) for output in outputs for line in output.splitlines())
    assert len(visits) == 10
    rounding = 0.001
    for (start, end, _), (following, _, _) in itertools.pairwise(visits):
        assert following - start >= gap - rounding
        assert following - end >= 0.05 - rounding
    requests = sorted(stamp for _, _, stamps in visits for stamp in stamps)
    assert all(later - earlier >= declared - rounding for earlier, later in itertools.pairwise(requests))


async def test_a_killed_process_does_not_block_its_host_but_its_gap_holds(tmp_path: Path) -> None:
    path = tmp_path / "hosts.sqlite"
    process = visitor(path, gap=60.0, visits=0)
    assert told(process) == "ready"
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()
    assert told(process) == "visiting"
    budget = SqliteHostBudget(path, SYSTEM, own=is_own)
    busy = await budget.begin_visit(SITE, RULES)
    assert isinstance(busy, Wait)
    assert busy.rule.startswith("busy")
    process.send_signal(signal.SIGKILL)
    process.communicate()
    gap = await budget.begin_visit(SITE, RULES)
    assert isinstance(gap, Wait)
    assert gap.rule.startswith("delay")
    assert gap.until - SYSTEM.epoch() > 30
    await budget.close()


async def test_a_visit_that_never_ends_blocks_for_its_lease_only(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "hosts.sqlite"
    stuck, other = budget_at(path, clock), budget_at(path, clock)
    slot = await stuck.begin_visit(SITE, RULES)
    assert isinstance(slot, VisitSlot)
    clock.advance(899)
    assert isinstance(await other.begin_visit(SITE, RULES), Wait)
    clock.advance(2)
    assert isinstance(await other.begin_visit(SITE, RULES), VisitSlot)
    await stuck.end_visit(slot, RULES, burst=0.0)
    clock.advance(61)
    assert isinstance(await stuck.begin_visit(SITE, RULES), Wait), "the late end gave back no place of another"
    await stuck.close()
    await other.close()


async def test_a_rest_is_seen_by_others_within_a_second(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "hosts.sqlite"
    one, other = budget_at(path, clock), budget_at(path, clock)
    assert await other.resting_until(OWN) is None
    slot = await other.begin_visit(OWN, FREE)
    assert isinstance(slot, VisitSlot)
    until = await one.report(OWN, FREE, status=503, retry_after=600.0, seconds=0.1)
    clock.advance(0.6)
    assert await other.resting_until(OWN) == pytest.approx(until, rel=0, abs=1e-3)
    assert isinstance(await other.begin_visit(OWN, FREE), Wait)
    assert await other.request_wait(OWN, FREE) == pytest.approx(599.4)
    await one.close()
    await other.close()


async def test_a_rest_outlives_the_process(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "hosts.sqlite"
    first = budget_at(path, clock)
    until = await first.report(SITE, RULES, status=429, retry_after=3600.0, seconds=0.1)
    await first.close()
    second = budget_at(path, clock)
    assert await second.resting_until(SITE) == pytest.approx(until, rel=0, abs=1e-3)
    await second.close()


async def test_closing_gives_back_own_places_only(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "hosts.sqlite"
    first, second = budget_at(path, clock), budget_at(path, clock)
    assert isinstance(await first.begin_visit(SITE, RULES), VisitSlot)
    assert isinstance(await second.begin_visit(origin("b.test"), RULES), VisitSlot)
    await second.close()
    third = budget_at(path, clock)
    clock.advance(61)
    busy = await third.begin_visit(SITE, RULES)
    assert isinstance(busy, Wait)
    assert busy.rule.startswith("busy")
    assert isinstance(await third.begin_visit(origin("b.test"), RULES), VisitSlot)
    await first.close()
    await third.close()


async def test_own_hosts_without_a_gap_never_reach_the_file(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "hosts.sqlite"
    budget = budget_at(path, clock)
    assert await budget.resting_until(OWN) is None
    # Held by somebody else, the file could not be written: whoever tries waits far longer than this test may take.
    blocker = sqlite3.connect(path, isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    try:
        async with asyncio.timeout(5):
            for _ in range(1000):
                slot = await budget.begin_visit(OWN, FREE)
                assert isinstance(slot, VisitSlot)
                assert await budget.request_wait(OWN, FREE) == 0.0
                assert await budget.report(OWN, FREE, status=200, retry_after=None, seconds=0.01) is None
                await budget.end_visit(slot, FREE, burst=1.0)
    finally:
        blocker.execute("ROLLBACK")
        blocker.close()
    await budget.close()


async def test_many_at_once_get_one_place(tmp_path: Path, clock: ManualClock) -> None:
    budget = budget_at(tmp_path / "hosts.sqlite", clock)
    given = await asyncio.gather(*(budget.begin_visit(SITE, RULES) for _ in range(20)))
    assert sum(isinstance(one, VisitSlot) for one in given) == 1
    rules = PaceRules(declared=Declared(delay=1.5))
    waits = await asyncio.gather(*(budget.request_wait(SITE, rules) for _ in range(20)))
    assert sorted(waits) == pytest.approx([1.5 * n for n in range(20)])
    await budget.close()
