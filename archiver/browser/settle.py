"""When a page has come to rest: no request in flight, no change of the DOM, for a moment. Never a fixed wait."""

from __future__ import annotations

import asyncio
import contextlib

from playwright.async_api import CDPSession, Error

from archiver.browser.world import call
from archiver.ports.browser import Activity

NETWORK_QUIET = 0.25
DOM_QUIET = 0.2
DOM_PATIENCE = 3.0
"""A document that changes on and on while nothing is fetched (a clock, an animation) is not waited for any longer."""
_STEP = 0.03

# in a world of its own, so that the page sees nothing of it
_UNTIL_QUIET = """(quiet, most) => new Promise(done => {
  const end = calm => { watch.disconnect(); clearTimeout(short); clearTimeout(long); done(calm); };
  let short = setTimeout(end, quiet, true);
  const long = setTimeout(end, most, false);
  const real = one => one.type !== 'attributes' ||
    one.oldValue !== one.target.getAttributeNS(one.attributeNamespace, one.attributeName);
  const watch = new MutationObserver(all => {
    if (all.some(real)) { clearTimeout(short); short = setTimeout(end, quiet, true); }
  });
  watch.observe(document, {childList: true, subtree: true, attributeOldValue: true, characterData: true});
})"""


class Settling:
    """For one page. `session` is its CDP session; a frame that goes away in between counts as a change."""

    def __init__(self, session: CDPSession, activity: Activity) -> None:
        self._session = session
        self._activity = activity

    async def wait(self, seconds: float) -> bool:
        """Until both are at rest at one time; False when that did not happen within `seconds`."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while (left := deadline - loop.time()) > 0:
            if not await self._network(left):
                return False
            calm = await self._dom(min(DOM_PATIENCE, max(0.05, deadline - loop.time())))
            if self._activity.idle_for() >= NETWORK_QUIET:
                return calm
        return False

    async def _network(self, seconds: float) -> bool:
        """Quiet so long that after the DOM's moment it will have been quiet for its own."""
        deadline = asyncio.get_running_loop().time() + seconds
        while self._activity.idle_for() < NETWORK_QUIET - DOM_QUIET:
            if asyncio.get_running_loop().time() >= deadline:
                return False
            await asyncio.sleep(_STEP)
        return True

    async def _dom(self, seconds: float) -> bool:
        """True when the main document did not change for a moment."""
        with contextlib.suppress(Error, TimeoutError):
            calm = await call(self._session, _UNTIL_QUIET, DOM_QUIET * 1000, seconds * 1000, seconds=seconds + 1.0)
            return bool(calm)
        await asyncio.sleep(_STEP)
        return False
