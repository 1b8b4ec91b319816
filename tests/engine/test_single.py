"""One request by itself: turns, rests, giving up."""

from __future__ import annotations

import asyncio

from archiver.engine.single import Single, SingleTools
from archiver.model import Access, Fetched, Reason, Verdict
from archiver.ports import Declared
from archiver.wire.memory import Answer
from tests.gateway.gate import Bench, candidate

URL = "http://a.example/"


def single(bench: Bench, *, patience: float = 0.0) -> Single:
    tools = SingleTools(
        gateway=bench.gate, budget=bench.budget, clock=bench.clock, policy="strict/1", patience=patience
    )
    return Single(tools)


def never() -> bool:
    return False


async def test_it_is_fetched_and_recorded_at_once() -> None:
    bench = Bench({URL: Answer(body=b"hello")})
    fetched = await single(bench).fetch(candidate(URL), given_up=never)
    assert isinstance(fetched, Fetched) and fetched.exchange is not None
    assert [row["url"] for row in bench.rows("decision")] == [URL]
    assert [row["url"] for row in bench.rows("outcome")] == [URL]


async def test_what_the_document_says_about_itself_binds() -> None:
    html = Answer(headers={"Content-Type": "text/html"}, body=b"<title>t</title><meta name=robots content=noarchive>")
    bench = Bench({URL: html})
    fetched = await single(bench).fetch(candidate(URL), given_up=never)
    assert fetched is not None and fetched.keep is not None and fetched.keep.access is Access.DARK
    assert [row["access"] for row in bench.rows("outcome")] == ["dark"]


async def test_a_refusal_has_its_row_and_its_record_and_nothing_is_asked() -> None:
    bench = Bench({URL: Answer()})
    bench.web.forbid(candidate(URL).origin, b"User-agent: *\nDisallow: /")
    fetched = await single(bench).fetch(candidate(URL), given_up=never)
    assert fetched is not None and fetched.decision.reason is Reason.ROBOTS_TXT
    assert bench.web.asked == [] and len(bench.recorder.items) == 1


async def test_a_rest_longer_than_patience_is_a_deferral_that_says_until_when() -> None:
    bench = Bench({URL: Answer(status=429, headers={"Retry-After": "900"})})
    one = single(bench, patience=60)
    first = await one.fetch(candidate(URL), given_up=never)
    assert first is not None and first.exchange is not None
    second = await one.fetch(candidate(URL), given_up=never)
    assert second is not None and second.decision.verdict is Verdict.DEFER
    assert second.decision.not_before is not None and len(bench.web.asked) == 1


async def test_what_waits_for_its_turn_is_given_up_when_the_spider_closes() -> None:
    bench = Bench({URL: Answer()})
    one = single(bench, patience=600)
    closing = False
    held = await bench.budget.begin_visit(candidate(URL).origin, bench.pace_of(candidate(URL).origin, Declared()))
    waiting = [asyncio.ensure_future(one.fetch(candidate(URL), given_up=lambda: closing)) for _ in range(5)]
    await asyncio.sleep(0.02)
    closing = True
    assert await asyncio.gather(*waiting) == [None] * 5
    assert bench.web.asked == [] and bench.rows("decision") == []
    assert held is not None
