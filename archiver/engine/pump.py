"""The plain asyncio driver: claim, visit, complete, until nothing is left or a limit is met."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from archiver.engine.source import ClaimSource, Tally
from archiver.engine.worker import Worker
from archiver.model import Page

OnPage = Callable[[Page], None]


class Pump:
    """`concurrency` visits at a time over all hosts; one at a time a host is the frontier's and the budget's doing."""

    def __init__(self, source: ClaimSource, worker: Worker) -> None:
        self._source = source
        self._worker = worker

    async def run(self, on_page: OnPage, *, concurrency: int) -> Tally:
        """Raises what a worker raised (DiskError, LedgerError ...), after the other visits were given up."""
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(concurrency):
                    group.create_task(self._work(on_page))
        except BaseExceptionGroup as failed:
            raise first_of(failed) from failed
        finally:
            await self._source.give_back()
        return self._source.tally

    async def _work(self, on_page: OnPage) -> None:
        while (claim := await self._source.next()) is not None:
            page = None
            try:
                page = (await self._worker.attempt(claim)).page
            finally:
                self._source.done(claim, page)
            if page is not None:
                on_page(page)


def first_of(failed: BaseExceptionGroup[BaseException]) -> BaseException:
    """The fault that ended the run, out of the groups that asyncio wraps it in."""
    inner = failed.exceptions[0]
    return first_of(inner) if isinstance(inner, BaseExceptionGroup) else inner
