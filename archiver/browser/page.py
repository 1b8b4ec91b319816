"""One page: loaded, brought to rest, looked at. Whatever it does, `render` comes back in time with what there is."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from playwright.async_api import BrowserContext, CDPSession, Dialog, Download, Error, Request
from playwright.async_api import Page as PlaywrightPage

from archiver.browser.announced import Announcements
from archiver.browser.settle import Settling
from archiver.browser.steps import OnPage, Steps, Taken
from archiver.model import ConsentOutcome
from archiver.ports_browser import Activity, Announced, Plan, Rendered, Tell, View

LOAD_SECONDS = 30.0
SETTLE_SECONDS = 10.0
LAST_LOOK = 15.0
"""Seconds kept for what a page holds at its end, whatever else ran late."""
CLOSE_SECONDS = 5.0
_NOTED = 20
_TEXT = 300

Result = TypeVar("Result")


@dataclass(slots=True)
class _Made:
    """What there is so far: a late fault takes nothing of it away."""

    consent: ConsentOutcome | None = None
    behaviors: dict[str, Any] = field(default_factory=dict)
    views: list[View] = field(default_factory=list)
    taken: Taken = field(default_factory=Taken)
    failed: str = ""
    settled: bool = False


class ChromiumPage:
    """`ports_browser.BrowserPage`."""

    def __init__(self, page: PlaywrightPage, session: CDPSession, steps: Steps) -> None:
        self._page = page
        self._session = session
        self._steps = steps
        self._announcements = Announcements(page)
        self._crashed = False
        self._notes: dict[str, list[dict[str, str]]] = {}
        self._aside: set[asyncio.Task[None]] = set()

    @classmethod
    async def open(cls, context: BrowserContext, steps: Steps) -> ChromiumPage:
        page = await context.new_page()
        session = await context.new_cdp_session(page)
        opened = cls(page, session, steps)
        opened._listen(context)
        return opened

    # --- what the page does by itself ---

    def _listen(self, context: BrowserContext) -> None:
        page = self._page
        page.on("crash", self._on_crash)
        page.on("dialog", self._on_dialog)
        page.on("download", self._on_download)
        self._hooks: list[tuple[str, Callable[..., None]]] = [("page", self._on_popup), ("request", self._on_request)]
        for event, hook in self._hooks:
            context.on(event, hook)  # type: ignore[call-overload]

    def _on_request(self, request: Request) -> None:
        self._announcements.add(request)

    def _on_crash(self, _: PlaywrightPage) -> None:
        self._crashed = True

    def _on_dialog(self, dialog: Dialog) -> None:
        self._note("dialogs", {"type": dialog.type, "message": dialog.message[:_TEXT]})
        self._later(dialog.dismiss())

    def _on_download(self, download: Download) -> None:
        self._note("downloads", {"url": download.url[:2000], "name": download.suggested_filename[:_TEXT]})
        self._later(download.cancel())

    def _on_popup(self, popup: PlaywrightPage) -> None:
        if popup is not self._page:
            self._note("popups", {"url": popup.url[:2000]})
            self._later(popup.close())

    def _note(self, kind: str, what: dict[str, str]) -> None:
        notes = self._notes.setdefault(kind, [])
        if len(notes) < _NOTED:
            notes.append(what)

    def _later(self, work: Awaitable[Any]) -> None:
        async def run() -> None:
            with contextlib.suppress(Error):
                await work

        task = asyncio.get_running_loop().create_task(run())
        self._aside.add(task)
        task.add_done_callback(self._aside.discard)

    # --- ports_browser.BrowserPage ---

    def announced(self, url: str, method: str) -> Announced | None:
        return self._announcements.of(url, method)

    async def render(self, plan: Plan, activity: Activity, tell: Tell) -> Rendered:
        loop = asyncio.get_running_loop()
        started = loop.time()
        made = _Made()
        settling = Settling(self._session, activity)
        on = self._on(plan, activity, tell, settling, made, started + max(1.0, plan.seconds - LAST_LOOK))
        await self._bounded(made, plan.seconds - LAST_LOOK, lambda: self._look(on, settling, made))
        if not self._crashed:
            await self._bounded(made, LAST_LOOK, lambda: self._last_look(on, made))
        if self._crashed:
            made.failed = "crashed"
        return await self._rendered(made, loop.time() - started)

    async def close(self) -> bool:
        """False when the page would not go: its context is then given up."""
        for event, hook in self._hooks:
            self._page.context.remove_listener(event, hook)
        for task in self._aside:
            task.cancel()
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._page.close()
        except (Error, TimeoutError):
            return False
        return not self._crashed

    # --- the order of things (CONSENT, design fact 13) ---

    async def _bounded(self, made: _Made, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        """Run one part within its time; what it raises or misses is a word in the result, never a fault of ours."""
        try:
            async with asyncio.timeout(max(1.0, seconds)):
                await work()
        except TimeoutError:
            made.failed = made.failed or "hung"
        except Error as error:
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
        )
        return on

    async def _look(self, on: OnPage, settling: Settling, made: _Made) -> None:
        await self._navigate(on.plan, made)
        if made.failed:
            return
        made.settled = await settling.wait(SETTLE_SECONDS)
        consent = await self._steps.consent.handle(on)
        made.consent = consent
        await on.shoot("view")

        async def guard() -> bool:
            worse = await self._steps.consent.guard(on, consent)
            made.consent = worse or consent
            return worse is None

        if on.plan.behaviors:
            made.behaviors.update(await self._steps.behaviors.run(on, guard))
            made.settled = await settling.wait(SETTLE_SECONDS)
        await on.shoot("fullPage")

    async def _navigate(self, plan: Plan, made: _Made) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + min(LOAD_SECONDS, plan.seconds / 2)
        try:
            await self._page.goto(plan.url, wait_until="commit", timeout=(until - loop.time()) * 1000)
            with contextlib.suppress(Error):
                left = max(0.5, until - loop.time())
                await self._page.wait_for_load_state("load", timeout=left * 1000)
        except Error as error:
            made.failed = f"navigation: {_first_line(error)}"

    async def _last_look(self, on: OnPage, made: _Made) -> None:
        made.taken = await self._steps.views.take(on, await self._steps.consent.without_notice(on))

    async def _rendered(self, made: _Made, seconds: float) -> Rendered:
        taken = made.taken
        return Rendered(
            final_url=self._page.url,
            title=taken.title,
            dom=taken.dom,
            text=taken.text,
            views=(*made.views, *taken.views),
            consent=made.consent,
            behaviors=made.behaviors,
            notes=dict(self._notes),
            seconds=seconds,
            settled=made.settled,
            failed=made.failed,
        )


def _first_line(error: Error) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:_TEXT] if lines else type(error).__name__
