"""Contexts, fresh for each job and site, and the Chromium that they live in; both recycled before they grow old."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.async_api import BrowserContext

from archiver.browser.page import ChromiumPage, Tab
from archiver.browser.process import ChromiumProcess, Driver
from archiver.browser.steps import Steps
from archiver.errors import BrowserError
from archiver.ports.browser import Answerer, BrowserPage, Listener, Plan, RecordingProxy

CONTEXT_PAGES = 25
"""Pages for which a context serves: a site's caches and workers grow with each."""
PROCESS_PAGES = 100
IDLE_CONTEXTS = 4
CLOSE_SECONDS = 5.0

_NO_HINTS = "delete Navigator.prototype.userAgentData"
"""Playwright fills it in for a user agent that it does not know: with a brand and a platform that are not true."""
_GPC = "Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', {get: () => true, configurable: true})"


@dataclass(slots=True, eq=False)
class Place:
    """A context with its listener. `kind` is what it was made for: site, screen, user agent."""

    kind: tuple[object, ...]
    context: BrowserContext
    listener: Listener
    process: ChromiumProcess
    tab: Tab | None = None
    pages: int = 0


class Chromium:
    """`ports.browser.Browser`. `path` is Chromium's; `sandbox` False only as root or in a container."""

    def __init__(self, path: Path, proxy: RecordingProxy, steps: Steps, *, sandbox: bool = True) -> None:
        self._path = path
        self._proxy = proxy
        self._steps = steps
        self._sandbox = sandbox
        self._driver: Driver | None = None
        self._process: ChromiumProcess | None = None
        self._retired: list[ChromiumProcess] = []
        self._idle: list[Place] = []
        self._busy: dict[ChromiumPage, Place] = {}
        self._starting = asyncio.Lock()
        self._version = ""

    # --- ports.browser.Browser ---

    async def page(self, answer: Answerer, *, site: str, plan: Plan) -> BrowserPage:
        """Raises BrowserError when Chromium cannot be started."""
        kind = (site, plan.screen, plan.user_agent, plan.gpc)
        try:
            return await self._open(kind, answer, plan)
        except BrowserError:
            return await self._open(kind, answer, plan)  # what failed has been given up: once more, with a fresh one

    async def release(self, page: BrowserPage) -> None:
        """Whatever the page did: its requests are answered, and a context that misbehaved is not used again."""
        assert isinstance(page, ChromiumPage)
        place = self._busy.pop(page)
        place.tab = await page.leave()
        await place.listener.settle()
        reusable = (
            place.tab is not None
            and place.pages < CONTEXT_PAGES
            and place.process is self._process
            and place.process.alive
        )
        if not reusable:
            await self._drop(place)
        else:
            self._idle.append(place)
            if len(self._idle) > IDLE_CONTEXTS:
                await self._drop(self._idle.pop(0))
        await self._recycle()

    @property
    def facts(self) -> Mapping[str, Any]:
        return {
            "path": str(self._path),
            "version": self._version,
            "sandbox": self._sandbox,
            "consent": dict(self._steps.consent.facts),
        }

    async def close(self) -> None:
        """Processes first: a context of one that hangs is not waited for."""
        for process in [*self._retired, *([self._process] if self._process else [])]:
            await process.close()
        for place in [*self._idle, *self._busy.values()]:
            await place.listener.close()
        self._idle.clear()
        self._busy.clear()
        self._process, self._retired = None, []
        await self._end_driver()

    # --- contexts ---

    async def _open(self, kind: tuple[object, ...], answer: Answerer, plan: Plan) -> ChromiumPage:
        place = await self._place(kind, plan)
        place.listener.serve(answer)
        place.pages += 1
        place.process.pages += 1
        try:
            tab = place.tab or await Tab.open(place.context)
        except Exception as error:  # Playwright's own class, and a plain one where its driver has died
            place.process.stuck = place.process.stuck or isinstance(error, TimeoutError)
            await self._drop(place)
            raise BrowserError(f"{self._path}: no page could be opened: {error}") from error
        page = ChromiumPage(tab, self._steps, is_alive=lambda: place.process.alive)
        self._busy[page] = place
        return page

    async def _place(self, kind: tuple[object, ...], plan: Plan) -> Place:
        for place in reversed(self._idle):
            if place.kind == kind:
                self._idle.remove(place)
                if place.process.alive:
                    return place
                await self._drop(place)
        return await self._fresh(kind, plan)

    async def _fresh(self, kind: tuple[object, ...], plan: Plan) -> Place:
        process = await self._running()
        listener = await self._proxy.listen()
        screen = plan.screen
        try:
            context = await process.browser.new_context(
                user_agent=plan.user_agent or None,
                viewport={"width": screen.width, "height": screen.height},
                screen={"width": screen.width, "height": screen.height},
                device_scale_factor=screen.scale,
                locale=screen.lang or None,
                timezone_id=screen.timezone,
                accept_downloads=False,
                service_workers="allow",
                proxy={"server": f"http://127.0.0.1:{listener.port}", "bypass": "<-loopback>"},
            )
            if plan.user_agent:
                await context.add_init_script(_NO_HINTS)
            if plan.gpc:
                await context.add_init_script(_GPC)
            await self._steps.consent.prepare(context)
        except Exception as error:  # as above
            process.stuck = True
            await listener.close()
            raise BrowserError(f"{self._path}: no context could be made: {error}") from error
        return Place(kind, context, listener, process)

    async def _drop(self, place: Place) -> None:
        """A process that does not let go of a context is used no more."""
        if place.process.alive:
            try:
                async with asyncio.timeout(CLOSE_SECONDS):
                    await place.context.close()
            except Exception:  # as above
                place.process.stuck = True
        await place.listener.close()

    # --- processes ---

    async def _running(self) -> ChromiumProcess:
        async with self._starting:
            if self._process is not None and not self._process.alive:
                self._retired.append(self._process)
                self._process = None
            if self._process is None:
                self._process = await self._start()
                self._version = self._process.browser.version
            return self._process

    async def _start(self) -> ChromiumProcess:
        """A driver that has died takes its Chromium along, and is started anew once."""
        again = self._driver is not None
        try:
            return await self._start_with(self._driver or await Driver.start())
        except BrowserError:
            await self._end_driver()
            if not again:
                raise
        return await self._start_with(await Driver.start())

    async def _start_with(self, driver: Driver) -> ChromiumProcess:
        self._driver = driver
        return await ChromiumProcess.start(driver, self._path, spki=self._proxy.spki, sandbox=self._sandbox)

    async def _end_driver(self) -> None:
        driver, self._driver = self._driver, None
        if driver is not None:
            await driver.close()

    async def _recycle(self) -> None:
        """A process that has served enough is replaced; it ends when its last page is given back."""
        process = self._process
        if process is not None and (process.pages >= PROCESS_PAGES or not process.alive):
            self._retired.append(process)
            self._process = None
            idle, self._idle = self._idle, []
            for place in idle:
                await self._drop(place)
        in_use = {place.process for place in self._busy.values()}
        ended = [one for one in self._retired if one not in in_use]
        self._retired = [one for one in self._retired if one in in_use]
        for one in ended:
            await one.close()
