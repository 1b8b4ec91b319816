"""The run behind a Scrapy crawl: opened when the spider opens, finished when it closes."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import weakref
from collections.abc import Callable

from scrapy import signals
from scrapy.crawler import Crawler

from archiver.config import Config, from_environment
from archiver.crawl.callbacks import Callbacks
from archiver.crawl.intake import Intake, IntakeTools
from archiver.engine.run import Shipped
from archiver.engine.source import ClaimSource
from archiver.errors import ArchiverError
from archiver.model import Actor, Claim, Page, Reason
from archiver.wiring.session import Session, session

logger = logging.getLogger(__name__)

OnPage = Callable[[Page], None]

_LISTENERS: weakref.WeakKeyDictionary[Crawler, list[OnPage]] = weakref.WeakKeyDictionary()
_RUNTIMES: weakref.WeakKeyDictionary[Crawler, Runtime] = weakref.WeakKeyDictionary()


class Job:
    """What our own crawls have besides the session: the source of claims, and the way back into the frontier."""

    def __init__(self, work: Session, runtime: Runtime) -> None:
        self.source: ClaimSource = work.source(patience=None)
        self.callbacks = Callbacks(work.places.state / f"callbacks-{work.job[:8]}.jsonl")
        tools = IntakeTools(
            frontier=work.frontier,
            gateway=work.gate,
            check=work.scopes.check,
            added=runtime.news,
            failed=runtime.give_up,
        )
        self.intake = Intake(tools, self.callbacks)


class Runtime:
    """One a crawler. A task of its own holds the session: asyncio's task groups end in the task they began in."""

    def __init__(self, config: Config, actor: Actor, listeners: list[OnPage], *, own_scheduler: bool) -> None:
        self.config = config
        self.own_scheduler = own_scheduler
        self._actor = actor
        self._listeners = listeners
        self._closing = asyncio.Event()
        self._ready: asyncio.Future[Session] = asyncio.get_running_loop().create_future()
        self._host: asyncio.Task[None] | None = None
        self._stop_asked = False
        self.on_news: Callable[[], None] | None = None
        self.on_fault: Callable[[], None] | None = None
        self.stopped: Reason | None = None
        self.shipped = Shipped()
        self.left: list[Page] = []
        self.job: Job | None = None
        self.unbegun: list[Claim] = []
        self.fault: BaseException | None = None

    def tell(self, page: Page) -> None:
        for listener in self._listeners:
            listener(page)

    def news(self) -> None:
        """The frontier has something new."""
        if self.on_news is not None:
            self.on_news()

    def give_up(self, fault: BaseException) -> None:
        """A full disk or a broken ledger ends the crawl; the first one counts. A site's own faults never come here."""
        if self.fault is None:
            self.fault = fault
            if self.on_fault is not None:
                self.on_fault()

    def unheard(self, record: logging.LogRecord) -> bool:
        """A filter of logs: of a crawl that cannot begin or go on the command line says why, in one line; Scrapy's
        tracebacks of its own unwinding say less."""
        return record.exc_info is None or not isinstance(self.fault, ArchiverError)

    def stop(self) -> None:
        """Finish what is in hand and begin nothing new; the job can be resumed."""
        self._stop_asked = True
        if self._ready.done() and self._ready.exception() is None:
            self._ready.result().stop.set()
        self.news()

    async def session(self) -> Session:
        """The open session; raises what opening it raised (ConfigError, DiskError)."""
        if self._host is None:
            self._host = asyncio.get_running_loop().create_task(self._hold())
        if self._ready.done():
            return self._ready.result()
        return await asyncio.shield(self._ready)

    async def close(self, reason: str) -> None:
        """Finish the run: close files, store them, tell what is pending."""
        if self._host is None:
            return
        if reason != "finished":
            self.stopped = self.stopped or Reason.INTERRUPTED
        self._closing.set()
        await self._host

    async def _hold(self) -> None:
        environment = from_environment(os.environ)
        try:
            async with session(self.config, environment, dict(os.environ), self._actor, saving=False) as work:
                if self.own_scheduler:
                    self.job = Job(work, self)
                if self._stop_asked:
                    work.stop.set()
                self._ready.set_result(work)
                await self._closing.wait()
                if self.fault is not None:
                    # As the pump does: unwound without a proper end, so that the next run resumes and salvages.
                    raise self.fault
                await self._finish(work)
        except Exception as error:
            if not self._ready.done():
                self._ready.set_exception(error)
            self.give_up(error)

    async def _finish(self, work: Session) -> None:
        counts: dict[str, int] = {}
        if self.job is not None:
            await self.job.intake.close()
            for claim in self.unbegun:
                await work.frontier.release(claim, not_before=work.clock.epoch(), reason=Reason.INTERRUPTED.value)
            await self.job.source.give_back()
            counts = dict(self.job.source.tally.statuses)
            self.stopped = self.job.source.tally.stopped or self.stopped
            self.left = await work.left_over(())
        self.shipped = await work.run.finish(stopped=self.stopped, counts=counts)
        if self.job is not None and self.stopped is not Reason.INTERRUPTED:
            self.job.callbacks.remove()


def attach(crawler: Crawler, config: Config, actor: Actor, *, own_scheduler: bool, logs_fault: bool) -> Runtime:
    """The crawler's runtime, made at the first call. `logs_fault`: nobody else tells of what ended the crawl."""
    runtime = _RUNTIMES.get(crawler)
    if runtime is None:
        runtime = Runtime(config, actor, _LISTENERS.setdefault(crawler, []), own_scheduler=own_scheduler)
        _RUNTIMES[crawler] = runtime
        made = runtime
        if not logs_fault:
            for name in ("scrapy.core.engine", "scrapy.utils.signal"):
                logging.getLogger(name).addFilter(made.unheard)

        async def closed(spider: object, reason: str) -> None:
            await made.close(reason)
            if logs_fault and made.fault is not None:
                logger.error("archiver: the crawl was ended: %s", made.fault)

        crawler.signals.connect(closed, signals.spider_closed, weak=False)
    return runtime


def listen(crawler: Crawler, on_page: OnPage) -> None:
    """Have `on_page` called for each page; may be asked for before the runtime is there."""
    _LISTENERS.setdefault(crawler, []).append(on_page)


def runtime_of(crawler: Crawler) -> Runtime | None:
    with contextlib.suppress(KeyError):
        return _RUNTIMES[crawler]
    return None
