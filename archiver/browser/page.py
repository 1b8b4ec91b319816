"""One page: loaded, brought to rest, looked at. Whatever it does, `render` comes back in time with what there is."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import BrowserContext, CDPSession, Error
from playwright.async_api import Page as PlaywrightPage

from archiver.browser.announced import Announcements
from archiver.browser.incidents import Incidents
from archiver.browser.pulse import PATIENCE, Pulse
from archiver.browser.settle import Settling
from archiver.browser.steps import OnPage, Steps, Taken
from archiver.browser.world import call
from archiver.model import ConsentOutcome
from archiver.ports.browser import Activity, Announced, Plan, Rendered, Tell, View

LOAD_SECONDS = 30.0
SETTLE_SECONDS = 10.0
LAST_LOOK = 15.0
"""Seconds kept for what a page holds at its end, whatever else ran late."""
NAVIGATION = "navigation: "
"""How `failed` begins when no document came: what Chromium shows then is its own, and not kept."""
OPEN_SECONDS = 15.0
CLOSE_SECONDS = 5.0
_NEWS = 0.3
_FORGET = "() => { sessionStorage.clear(); name = ''; }"
_TEXT = 300


@dataclass(slots=True)
class _Made:
    """What there is so far: a late fault takes nothing of it away."""

    consent: ConsentOutcome | None = None
    behaviors: dict[str, Any] = field(default_factory=dict)
    views: list[View] = field(default_factory=list)
    taken: Taken = field(default_factory=Taken)
    failed: str = ""
    settled: bool = False


@dataclass(frozen=True, slots=True)
class Tab:
    """Serves a context for one page after the other: a new one would take a new process each time."""

    page: PlaywrightPage
    session: CDPSession

    @classmethod
    async def open(cls, context: BrowserContext) -> Tab:
        """Raises whatever Playwright raises, TimeoutError too."""
        async with asyncio.timeout(OPEN_SECONDS):
            page = await context.new_page()
            return cls(page, await context.new_cdp_session(page))

    async def clear(self) -> None:
        """As a new one: no document, no history, nothing in the storage of its session. Raises as `open`."""
        async with asyncio.timeout(CLOSE_SECONDS):
            with contextlib.suppress(Error):  # a document without an origin has no storage
                await call(self.session, _FORGET, seconds=CLOSE_SECONDS)
            await self.page.goto("about:blank", wait_until="commit")
            await self.session.send("Page.resetNavigationHistory")


class ChromiumPage:
    """`ports.browser.BrowserPage`."""

    def __init__(self, tab: Tab, steps: Steps, *, is_alive: Callable[[], bool]) -> None:
        """`is_alive` tells whether Chromium and its driver are there."""
        page, session = tab.page, tab.session
        self._tab = tab
        self._page = page
        self._session = session
        self._steps = steps
        self._is_alive = is_alive
        self._announcements = Announcements(page)
        self._incidents = Incidents(page, self._stop_waiting)
        self._limit: asyncio.Timeout | None = None
        self._deaf = False
        self._hung = False
        self._spoiled = False
        page.context.on("request", self._announcements.add)

    # --- ports.browser.BrowserPage ---

    def announced(self, url: str, method: str) -> Announced | None:
        return self._announcements.of(url, method)

    async def render(self, plan: Plan, activity: Activity, tell: Tell) -> Rendered:
        loop = asyncio.get_running_loop()
        started = loop.time()
        made = _Made()
        last = min(LAST_LOOK, plan.seconds / 3)
        settling = Settling(self._session, activity)
        on = self._on(plan, activity, tell, settling, made, started + plan.seconds - last)
        pulse = self._pulse(plan, activity)
        try:
            await self._bounded(made, started + plan.seconds - last, lambda: self._look(on, settling, pulse, made))
            if not self._gone and not made.failed.startswith(NAVIGATION):
                await self._bounded(made, started + plan.seconds, lambda: self._last_look(on, pulse, made))
        finally:
            pulse.stop()
        if self._incidents.closed or made.failed:
            await asyncio.sleep(_NEWS)  # the end of a page is told before that of its process, or before its download
        made.failed = self._what_failed(made, pulse)
        return self._rendered(plan, made, pulse, loop.time() - started)

    async def leave(self) -> Tab | None:
        """Its tab, cleared for the next page; None when it crashed, hung, took consent or left windows open."""
        self._page.context.remove_listener("request", self._announcements.add)
        try:
            if self._gone or self._hung or self._spoiled:
                return None
            await self._tab.clear()
        except Exception:  # as in `_bounded`
            return None
        finally:
            self._incidents.end()
        return self._tab if len(self._page.context.pages) == 1 and not self._gone else None

    # --- when it goes wrong ---

    @property
    def _gone(self) -> bool:
        incidents = self._incidents
        return self._deaf or incidents.crashed or incidents.closed or incidents.endless

    def _pulse(self, plan: Plan, activity: Activity) -> Pulse:
        return Pulse(
            self._session,
            patience=min(PATIENCE, plan.seconds / 4),
            alive=self._is_alive,
            busy=lambda: activity.in_flight > 0,
            deaf=self._on_deaf,
        )

    def _on_deaf(self) -> None:
        self._deaf = True
        self._stop_waiting()

    def _stop_waiting(self) -> None:
        """Nothing more will come: whatever is being waited for ends now."""
        if self._limit is not None:
            with contextlib.suppress(RuntimeError):  # it is over already
                self._limit.reschedule(asyncio.get_running_loop().time())

    def _what_failed(self, made: _Made, pulse: Pulse) -> str:
        if self._incidents.crashed or not self._is_alive():
            return "crashed"
        if pulse.endings or self._deaf or self._incidents.endless:
            self._hung = True
            return "hung"
        return "closed" if self._incidents.closed else made.failed

    # --- the order of things (CONSENT, design fact 13) ---

    async def _bounded(self, made: _Made, until: float, work: Callable[[], Awaitable[None]]) -> None:
        """Run one part within its time; what it raises or misses is a word in the result, never a fault of ours."""
        try:
            async with asyncio.timeout_at(until) as self._limit:
                await work()
        except TimeoutError:
            made.failed = made.failed or "time"
        except Exception as error:  # Playwright's own class, and a plain one where its driver has died
            made.failed = made.failed or _first_line(error)

    def _on(
        self, plan: Plan, activity: Activity, tell: Tell, settling: Settling, made: _Made, deadline: float
    ) -> OnPage:
        async def shoot(name: str) -> None:
            if name.removesuffix("Before") in plan.views:
                view = await self._steps.views.shot(on, name)
                if view is not None:
                    made.views.append(view)

        on = OnPage(
            page=self._page,
            session=self._session,
            plan=plan,
            tell=tell,
            shoot=shoot,
            quiet=settling.wait,
            deadline=deadline,
            missing=lambda: activity.missing,
            failed=activity.failed_urls,
        )
        return on

    async def _look(self, on: OnPage, settling: Settling, pulse: Pulse, made: _Made) -> None:
        await self._navigate(on.plan, pulse, made)
        if made.failed:
            return
        rest = max(SETTLE_SECONDS, on.plan.seconds / 9)  # the limit of a visit grows where a site asks for delays
        made.settled = await settling.wait(rest)
        if not made.settled:
            await pulse.wake()
        self._take(made, await self._steps.consent.handle(on))
        await on.shoot("view")

        async def guard() -> bool:
            assert made.consent is not None
            changed = await self._steps.consent.guard(on, made.consent)
            self._take(made, changed or made.consent)
            return not self._spoiled

        if on.plan.behaviors:
            made.behaviors.update(await self._steps.behaviors.run(on, guard))
            made.settled = await settling.wait(rest) and made.settled
        await on.shoot("fullPage")

    def _take(self, made: _Made, consent: ConsentOutcome) -> None:
        """Consent that was taken without being given is in this context's storage: no other page comes into it."""
        made.consent = consent
        self._spoiled = consent.outcome == "accepted-implied"

    async def _navigate(self, plan: Plan, pulse: Pulse, made: _Made) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + min(LOAD_SECONDS, plan.seconds / 2)
        try:
            await self._page.goto(plan.url, wait_until="commit", timeout=(until - loop.time()) * 1000)
            pulse.start()  # before its document has come, a page does not answer
            with contextlib.suppress(Error):
                left = max(0.5, until - loop.time())
                await self._page.wait_for_load_state("load", timeout=left * 1000)
        except Error as error:
            made.failed = f"{NAVIGATION}{_first_line(error)}"

    async def _last_look(self, on: OnPage, pulse: Pulse, made: _Made) -> None:
        await pulse.wake()
        made.taken = await self._steps.views.take(on, await self._steps.consent.without_notice(on))

    def _rendered(self, plan: Plan, made: _Made, pulse: Pulse, seconds: float) -> Rendered:
        taken = made.taken
        notes = dict(self._incidents.notes)
        if pulse.endings:
            notes["scriptsEnded"] = pulse.endings
        return Rendered(
            final_url=plan.url if made.failed.startswith(NAVIGATION) else self._page.url,
            title=taken.title,
            dom=taken.dom,
            text=taken.text,
            views=(*made.views, *taken.views),
            consent=made.consent,
            behaviors=made.behaviors,
            notes=notes,
            seconds=seconds,
            settled=made.settled,
            failed=made.failed,
        )


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:_TEXT] if lines else type(error).__name__
