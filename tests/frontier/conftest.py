"""Both frontiers and both host budgets behind one fixture each: one contract, two implementations."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from archiver.clock import ManualClock
from archiver.frontier.hosts import SqliteHostBudget
from archiver.frontier.hosts_memory import MemoryHostBudget
from archiver.frontier.memory import MemoryFrontier
from archiver.frontier.sqlite import SqliteFrontier
from archiver.model import Origin


def is_own(origin: Origin) -> bool:
    return origin.host == "own.test"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(params=["sqlite", "memory"])
async def frontier(
    request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock
) -> AsyncIterator[SqliteFrontier | MemoryFrontier]:
    made: SqliteFrontier | MemoryFrontier
    if request.param == "sqlite":
        made = SqliteFrontier(tmp_path / "frontier.sqlite", clock, own=is_own)
    else:
        made = MemoryFrontier(clock, own=is_own)
    yield made
    await made.close()


@pytest.fixture(params=["sqlite", "memory"])
async def budget(
    request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock
) -> AsyncIterator[SqliteHostBudget | MemoryHostBudget]:
    made: SqliteHostBudget | MemoryHostBudget
    if request.param == "sqlite":
        made = SqliteHostBudget(tmp_path / "hosts.sqlite", clock, own=is_own, jitter=lambda: 0.0)
    else:
        made = MemoryHostBudget(clock, own=is_own)
    yield made
    await made.close()
