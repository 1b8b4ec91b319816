"""The pump with its source of claims: all of a site, limits, signals, faults."""

from __future__ import annotations

import asyncio

import pytest

from archiver.errors import DiskError
from archiver.model import Exchange, FailureCode, Page, Reason, WarcItem
from archiver.ports import Completed, WireRequest
from archiver.ports.browser import Tap
from archiver.wire.memory import Answer
from tests.engine.bench import SITE, Engine, candidate, html, redirect

CHAIN = {f"/{number or ''}": html(f"<a href=/{number + 1}>next</a>") for number in range(20)}


async def test_every_page_once() -> None:
    engine = Engine(CHAIN)
    tally = await engine.crawl()
    assert sorted(engine.asked) == sorted([*CHAIN, "/20"])
    assert (tally.pages, tally.statuses, tally.stopped) == (21, {"captured": 21}, None)
    counts = await engine.frontier.counts()
    assert (counts.done, counts.pending + counts.claimed) == (21, 0)


@pytest.mark.parametrize("concurrency", [1, 4])
async def test_a_limit_of_pages_is_exact(concurrency: int) -> None:
    wide = {"/": html("".join(f"<a href=/{number}>x</a>" for number in range(30)))}
    engine = Engine(wide | {f"/{number}": html("x") for number in range(30)})
    tally = await engine.crawl(concurrency=concurrency, pages=7)
    assert (tally.pages, len(engine.asked), tally.stopped) == (7, 7, Reason.PAGE_LIMIT)
    counts = await engine.frontier.counts()
    assert counts.claimed == 0 and counts.pending == 24


async def test_limits_of_bytes_and_time() -> None:
    engine = Engine(CHAIN)
    assert (await engine.crawl(wire_bytes=1)).stopped is Reason.SIZE_LIMIT and len(engine.asked) == 1
    assert (await Engine(CHAIN).crawl(seconds=0)).stopped is Reason.TIME_LIMIT


async def test_a_signal_ends_what_is_in_hand_and_gives_back_the_rest() -> None:
    engine = Engine({"/": html("".join(f"<a href=/{number}>x</a>" for number in range(30)))})
    tally = await engine.crawl(on_page=lambda page: engine.stop.set())
    assert tally.stopped is Reason.INTERRUPTED and tally.pages == 1
    counts = await engine.frontier.counts()
    assert counts.claimed == 0 and counts.pending == 30


async def test_while_it_is_held_nothing_is_claimed_and_then_all_is_visited() -> None:
    wide = {"/": html("".join(f"<a href=/{number}>x</a>" for number in range(12)))}
    engine = Engine(wide | {f"/{number}": html("x") for number in range(12)})

    def on_page(page: Page) -> None:
        engine.told.append(page)
        if len(engine.told) == 3:
            engine.hold.reason = Reason.SPOOL_LIMIT

    crawling = asyncio.create_task(engine.crawl(concurrency=2, on_page=on_page))
    while engine.hold.reason is None or (await engine.frontier.counts()).claimed:
        await asyncio.sleep(0.01)
    asked = len(engine.asked)
    assert 3 <= asked <= 5, "what was in hand is finished, what was claimed and not begun goes back"
    await asyncio.sleep(0.1)
    assert len(engine.asked) == asked
    engine.hold.reason = None
    tally = await crawling
    assert (tally.pages, tally.stopped, len(engine.asked)) == (13, None, 13)


async def test_a_run_that_is_held_can_be_stopped() -> None:
    engine = Engine(CHAIN)
    engine.hold.reason = Reason.DISK_UTILIZATION
    crawling = asyncio.create_task(engine.crawl())
    await asyncio.sleep(0.05)
    engine.stop.set(Reason.DISK_UTILIZATION)
    assert ((await crawling).stopped, engine.asked) == (Reason.DISK_UTILIZATION, [])


async def test_a_host_at_rest_is_not_waited_for_longer_than_patience() -> None:
    engine = Engine({"/": Answer(status=429, headers={"Retry-After": "600"}), "/b": html("x")})
    await engine.crawl("/", "/b", concurrency=1, patience=5.0)
    assert engine.asked == ["/"]
    counts = await engine.frontier.counts()
    assert (counts.claimed, counts.done, counts.pending) == (0, 0, 2)


async def test_after_its_rest_a_host_is_asked_again_for_what_it_put_off() -> None:
    engine = Engine({"/": Answer(status=429, headers={"Retry-After": "600"}), "/b": html("x")})
    await engine.crawl("/", "/b", concurrency=1, patience=5.0)
    for _ in range(5):  # a rest is no attempt: however often it is met, nothing is given up for it
        await engine.crawl(concurrency=1, patience=5.0)
    engine.bench.web.pages[f"{SITE}/"] = html("at last")
    engine.bench.clock.advance(601)
    engine.told.clear()

    def on_page(page: Page) -> None:
        engine.told.append(page)
        engine.bench.clock.advance(60)  # after a 429 a host is asked more slowly

    await engine.crawl(concurrency=1, patience=5.0, on_page=on_page)
    assert sorted(engine.asked) == ["/", "/", "/b"]
    assert sorted(page.http_status for page in engine.told if page.http_status) == [200, 200]
    assert (await engine.frontier.counts()).done == 2


async def test_a_fault_of_the_disk_ends_the_run_as_itself() -> None:
    engine = Engine(CHAIN)

    async def full(items: list[WarcItem]) -> None:
        raise DiskError("no room")

    engine.bench.recorder.record = full  # type: ignore[method-assign, assignment]
    with pytest.raises(DiskError, match="no room"):
        await engine.crawl()
    assert (await engine.frontier.counts()).done == 0, "what was not written is not done"
    assert not engine.registry.is_kept(f"{SITE}/")


async def test_a_page_is_not_done_before_the_visit_that_fetched_it_is() -> None:
    """A redirect's target with a claim of its own: whoever dies in between must leave it pending."""
    page = html("<a href=/next>x</a><img src=/i.png>")
    engine = Engine({"/moved": redirect("/page"), "/page": page, "/next": html("")})
    done_at_image: list[int] = []
    dial = engine.bench.web.exchange

    async def exchange(request: WireRequest, tap: Tap | None = None) -> Exchange:
        if request.url.endswith("/i.png"):
            for _ in range(50):
                await asyncio.sleep(0)
            done_at_image.append((await engine.frontier.counts()).done)
        return await dial(request, tap)

    engine.bench.web.exchange = exchange  # type: ignore[method-assign]
    await engine.crawl("/moved", "/page")
    assert done_at_image == [0]
    assert sorted(engine.asked) == ["/i.png", "/moved", "/next", "/page"]
    assert (await engine.frontier.counts()).done == 3


@pytest.mark.parametrize("end", ["failed", "refused"])
async def test_who_dies_at_the_frontier_has_told_of_what_has_no_record(end: str) -> None:
    """A URL that is given up for good and has no row would be in no list at all."""
    engine = Engine({"/": Answer(failure=FailureCode.CONNECT_ERROR)})
    if end == "refused":
        engine.bench.web.forbid(candidate("/").origin, b"User-agent: *\nDisallow: /\n")
    await engine.seed("/")
    (claim,) = await engine.frontier.claim(1)

    async def dies(*_: object) -> Completed:
        raise asyncio.CancelledError

    engine.frontier.complete = dies  # type: ignore[method-assign, assignment]
    with pytest.raises(asyncio.CancelledError):
        await engine.worker.attempt(claim)
    assert [row["status"] for row in engine.bench.ledger.bodies("visit")] == [end]
