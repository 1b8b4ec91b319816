"""Pictures of a page and what it holds at its end. Each has a time limit, and none of them fails a capture."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import Callable, Mapping
from typing import Any

from playwright.async_api import Error

from archiver.browser.steps import OnPage, Taken
from archiver.clock import Clock, iso
from archiver.ports.browser import View

SHOT_SECONDS = 8.0
DOM_SECONDS = 5.0
TEXT_SECONDS = 10.0
TALLEST = 16_384
"""Pixels: Chromium draws nothing taller in one piece."""
THUMBNAIL_WIDTH = 320
DOM_LIMIT = 32 << 20

MainText = Callable[[str, str], str]
"""From a document and its URL to the text of its main part. Slow: called in a thread."""


class Views:
    """`steps.ViewStep`, by the DevTools protocol: Playwright's own screenshots wait for fonts and hide carets."""

    def __init__(self, clock: Clock, main_text: MainText) -> None:
        self._clock = clock
        self._main_text = main_text

    async def shot(self, on: OnPage, name: str) -> View | None:
        about = self._about(on)
        parameters: dict[str, Any] = {"format": "png", "optimizeForSpeed": True}
        if name == "fullPage":
            size = await self._size(on)
            if size is None:
                return None
            width, height = size
            drawn = min(height, TALLEST)
            about |= {"width": width, "height": drawn, "pageHeight": height}
            parameters["captureBeyondViewport"] = True
            parameters["clip"] = {"x": 0, "y": 0, "width": width, "height": drawn, "scale": 1}
        payload = await self._capture(on, parameters)
        return None if payload is None else View(name=name, content_type="image/png", payload=payload, about=about)

    async def take(self, on: OnPage, without_notice: str | None) -> Taken:
        wanted, about = on.plan.views, self._about(on)
        views = []
        if "thumbnail" in wanted:
            thumbnail = await self._thumbnail(on, about)
            views += [thumbnail] if thumbnail is not None else []
        if "pdf" in wanted:
            pdf = await self._pdf(on, about)
            views += [pdf] if pdf is not None else []
        title, html = await self._document(on)
        dom = html.encode("utf-8", "replace")[:DOM_LIMIT]
        if "dom" in wanted and dom:
            views.append(View(name="dom", content_type="text/html; charset=utf-8", payload=dom, about=about))
        text = ""
        if "text" in wanted and html:
            text = await self._text(without_notice or html, on.page.url)
            if text:
                content = text.encode("utf-8", "replace")
                views.append(View(name="text", content_type="text/plain; charset=utf-8", payload=content, about=about))
        return Taken(title=title, dom=dom, text=text, views=tuple(views))

    # --- parts ---

    def _about(self, on: OnPage) -> dict[str, Any]:
        screen = on.plan.screen
        return {
            "at": iso(self._clock.now()),
            "viewport": [screen.width, screen.height],
            "scale": screen.scale,
            "lang": screen.lang,
            "timezone": screen.timezone,
            "missing": on.missing(),
        }

    async def _size(self, on: OnPage) -> tuple[int, int] | None:
        with contextlib.suppress(Error, TimeoutError, KeyError):
            async with asyncio.timeout(SHOT_SECONDS):
                metrics = await on.session.send("Page.getLayoutMetrics")
            size = metrics["cssContentSize"]
            return max(1, int(size["width"])), max(1, int(size["height"]))
        return None

    async def _capture(self, on: OnPage, parameters: Mapping[str, Any]) -> bytes | None:
        with contextlib.suppress(Error, TimeoutError):
            async with asyncio.timeout(SHOT_SECONDS):
                answer = await on.session.send("Page.captureScreenshot", dict(parameters))
            return base64.b64decode(answer["data"])
        return None

    async def _thumbnail(self, on: OnPage, about: Mapping[str, Any]) -> View | None:
        screen = on.plan.screen
        scale = THUMBNAIL_WIDTH / screen.width / screen.scale
        clip = {"x": 0, "y": 0, "width": screen.width, "height": screen.height, "scale": scale}
        parameters = {"format": "jpeg", "quality": 75, "optimizeForSpeed": True, "clip": clip}
        payload = await self._capture(on, parameters)
        if payload is None:
            return None
        return View(name="thumbnail", content_type="image/jpeg", payload=payload, about=about)

    async def _pdf(self, on: OnPage, about: Mapping[str, Any]) -> View | None:
        with contextlib.suppress(Error, TimeoutError):
            async with asyncio.timeout(SHOT_SECONDS):
                answer = await on.session.send("Page.printToPDF", {"printBackground": True, "preferCSSPageSize": True})
            payload = base64.b64decode(answer["data"])
            return View(name="pdf", content_type="application/pdf", payload=payload, about=about)
        return None

    async def _document(self, on: OnPage) -> tuple[str, str]:
        """Title and the document as it stands, serialised."""
        with contextlib.suppress(Error, TimeoutError):
            async with asyncio.timeout(DOM_SECONDS):
                return await on.page.title(), await on.page.content()
        return "", ""

    async def _text(self, html: str, url: str) -> str:
        """Off the loop. A document on which the extractor chokes has no text; its DOM is kept all the same."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(TEXT_SECONDS):
                return await asyncio.to_thread(self._main_text, html, url)
        return ""
