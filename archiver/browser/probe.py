"""Whether Chromium starts here: tried, with an empty page, and ended again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from archiver.browser.flags import has_sandbox
from archiver.browser.process import ChromiumProcess, Driver
from archiver.errors import BrowserError

_NO_PIN = "A" * 43 + "="
"""No certificate has it: nothing is fetched here."""


async def probe_chromium(path: Path, environ: Mapping[str, str]) -> str:
    """What to say of it. Raises BrowserError with the reason when it does not start or opens no page."""
    sandbox = has_sandbox(environ)
    driver = await Driver.start()
    try:
        process = await ChromiumProcess.start(driver, path, spki=_NO_PIN, sandbox=sandbox)
        try:
            page = await process.browser.new_page()
            await page.goto("about:blank")
        except Exception as error:  # Playwright's own class, and a plain one where its driver has died
            raise BrowserError(f"{path} starts, but opens no page: {error}") from error
        finally:
            await process.close()
    finally:
        await driver.close()
    return "starts, with its sandbox" if sandbox else "starts, without a sandbox (root or a container)"
