"""One Chromium process tree: started when first needed, told of its death, ended for certain."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path

from playwright.async_api import Browser, Error, Playwright

from archiver.browser.flags import NOWHERE, arguments
from archiver.errors import BrowserError

START_SECONDS = 60.0
CLOSE_SECONDS = 10.0


class ChromiumProcess:
    """A running Chromium. `alive` turns False when it crashed or was ended."""

    def __init__(self, browser: Browser, pids: frozenset[int]) -> None:
        self.browser = browser
        self.pages = 0
        self._pids = pids

    @classmethod
    async def start(cls, playwright: Playwright, path: Path, *, spki: str, sandbox: bool) -> ChromiumProcess:
        """Raises BrowserError, with the path and what Chromium said."""
        before = _children()
        try:
            browser = await playwright.chromium.launch(
                executable_path=path,
                args=arguments(spki=spki, sandbox=sandbox),
                proxy={"server": f"http://{NOWHERE}", "bypass": "<-loopback>"},
                timeout=START_SECONDS * 1000,
                chromium_sandbox=sandbox,
                handle_sigint=False,
                handle_sigterm=False,
                handle_sighup=False,
            )
        except Error as error:
            said = str(error).strip().splitlines()
            raise BrowserError(f"{path} does not start: {said[0] if said else error}; see `archiver doctor`") from error
        return cls(browser, _children() - before)

    @property
    def alive(self) -> bool:
        return self.browser.is_connected()

    async def close(self) -> None:
        """Ask it to end; whatever is left of its tree after some seconds is killed."""
        tree = {pid for root in self._pids for pid in _tree(root)}
        with contextlib.suppress(Error, TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await self.browser.close()
        for pid in tree:
            if _is_chromium(pid):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)


def _parents() -> Mapping[int, int]:
    """pid -> parent, of all processes that can be seen."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, IndexError, ValueError):
                stat = (entry / "stat").read_text("ascii", "replace")
                found[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
    return found


def _tree(root: int) -> Iterator[int]:
    parents = _parents()
    waiting = [root]
    while waiting:
        pid = waiting.pop()
        yield pid
        waiting.extend(child for child, parent in parents.items() if parent == pid)


def _children() -> frozenset[int]:
    """Chromium's main processes below this one: children of Playwright's driver."""
    return frozenset(pid for pid in _tree(os.getpid()) if _is_chromium(pid) and b"--type=" not in _command(pid))


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _is_chromium(pid: int) -> bool:
    """By its own flag: a number may have been given to somebody else's process meanwhile."""
    command = _command(pid)
    return b"--ignore-certificate-errors-spki-list=" in command or b"--type=" in command
