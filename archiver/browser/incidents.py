"""What a page does by itself: dialogs, downloads, windows, crashes. Answered at once, noted, counted, never waited for.

Dialogs are dismissed (`beforeunload`: let go), downloads and windows given up; permissions are not granted to anybody.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from playwright.async_api import Dialog, Download, Error
from playwright.async_api import Page as PlaywrightPage

NOTED = 20
"""Of each kind; the rest is counted."""
DIALOGS = 50
"""After which a page is given up: while one is open, its scripts cannot be ended."""
_TEXT = 300
_URL = 2_000


class Incidents:
    """Of one page. `over` is called when the page crashed or was closed: nothing more will come from it."""

    def __init__(self, page: PlaywrightPage, over: Callable[[], None]) -> None:
        self._page = page
        self._over = over
        self._kinds: dict[str, list[Mapping[str, str]]] = {}
        self._counts: dict[str, int] = {}
        self._aside: set[asyncio.Task[None]] = set()
        self.crashed = False
        self.closed = False
        self.endless = False
        self._hooks: dict[str, Callable[..., None]] = {
            "crash": self._on_crash,
            "close": self._on_close,
            "dialog": self._on_dialog,
            "download": self._on_download,
        }
        for event, hook in self._hooks.items():
            page.on(event, hook)  # type: ignore[call-overload]
        page.context.on("page", self._on_window)

    @property
    def notes(self) -> Mapping[str, Any]:
        """`{kind: [first few]}`; where there were more, `{kind}Count` says how many."""
        more = {f"{kind}Count": count for kind, count in self._counts.items() if count > len(self._kinds[kind])}
        return {**self._kinds, **more}

    def note(self, kind: str, what: Mapping[str, str]) -> None:
        self._counts[kind] = self._counts.get(kind, 0) + 1
        notes = self._kinds.setdefault(kind, [])
        if len(notes) < NOTED:
            notes.append(what)

    def end(self) -> None:
        """The page is given back: what its context does from now on is another's."""
        self._page.context.remove_listener("page", self._on_window)
        for event, hook in self._hooks.items():
            self._page.remove_listener(event, hook)
        for task in self._aside:
            task.cancel()

    # --- what Playwright calls ---

    def _on_crash(self, _: PlaywrightPage) -> None:
        self.crashed = True
        self._over()

    def _on_close(self, _: PlaywrightPage) -> None:
        self.closed = True
        self._over()

    def _on_dialog(self, dialog: Dialog) -> None:
        self.note("dialogs", {"type": dialog.type, "message": dialog.message[:_TEXT]})
        if self._counts["dialogs"] > DIALOGS:
            self.endless = True
            self._over()
        self._later(dialog.accept() if dialog.type == "beforeunload" else dialog.dismiss())

    def _on_download(self, download: Download) -> None:
        self.note("downloads", {"url": download.url[:_URL], "name": download.suggested_filename[:_TEXT]})
        self._later(download.cancel())

    def _on_window(self, window: PlaywrightPage) -> None:
        if window is not self._page:
            self.note("popups", {"url": window.url[:_URL]})
            self._later(window.close())

    def _later(self, work: Awaitable[Any]) -> None:
        async def run() -> None:
            with contextlib.suppress(Error):
                await work

        task = asyncio.get_running_loop().create_task(run())
        self._aside.add(task)
        task.add_done_callback(self._aside.discard)
