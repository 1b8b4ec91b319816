"""Back-pressure: when intake waits, when it goes on, when waiting has no point."""

from __future__ import annotations

from typing import Any

import pytest

from archiver.clock import ManualClock
from archiver.engine.pressure import Pressure, PressureRules, told
from archiver.engine.source import Hold, Stop
from archiver.model import LedgerEntry, Reason
from archiver.store import MemoryRemote


class Case:
    """A run's pressure with everything that moves it by hand."""

    def __init__(self, remote: MemoryRemote | None, **rules: Any) -> None:
        self.full = False
        self.clock, self.hold, self.stop, self.spool = ManualClock(), Hold(), Stop(), remote
        made = PressureRules(disk_is_full=lambda: self.full, **rules)
        self.pressure = Pressure(rules=made, hold=self.hold, stop=self.stop, clock=self.clock, remote=remote)

    async def look(self, seconds: float = 1.0) -> str:
        self.clock.advance(seconds)
        row: LedgerEntry | None = await self.pressure.look()
        if row is not None:
            assert told(row)
        return "" if row is None else str(row.data["state"])


async def test_without_a_store_a_full_disk_ends_the_run() -> None:
    case = Case(None)
    assert (await case.look(), case.stop.reason) == ("", None)
    case.full = True
    assert (await case.look(), case.stop.reason, case.hold.reason) == ("", Reason.DISK_UTILIZATION, None)


async def test_with_a_store_too_where_nothing_here_may_be_deleted() -> None:
    case = Case(MemoryRemote(waiting=5))
    case.full = True
    await case.look()
    assert case.stop.reason is Reason.DISK_UTILIZATION


async def test_intake_waits_until_a_fifth_of_the_limit_is_free() -> None:
    case = Case(spool := MemoryRemote(), spool_limit=100)
    seen = []
    for waiting in (100, 101, 90, 81, 80, 90, 101, 0):
        spool.waiting = waiting
        seen.append((await case.look(), case.hold.reason is not None))
    assert seen == [("", False), ("paused", True), ("", True), ("", True), ("resumed", False), ("", False),
                    ("paused", True), ("resumed", False)]  # fmt: skip
    assert case.stop.reason is None


async def test_waiting_ends_when_nothing_comes_up_for_too_long() -> None:
    case = Case(spool := MemoryRemote(waiting=101), spool_limit=100, patience=600.0)
    assert await case.look() == "paused"
    assert await case.look(599.0) == ""
    spool.up = 1
    assert (await case.look(500.0), await case.look(599.0), case.stop.reason) == ("", "", None)
    assert (await case.look(2.0), case.stop.reason) == ("ended", Reason.SPOOL_LIMIT)
    assert await case.look(5000.0) == "", "it is said once"


async def test_a_full_disk_comes_free_where_local_copies_may_go() -> None:
    case = Case(spool := MemoryRemote(waiting=7), keep_local=False)
    case.full = True
    assert (await case.look(), case.hold.reason, spool.freed) == ("paused", Reason.DISK_UTILIZATION, 1)
    case.full = False
    assert (await case.look(), case.hold.reason, case.stop.reason) == ("resumed", None, None)


@pytest.mark.parametrize(("waiting", "seconds"), [(7, 3600.0), (0, 60.0)], ids=["uploads to come", "nothing to come"])
async def test_a_disk_that_stays_full_ends_the_run(waiting: int, seconds: float) -> None:
    case = Case(MemoryRemote(waiting=waiting), keep_local=False)
    case.full = True
    assert [await case.look(), await case.look(seconds - 1)] == ["paused", ""]
    assert (await case.look(2.0), case.stop.reason) == ("ended", Reason.DISK_UTILIZATION)
