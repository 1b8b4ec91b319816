"""What every store of jobs does (ADR 0015); run over files and over memory, whose leases end as a shared store's do."""

import math
from collections.abc import Callable
from pathlib import Path

import pytest

from archiver.clock import ManualClock
from archiver.errors import UsageError
from archiver.frontier.jobs import FrontierFiles
from archiver.frontier.jobs_memory import LEASE, MemoryJobs
from archiver.ports import FrontierCounts
from archiver.ports.jobs import Jobs, JobState
from tests.frontier.conftest import is_own
from tests.frontier.samples import DONE, link

Worker = Callable[[], Jobs]


@pytest.fixture(params=["sqlite", "memory"])
def worker(request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock) -> Worker:
    """Each call is another process on the same store."""
    if request.param == "sqlite":
        return lambda: FrontierFiles(tmp_path, clock, own=is_own)
    shared = MemoryJobs(clock, own=is_own)
    return lambda: shared


async def test_an_interrupted_job_goes_on_and_a_finished_one_does_not(worker: Worker) -> None:
    first = await worker().open(job="one", signature="s")
    assert (first.job, first.resumed) == ("one", False)
    await first.frontier.add([link("a.test"), link("b.test")])
    await first.frontier.claim(1)
    await first.close()
    await first.close()
    second = await worker().open(job="two", signature="s")
    assert (second.job, second.resumed) == ("one", True)
    assert second.lease.fence > first.lease.fence
    assert await second.frontier.counts() == FrontierCounts(pending=2)
    assert await second.finish()
    await second.close()
    third = await worker().open(job="two", signature="s")
    assert (third.job, third.resumed) == ("two", False)
    assert await third.frontier.counts() == FrontierCounts()
    await third.close()


async def test_other_seeds_are_another_job_whatever_its_name_begins_with(worker: Worker) -> None:
    """Never a wrong queue: neither for another signature of the same name, nor for a name that begins alike."""
    first = await worker().open(job="nightly-monday", signature="s")
    await first.frontier.add([link("a.test")])
    await first.close()
    second = await worker().open(job="nightly-tuesday", signature="t")
    assert (second.job, second.resumed) == ("nightly-tuesday", False)
    assert await second.frontier.counts() == FrontierCounts()
    await second.close()
    again = await worker().open(job="anything", signature="s")
    assert (again.job, await again.frontier.counts()) == ("nightly-monday", FrontierCounts(pending=1))
    await again.close()


async def test_a_job_has_one_holder(worker: Worker) -> None:
    first = await worker().open(job="one", signature="s")
    second = await worker().open(job="two", signature="s")
    assert (second.job, second.resumed) == ("two", False)
    with pytest.raises(UsageError, match="is running; give another crawlId"):
        await worker().open(job="one", signature="s")
    assert await first.renew()
    await first.close()
    await second.close()


async def test_the_list_tells_who_is_what(worker: Worker) -> None:
    held = await worker().open(job="one", signature="s")
    given_back = await worker().open(job="three", signature="u")
    await given_back.close()
    ended = await worker().open(job="two", signature="t")
    await ended.finish()
    await ended.close()
    found = {one.job: one.state for one in await worker().list()}
    assert found == {"one": JobState.HELD, "two": JobState.FINISHED, "three": JobState.OPEN}
    await held.close()


async def test_a_zombie_has_no_effect(worker: Worker, clock: ManualClock) -> None:
    """F-39. A lease that ends with the process cannot be lost; one that ends by time is, with all that hangs on it."""
    first = await worker().open(job="one", signature="s")
    await first.frontier.add([link("a.test")])
    (claim,) = await first.frontier.claim(1, lease=10_000.0)
    clock.advance(LEASE * 2)
    second = await worker().open(job="two", signature="s")
    if math.isinf(first.lease.until):
        assert (second.job, second.resumed) == ("two", False)
        assert await first.renew() and not (await first.frontier.complete(claim, DONE, ())).lost
    else:
        assert (second.job, second.resumed) == ("one", True)
        assert second.lease.fence > first.lease.fence
        assert not await first.renew() and not await first.finish()
        assert await first.frontier.claim(5) == []
        assert (await first.frontier.complete(claim, DONE, [link("b.test")])).lost
        await first.close()
        (again,) = await second.frontier.claim(1)
        assert again.fence > claim.fence and await second.renew()
        assert not (await second.frontier.complete(again, DONE, ())).lost
        assert await second.frontier.counts() == FrontierCounts(done=1)
    await first.close()
    await second.close()


@pytest.mark.parametrize("step", [365 * 86_400.0, -3600.0], ids=["year-ahead", "hour-back"])
async def test_a_step_of_the_wall_clock_takes_no_job_away(worker: Worker, clock: ManualClock, step: float) -> None:
    """F-30, F-31."""
    held = await worker().open(job="one", signature="s")
    clock.advance(1, wall=step)
    other = await worker().open(job="two", signature="s")
    assert not other.resumed
    assert await held.renew() and await held.finish()
    await held.close()
    await other.close()
