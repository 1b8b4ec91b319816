"""What callbacks yield, on its way into the frontier: judged at once, added by one task in batches."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from scrapy import Request, Spider

from archiver import urls
from archiver.crawl.callbacks import Callbacks, wanted_of
from archiver.crawl.meta import META, ArchiverMeta
from archiver.engine.rows import discovered_entries
from archiver.model import Candidate, Objection, Outlink
from archiver.ports import Frontier, Gateway

logger = logging.getLogger(__name__)

_SECRETS = frozenset({b"cookie", b"authorization", b"proxy-authorization"})


class CannotKeep(ValueError):
    """A request that the frontier cannot hold; the message says which part of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeTools:
    """`check` is the job's scope; `added` is called when the frontier has something new, `failed` with a fault."""

    frontier: Frontier
    gateway: Gateway
    check: Callable[[Candidate], Objection | None]
    added: Callable[[], None]
    failed: Callable[[BaseException], None]


class Intake:
    """`offer` is synchronous, as Scrapy's scheduler wants it. To be closed before the job's run is finished."""

    def __init__(self, tools: IntakeTools, callbacks: Callbacks) -> None:
        self._t = tools
        self._callbacks = callbacks
        self._offered: list[Outlink] = []
        self._news = asyncio.Event()
        self._task = asyncio.get_running_loop().create_task(self._run())

    @property
    def waiting(self) -> bool:
        """Whether something is on its way."""
        return bool(self._offered)

    def offer(self, request: Request, spider: Spider) -> bool:
        """False: refused, and said why: the scope's no in the ledger, what cannot be kept in the log.

        Raises DiskError.
        """
        try:
            candidate = candidate_of(request)
            wanted = wanted_of(request, spider)
        except ValueError as error:
            logger.error("archiver: %s is not followed: %s", urls.redacted(request.url), error)
            return False
        objection = self._t.check(candidate)
        if objection is None and wanted is not None:
            self._callbacks.keep(candidate.key, wanted)
        self._offered.append(Outlink(candidate=candidate, objection=objection))
        self._news.set()
        return objection is None

    async def close(self) -> None:
        """What was offered is in the frontier when this returns."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self._flush()

    async def _run(self) -> None:
        try:
            while True:
                await self._news.wait()
                self._news.clear()
                await asyncio.shield(self._flush())
        except Exception as fault:
            self._t.failed(fault)

    async def _flush(self) -> None:
        batch = list(self._offered)
        if not batch:
            return
        fresh = await self._t.frontier.add(batch)
        self._t.gateway.tell(discovered_entries(batch, fresh))
        del self._offered[: len(batch)]
        self._t.added()


def candidate_of(request: Request) -> Candidate:
    """A callback's request as a link of the page it was found on. Raises CannotKeep."""
    if request.method != "GET" or request.body:
        raise CannotKeep(f"method {request.method} or a body: a page of an archive is what GET gives")
    if request.cookies or any(name.lower() in _SECRETS for name in request.headers):
        raise CannotKeep("cookies or credentials: the frontier does not keep secrets")
    url = urls.parse(request.url)
    if url is None:
        raise CannotKeep("not a URL")
    meta = request.meta.get(META)
    via = meta.via if isinstance(meta, ArchiverMeta) else None
    return Candidate(
        url=url.url,
        key=url.key,
        origin=url.origin,
        depth=via.depth + 1 if via is not None else 0,
        via=via.url if via is not None else None,
        path=via.path + "L" if via is not None else "",
        headers=tuple((name, value) for name, values in request.headers.items() for value in values),
    )
