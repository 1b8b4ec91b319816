"""The base of our spiders."""

from __future__ import annotations

from typing import Any

from archiver.crawl.spider import ArchiverSpider


class PlainSpider(ArchiverSpider):
    name = "plain"


class ReadingSpider(ArchiverSpider):
    name = "reading"

    def parse(self, response: Any, **kwargs: Any) -> None:
        """A parse of its own."""


def test_a_body_is_made_only_for_a_spider_that_has_a_parse_of_its_own() -> None:
    assert not PlainSpider().reads_pages and ReadingSpider().reads_pages


async def test_it_starts_with_nothing_since_seeds_are_in_the_frontier() -> None:
    assert [one async for one in PlainSpider(url="http://127.0.0.1/").start()] == []
