"""What a page shows and has stored, from all of its frames: one look, one reading of its state."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
from playwright.async_api import Error

from archiver.browser.consent_frames import CALL_SECONDS, Frames, Spot, script
from archiver.browser.steps import OnPage
from archiver.policy import consent as rules
from archiver.policy import consent_traces as traces
from archiver.policy.consent import Notice
from archiver.policy.consent_state import State

API_SECONDS = 0.25
_API = script("consent_api.js")


@dataclass(slots=True)
class Seen:
    """One look at all frames."""

    spots: list[Spot] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    traces: list[str] = field(default_factory=list)
    locked: bool = False
    candidates: int = 0


class Sight:
    """Of one page. Nothing here changes it."""

    def __init__(self, on: OnPage) -> None:
        self.on = on
        self.frames = Frames(on.page, on.session)
        self.traces: list[str] = []
        self.api: dict[str, Any] = {}

    async def look(self) -> Seen:
        seen = Seen()
        with contextlib.suppress(Error, TimeoutError):
            seen.spots = await self.frames.spots()
        told = await asyncio.gather(*(self._look_into(spot) for spot in seen.spots))
        for spot, one in zip(seen.spots, told):
            if one is None:
                continue
            found = [rules.notice_of(notice, frame=spot.index) for notice in one["notices"]]
            seen.notices += [notice for notice in found if rules.is_notice(notice)]
            seen.candidates += len(found)
            seen.traces += one["traces"]
            if spot.index == 0:
                seen.locked = bool(one["locked"])
        self.traces += [trace for trace in seen.traces if trace not in self.traces]
        return seen

    async def _look_into(self, spot: Spot) -> Mapping[str, Any] | None:
        asked = {"words": rules.words_for_page(), "marks": traces.for_page()}
        with contextlib.suppress(Error, TimeoutError):
            told: Mapping[str, Any] = await spot.call("look", asked)
            if told["hosts"] and not told["notices"] and await spot.adopt_closed():
                told = await spot.call("look", asked)
            return told
        return None

    async def ask_api(self) -> dict[str, Any]:
        """In the page's own world: what its interfaces say. Empty when it does not answer."""
        asked = f"({_API})({_json({'globals': list(traces.GLOBALS), 'most': API_SECONDS * 1000})})"
        with contextlib.suppress(Error, TimeoutError):
            async with asyncio.timeout(CALL_SECONDS):
                answer = await self.on.session.send(
                    "Runtime.evaluate", {"expression": asked, "awaitPromise": True, "returnByValue": True}
                )
            return dict(answer["result"].get("value") or {})
        return {}

    async def state(self) -> State:
        """Cookies, storage and interfaces of all frames, now."""
        api = self.ask_api() if self.api.get("globals") else _nothing()
        spots, told, cookies = await asyncio.gather(self.spots(), api, self._hidden_cookies())
        found = dict(cookies)
        stored = await asyncio.gather(*(spot.call("state") for spot in spots), return_exceptions=True)
        for one in stored:
            if isinstance(one, Mapping):
                found.update({f"{one['origin']} {key}": value for key, value in one["entries"].items()})
        found.update({f"{self.on.page.url} api:{name}": value for name, value in told.get("api", {}).items()})
        return State(entries=found)

    async def spots(self) -> list[Spot]:
        with contextlib.suppress(Error, TimeoutError):
            return await self.frames.spots()
        return []

    async def _hidden_cookies(self) -> dict[str, str]:
        """Those that scripts cannot read: a server may keep the choice in them."""
        with contextlib.suppress(Error):
            found = await self.on.page.context.cookies()
            return {
                f"{one.get('domain', '')} cookie:{one.get('name', '')}": str(one.get("value", ""))[:6_000]
                for one in found
                if one.get("httpOnly")
            }
        return {}

    async def cut(self) -> str | None:
        """The main document without the notices that were met; None when nothing of them is left in it."""
        spots = await self.spots()
        found: str | None = await spots[0].call("cut") if spots else None
        return found


async def _nothing() -> dict[str, Any]:
    return {}


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()
