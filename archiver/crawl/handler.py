"""The download handler: Scrapy's request becomes a visit (our crawls) or one recorded exchange (add-on mode)."""

from __future__ import annotations

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.http import Response

from archiver import urls
from archiver.crawl.meta import META, ArchiverMeta, ArchiverNotVisited, ArchiverRefused
from archiver.crawl.response import to_response
from archiver.crawl.runtime import Runtime
from archiver.crawl.scheduler import FrontierScheduler
from archiver.crawl.setup import runtime_for
from archiver.engine.single import fetch_single
from archiver.errors import CaptureError
from archiver.model import Candidate, Fetched, Kind

BODY_LIMIT = 64 << 20


class GatewayHandler:
    """Implements Scrapy's DownloadHandlerProtocol for http and https."""

    lazy = True

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        own = crawler.settings.get("SCHEDULER") == "archiver.crawl.scheduler.FrontierScheduler"
        self._runtime: Runtime = runtime_for(crawler, own_scheduler=own)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> GatewayHandler:
        return cls(crawler)

    async def download_request(self, request: Request) -> Response:
        """Raises ArchiverRefused, ArchiverNotVisited (both IgnoreRequest), CaptureError for a fault of the site."""
        meta = request.meta.get(META)
        if isinstance(meta, ArchiverMeta) and meta.claim is not None:
            return await self._visit(request, meta)
        return await self._single(request)

    async def close(self) -> None:
        """The run is closed with the spider, so that its files are stored before the process ends."""

    async def _visit(self, request: Request, meta: ArchiverMeta) -> Response:
        work = await self._runtime.session()
        source = self._runtime.source
        assert source is not None and meta.claim is not None
        page = None
        try:
            attempt = await work.worker.attempt(meta.claim)
            page = attempt.page
        except BaseException as fault:
            self._give_up(fault)
            raise
        finally:
            source.done(page)
            scheduler = self._crawler.engine.scheduler if self._crawler.engine else None
            if isinstance(scheduler, FrontierScheduler):
                scheduler.finished()
        if page is None or attempt.document is None:
            raise ArchiverNotVisited("given back to the frontier")
        meta.page, meta.decision = page, page.decision
        self._runtime.tell(page)
        return self._response(request, attempt.document, decoded=True)

    def _give_up(self, fault: BaseException) -> None:
        """A full disk or a broken ledger ends the crawl; the site's own faults never come here."""
        self._runtime.fault = self._runtime.fault or fault
        self._runtime_stop()

    def _runtime_stop(self) -> None:
        engine = self._crawler.engine
        if engine is not None and engine.running and engine._slot is not None and engine._slot.closing is None:
            from scrapy.utils.defer import _schedule_coro

            _schedule_coro(engine.close_spider_async(reason="fault"))

    async def _single(self, request: Request) -> Response:
        work = await self._runtime.session()
        fetched = await fetch_single(work.gate, work.budget, candidate_of(request), clock=work.clock)
        request.meta[META] = ArchiverMeta(decision=fetched.decision)
        return self._response(request, fetched, decoded=False)

    def _response(self, request: Request, fetched: Fetched, *, decoded: bool) -> Response:
        if fetched.failure is not None:
            raise CaptureError(fetched.failure.code.value, fetched.failure.message)
        if fetched.exchange is None:
            raise ArchiverRefused(fetched.decision)
        return to_response(request, fetched.candidate.url, fetched.exchange, limit=BODY_LIMIT, decoded=decoded)


def candidate_of(request: Request) -> Candidate:
    """A foreign project's request as a candidate. Raises UsageError for a URL that is no http(s) URL."""
    url = urls.seed_url(request.url)
    headers = tuple((name, value) for name, values in request.headers.items() for value in values)
    return Candidate(
        url=url,
        key=urls.canonical(url),
        origin=urls.origin_of(url),
        kind=Kind.DOCUMENT,
        method=request.method,
        headers=headers,
        body=request.body,
        seed=True,
        depth=int(request.meta.get("depth", 0)),
    )
