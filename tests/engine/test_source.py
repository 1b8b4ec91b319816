"""Claims in hand, and how long they stay so."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from archiver.clock import ManualClock
from archiver.engine.source import LEASE, ClaimSource, RunLimits, Stop
from archiver.frontier.memory import MemoryFrontier
from archiver.frontier.sqlite import SqliteFrontier
from archiver.model import Claim, Exchange, Outlink
from archiver.ports import Frontier, VisitOutcome, WireRequest
from archiver.ports.browser import Tap
from tests.engine.bench import SITE, Engine, candidate, html, image

DONE = VisitOutcome(state="done")


def own(_: object) -> bool:
    return True


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(params=["memory", "sqlite"])
def opened(request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock) -> Callable[[], Frontier]:
    shared = MemoryFrontier(clock, own=own)
    if request.param == "memory":
        return shared.join
    return lambda: SqliteFrontier(tmp_path / "frontier.sqlite", clock, own=own)


def source_of(frontier: Frontier, clock: ManualClock) -> ClaimSource:
    return ClaimSource(frontier=frontier, clock=clock, limits=RunLimits(), stop=Stop(), batch=2)


async def taken(source: ClaimSource) -> Claim:
    claim = await source.next()
    assert claim is not None
    return claim


async def seed(frontier: Frontier, *paths: str) -> None:
    await frontier.add([Outlink(candidate=candidate(path)) for path in paths])


async def test_what_is_in_hand_or_about_to_be_is_stolen_by_nobody(
    opened: Callable[[], Frontier], clock: ManualClock
) -> None:
    mine, other = opened(), opened()
    await seed(mine, "/long", "/next")
    source = source_of(mine, clock)
    claim = await taken(source)
    for _ in range(10):
        clock.advance(LEASE * 0.9)
        await source.renew()
        assert await other.claim(9) == []
    assert not (await mine.complete(claim, DONE, ())).lost
    source.done(claim, None)
    following = await taken(source)
    assert not (await mine.complete(following, DONE, ())).lost
    source.done(following, None)
    clock.advance(LEASE * 2)
    await source.renew()  # nothing is in hand: nothing is held on to
    assert (await other.counts()).done == 2
    await mine.close()
    await other.close()


async def test_what_was_stolen_is_not_begun_and_not_completed(
    opened: Callable[[], Frontier], clock: ManualClock
) -> None:
    mine, heir = opened(), opened()
    await seed(mine, "/in-hand", "/not-begun")
    source = source_of(mine, clock)
    stale = await taken(source)
    clock.advance(LEASE)
    stolen = await heir.claim(9)
    assert len(stolen) == 2
    await source.renew()
    assert (await mine.complete(stale, DONE, ())).lost
    source.done(stale, None)
    for claim in stolen:
        assert not (await heir.complete(claim, DONE, ())).lost
    assert await source.next() is None, "the one that was not begun is no longer ours"
    await mine.close()
    await heir.close()


@pytest.mark.parametrize("renewed", [True, False], ids=["renewed", "left-alone"])
async def test_a_visit_longer_than_its_lease_ends_as_its_own(renewed: bool) -> None:
    engine = Engine({"/": html("<img src=/i.png>"), "/i.png": image()})
    await engine.seed("/")
    clock = engine.bench.clock
    source, heir = source_of(engine.frontier, clock), engine.frontier.join()
    stolen: list[Claim] = []
    dial = engine.bench.web.exchange

    async def exchange(request: WireRequest, tap: Tap | None = None) -> Exchange:
        if request.url.endswith("/i.png"):  # a download of an hour
            for _ in range(5):
                clock.advance(LEASE * 0.8)
                if renewed:
                    await asyncio.gather(source.renew(), engine.worker.renew())
                stolen.extend(await heir.claim(9, lease=9 * LEASE))
        return await dial(request, tap)

    engine.bench.web.exchange = exchange  # type: ignore[method-assign]
    attempt = await engine.worker.attempt(await taken(source))
    counts = await engine.frontier.counts()
    assert (len(stolen), counts.done, counts.requisites) == ((0, 1, 1) if renewed else (1, 0, 0))
    assert engine.registry.is_kept(f"{SITE}/i.png") is renewed, "nobody relies on a visit that the frontier refused"
    assert attempt.page is not None and engine.log.added == [attempt.page], "what was written is told of"
