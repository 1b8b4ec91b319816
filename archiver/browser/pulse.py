"""Whether a page still answers. One whose scripts never end is told to end them; one that stays deaf is given up.

V8 ends scripts from another thread (`Runtime.terminateExecution`), so what such a page holds can still be kept.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from playwright.async_api import CDPSession, Error

BEAT = 1.0
PATIENCE = 10.0
"""Seconds without an answer after which a page counts as hung: layout of a huge document takes some of them."""
ENDINGS = 3


class Pulse:
    """For one rendering. `endings` counts how often scripts were ended; `deaf` is called when that did not help."""

    def __init__(self, session: CDPSession, patience: float, deaf: Callable[[], None]) -> None:
        self._session = session
        self._patience = patience
        self._deaf = deaf
        self.endings = 0

    async def run(self) -> None:
        """Until cancelled, or the page is gone or deaf."""
        while True:
            await asyncio.sleep(BEAT)
            while not await self._answers(self._patience if self.endings == 0 else BEAT):
                if self.endings >= ENDINGS:
                    self._deaf()
                    return
                self.endings += 1
                await end_scripts(self._session)

    async def _answers(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await self._session.send("Runtime.evaluate", {"expression": "1"})
        except TimeoutError:
            return False
        except Error:
            await asyncio.sleep(BEAT)  # between two documents, or gone: then somebody else ends this
        return True


async def end_scripts(session: CDPSession) -> None:
    """End what runs in the page now; timers and handlers of it go on. Never raises."""
    with contextlib.suppress(Error, TimeoutError):
        async with asyncio.timeout(BEAT):
            await session.send("Runtime.terminateExecution")
