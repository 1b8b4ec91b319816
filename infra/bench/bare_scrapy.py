"""Scrapy as it comes: follows every link with LinkExtractor, keeps nothing. What our Scrapy driver is held against."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from scrapy import Request, Spider
from scrapy.http import HtmlResponse, Response
from scrapy.linkextractors import LinkExtractor


class BareSpider(Spider):
    """Pages, images, scripts and style sheets of one host; 16 connections, no delay, as quiet as can be."""

    name = "bare"
    custom_settings = {  # noqa: RUF012 - Scrapy declares it without ClassVar
        "CONCURRENT_REQUESTS": 16,
        "CONCURRENT_REQUESTS_PER_DOMAIN": 16,
        "DOWNLOAD_DELAY": 0,
        "LOG_LEVEL": "WARNING",
    }

    def __init__(self, url: str) -> None:
        super().__init__()
        self.start_urls = [url]
        self.allowed_domains = ["127.0.0.1"]
        self._links = LinkExtractor(
            tags=("a", "area", "link", "img", "script", "object"), attrs=("href", "src", "data"), deny_extensions=()
        )

    def parse(self, response: Response, **kwargs: Any) -> Iterator[Request]:
        if isinstance(response, HtmlResponse):
            for link in self._links.extract_links(response):
                yield Request(link.url)

    def closed(self, reason: str) -> None:
        assert self.crawler.stats is not None
        print(f"responses {self.crawler.stats.get_value('response_received_count', 0)}")
