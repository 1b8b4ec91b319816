"""Playwright's driver and one Chromium: started when first needed, watched, ended for certain.

Either ends by itself when its parent is killed: the driver at the end of its standard input, Chromium at the end of the
pipe from the driver. What does not is found by its session and killed (`tree`).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
from pathlib import Path

from playwright.async_api import Browser, Error, Playwright, async_playwright

from archiver.browser.flags import NOWHERE, arguments
from archiver.browser.tree import Found, Tree, below, command, kill, look_at
from archiver.errors import BrowserError

START_SECONDS = 60.0
CLOSE_SECONDS = 10.0
RENDERER_LIMIT = 2 << 30
"""Bytes that one renderer may hold; the page of one that grows past it has crashed."""
_WATCH_SECONDS = 2.0


class Driver:
    """Playwright's own process, a child of ours."""

    def __init__(self, playwright: Playwright, processes: list[Found]) -> None:
        self.playwright = playwright
        self._processes = processes

    @classmethod
    async def start(cls) -> Driver:
        """Raises BrowserError."""
        before = {one.pid for one in below(os.getpid())}
        try:
            async with asyncio.timeout(START_SECONDS):
                playwright = await async_playwright().start()
        except (Error, OSError, TimeoutError) as error:
            raise BrowserError(f"Playwright's driver does not start: {error}") from error
        new = [one for one in below(os.getpid()) if one.pid not in before and b"playwright" in command(one.pid)]
        return cls(playwright, new)

    @property
    def alive(self) -> bool:
        now = [look_at(one.pid) for one in self._processes]
        return all(one is not None and one.state not in "ZX" for one in now)

    async def close(self) -> None:
        with contextlib.suppress(Exception):  # it may be dead already, in any of Playwright's ways
            async with asyncio.timeout(CLOSE_SECONDS):
                await self.playwright.stop()
        for one in self._processes:
            kill(one)


class ChromiumProcess:
    """A running Chromium. `alive` turns False when it crashed, was ended, or would not let go of a context."""

    def __init__(self, browser: Browser, driver: Driver, tree: Tree) -> None:
        self._driver = driver
        self.browser = browser
        self.tree = tree
        self.pages = 0
        self.stuck = False
        self._watching = asyncio.get_running_loop().create_task(self._watch())

    @classmethod
    async def start(cls, driver: Driver, path: Path, *, spki: str, sandbox: bool) -> ChromiumProcess:
        """Raises BrowserError, with the path and what Chromium said."""
        mark = f"--archiver-run={secrets.token_hex(8)}"
        try:
            browser = await driver.playwright.chromium.launch(
                executable_path=path,
                args=[*arguments(spki=spki, sandbox=sandbox), mark],
                proxy={"server": f"http://{NOWHERE}", "bypass": "<-loopback>"},
                timeout=START_SECONDS * 1000,
                chromium_sandbox=sandbox,
                handle_sigint=False,
                handle_sigterm=False,
                handle_sighup=False,
            )
        except Exception as error:  # as below
            raise BrowserError(f"{path} does not start: {_said(error)}; see `archiver doctor`") from error
        tree = await asyncio.to_thread(Tree.marked, mark.encode())
        if tree is None:
            await browser.close()
            raise BrowserError(f"{path}: its process was not found after it had started")
        return cls(browser, driver, tree)

    @property
    def alive(self) -> bool:
        return not self.stuck and self.browser.is_connected() and self._driver.alive

    async def close(self) -> None:
        """Ask it to end; whatever is left of its tree after some seconds is killed."""
        self._watching.cancel()
        if self.browser.is_connected() and self._driver.alive:
            with contextlib.suppress(Exception):  # Playwright's own class, and a plain one where its driver has died
                async with asyncio.timeout(CLOSE_SECONDS):
                    await self.browser.close()
        await asyncio.to_thread(self.tree.kill)

    async def _watch(self) -> None:
        """A page that eats memory is ended before the machine's own killer chooses."""
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            for one in await asyncio.to_thread(self.tree.larger_than, RENDERER_LIMIT):
                kill(one)


def _said(error: Exception) -> str:
    """The line of Chromium's own that tells why, else Playwright's."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    own = [line.partition("[err]")[2].strip() for line in lines if "[err]" in line]
    return (own or lines or [type(error).__name__])[0][:500]
