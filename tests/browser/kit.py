"""A site on loopback, a visit that answers for it, and a real Chromium between them."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from aiohttp import web

from archiver.browser import Chromium
from archiver.browser.behaviors import Behaviors
from archiver.browser.steps import OnPage, Steps
from archiver.browser.text import main_text
from archiver.browser.views import Views
from archiver.clock import SYSTEM
from archiver.errors import CaptureError
from archiver.model import (
    Candidate,
    ConsentOutcome,
    Decision,
    Failure,
    FailureCode,
    Fetched,
    Reason,
    Verdict,
)
from archiver.ports import WireLimits, WireRequest
from archiver.ports.browser import BrowserRequest, Control, Plan, Rendered, Tap
from archiver.spooled import Spool
from archiver.urls import canonical, origin_of, request_target
from archiver.wire.client import HttpClient
from archiver.wire.proxy import Proxy

ALLOWED = Decision(verdict=Verdict.ALLOW, reason=Reason.ALLOWED)
IN_FLIGHT = 4

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Site:
    """`pages` by path: HTML, or `(content type, bytes)`, or a handler. `seen` holds what was asked for, in order."""

    port: int = 0
    host: str = "127.0.0.1"
    scheme: str = "http"
    pages: dict[str, str | tuple[str, bytes] | Handler] = field(default_factory=dict)
    seen: list[web.Request] = field(default_factory=list)
    most_at_once: int = 0
    _now: int = 0

    def url(self, path: str = "/") -> str:
        return f"{self.scheme}://{self.host}:{self.port}{path}"

    def paths(self) -> list[str]:
        return [request.path for request in self.seen]

    def count(self) -> Counter[str]:
        return Counter(self.paths())

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.seen.append(request)
        self._now += 1
        self.most_at_once = max(self.most_at_once, self._now)
        try:
            page = self.pages.get(request.path)
            if page is None:
                return web.Response(status=404, text="nothing here")
            if isinstance(page, str):
                return web.Response(text=page, content_type="text/html")
            if isinstance(page, tuple):
                return web.Response(body=page[1], content_type=page[0])
            return await page(request)
        finally:
            self._now -= 1


@asynccontextmanager
async def serving(tls: ssl.SSLContext | None = None, **changes: Any) -> AsyncIterator[Site]:
    site = Site(scheme="https" if tls else "http", **changes)
    server = web.Server(site.answer, access_log=None)
    listener = await asyncio.get_running_loop().create_server(server, "127.0.0.1", 0, ssl=tls)
    site.port = listener.sockets[0].getsockname()[1]
    try:
        yield site
    finally:
        listener.close()
        await server.shutdown(0.1)


# --- a visit ----------------------------------------------------------------------------------------------------------


class _Follow:
    """Passes a tap on and notes when the answer turns out to be a stream."""

    def __init__(self, tap: Tap, stream: Callable[[], None]) -> None:
        self._tap = tap
        self._stream = stream

    def begin(self, raw: Spool, control: Control) -> None:
        self._tap.begin(raw, control)

    def head(self, status: int, headers: Sequence[tuple[bytes, bytes]]) -> None:
        kind = next((value for name, value in headers if name == b"content-type"), b"")
        if status == 101 or kind.startswith(b"text/event-stream"):
            self._stream()
        self._tap.head(status, headers)

    def grew(self) -> None:
        self._tap.grew()


@dataclass
class Visit:
    """Answers as a visit does, without its rules: four in flight an origin; `ports.browser.Activity` too."""

    client: HttpClient
    refuse: Callable[[BrowserRequest], bool] = lambda request: False
    asked: list[BrowserRequest] = field(default_factory=list)
    fetched: list[Fetched] = field(default_factory=list)
    rows: list[Any] = field(default_factory=list)
    in_flight: int = 0
    missing: int = 0
    _last: float = field(default_factory=time.monotonic)
    _places: dict[str, asyncio.Semaphore] = field(default_factory=dict)

    def failed_urls(self) -> list[str]:
        answers = [(one.candidate.url, one.exchange) for one in self.fetched]
        return [url for url, exchange in answers if exchange is None or exchange.status >= 400]

    def idle_for(self) -> float:
        return 0.0 if self.in_flight else time.monotonic() - self._last

    def urls(self) -> list[str]:
        return [request.url for request in self.asked]

    async def answer(self, request: BrowserRequest, tap: Tap) -> Fetched:
        self.asked.append(request)
        counted = True
        self.in_flight += 1

        def leave() -> None:
            nonlocal counted
            if counted:
                counted = False
                self.in_flight -= 1
                self._last = time.monotonic()

        try:
            place = self._places.setdefault(str(origin_of(request.url)), asyncio.Semaphore(IN_FLIGHT))
            await place.acquire()
            held = True

            def stream() -> None:
                nonlocal held
                leave()
                if held:
                    held = False
                    place.release()

            try:
                fetched = await self._fetch(request, _Follow(tap, stream))
            finally:
                if held:
                    place.release()
            self.fetched.append(fetched)
            self.missing += fetched.exchange is None
            return fetched
        finally:
            leave()

    async def _fetch(self, request: BrowserRequest, tap: Tap) -> Fetched:
        origin = origin_of(request.url)
        candidate = Candidate(url=request.url, key=canonical(request.url), origin=origin, method=request.method)
        if self.refuse(request):
            decision = Decision(verdict=Verdict.REFUSE, reason=Reason.OUT_OF_SCOPE, rule="test")
            return Fetched(candidate=candidate, decision=decision)
        wanted = WireRequest(
            url=request.url,
            origin=origin,
            method=request.method,
            target=request_target(request.url),
            headers=(
                (b"Host", f"{origin.host}:{origin.port}".encode()),
                *request.headers,
                *([(b"Content-Length", str(len(request.body)).encode())] if request.body else []),
                (b"Connection", b"Upgrade" if request.upgrade else b"keep-alive"),
            ),
            body=request.body,
            upgrade=request.upgrade,
            addresses=("127.0.0.1",),
            limits=WireLimits(connect=5, idle=30, total=60),
        )
        try:
            exchange = await self.client.exchange(wanted, tap)
        except CaptureError as error:
            failure = Failure(code=FailureCode(error.code), message=str(error))
            return Fetched(candidate=candidate, decision=ALLOWED, failure=failure)
        return Fetched(candidate=candidate, decision=ALLOWED, exchange=exchange)


# --- a browser --------------------------------------------------------------------------------------------------------


class NoConsent:
    """`steps.ConsentStep` for pages without notices."""

    facts: Mapping[str, Any] = {}

    async def prepare(self, context: object) -> None: ...

    async def handle(self, on: OnPage) -> ConsentOutcome:
        return ConsentOutcome(outcome="absent")

    async def guard(self, on: OnPage, before: ConsentOutcome) -> ConsentOutcome | None:
        return None

    async def without_notice(self, on: OnPage) -> str | None:
        return None


def steps() -> Steps:
    return Steps(consent=NoConsent(), behaviors=Behaviors(), views=Views(SYSTEM, main_text))


@dataclass
class Rig:
    """A Chromium, its proxy and a client; `see` renders one URL and gives everything back."""

    chromium: Chromium
    proxy: Proxy
    client: HttpClient
    last: Visit | None = None

    @classmethod
    def make(cls, path: Path, *, spool: Path, sandbox: bool, tls: ssl.SSLContext | None = None) -> Rig:
        client = HttpClient(SYSTEM, tls=tls or ssl.create_default_context(), spool_dir=str(spool))
        proxy = Proxy(SYSTEM)
        return cls(Chromium(path, proxy, steps(), sandbox=sandbox), proxy, client)

    def visit(self, **changes: Any) -> Visit:
        self.last = Visit(self.client, **changes)
        return self.last

    async def see(self, url: str, *, site: str = "site", visit: Visit | None = None, **changes: Any) -> Rendered:
        """Opens, renders and releases; the plan keeps no views unless told so."""
        chosen = visit or self.visit()
        self.last = chosen
        plan = replace(PLAN, **({"url": url} | changes))
        page = await self.chromium.page(chosen.answer, site=site, plan=plan)
        try:
            return await page.render(plan, chosen, chosen.rows.append)
        finally:
            await self.chromium.release(page)

    async def close(self) -> None:
        await self.chromium.close()
        await self.proxy.close()
        await self.client.close()


PLAN = Plan(
    url="", page_id="p", seconds=30.0, user_agent="Mozilla/5.0 (compatible; PoliteArchiver-tests)",
    behaviors=(), views=frozenset({"dom"}),
)  # fmt: skip
