"""A browser that asks for what a script says: for tests of whatever stands on `ports.browser.Browser`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from archiver.errors import BrowserError
from archiver.model import Fetched
from archiver.ports.browser import (
    Activity,
    Announced,
    Answerer,
    BrowserPage,
    BrowserRequest,
    Control,
    Plan,
    Rendered,
    Tap,
    Tell,
)
from archiver.spooled import Spool

_HOPS = 30


class MemoryTap:
    """Keeps what it was shown. `control` once the answer has begun."""

    def __init__(self) -> None:
        self.control: Control | None = None
        self.status = 0
        self._raw: Spool | None = None

    def begin(self, raw: Spool, control: Control) -> None:
        self._raw, self.control = raw, control

    def head(self, status: int, headers: Sequence[tuple[bytes, bytes]]) -> None:
        self.status = status

    def grew(self) -> None: ...

    @property
    def raw(self) -> bytes:
        return self._raw.read() if self._raw is not None else b""


@dataclass(slots=True)
class Tab:
    """What a script drives: the page as it stands. `got` holds every answer, in the order in which they came."""

    page: MemoryPage
    plan: Plan
    activity: Activity
    tell: Tell
    url: str = ""
    got: list[Fetched] = field(default_factory=list)

    async def go(self, url: str, *, method: str = "GET", body: bytes = b"") -> Fetched:
        """Navigate, following redirects as Chromium does; with 204 the page stays."""
        request = BrowserRequest(url=url, method=method, headers=(), body=body)
        fetched = await self.send(request, _said(request, "document", main=True, navigation=True))
        for _ in range(_HOPS):
            where = _location(fetched)
            if where is None:
                break
            request = BrowserRequest(url=where, method="GET", headers=())
            fetched = await self.send(request, _said(request, "document", main=True, navigation=True))
        if fetched.exchange is not None and fetched.exchange.status != 204:
            self.url = request.url
        return fetched

    async def ask(self, url: str, kind: str = "image", headers: Mapping[str, str] | None = None) -> Fetched:
        """A GET of the page's own; `kind` is Chromium's word for its resource type."""
        named = tuple((name.encode(), value.encode()) for name, value in (headers or {}).items())
        request = BrowserRequest(url=url, method="GET", headers=named)
        return await self.send(request, _said(request, kind))

    async def send(self, request: BrowserRequest, said: Announced | None, tap: Tap | None = None) -> Fetched:
        """Any request; `said` None = the browser says nothing of it (a shared worker's)."""
        if said is not None:
            self.page.said[request.method, request.url] = said
        fetched = await self.page.answer(request, tap or MemoryTap())
        self.got.append(fetched)
        return fetched


Script = Callable[[Tab], Awaitable[Rendered | None]]


async def load(tab: Tab) -> None:
    """The script of a page that needs nothing."""
    await tab.go(tab.plan.url)


class MemoryPage:
    """`BrowserPage` of a script."""

    def __init__(self, answer: Answerer, script: Script) -> None:
        self.answer = answer
        self.said: dict[tuple[str, str], Announced] = {}
        self.tab: Tab | None = None
        self._script = script

    def announced(self, url: str, method: str) -> Announced | None:
        return self.said.get((method, url))

    async def render(self, plan: Plan, activity: Activity, tell: Tell) -> Rendered:
        tab = self.tab = Tab(self, plan, activity, tell)
        made = await self._script(tab) or Rendered(final_url="")
        return made if made.final_url else replace(made, final_url=tab.url)


class MemoryBrowser:
    """`Browser`. `broken` makes it one that does not start; `pages` are all that were opened, `at_once` at most how
    many were open at a time."""

    def __init__(self, script: Script = load, *, broken: str = "") -> None:
        self.script = script
        self.broken = broken
        self.plans: list[Plan] = []
        self.pages: list[MemoryPage] = []
        self.sites: list[str] = []
        self.released = 0
        self.at_once = 0
        self.is_closed = False
        self.facts: Mapping[str, Any] = {"version": "1", "path": "/nowhere/chromium"}

    async def page(self, answer: Answerer, *, site: str, plan: Plan) -> BrowserPage:
        if self.broken:
            raise BrowserError(self.broken)
        page = MemoryPage(answer, self.script)
        self.pages.append(page)
        self.plans.append(plan)
        self.sites.append(site)
        self.at_once = max(self.at_once, len(self.pages) - self.released)
        return page

    async def release(self, page: BrowserPage) -> None:
        await asyncio.sleep(0)
        self.released += 1

    async def close(self) -> None:
        self.is_closed = True


def _said(request: BrowserRequest, kind: str, *, main: bool = False, navigation: bool = False) -> Announced:
    return Announced(url=request.url, method=request.method, resource_type=kind, main=main, navigation=navigation)


def _location(fetched: Fetched) -> str | None:
    exchange = fetched.exchange
    if exchange is None or not 300 <= exchange.status < 400:
        return None
    where = exchange.header(b"location")
    return where.decode("latin-1") if where else None
