"""Places for sub-requests: so many at once, first come first served, nothing lost whoever gives up."""

import asyncio
import random

import pytest

from archiver.clock import ManualClock
from archiver.frontier.budget import LEASE
from archiver.frontier.places import Places
from archiver.ports import HostPlace
from tests.frontier.samples import origin

SITE = origin("a.test")


async def taken(places: Places, count: int) -> HostPlace:
    place = await places.take(SITE, count, within=0.0)
    assert place is not None
    return place


async def test_who_waits_longest_is_next() -> None:
    places, order = Places(ManualClock()), []
    held = await taken(places, 1)

    async def ask(number: int) -> None:
        place = await places.take(SITE, 1, within=60.0)
        assert place is not None
        order.append(number)
        assert places.give(place)

    async with asyncio.TaskGroup() as group:
        for number in range(5):
            group.create_task(ask(number))
            await asyncio.sleep(0)
        places.give(held)
    assert order == list(range(5))


async def test_nobody_overtakes_who_waits() -> None:
    places = Places(ManualClock())
    held = await taken(places, 1)
    first = asyncio.create_task(places.take(SITE, 1, within=60.0))
    await asyncio.sleep(0)
    assert not await places.take(SITE, 2, within=0.0)
    places.give(held)
    assert await first


@pytest.mark.parametrize("seed", range(5))
async def test_no_place_is_lost_or_given_twice_whoever_gives_up(seed: int) -> None:
    """Some are cancelled and some run out of time at the very moment at which a place comes free."""
    rng, places, held, most = random.Random(seed), Places(ManualClock()), 0, 0

    async def ask() -> None:
        nonlocal held, most
        place = await places.take(SITE, 3, within=rng.choice([0.0, 0.001, 0.002, 60.0]))
        if place is None:
            return
        held += 1
        most = max(most, held)
        try:
            await asyncio.sleep(rng.choice([0.0, 0.001, 0.002]))
        finally:
            held -= 1
            assert places.give(place)

    tasks = [asyncio.create_task(ask()) for _ in range(200)]
    for task in rng.sample(tasks, 60):
        await asyncio.sleep(0.0002)
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert (held, most) == (0, 3)
    assert [await places.take(SITE, 3, within=0.0) is not None for _ in range(4)] == [True, True, True, False]


async def test_nothing_is_kept_of_an_origin_that_nobody_asks() -> None:
    places = Places(ManualClock())
    for number in range(10):
        site = origin(f"{number}.test")
        place = await places.take(site, 1, within=0.0)
        assert place is not None and await places.take(site, 1, within=0.0) is None
        places.give(place)
    assert places._queues == {}


async def test_a_place_that_is_never_given_back_comes_back_and_its_holder_is_told() -> None:
    clock = ManualClock()
    places = Places(clock)
    stuck = await taken(places, 1)
    assert stuck.until == clock.epoch() + LEASE
    clock.advance(LEASE - 1, wall=-3600.0)
    assert await places.take(SITE, 1, within=0.0) is None
    clock.advance(1, wall=365 * 86_400.0)
    other = await taken(places, 1)
    assert other.token != stuck.token
    assert not places.give(stuck), "a zombie's place is nobody's"
    assert await places.take(SITE, 1, within=0.0) is None, "what it gave back was not the other's"
    assert places.give(other)
    assert not places.give(other)
