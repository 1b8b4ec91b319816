"""`archiver crawl` by Scrapy: our spider, our settings, the run's own configuration."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from scrapy.crawler import AsyncCrawlerProcess, Crawler
from scrapy.settings import Settings
from scrapy.spiderloader import SpiderLoader

from archiver.config import Config
from archiver.crawl.runtime import listen, runtime_of
from archiver.crawl.settings import OURS
from archiver.crawl.setup import ACTOR_SETTING, CONFIG_SETTING
from archiver.engine.run import Shipped
from archiver.engine.source import Tally
from archiver.errors import CaptureError
from archiver.model import Actor, Page

SPIDER = "site"


@dataclass(slots=True)
class ScrapyCrawl:
    """What the crawl came to."""

    tally: Tally = field(default_factory=Tally)
    shipped: Shipped = field(default_factory=Shipped)
    left: list[Page] = field(default_factory=list)


def crawl(config: Config, actor: Actor, on_page: Callable[[Page], None]) -> ScrapyCrawl:
    """Blocks until the crawl has ended. Raises what ended it early (DiskError, ConfigError ...)."""
    settings = Settings(OURS)
    settings.set(CONFIG_SETTING, config, "cmdline")
    settings.set(ACTOR_SETTING, actor, "cmdline")
    process = AsyncCrawlerProcess(settings)
    spider = SpiderLoader.from_settings(settings).load(SPIDER)
    crawler = process.create_crawler(spider)
    listen(crawler, on_page)
    crawling = process.crawl(crawler)
    process.start()
    if isinstance(crawling, asyncio.Task) and crawling.done():
        crawling.result()
    return _result(crawler)


def _result(crawler: Crawler) -> ScrapyCrawl:
    runtime = runtime_of(crawler)
    assert runtime is not None
    if runtime.fault is not None and not isinstance(runtime.fault, CaptureError):
        raise runtime.fault
    found = ScrapyCrawl(shipped=runtime.shipped, left=runtime.left)
    if runtime.source is not None:
        found.tally = runtime.source.tally
    return found
