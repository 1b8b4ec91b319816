"""Places for sub-requests: so many at once, first come first served, nothing lost whoever gives up."""

import asyncio
import random

import pytest

from archiver.frontier.places import Places
from tests.frontier.samples import origin

SITE = origin("a.test")


async def test_who_waits_longest_is_next() -> None:
    places, order = Places(), []
    assert await places.take(SITE, 1, within=0.0)

    async def ask(number: int) -> None:
        assert await places.take(SITE, 1, within=60.0)
        order.append(number)
        places.give(SITE)

    async with asyncio.TaskGroup() as group:
        for number in range(5):
            group.create_task(ask(number))
            await asyncio.sleep(0)
        places.give(SITE)
    assert order == list(range(5))


async def test_nobody_overtakes_who_waits() -> None:
    places = Places()
    assert await places.take(SITE, 1, within=0.0)
    first = asyncio.create_task(places.take(SITE, 1, within=60.0))
    await asyncio.sleep(0)
    assert not await places.take(SITE, 2, within=0.0)
    places.give(SITE)
    assert await first


@pytest.mark.parametrize("seed", range(5))
async def test_no_place_is_lost_or_given_twice_whoever_gives_up(seed: int) -> None:
    """Some are cancelled and some run out of time at the very moment at which a place comes free."""
    rng, places, held, most = random.Random(seed), Places(), 0, 0

    async def ask() -> None:
        nonlocal held, most
        if not await places.take(SITE, 3, within=rng.choice([0.0, 0.001, 0.002, 60.0])):
            return
        held += 1
        most = max(most, held)
        try:
            await asyncio.sleep(rng.choice([0.0, 0.001, 0.002]))
        finally:
            held -= 1
            places.give(SITE)

    tasks = [asyncio.create_task(ask()) for _ in range(200)]
    for task in rng.sample(tasks, 60):
        await asyncio.sleep(0.0002)
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert (held, most) == (0, 3)
    assert [await places.take(SITE, 3, within=0.0) for _ in range(4)] == [True, True, True, False]


async def test_nothing_is_kept_of_an_origin_that_nobody_asks() -> None:
    places = Places()
    for number in range(10):
        site = origin(f"{number}.test")
        assert await places.take(site, 1, within=0.0)
        assert not await places.take(site, 1, within=0.0)
        places.give(site)
    assert places._queues == {}
