from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from archiver.clock import SYSTEM
from archiver.errors import CaptureError
from archiver.model import (
    Candidate,
    Decision,
    Failure,
    FailureCode,
    Fetched,
    Reason,
    Verdict,
)
from archiver.ports.browser import BrowserRequest, Listener, Tap
from archiver.urls import canonical, origin_of, request_target
from archiver.wire.client import HttpClient
from archiver.wire.proxy import Proxy
from tests.wire.rawserver import RawServer

ALLOWED = Decision(verdict=Verdict.ALLOW, reason=Reason.ALLOWED)
REFUSED = Decision(verdict=Verdict.REFUSE, reason=Reason.ROBOTS_TXT, rule="Disallow: /private")


@dataclass
class Visit:
    """Answers a listener's requests as a visit would, with the real client and without rules of its own."""

    client: HttpClient
    asked: list[BrowserRequest] = field(default_factory=list)
    fetched: list[Fetched] = field(default_factory=list)
    given: dict[str, Fetched] = field(default_factory=dict)
    gave_up: list[str] = field(default_factory=list)
    hold: asyncio.Event | None = None

    async def listen(self, proxy: Proxy) -> Listener:
        listener = await proxy.listen()
        listener.serve(self.answer)
        return listener

    async def first(self) -> Fetched:
        """What became of the first request; waits for it."""
        async with asyncio.timeout(20):
            while not self.fetched:
                await asyncio.sleep(0.01)
        return self.fetched[0]

    async def answer(self, request: BrowserRequest, tap: Tap) -> Fetched:
        self.asked.append(request)
        try:
            if self.hold is not None:
                await self.hold.wait()
            fetched = await self._fetch(request, tap)
        except asyncio.CancelledError:
            self.gave_up.append(request.url)
            raise
        self.fetched.append(fetched)
        return fetched

    async def _fetch(self, request: BrowserRequest, tap: Tap) -> Fetched:
        origin = origin_of(request.url)
        candidate = Candidate(url=request.url, key=canonical(request.url), origin=origin, method=request.method)
        if request.url in self.given:
            return self.given[request.url]
        if "/private" in request.url:
            return Fetched(candidate=candidate, decision=REFUSED)
        server = RawServer(scheme=origin.scheme, port=origin.port)
        connection = b"Upgrade" if request.upgrade else b"keep-alive"
        headers = (
            (b"Host", f"{origin.host}:{origin.port}".encode()),
            *request.headers,
            *([(b"Content-Length", str(len(request.body)).encode())] if request.body else []),
            (b"Connection", connection),
        )
        try:
            exchange = await self.client.exchange(
                server.request(
                    "/", request.method, url=request.url, target=request_target(request.url), headers=headers,
                    body=request.body, upgrade=request.upgrade,
                ),
                tap,
            )  # fmt: skip
        except CaptureError as error:
            return Fetched(
                candidate=candidate,
                decision=ALLOWED,
                failure=Failure(code=FailureCode(error.code), message=str(error)),
            )
        return Fetched(candidate=candidate, decision=ALLOWED, exchange=exchange)


@dataclass
class Browser:
    """Asks through a listener, byte by byte as told."""

    port: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def connect(cls, port: int) -> Browser:
        return cls(port, *await asyncio.open_connection("127.0.0.1", port))

    async def tunnel(self, authority: str, *, tls: bool) -> None:
        self.writer.write(f"CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n".encode())
        assert (await self.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        if tls:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            context.set_alpn_protocols(["http/1.1"])
            await self.writer.start_tls(context, server_hostname="127.0.0.1")

    async def ask(self, target: str, *headers: str, method: str = "GET", body: bytes = b"") -> None:
        lines = [f"{method} {target} HTTP/1.1", "Host: whatever", *headers]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        self.writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        await self.writer.drain()

    async def read(self, count: int) -> bytes:
        async with asyncio.timeout(20):
            return await self.reader.readexactly(count)

    async def rest(self) -> bytes:
        """Until the proxy closes; a reset counts as a close."""
        pieces = []
        async with asyncio.timeout(20):
            try:
                while piece := await self.reader.read(65_536):
                    pieces.append(piece)
            except ConnectionError:
                pass
        return b"".join(pieces)

    async def close(self) -> None:
        self.writer.close()


@pytest.fixture
async def proxy() -> AsyncIterator[Proxy]:
    proxy = Proxy(SYSTEM)
    yield proxy
    await proxy.close()


@pytest.fixture
def visit(client: HttpClient) -> Visit:
    return Visit(client)
