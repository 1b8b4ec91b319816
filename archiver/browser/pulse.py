"""Whether a page still answers. One whose scripts never end is told to end them; one that stays deaf is given up.

V8 ends scripts from another thread (`Runtime.terminateExecution`), so what such a page holds can still be kept.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from playwright.async_api import CDPSession

BEAT = 1.0
PATIENCE = 10.0
"""Seconds without an answer after which a page counts as hung: layout of a huge document takes some of them."""
ENDINGS = 3


class Pulse:
    """For one rendering. `endings` counts how often scripts were ended; `deaf` is called when that did not help.

    While the next document is being fetched, Chromium holds back what is asked of the page: silence means nothing as
    long as the network is `busy`.
    """

    def __init__(
        self,
        session: CDPSession,
        *,
        patience: float,
        alive: Callable[[], bool],
        busy: Callable[[], bool],
        deaf: Callable[[], None],
    ) -> None:
        self._session = session
        self._patience = patience
        self._alive = alive
        self._busy = busy
        self._deaf = deaf
        self._beating: asyncio.Task[None] | None = None
        self.endings = 0

    def start(self) -> None:
        self._beating = asyncio.get_running_loop().create_task(self._beat())

    def stop(self) -> None:
        if self._beating is not None:
            self._beating.cancel()

    async def _beat(self) -> None:
        """Until stopped, or the page is deaf."""
        while True:
            await asyncio.sleep(BEAT)
            if not self._alive():
                self._deaf()
                return
            while not await self._answers(self._patience if self.endings == 0 else BEAT):
                if self._busy():
                    continue
                if self.endings >= ENDINGS:
                    self._deaf()
                    return
                self.endings += 1
                await end_scripts(self._session)

    async def wake(self) -> None:
        """Give up a next document that does not come, so that the present one can be looked at. Never raises."""
        if not await self._answers(BEAT):
            with contextlib.suppress(Exception):
                async with asyncio.timeout(BEAT):
                    await self._session.send("Page.stopLoading")

    async def _answers(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._session.send("Runtime.evaluate", {"expression": "1"})
        except TimeoutError:
            return False
        except Exception:  # between two documents, or gone, or the driver is: Playwright raises a plain one then
            await asyncio.sleep(BEAT)
        return True


async def end_scripts(session: CDPSession) -> None:
    """End what runs in the page now; timers and handlers of it go on. Never raises."""
    with contextlib.suppress(Exception):
        async with asyncio.timeout(BEAT):
            await session.send("Runtime.terminateExecution")
