"""Every document of a page, those of other sites too, and our look into each, from a world that no page sees."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from playwright.async_api import BrowserContext, CDPSession, Error, Frame, Page

from archiver.browser.world import WORLD

MOST_FRAMES = 12
CALL_SECONDS = 3.0


def script(name: str) -> str:
    return files("archiver.browser").joinpath("js", name).read_text("utf-8")


LOOK = script("consent_look.js")


@dataclass(slots=True)
class Spot:
    """One document: its CDP session, the context of our world in it, which document it is (`loader`)."""

    index: int
    session: CDPSession
    frame_id: str
    loader: str
    context: int = 0

    async def call(self, name: str, argument: Any = None, *, seconds: float = CALL_SECONDS) -> Any:
        """Raises Error and TimeoutError: the document went away, or hangs."""
        return await self._run(LOOK, [{"value": name}, {"value": argument}], seconds=seconds)

    async def _run(
        self, function: str, arguments: Sequence[dict[str, Any]], *, seconds: float, value: bool = True
    ) -> Any:
        async with asyncio.timeout(seconds):
            answer = await self.session.send(
                "Runtime.callFunctionOn",
                {
                    "functionDeclaration": function,
                    "executionContextId": self.context,
                    "arguments": list(arguments),
                    "awaitPromise": True,
                    "returnByValue": value,
                },
            )
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise Error(str(details.get("exception", {}).get("description", details.get("text", "threw")))[:300])
        return answer["result"].get("value") if value else answer["result"].get("objectId")

    async def enter(self) -> None:
        made = await self.session.send("Page.createIsolatedWorld", {"frameId": self.frame_id, "worldName": WORLD})
        self.context = made["executionContextId"]

    async def adopt_closed(self) -> int:
        """Closed shadow roots, which DevTools alone can open, are handed to the look. How many there were."""
        hosts = await self._run(f"() => ({LOOK})('').hosts()", [], seconds=CALL_SECONDS, value=False)
        listed = await self.session.send("Runtime.getProperties", {"objectId": hosts, "ownProperties": True})
        found = [one["value"]["objectId"] for one in listed["result"] if one["name"].isdigit() and "value" in one]
        return sum(await asyncio.gather(*map(self._adopt, found)))

    async def _adopt(self, host: str) -> int:
        told = await self.session.send("DOM.describeNode", {"objectId": host, "depth": 0, "pierce": True})
        closed = [root for root in told["node"].get("shadowRoots", ()) if root.get("shadowRootType") == "closed"]
        for root in closed:
            asked = {"backendNodeId": root["backendNodeId"], "executionContextId": self.context}
            node = (await self.session.send("DOM.resolveNode", asked))["object"]["objectId"]
            await self._run(
                f"(host, root) => ({LOOK})('').adopt(host, root)", [{"objectId": host}, {"objectId": node}], seconds=3.0
            )
        return len(closed)


class Frames:
    """Of one page. Sessions of frames of other sites are kept while the frames live."""

    def __init__(self, page: Page, session: CDPSession) -> None:
        self._page = page
        self._session = session
        self._others: dict[Frame, CDPSession | None] = {}

    async def spots(self) -> list[Spot]:
        """The main document first. Those that are going away are left out. Raises Error when the page is gone."""
        found = _listed(await self._session.send("Page.getFrameTree"))
        spots = [(self._session, *one) for one in found]
        if len(self._page.frames) > len(found):
            for session in await self._of_other_sites():
                with contextlib.suppress(Error):
                    spots += [(session, *one) for one in _listed(await session.send("Page.getFrameTree"))]
        made = [Spot(index, *one) for index, one in enumerate(spots[:MOST_FRAMES])]
        entered = await asyncio.gather(*(spot.enter() for spot in made), return_exceptions=True)
        return [spot for spot, failed in zip(made, entered) if failed is None]

    async def _of_other_sites(self) -> list[CDPSession]:
        context: BrowserContext = self._page.context
        for frame in self._page.frames[1 : MOST_FRAMES * 2]:
            if not self._others.get(frame):
                try:
                    self._others[frame] = await context.new_cdp_session(frame)
                except Error:  # lives in the process of the page: its own tree has it
                    self._others[frame] = None
        live = set(self._page.frames)
        self._others = {frame: session for frame, session in self._others.items() if frame in live}
        return [session for session in self._others.values() if session is not None]


def _listed(tree: dict[str, Any]) -> list[tuple[str, str]]:
    """(frame id, loader id), parents first."""
    found, waiting = [], [tree["frameTree"]]
    while waiting:
        node = waiting.pop(0)
        found.append((node["frame"]["id"], node["frame"].get("loaderId", "")))
        waiting += node.get("childFrames", ())
    return found
