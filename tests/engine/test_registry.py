"""Who fetches a URL that several want at once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from archiver.engine.registry import Registry, Shared


async def test_the_first_fetches_the_others_wait_and_share() -> None:
    registry = Registry()
    assert await registry.begin("a") is Shared.NEW
    waiting = [asyncio.ensure_future(registry.begin("a")) for _ in range(3)]
    await asyncio.sleep(0)
    assert not any(one.done() for one in waiting) and not registry.is_kept("a")
    registry.end("a", kept=True)
    assert [await one for one in waiting] == [Shared.KEPT] * 3
    assert registry.is_kept("a") and await registry.begin("a") is Shared.KEPT


async def test_a_failure_is_told_to_those_who_waited_and_may_be_tried_again() -> None:
    registry = Registry()
    await registry.begin("a")
    waiting = asyncio.ensure_future(registry.begin("a"))
    await asyncio.sleep(0)
    registry.end("a", kept=False)
    assert await waiting is Shared.FAILED
    assert await registry.begin("a") is Shared.NEW


async def test_what_was_not_committed_is_forgotten() -> None:
    registry = Registry()
    await registry.begin("a")
    registry.end("a", kept=True)
    registry.forget(["a", "never"])
    assert await registry.begin("a") is Shared.NEW


async def test_a_cancelled_waiter_leaves_the_key_alone() -> None:
    registry = Registry()
    await registry.begin("a")
    waiting, patient = (asyncio.ensure_future(registry.begin("a")) for _ in range(2))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.sleep(0)
    registry.end("a", kept=True)
    assert await patient is Shared.KEPT


async def test_taking_never_waits() -> None:
    registry = Registry()
    assert await registry.take("a") and not await registry.take("a")
    registry.end("a", kept=True)
    assert not await registry.take("a")


async def test_an_earlier_process_is_asked_once() -> None:
    asked: list[Sequence[str]] = []

    async def ask(keys: Sequence[str]) -> frozenset[str]:
        asked.append(keys)
        return frozenset({"old"} & set(keys))

    registry = Registry(ask)
    assert [await registry.begin(key) for key in ("old", "old", "new")] == [Shared.KEPT, Shared.KEPT, Shared.NEW]
    assert asked == [["old"], ["new"]]
    assert not await Registry(ask).take("old"), "where a redirect leads, it may have been fetched before too"


async def test_what_another_visit_keeps_counts_for_a_page_once_that_visit_is_committed() -> None:
    registry = Registry()
    for key in ("a", "b"):
        await registry.begin(key)
        registry.end(key, kept=True)
    assert await registry.begin("a") is Shared.KEPT, "as a requisite it may be shared at once"
    waiting = [asyncio.ensure_future(registry.settled(key)) for key in ("a", "a", "b")]
    await asyncio.sleep(0)
    assert not any(one.done() for one in waiting)
    registry.commit(["a"])
    registry.forget(["b"])
    assert [await one for one in waiting] == [True, True, False]
    assert await registry.settled("a") and await registry.begin("b") is Shared.NEW


async def test_what_is_remembered_is_bounded_and_the_frontier_knows_the_rest() -> None:
    asked: list[str] = []
    committed: set[str] = set()

    async def ask(keys: Sequence[str]) -> frozenset[str]:
        asked.extend(keys)
        return frozenset(committed & set(keys))

    registry = Registry(ask, fresh=True, kept=100)
    for number in range(1000):
        assert await registry.begin(str(number)) is Shared.NEW
        registry.end(str(number), kept=True)
        if number != 7:
            committed.add(str(number))
            registry.commit([str(number)])
        if number == 199:
            assert asked == [], "nothing was forgotten yet"
    assert len(registry._young) + len(registry._old) <= 200
    assert registry.is_kept("7"), "what no frontier has is not forgotten"
    for number in (0, 500, 999):
        assert await registry.begin(str(number)) is Shared.KEPT
        assert await registry.settled(str(number))
    assert await registry.begin("new") is Shared.NEW


async def test_without_a_frontier_nothing_is_forgotten() -> None:
    registry = Registry(kept=10)
    for number in range(100):
        await registry.begin(str(number))
        registry.end(str(number), kept=True)
        registry.commit([str(number)])
    assert all(registry.is_kept(str(number)) for number in range(100))
