"""The download handler: Scrapy's request becomes a visit (our crawls) or one recorded exchange (add-on mode)."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import DownloadCancelledError, ResponseDataLossError
from scrapy.http import Response

from archiver.crawl.faults import exception_of
from archiver.crawl.foreign import Foreign
from archiver.crawl.meta import META, ArchiverMeta, ArchiverNotVisited, refused
from archiver.crawl.response import DATA_LOSS, OFF_LOOP, Reading, to_receipt, to_response
from archiver.crawl.scheduler import FrontierScheduler
from archiver.crawl.setup import runtime_for
from archiver.engine.worker import Attempt
from archiver.model import Claim, Fetched


class GatewayHandler:
    """Implements Scrapy's DownloadHandlerProtocol for http and https."""

    lazy = True

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._runtime = runtime_for(crawler)
        self._foreign = None if self._runtime.own_scheduler else Foreign(crawler, self._runtime)
        self._reading = Reading(decoded=crawler.settings.getbool("COMPRESSION_ENABLED"))
        self._reads_pages = bool(getattr(crawler.spider, "reads_pages", True))

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> GatewayHandler:
        return cls(crawler)

    async def download_request(self, request: Request) -> Response:
        """Raises ArchiverRefused, ArchiverDeferred, ArchiverNotVisited (all IgnoreRequest), or for a fault of the site
        what Scrapy's own handlers raise (`faults`)."""
        if self._foreign is not None:
            return await self._single(request, self._foreign)
        meta = request.meta.get(META)
        if not isinstance(meta, ArchiverMeta) or meta.claim is None:
            # engine.download_async() in our own crawl: it would be fetched outside of any visit.
            raise ArchiverNotVisited("requests of this crawl come from its frontier alone; yield it from a callback")
        return await self._visit(request, meta, meta.claim)

    async def close(self) -> None:
        """The run is closed with the spider, so that its files are stored before the process ends."""

    async def _visit(self, request: Request, meta: ArchiverMeta, claim: Claim) -> Response:
        attempt = await self._attempt(claim)
        self._bind(request, claim)
        if attempt.page is None or attempt.document is None:
            raise ArchiverNotVisited("given back to the frontier, or had by another visit of the job")
        meta.page, meta.decision = attempt.page, attempt.page.decision
        meta.document = attempt.document.candidate
        self._runtime.tell(attempt.page)
        fetched, failure = attempt.document, attempt.page.failure
        if failure is not None and fetched.exchange is not None:  # a challenge: its answer is no page to parse
            raise exception_of(failure)
        if request.callback is None and not self._reads_pages and fetched.exchange is not None:
            return to_receipt(request, fetched.candidate.url, fetched.exchange)
        return await self._response(request, fetched, self._reading)

    async def _attempt(self, claim: Claim) -> Attempt:
        """A fault of ours (a full disk) ends the crawl; what the site does wrong is in the attempt."""
        work = await self._runtime.session()
        job = self._runtime.job
        assert job is not None
        page = None
        try:
            attempt = await work.worker.attempt(claim)
            page = attempt.page
            return attempt
        except Exception as fault:
            self._runtime.give_up(fault)
            raise ArchiverNotVisited("the crawl was ended by a fault") from fault
        finally:
            job.source.done(claim, page)
            scheduler = self._crawler.engine.scheduler
            if isinstance(scheduler, FrontierScheduler):
                scheduler.finished()

    def _bind(self, request: Request, claim: Claim) -> None:
        """As late as can be: a callback may ask for a URL that its page's visit has already put into the frontier."""
        job, spider = self._runtime.job, self._crawler.spider
        wanted = job.callbacks.of(claim.candidate.key) if job is not None else None
        if wanted is not None and spider is not None:
            wanted.apply(request, spider)

    async def _single(self, request: Request, foreign: Foreign) -> Response:
        fetched = await foreign.fetch(request)
        request.meta[META] = ArchiverMeta(decision=fetched.decision, document=fetched.candidate)
        if fetched.exchange is not None:
            request.meta["download_latency"] = fetched.exchange.first_byte_seconds
        limit = foreign.limit_of(request)
        response = await self._response(request, fetched, replace(self._reading, limit=limit))
        if "truncated:length" in response.flags:
            raise DownloadCancelledError(f"{request.url}: longer than {limit} bytes (DOWNLOAD_MAXSIZE)")
        if DATA_LOSS in response.flags and foreign.fails_on_data_loss(request):
            raise ResponseDataLossError(f"{request.url}: {', '.join(response.flags)}")
        return response

    async def _response(self, request: Request, fetched: Fetched, reading: Reading) -> Response:
        if fetched.failure is not None:
            raise exception_of(fetched.failure)
        if fetched.exchange is None:
            raise refused(fetched.decision)
        url, exchange = fetched.candidate.url, fetched.exchange
        if exchange.entity_size > OFF_LOOP:
            return await asyncio.to_thread(to_response, request, url, exchange, reading)
        return to_response(request, url, exchange, reading)
