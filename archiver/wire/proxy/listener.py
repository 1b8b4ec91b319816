"""Ports of the recording proxy: one a browser context, so that every request has an owner without credentials."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable

from archiver.clock import Clock
from archiver.model import Fetched
from archiver.ports.browser import Answerer, BrowserRequest
from archiver.wire.proxy.connection import BrowserConnection
from archiver.wire.proxy.relay import Relay
from archiver.wire.proxy.tls import RunKey

CLOSING_SECONDS = 5.0


class Proxy:
    """`ports.browser.RecordingProxy`: the key of the run, made at the first listener."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._made: RunKey | None = None
        self._listeners: set[ProxyListener] = set()

    @property
    def _key(self) -> RunKey:
        if self._made is None:
            self._made = RunKey(self._clock.now())
        return self._made

    @property
    def spki(self) -> str:
        return self._key.spki

    async def listen(self) -> ProxyListener:
        """A port of 127.0.0.1 that cuts everything off until `serve`. Raises OSError when there is none."""
        listener = ProxyListener(self._key.context, self._listeners.discard)
        await listener.open()
        self._listeners.add(listener)
        return listener

    async def close(self) -> None:
        for listener in list(self._listeners):
            await listener.close()


class ProxyListener:
    """`ports.browser.Listener`, and the owner of its connections."""

    def __init__(self, context: ssl.SSLContext, forget: Callable[[ProxyListener], None]) -> None:
        self._answer: Answerer | None = None
        self._forget = forget
        self._server: asyncio.Server | None = None
        self._connections: set[BrowserConnection] = set()
        self._answering: dict[asyncio.Task[Fetched], Relay] = {}
        self.context = context
        self.port = 0

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: BrowserConnection(self), "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    def serve(self, answer: Answerer) -> None:
        self._answer = answer

    async def settle(self) -> None:
        """No new requests; event streams and whatever is half in end as they are, what was not begun is given up."""
        self._answer = None
        for task, relay in list(self._answering.items()):
            if relay.begun:
                relay.stop()
            else:
                task.cancel()
        if self._answering:
            _, late = await asyncio.wait(list(self._answering), timeout=CLOSING_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def close(self) -> None:
        self._forget(self)
        if self._server is not None:
            self._server.close()
        await self.settle()
        for connection in list(self._connections):
            connection.abort()

    # --- what connections call ---

    def begin(self, request: BrowserRequest, relay: Relay) -> asyncio.Task[Fetched] | None:
        """None when nobody answers: a worker that outlives the visit it belongs to gets nothing."""
        answer = self._answer
        if answer is None:
            return None

        async def ask() -> Fetched:
            return await answer(request, relay)

        task = asyncio.get_running_loop().create_task(ask())
        self._answering[task] = relay
        task.add_done_callback(lambda _: self._answering.pop(task, None))
        return task

    def opened(self, connection: BrowserConnection) -> None:
        self._connections.add(connection)

    def gone(self, connection: BrowserConnection) -> None:
        self._connections.discard(connection)
