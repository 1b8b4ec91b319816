"""Scrapy's scheduler on our frontier: `next_request` pops what one task keeps filled (decision 4)."""

from __future__ import annotations

import asyncio
from collections import deque

from scrapy import Request, Spider
from scrapy.core.scheduler import BaseScheduler
from scrapy.crawler import Crawler
from scrapy.utils.defer import _schedule_coro, deferred_from_coro
from twisted.internet.defer import Deferred

from archiver.crawl.meta import META, ArchiverMeta
from archiver.crawl.runtime import Job, Runtime
from archiver.crawl.setup import runtime_for
from archiver.model import Claim


class FrontierScheduler(BaseScheduler):
    """Requests come from the frontier alone. What a callback yields is enqueued there, within the job's scope."""

    def __init__(self, crawler: Crawler, runtime: Runtime) -> None:
        self._crawler = crawler
        self._runtime = runtime
        self._ready: deque[Request] = deque()
        self._room = asyncio.Semaphore(runtime.config.pace.concurrency)
        self._more = True
        self._news = asyncio.Event()
        self._job: Job | None = None
        self._spider: Spider | None = None
        self._filling: asyncio.Task[None] | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> FrontierScheduler:
        return cls(crawler, runtime_for(crawler))

    def open(self, spider: Spider) -> Deferred[None]:
        """Ends when the session is open; fails with what opening it raised, before anything is asked of a site."""
        return deferred_from_coro(self._open(spider))

    async def _open(self, spider: Spider) -> None:
        self._spider = spider
        self._runtime.on_news = self._hear
        self._runtime.on_fault = self._end
        await self._runtime.session()
        self._job = self._runtime.job
        self._filling = asyncio.get_running_loop().create_task(self._fill())

    def close(self, reason: str) -> None:
        """Claims that were not begun go back; the runtime flushes what callbacks offered."""
        if self._filling is not None:
            self._filling.cancel()
        found = [request.meta[META].claim for request in self._ready]
        self._runtime.unbegun = [claim for claim in found if claim is not None]
        self._ready.clear()

    def has_pending_requests(self) -> bool:
        """False lets the engine close the spider once no callback is running any more."""
        return self._more or bool(self._ready) or (self._job is not None and self._job.intake.waiting)

    def enqueue_request(self, request: Request) -> bool:
        if self._job is None or self._spider is None:
            return False
        try:
            return self._job.intake.offer(request, self._spider)
        except Exception as fault:
            self._runtime.give_up(fault)
            return False

    def next_request(self) -> Request | None:
        return self._ready.popleft() if self._ready else None

    async def _fill(self) -> None:
        """Keep as many requests ready as visits may run; wait while a callback may still offer some."""
        assert self._job is not None
        source = self._job.source
        try:
            while True:
                await self._room.acquire()
                self._news.clear()
                claim = await source.next()
                if claim is not None:
                    self._ready.append(self._request(claim))
                    self._poke()
                    continue
                self._room.release()
                self._more = False
                self._poke()
                if source.tally.stopped is not None:
                    return
                await self._news.wait()
                self._more = True
        except Exception as fault:
            self._more = False
            self._runtime.give_up(fault)

    def _request(self, claim: Claim) -> Request:
        candidate = claim.candidate
        meta = {META: ArchiverMeta(claim=claim), "depth": candidate.depth}
        return Request(candidate.url, callback=None, meta=meta, dont_filter=True)

    def finished(self) -> None:
        """The handler is done with a claim: there is room for another."""
        self._room.release()

    def _hear(self) -> None:
        self._news.set()

    def _poke(self) -> None:
        """The engine looks by itself only every five seconds."""
        engine = self._crawler._engine
        slot = engine._slot if engine is not None else None
        if slot is not None and slot.closing is None:
            slot.nextcall.schedule()

    def _end(self) -> None:
        """A fault: close the spider once; nothing new is begun."""
        self._more = False
        engine = self._crawler._engine
        if engine is not None and engine.running and engine._slot is not None and engine._slot.closing is None:
            _schedule_coro(engine.close_spider_async(reason="fault"))
