"""Plain Playwright: opens each page, waits for its done mark, and with `shots` takes the pictures and the DOM.

    python infra/bench/browser_peer.py done|shots URL...

The same Chromium with the same flags as ours, but those that lead to our proxy; pictures as ours are taken.
"""

from __future__ import annotations

import asyncio
import base64
import os
import sys
from typing import Any

from playwright.async_api import BrowserContext, Page, async_playwright

from archiver.browser.flags import arguments, has_sandbox
from archiver.browser_binary import find_chromium

WIDTH, HEIGHT = 1280, 1024
_PNG = {"format": "png", "optimizeForSpeed": True}
_JPEG = {"format": "jpeg", "quality": 75, "optimizeForSpeed": True}


async def main(urls: list[str], *, shots: bool) -> None:
    sandbox = has_sandbox(os.environ)
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(
            executable_path=find_chromium(os.environ),
            args=arguments(spki="", sandbox=sandbox),
            chromium_sandbox=sandbox,
        )
        context = await browser.new_context(viewport={"width": WIDTH, "height": HEIGHT})
        for url in urls:
            page = await context.new_page()
            await page.goto(url)
            await page.wait_for_function("window.__done")
            if shots:
                await _keep(context, page)
            await page.close()
        await browser.close()


async def _keep(context: BrowserContext, page: Page) -> None:
    """The window, all of the page, a thumbnail; title and DOM."""
    session = await context.new_cdp_session(page)
    size = (await session.send("Page.getLayoutMetrics"))["cssContentSize"]
    whole = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
    small = {"x": 0, "y": 0, "width": WIDTH, "height": HEIGHT, "scale": 0.25}
    wanted: list[dict[str, Any]] = [
        _PNG, {**_PNG, "captureBeyondViewport": True, "clip": whole}, {**_JPEG, "clip": small}
    ]  # fmt: skip
    for one in wanted:
        base64.b64decode((await session.send("Page.captureScreenshot", one))["data"])
    await page.title()
    (await page.content()).encode()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[2:], shots=sys.argv[1] == "shots"))
