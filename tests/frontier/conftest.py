"""Both frontiers and both host budgets behind one fixture each: one contract, two implementations."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from archiver.clock import ManualClock
from archiver.frontier.hosts import SqliteHostBudget
from archiver.frontier.hosts_memory import MemoryHostBudget
from archiver.frontier.memory import MemoryFrontier
from archiver.frontier.sqlite import SqliteFrontier
from archiver.model import Origin

AnyFrontier = SqliteFrontier | MemoryFrontier


def is_own(origin: Origin) -> bool:
    return origin.host == "own.test"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(params=["sqlite", "memory"])
async def holder(
    request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock
) -> AsyncIterator[Callable[[], AnyFrontier]]:
    """Each call opens the same frontier once more, as another process would. Another engine is one more parameter."""
    shared = MemoryFrontier(clock, own=is_own)
    made: list[AnyFrontier] = []

    def opened() -> AnyFrontier:
        if request.param == "sqlite":
            made.append(SqliteFrontier(tmp_path / "frontier.sqlite", clock, own=is_own, tail=64))
        else:
            made.append(shared.join())
        return made[-1]

    yield opened
    for one in made:
        await one.close()


@pytest.fixture
def frontier(holder: Callable[[], AnyFrontier]) -> AnyFrontier:
    return holder()


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
