"""The run behind a Scrapy crawl: opened when the spider opens, finished when it closes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import weakref
from collections.abc import Callable

from scrapy import signals
from scrapy.crawler import Crawler

from archiver.config import Config, from_environment
from archiver.engine.run import Shipped
from archiver.engine.source import ClaimSource
from archiver.model import Actor, Page, Reason
from archiver.wiring import Session, session

OnPage = Callable[[Page], None]

_LISTENERS: weakref.WeakKeyDictionary[Crawler, list[OnPage]] = weakref.WeakKeyDictionary()
_RUNTIMES: weakref.WeakKeyDictionary[Crawler, Runtime] = weakref.WeakKeyDictionary()


class Runtime:
    """One a crawler. A task of its own holds the session: asyncio's task groups end in the task they began in."""

    def __init__(self, config: Config, actor: Actor, listeners: list[OnPage], *, own_scheduler: bool) -> None:
        self._config = config
        self._actor = actor
        self._own_scheduler = own_scheduler
        self._closing = asyncio.Event()
        self._ready: asyncio.Future[Session] = asyncio.get_running_loop().create_future()
        self._host: asyncio.Task[None] | None = None
        self._listeners = listeners
        self.stopped: Reason | None = None
        self.shipped = Shipped()
        self.left: list[Page] = []
        self.source: ClaimSource | None = None
        self.fault: BaseException | None = None

    @property
    def config(self) -> Config:
        return self._config

    @property
    def own_scheduler(self) -> bool:
        """Whether our frontier schedules; False in add-on mode."""
        return self._own_scheduler

    def tell(self, page: Page) -> None:
        for listener in self._listeners:
            listener(page)

    async def session(self) -> Session:
        """The open session; raises what opening it raised (ConfigError, DiskError)."""
        if self._host is None:
            self._host = asyncio.get_running_loop().create_task(self._hold())
        return await asyncio.shield(self._ready)

    async def close(self, reason: str) -> None:
        """Finish the run: close files, store them, tell what is pending."""
        if self._host is None:
            return
        if self.stopped is None and reason not in ("finished", "archiver"):
            self.stopped = Reason.INTERRUPTED
        self._closing.set()
        await self._host

    async def _hold(self) -> None:
        environ = dict(os.environ)
        try:
            async with session(
                self._config, from_environment(environ), environ, self._actor, saving=not self._own_scheduler
            ) as work:
                if self._own_scheduler:
                    self.source = work.source(patience=None)
                self._ready.set_result(work)
                await self._closing.wait()
                await self._finish(work)
        except BaseException as error:
            self.fault = error
            if not self._ready.done():
                self._ready.set_exception(error)
            elif not isinstance(error, Exception):
                raise

    async def _finish(self, work: Session) -> None:
        counts: dict[str, int] = {}
        if self.source is not None:
            await self.source.give_back()
            counts = dict(self.source.tally.statuses)
            self.stopped = self.stopped or self.source.tally.stopped
            self.left = await work.left_over(())
        self.shipped = await work.run.finish(stopped=self.stopped, counts=counts)


def attach(crawler: Crawler, config: Config, actor: Actor, *, own_scheduler: bool) -> Runtime:
    """The crawler's runtime, made at the first call."""
    runtime = _RUNTIMES.get(crawler)
    if runtime is None:
        runtime = Runtime(config, actor, _LISTENERS.setdefault(crawler, []), own_scheduler=own_scheduler)
        _RUNTIMES[crawler] = runtime
        made = runtime

        async def closed(spider: object, reason: str) -> None:
            await made.close(reason)

        crawler.signals.connect(closed, signals.spider_closed, weak=False)
    return runtime


def listen(crawler: Crawler, on_page: OnPage) -> None:
    """Have `on_page` called for each page; may be asked for before the runtime is there."""
    _LISTENERS.setdefault(crawler, []).append(on_page)


def runtime_of(crawler: Crawler) -> Runtime | None:
    with contextlib.suppress(KeyError):
        return _RUNTIMES[crawler]
    return None
