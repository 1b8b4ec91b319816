"""One answer on its way to the browser while it is still coming in, byte for byte as the server sends it.

The server is drained at its own pace into the exchange's spool, however slowly the browser reads; the relay follows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from archiver.model import Fetched, Framing
from archiver.ports.browser import Control
from archiver.spooled import Spool

PIECE = 1 << 16

Write = Callable[[bytes], Awaitable[None]]
"""Sends to the browser and waits while it reads slowly. Raises ConnectionError when it has gone."""


class Relay:
    """`ports.browser.Tap` of one request of the browser."""

    def __init__(self) -> None:
        self._news = asyncio.Event()
        self._raw: Spool | None = None
        self._control: Control | None = None
        self._sent = 0
        self.is_stream = False

    # --- ports.browser.Tap ---

    def begin(self, raw: Spool, control: Control) -> None:
        self._raw, self._control = raw, control

    def head(self, status: int, headers: Sequence[tuple[bytes, bytes]]) -> None:
        events = any(name == b"content-type" and value[:17].lower() == b"text/event-stream" for name, value in headers)
        self.is_stream = status == 101 or events

    def grew(self) -> None:
        self._news.set()

    # --- the browser's side ---

    @property
    def begun(self) -> bool:
        return self._control is not None

    def send(self, data: bytes) -> None:
        """What the browser says after an upgrade."""
        if self._control is not None:
            self._control.send(data)

    def stop(self) -> None:
        """End the exchange now; what came of it stays."""
        if self._control is not None:
            self._control.stop()

    async def run(self, answering: asyncio.Task[Fetched], write: Write) -> bool:
        """Pass the answer on until it is over. True: the browser may ask again on its connection.

        Raises ConnectionError when the browser has gone, and whatever the answerer raises.
        """
        answering.add_done_callback(lambda _: self._news.set())
        while not answering.done():
            await self._news.wait()
            self._news.clear()
            await self._pass_on(write)
        fetched = answering.result()
        exchange = fetched.exchange
        if exchange is None:
            if fetched.failure is not None:
                return False
            await write(refusal(fetched))
            return True
        if self._raw is None:
            self._raw = exchange.response
        await self._pass_on(write)
        whole = exchange.truncated is None and exchange.malformed is None and self._sent == exchange.response.size
        return whole and exchange.framing is not Framing.CLOSE and exchange.status != 101

    async def _pass_on(self, write: Write) -> None:
        raw = self._raw
        while raw is not None and self._sent < raw.size:
            piece = raw.read(self._sent, PIECE)
            self._sent += len(piece)
            await write(piece)


def refusal(fetched: Fetched) -> bytes:
    """What the browser is told of a request that is not made (RFC 7725 in form; never a record)."""
    decision = fetched.decision
    text = f"Not fetched: {decision.reason.value}. {decision.rule}\n".encode()
    head = (
        "HTTP/1.1 451 Not Fetched\r\nContent-Type: text/plain; charset=utf-8\r\n"
        f"Content-Length: {len(text)}\r\nCache-Control: no-store\r\nX-Archiver-Reason: {decision.reason.value}\r\n\r\n"
    )
    return head.encode("ascii") + (b"" if fetched.candidate.method == "HEAD" else text)
