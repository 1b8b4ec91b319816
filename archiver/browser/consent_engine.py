"""The rules at work in the frames of one page: what they found, and a refusal when policy says so.

Messages pass through an object that the DevTools session alone holds: the page has no name for it, so that it can
neither see nor forge them, whatever its content security policy says, and a navigation ends it with its document.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from playwright.async_api import Error, Frame, JSHandle, Page

from archiver.browser.consent_frames import script
from archiver.browser.consent_package import Package
from archiver.policy.consent_traces import nature_of, rules_for

DETECT_SECONDS = 1.5
ACT_SECONDS = 15.0
MOST_FRAMES = 8
_GLUE = script("consent_engine.js")


@functools.lru_cache(maxsize=2)
def _source(code: str) -> str:
    return _GLUE.replace("/*ENGINE*/", "(function (module, exports) {" + code + "\n})(module, module.exports);")


@dataclass(slots=True, eq=False)
class Ruled:
    """One frame in which the rules run."""

    frame: Frame
    handle: JSHandle
    popup: str = ""
    detected: list[str] = field(default_factory=list)
    told: list[Mapping[str, Any]] = field(default_factory=list)

    async def listen(self, until: frozenset[str], seconds: float) -> Mapping[str, Any] | None:
        """The first message of one of these types; None when none came, or the document went away."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        with contextlib.suppress(Error, TimeoutError):
            while (left := end - loop.time()) > 0:
                async with asyncio.timeout(left + 1.0):
                    said: list[dict[str, Any]] = await self.handle.evaluate(
                        "(one, most) => one.next(most)", left * 1000
                    )
                found = [message for message in said if self._note(message) in until]
                if found:
                    return found[0]
        return None

    def _note(self, message: Mapping[str, Any]) -> str:
        kind = str(message.get("type", ""))
        if kind == "cmpDetected":
            self.detected.append(str(message["cmp"]))
        elif kind == "popupFound":
            self.popup = self.popup or str(message["cmp"])
        elif len(self.told) < 20:
            self.told.append(message)
        return kind


class Engine:
    """Of one page. `package` None = no rules: nothing is ever found."""

    def __init__(self, page: Page, package: Package | None, *, cosmetic: bool) -> None:
        self._page = page
        self._package = package
        self._cosmetic = cosmetic
        self._running: dict[Frame, Ruled] = {}
        self.handled: list[str] = []
        self.detected: list[str] = []

    async def look(self) -> list[Ruled]:
        """Run the rules in every frame; those in which a notice of a known library is open."""
        if self._package is None:
            return []
        frames = [frame for frame in self._page.frames if frame.url.startswith("http")][:MOST_FRAMES]
        ruled = await asyncio.gather(*(self._start(frame) for frame in frames))
        for one in ruled:
            if one is not None:
                self.detected += [name for name in one.detected if name not in self.detected]
        return [one for one in ruled if one is not None and one.popup]

    async def _start(self, frame: Frame) -> Ruled | None:
        assert self._package is not None
        main = frame is self._page.main_frame
        rules = rules_for(self._package.rules, frame.url, main=main, cosmetic=self._cosmetic)
        with contextlib.suppress(Error, TimeoutError):
            async with asyncio.timeout(DETECT_SECONDS * 2):
                handle = await frame.evaluate_handle(_source(self._package.script))
                started = Ruled(frame, handle)
                config = {**_CONFIG, "enableCosmeticRules": self._cosmetic, "disabledCmps": self.handled}
                said = orjson.dumps({"autoconsent": rules}).decode()
                await handle.evaluate("(one, [config, rules]) => one.start(config, rules)", [config, said])
                self._running[frame] = started
            await started.listen(frozenset({"popupFound", "report"}), DETECT_SECONDS)
            return started
        return None

    async def act(self, ruled: Ruled, what: str) -> bool | None:
        """Let the rule run: `optOut` or `optIn`. Its own word whether its steps ran; None = it never said."""
        self.handled.append(ruled.popup)
        with contextlib.suppress(Error):
            await ruled.handle.evaluate("(one, type) => one.tell({type})", what)
            told = await ruled.listen(frozenset({f"{what}Result"}), ACT_SECONDS)
            return None if told is None else bool(told.get("result"))
        return None

    def about(self, name: str) -> dict[str, Any]:
        """Of a rule, for the record: what it does to refuse, and whether it acts or hides."""
        rules = self._package.rules if self._package is not None else ()
        rule = next((one for one in rules if one["name"] == name), None)
        steps: Sequence[Any] = (rule or {}).get("optOut", ())
        return {
            "rule": name,
            "nature": nature_of(rule),
            "steps": list(steps)[:20],
            "cosmetic": bool((rule or {}).get("cosmetic")),
        }

    async def close(self) -> None:
        for ruled in self._running.values():
            with contextlib.suppress(Error):
                await ruled.handle.dispose()
        self._running.clear()


_CONFIG: Mapping[str, Any] = {
    "enabled": True,
    "autoAction": None,
    "enablePrehide": False,
    "enableGeneratedRules": True,
    "enableHeuristicDetection": False,
    "heuristicMode": "off",
    "isMainWorld": True,
    "detectRetries": 0,
    "visualTest": False,
    "logs": dict.fromkeys(("lifecycle", "rulesteps", "detectionsteps", "evals", "errors", "messages", "waits"), False),
}
