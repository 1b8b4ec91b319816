"""A visit's place in the browser, of which there are few."""

from __future__ import annotations

import asyncio


class BrowserPlace:
    """One a visit. Taken before the document is asked for, where it will be needed: a document that waits for the
    browser grows old, and would have to be asked for again (decision 6)."""

    def __init__(self, at_once: asyncio.Semaphore) -> None:
        self._at_once = at_once
        self._held = False

    async def take(self) -> None:
        """Wait for it; at once where it is held already."""
        if not self._held:
            await self._at_once.acquire()
            self._held = True

    def give(self) -> None:
        """Idempotent."""
        if self._held:
            self._held = False
            self._at_once.release()
