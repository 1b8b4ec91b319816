"""Add-on mode: a foreign project's request as a candidate, one recorded exchange each."""

from __future__ import annotations

import logging

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.utils.defer import _schedule_coro

from archiver import urls
from archiver.crawl.meta import ArchiverNotVisited, refused
from archiver.crawl.runtime import Runtime
from archiver.engine.single import Single, SingleTools
from archiver.errors import UsageError
from archiver.model import Candidate, Decision, Fetched, Origin, Reason, Verdict

logger = logging.getLogger(__name__)

_NOBODY = Origin(scheme="https", host="invalid", port=443)


class Foreign:
    """Fetches for a project whose scheduler, dupe filter and middlewares are its own."""

    def __init__(self, crawler: Crawler, runtime: Runtime) -> None:
        self._crawler = crawler
        self._runtime = runtime
        self._single: Single | None = None
        self._warned = False
        runtime.on_fault = self._end

    async def fetch(self, request: Request) -> Fetched:
        """Raises ArchiverRefused, and ArchiverNotVisited for what had not begun when the spider was closed."""
        work = await self._runtime.session()
        if self._single is None:
            policy = self._runtime.config.policy.label
            self._single = Single(SingleTools(gateway=work.gate, budget=work.budget, clock=work.clock, policy=policy))
        if request.meta.get("proxy") and not self._warned:
            self._warned = True
            logger.warning("archiver: proxies are not used; the addresses that are dialled must be the ones checked")
        try:
            candidate = candidate_of(request)
        except UsageError as error:
            raise refused(await self._unfit(request, self._single, str(error))) from None
        try:
            fetched = await self._single.fetch(candidate, given_up=self._is_closing)
        except Exception as fault:
            self._runtime.give_up(fault)
            raise
        if fetched is None:
            self._keep_for_later(request)
            raise ArchiverNotVisited("the spider is closing; this request had not begun")
        return fetched

    def limit_of(self, request: Request) -> int:
        """DOWNLOAD_MAXSIZE as Scrapy reads it: bytes after decoding, 0 = none."""
        limit = request.meta.get("download_maxsize", self._crawler.settings.getint("DOWNLOAD_MAXSIZE"))
        return int(limit) or self._runtime.config.limits.max_body_size

    def fails_on_data_loss(self, request: Request) -> bool:
        default = self._crawler.settings.getbool("DOWNLOAD_FAIL_ON_DATALOSS")
        return bool(request.meta.get("download_fail_on_dataloss", default))

    async def _unfit(self, request: Request, single: Single, why: str) -> Decision:
        """A URL that is not even asked about; told under its redacted form."""
        secret = urls.has_credentials(request.url)
        reason = Reason.CREDENTIALS_IN_URL if secret else Reason.UNSUPPORTED_SCHEME
        decision = Decision(verdict=Verdict.REFUSE, reason=reason, rule=why, policy=self._runtime.config.policy.label)
        url = urls.redacted(request.url)
        await single.refuse(Candidate(url=url, key=url, origin=_NOBODY, seed=True), decision)
        return decision

    def _is_closing(self) -> bool:
        slot = self._crawler.engine._slot
        return self._runtime.fault is not None or slot is None or slot.closing is not None

    def _keep_for_later(self, request: Request) -> None:
        """With a JOBDIR the project's scheduler gets it back, so that a resumed crawl asks for it."""
        scheduler = self._crawler.engine.scheduler
        if scheduler is not None and self._crawler.settings.get("JOBDIR"):
            scheduler.enqueue_request(request.replace(dont_filter=True))

    def _end(self) -> None:
        """A fault of ours: close the spider; what was captured is kept, and the next run salvages what was open."""
        engine = self._crawler.engine
        if engine.running and engine._slot is not None and engine._slot.closing is None:
            _schedule_coro(engine.close_spider_async(reason="fault"))


def candidate_of(request: Request) -> Candidate:
    """A foreign project's request as a candidate: a seed, since its scope is what it asks for. Raises UsageError for
    a URL that is no http(s) URL, or that holds a password."""
    url = urls.of(urls.seed_url(request.url))
    headers = tuple(
        (name, value)
        for name, values in request.headers.items()
        if not name.lower().startswith(b"proxy-")
        for value in values
    )
    return Candidate(
        url=url.url,
        key=url.key,
        origin=url.origin,
        method=request.method,
        headers=headers,
        body=request.body,
        seed=True,
        depth=int(request.meta.get("depth", 0)),
    )
