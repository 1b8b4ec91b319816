"""What callbacks yield, as candidates, and on its way into the frontier."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from scrapy import Request

from archiver.clock import SYSTEM
from archiver.crawl.callbacks import Callbacks
from archiver.crawl.intake import CannotKeep, Intake, IntakeTools, candidate_of
from archiver.crawl.meta import META, ArchiverMeta
from archiver.crawl.spider import ArchiverSpider
from archiver.engine.scopes import SeedScopes
from archiver.errors import DiskError
from archiver.frontier.memory import MemoryFrontier
from archiver.policy.scope import ScopeRules
from tests.gateway.gate import Bench, candidate

PAGE = candidate("http://a.example/docs/", depth=3, path="LL")


class OneSpider(ArchiverSpider):
    name = "one"

    def item(self, response: object) -> None:
        """Named by requests below."""


def found(url: str, **keywords: Any) -> Request:
    return Request(url, meta={META: ArchiverMeta(via=PAGE)}, **keywords)


def test_a_link_of_a_callback_is_a_link_of_its_page() -> None:
    made = candidate_of(found("http://A.example/docs/x#y", headers={"Accept-Language": "de"}))
    assert (made.url, made.via, made.depth, made.path) == ("http://a.example/docs/x", PAGE.url, 4, "LLL")
    assert made.headers == ((b"Accept-Language", b"de"),) and not made.seed


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        ({"method": "POST"}, "method POST"),
        ({"body": b"x"}, "a body"),
        ({"cookies": {"a": "b"}}, "cookies"),
        ({"headers": {"Authorization": "Basic x"}}, "credentials"),
        ({"headers": {"cookie": "a=b"}}, "credentials"),
    ],
)
def test_what_the_frontier_cannot_hold_is_named(keywords: dict[str, Any], words: str) -> None:
    with pytest.raises(CannotKeep, match=words):
        candidate_of(found("http://a.example/docs/x", **keywords))


async def test_offers_are_judged_at_once_and_added_in_batches(tmp_path: Any) -> None:
    bench, frontier, news = Bench({}), MemoryFrontier(SYSTEM, own=lambda origin: True), []
    tools = IntakeTools(
        frontier=frontier,
        gateway=bench.gate,
        check=SeedScopes([ScopeRules(seed="http://a.example/docs/")]).check,
        added=lambda: news.append(True),
        failed=pytest.fail,
    )
    spider = OneSpider()
    intake = Intake(tools, Callbacks(tmp_path / "kept.jsonl"))
    assert intake.offer(found("http://a.example/docs/x", callback=spider.item), spider)
    assert not intake.offer(found("http://b.example/"), spider)
    assert not intake.offer(found("http://a.example/docs/x", method="PUT"), spider)
    assert intake.waiting
    await intake.close()
    assert not intake.waiting and news
    claims = await frontier.claim(9)
    assert [claim.candidate.url for claim in claims] == ["http://a.example/docs/x"]
    told = [(row["url"], row["reason"]) for row in bench.rows("discovered")]
    assert told == [("http://a.example/docs/x", "allowed"), ("http://b.example/", "outOfScope")]
    assert len(Callbacks(tmp_path / "kept.jsonl")) == 1


async def test_a_fault_of_the_frontier_is_told(tmp_path: Any) -> None:
    class FullFrontier(MemoryFrontier):
        async def add(self, batch: Any) -> frozenset[str]:
            raise DiskError("no room")

    told: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()
    tools = IntakeTools(
        frontier=FullFrontier(SYSTEM, own=lambda origin: True),
        gateway=Bench({}).gate,
        check=lambda candidate: None,
        added=lambda: None,
        failed=told.set_result,
    )
    intake = Intake(tools, Callbacks(tmp_path / "kept.jsonl"))
    intake.offer(found("http://a.example/docs/x"), OneSpider())
    assert isinstance(await told, DiskError)
