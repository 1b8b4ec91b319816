"""Scrapy's scheduler on our frontier: `next_request` pops what one task keeps filled (decision 4)."""

from __future__ import annotations

import asyncio
from collections import deque

from scrapy import Request, Spider
from scrapy.core.scheduler import BaseScheduler
from scrapy.crawler import Crawler

from archiver.crawl.meta import META, ArchiverMeta
from archiver.crawl.runtime import Runtime
from archiver.crawl.setup import runtime_for
from archiver.model import Claim


class FrontierScheduler(BaseScheduler):
    """Requests come from the frontier alone. What a callback yields is enqueued there, within the job's scope."""

    def __init__(self, crawler: Crawler, runtime: Runtime) -> None:
        self._crawler = crawler
        self._runtime = runtime
        self._ready: deque[Request] = deque()
        self._room = asyncio.Semaphore(runtime.config.pace.concurrency)
        self._in_hand = 0
        self._more = True
        self._refill: asyncio.Task[None] | None = None

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> FrontierScheduler:
        return cls(crawler, runtime_for(crawler, own_scheduler=True))

    def open(self, spider: Spider) -> None:
        self._refill = asyncio.get_running_loop().create_task(self._fill())

    def close(self, reason: str) -> None:
        """The runtime gives claims back; here only the filling ends."""
        if self._refill is not None:
            self._refill.cancel()

    def has_pending_requests(self) -> bool:
        return self._more or bool(self._ready)

    def enqueue_request(self, request: Request) -> bool:
        """A callback's own request is not ours to schedule: pages come from the frontier, with their links."""
        return False

    def next_request(self) -> Request | None:
        return self._ready.popleft() if self._ready else None

    async def _fill(self) -> None:
        try:
            await self._runtime.session()
            source = self._runtime.source
            assert source is not None
            while True:
                await self._room.acquire()
                claim = await source.next()
                if claim is None:
                    return
                self._ready.append(self._request(claim))
                self._poke()
        except Exception as fault:
            self._runtime.fault = fault
        finally:
            self._more = False
            self._poke()

    def _request(self, claim: Claim) -> Request:
        candidate = claim.candidate
        meta = {META: ArchiverMeta(claim=claim), "depth": candidate.depth}
        return Request(candidate.url, callback=None, meta=meta, dont_filter=True)

    def finished(self) -> None:
        """The handler is done with a claim: there is room for another."""
        self._room.release()

    def _poke(self) -> None:
        """The engine looks by itself only every five seconds."""
        engine = self._crawler.engine
        slot = engine._slot if engine is not None else None
        if slot is not None and slot.closing is None:
            slot.nextcall.schedule()
