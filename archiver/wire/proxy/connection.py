"""One connection of the browser: requests in clear or inside a tunnel, one after the other."""

from __future__ import annotations

import asyncio
import ssl
from typing import Protocol, cast

from archiver.model import Fetched
from archiver.ports.browser import BrowserRequest
from archiver.wire.proxy.intake import Connect, Intake, IntakeError, base_of
from archiver.wire.proxy.peer import is_own
from archiver.wire.proxy.relay import Relay
from archiver.wire.proxy.tls import TlsInMemory

_TLS_HANDSHAKE = 0x16
_OPENED = b"HTTP/1.1 200 Connection established\r\n\r\n"
_BACKLOG = 1 << 20
"""Bytes that may wait from a browser that does not wait for its answer."""


class Owner(Protocol):
    """The listener that a connection belongs to."""

    @property
    def context(self) -> ssl.SSLContext: ...

    def begin(self, request: BrowserRequest, relay: Relay) -> asyncio.Task[Fetched] | None:
        """Ask for the answer; the task goes on when the browser goes away. None: nobody answers here now."""
        ...

    def opened(self, connection: BrowserConnection) -> None: ...

    def gone(self, connection: BrowserConnection) -> None: ...


class BrowserConnection(asyncio.Protocol):
    """Belongs to one listener. A peer of another user is cut off before it has said a word."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self._transport: asyncio.Transport | None = None
        self._intake = Intake()
        self._intake_began = False
        self._authority: str | None = None
        self._tls: TlsInMemory | None = None
        self._relay: Relay | None = None
        self._serving: asyncio.Task[None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._early: list[bytes] = []

    # --- what asyncio calls ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        ours, peer = transport.get_extra_info("sockname"), transport.get_extra_info("peername")
        self._owner.opened(self)
        if peer is None or not is_own(ours[:2], peer[:2]):
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._writable.set()
        if self._relay is not None and self._relay.is_stream:
            self._relay.stop()
        if self._serving is not None:
            self._serving.cancel()
        self._owner.gone(self)

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        try:
            self._take(data)
        except (IntakeError, ssl.SSLError):
            self.abort()

    # --- in ---

    def _take(self, data: bytes) -> None:
        if self._authority is not None and self._tls is None and data[0] == _TLS_HANDSHAKE and not self._intake_began:
            self._tls = TlsInMemory(self._owner.context)
            self._intake = Intake(base_of(self._authority, secure=True))
        if self._tls is not None:
            plain = self._tls.feed(data)
            self._send_raw(self._tls.pending())
            if not plain:
                return
            data = plain
        self._intake_began = True
        self._take_plain(data)

    def _take_plain(self, data: bytes) -> None:
        if self._serving is not None:
            if self._relay is not None and self._relay.is_stream:
                self._relay.send(data)
                return
            self._early.append(data)
            if sum(map(len, self._early)) > _BACKLOG:
                raise IntakeError("more was sent than was asked for")
            return
        self._handle(self._intake.feed(data))

    def _handle(self, came: BrowserRequest | Connect | None) -> None:
        if isinstance(came, Connect):
            self._authority = came.authority
            self._intake, self._intake_began = Intake(base_of(came.authority, secure=False)), False
            self._send_raw(_OPENED)
            if came.rest:
                self._take(came.rest)
        elif came is not None:
            relay = Relay()
            answering = self._owner.begin(came, relay)
            if answering is None:
                self.abort()
                return
            self._relay = relay
            self._serving = asyncio.get_running_loop().create_task(self._serve(relay, answering))

    # --- out ---

    async def _serve(self, relay: Relay, answering: asyncio.Task[Fetched]) -> None:
        """Pass one answer on, then take up the next request, or end the connection."""
        try:
            again = await relay.run(answering, self._write)
        except ConnectionError:
            return
        except asyncio.CancelledError:
            self.abort()
            raise
        except Exception:  # the visit's own fault, which it hears of itself; the browser sees a broken connection
            self.abort()
            return
        self._serving = self._relay = None
        if not again:
            self._end(answering.result())
            return
        try:
            self._next()
        except (IntakeError, ssl.SSLError):
            self.abort()

    def _next(self) -> None:
        came = self._intake.turn()
        if came is not None:
            self._handle(came)
        early, self._early = self._early, []
        for data in early:
            self._take_plain(data)

    def _end(self, fetched: Fetched) -> None:
        """A failure breaks the connection, as it would live; an answer that its end belongs to ends it in order."""
        exchange = fetched.exchange
        if exchange is None or (exchange.truncated is not None and exchange.status != 101):
            self.abort()
        elif self._transport is not None:
            self._transport.close()

    async def _write(self, data: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            raise ConnectionError("the browser has gone")
        self._send_raw(data if self._tls is None else self._tls.encrypt(data))
        if not self._writable.is_set():
            await self._writable.wait()

    def _send_raw(self, data: bytes) -> None:
        if data and self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()
