"""What is remembered of robots.txt while a site cannot be reached: copies, and since when."""

from __future__ import annotations

from pathlib import Path

from archiver.clock import ManualClock
from archiver.policy.profiles import RobotsLines
from tests.wire.rawserver import RawServer, Reply
from tests.wire.robots_bench import (
    DAY,
    RULES,
    Fetcher,
    Make,
    answer,
    clock,
    fetcher,
    is_allowed,
    is_deferred,
    is_disallowed,
    is_unreachable_but_known,
    make,
    page,
)

__all__ = ["clock", "fetcher", "make"]

OOPS = Reply((answer(b"", b"500 Oops"),))
GONE = Reply((answer(RULES, b"404 Not Found"),))
SILENT = Reply((), "hang")


async def test_each_job_asks_once_itself(make: Make, fetcher: Fetcher, plain: RawServer, tmp_path: Path) -> None:
    plain.reply("/robots.txt", answer())
    for job in range(1, 3):
        service = make(tmp_path / "robots.sqlite")
        await service.ask(page(plain), fetcher)
        await service.ask(page(plain), fetcher)
        assert len(plain.requests) == job


async def test_a_stale_copy_serves_while_unreachable(
    make: Make, fetcher: Fetcher, plain: RawServer, clock: ManualClock, tmp_path: Path
) -> None:
    plain.reply("/robots.txt", answer())
    await make(tmp_path / "robots.sqlite").ask(page(plain), fetcher)
    plain.replies["/robots.txt"] = OOPS
    clock.advance(29 * DAY)
    service = make(tmp_path / "robots.sqlite")
    found = await service.ask(page(plain), fetcher)
    assert found.state == "stale-ok"
    is_disallowed(found)
    assert found.detail["copy"]["original"] == "urn:uuid:0"
    assert found.detail["copy"]["answer"] == "urn:uuid:1"
    assert found.evidence == "urn:uuid:copy-1"
    is_allowed(await service.ask(page(plain, "/public"), fetcher))
    clock.advance(2 * DAY)
    is_deferred(await make(tmp_path / "robots.sqlite").ask(page(plain), fetcher))


async def test_thirty_days_without_an_answer_are_no_rules(
    make: Make, fetcher: Fetcher, plain: RawServer, clock: ManualClock, tmp_path: Path
) -> None:
    plain.replies["/robots.txt"] = SILENT
    state = tmp_path / "robots.sqlite"
    is_deferred(await make(state).ask(page(plain), fetcher))
    clock.advance(29 * DAY)
    is_deferred(await make(state).ask(page(plain), fetcher))
    clock.advance(2 * DAY)
    found = await make(state).ask(page(plain), fetcher)
    assert found.state == "unavailable" and found.objection is None
    assert found.detail["unreachableSince"].startswith("2026")
    is_deferred(await make(state, lines=RobotsLines(undefined="disallow")).ask(page(plain), fetcher))


async def test_an_answer_ends_the_outage(
    make: Make, fetcher: Fetcher, plain: RawServer, clock: ManualClock, tmp_path: Path
) -> None:
    state = tmp_path / "robots.sqlite"
    plain.replies["/robots.txt"] = OOPS
    is_deferred(await make(state).ask(page(plain), fetcher))
    clock.advance(20 * DAY)
    plain.replies["/robots.txt"] = GONE
    is_allowed(await make(state).ask(page(plain), fetcher))
    clock.advance(20 * DAY)
    plain.replies["/robots.txt"] = OOPS
    is_deferred(await make(state).ask(page(plain), fetcher))


async def test_the_operator_names_the_days_and_a_copy_outlasts_them(
    make: Make, fetcher: Fetcher, plain: RawServer, clock: ManualClock, tmp_path: Path
) -> None:
    state, lines = tmp_path / "robots.sqlite", RobotsLines(undefined_days=5)
    plain.reply("/robots.txt", answer())
    await make(state).ask(page(plain), fetcher)
    plain.replies["/robots.txt"] = OOPS
    for days in (1, 6, 6):
        clock.advance(days * DAY)
        is_unreachable_but_known(await make(state, lines=lines).ask(page(plain), fetcher))
    clock.advance(20 * DAY)
    found = await make(state, lines=lines).ask(page(plain), fetcher)
    is_allowed(found)
    assert found.detail["basis"] == "undefined>5d: RFC 9309 2.3.1.4"
