"""A crawl by Scrapy in this process: our spiders, our settings, the run's own configuration."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from scrapy.crawler import AsyncCrawlerProcess, Crawler
from scrapy.settings import BaseSettings, Settings
from scrapy.utils.misc import load_object

from archiver.config import Config
from archiver.crawl.runtime import listen, runtime_of
from archiver.crawl.setup import ACTOR_SETTING, CONFIG_SETTING
from archiver.crawl.signals import stopping
from archiver.engine.run import Shipped
from archiver.engine.source import Tally
from archiver.model import Actor, Page

PROJECT = "archiver.crawl.project"
SPIDER = "site"
START_LOOK = 0.02
"""Seconds after which a signal that came before there was a run is tried again."""


@dataclass(slots=True)
class ScrapyCrawl:
    """What the crawl came to."""

    tally: Tally = field(default_factory=Tally)
    shipped: Shipped = field(default_factory=Shipped)
    left: list[Page] = field(default_factory=list)


def crawl(config: Config, actor: Actor, on_page: Callable[[Page], None]) -> ScrapyCrawl:
    """Blocks until the crawl has ended. Raises what ended it early (DiskError, ConfigError ...)."""
    settings = Settings()
    settings.setmodule(PROJECT)
    prepare_loop(settings)
    process = AsyncCrawlerProcess(settings)
    return drive(process, process.create_crawler(SPIDER), config, actor, on_page)


def prepare_loop(settings: BaseSettings) -> None:
    """Have the process's event loop before Scrapy asks for it: Scrapy looks first whether there is one, and asyncio
    then makes one of its own kind that nobody closes."""
    path = settings["ASYNCIO_EVENT_LOOP"]
    if path:
        asyncio.set_event_loop(load_object(path)())


def drive(
    process: AsyncCrawlerProcess,
    crawler: Crawler,
    config: Config,
    actor: Actor,
    on_page: Callable[[Page], None],
    arguments: Mapping[str, str] | None = None,
) -> ScrapyCrawl:
    """Run one crawler of ours in its process, with our signals. Raises as `crawl`."""
    crawler.settings.set(CONFIG_SETTING, config, "cmdline")
    crawler.settings.set(ACTOR_SETTING, actor, "cmdline")
    listen(crawler, on_page)
    crawling = process.crawl(crawler, **(arguments or {}))
    loop = crawling.get_loop()

    def stop() -> None:
        runtime = runtime_of(crawler)
        if runtime is not None:
            runtime.stop()
        elif not crawling.done():
            loop.call_later(START_LOOK, stop)

    with stopping(loop, stop):
        process.start(install_signal_handlers=False)
    return _result(crawler, crawling)


def _result(crawler: Crawler, crawling: asyncio.Task[None]) -> ScrapyCrawl:
    runtime = runtime_of(crawler)
    fault = runtime.fault if runtime is not None else None
    if crawling.done() and not crawling.cancelled():
        fault = fault or crawling.exception()
    if fault is not None:
        raise fault
    assert runtime is not None
    found = ScrapyCrawl(shipped=runtime.shipped, left=runtime.left)
    if runtime.job is not None:
        found.tally = runtime.job.source.tally
    return found
