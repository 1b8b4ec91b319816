"""One connection: an asyncio protocol that tees what arrives into the framer of the exchange in hand.

Time limits cost one timer handle a connection. It is armed for the earliest limit and, when it fires, compares
timestamps and arms itself again; an exchange that ends in time never touches it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

from archiver.errors import ArchiverError, CaptureError, DiskError
from archiver.model import FailureCode, Origin, TlsInfo
from archiver.ports import WireLimits
from archiver.wire.framer import ResponseFramer
from archiver.wire.tapped import Tapped

# how long to listen on after a head whose framing cannot be trusted; real bodies do not pause that long
LENIENT_IDLE = 5.0
KEEP_SECONDS = 15.0


class Connection(asyncio.Protocol):
    """Carries one exchange at a time. `on_closed` is told once, when the transport is gone."""

    def __init__(self, key: tuple[Origin, str], on_closed: Callable[[Connection], None]) -> None:
        self.key = key
        self.tls: TlsInfo | None = None
        self.idle_since = 0.0
        self.fd = -1
        self._on_closed = on_closed
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._framer: ResponseFramer | None = None
        self._tapped: Tapped | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._limits = WireLimits()
        self._last = self._deadline = self.first_byte_at = 0.0

    # --- what the client calls ---

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    async def exchange(
        self,
        wire: bytes,
        framer: ResponseFramer,
        limits: WireLimits,
        deadline: float,
        tapped: Tapped | None = None,
    ) -> None:
        """Send `wire` and fill `framer`. `deadline` is loop time. Raises CaptureError without a head, DiskError."""
        transport = self._transport
        if transport is None or transport.is_closing():
            raise CaptureError(FailureCode.DISCONNECTED, "the server closed the connection before the request")
        waiter = self._loop.create_future()
        self._framer, self._waiter, self._limits, self._deadline = framer, waiter, limits, deadline
        self.first_byte_at = 0.0
        self._last = self._loop.time()
        self._arm(min(self._last + limits.idle, deadline))
        transport.write(wire)
        if tapped is not None:
            self._tapped = tapped
            tapped.attach(self)
        try:
            await waiter
        except BaseException:
            self.abort()
            raise
        finally:
            self._framer = None
            if tapped is not None:
                self._tapped = None
                tapped.detach()

    def rest(self) -> None:
        """From here on the connection waits for its next exchange; the armed timer will close it when it waits long."""
        self.idle_since = self._last
        if self._timer is None:
            self._arm(self.idle_since + KEEP_SECONDS)

    def shut(self) -> None:
        """Close in good order (FIN, TLS close_notify)."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    # --- what the tap of an exchange calls ---

    def send(self, data: bytes) -> None:
        """More of our side after an upgrade."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def stop(self) -> None:
        """End the exchange in hand now: what came stays, truncated."""
        if self._framer is not None:
            self._time_out(self._framer, total=True)

    # --- what asyncio calls ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        framer = self._framer
        self._last = self._loop.time()
        if framer is None or framer.done:
            self.abort()  # bytes nobody asked for: whatever follows would be taken for the next answer
            return
        if not self.first_byte_at:
            self.first_byte_at = self._last
        try:
            done = framer.feed(data)
        except CaptureError as exc:
            self._fail(exc)
        except OSError as exc:
            self._fail(DiskError(f"cannot write into {exc.filename}, where answers wait: {exc.strerror}"))
        else:
            if self._tapped is not None:
                self._tapped.grew()
            if done:
                self._finish()
            elif framer.is_open_ended:
                self._arm(min(self._last + LENIENT_IDLE, self._deadline))

    def eof_received(self) -> None:
        self._end(clean=True)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._end(clean=exc is None)
        self._on_closed(self)

    # --- ends ---

    def _end(self, *, clean: bool) -> None:
        if self._framer is None or self._framer.done:
            return
        try:
            self._framer.eof(clean=clean)
        except CaptureError as exc:
            self._fail(exc)
        else:
            self._finish()

    def _finish(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _fail(self, exc: ArchiverError) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(exc)

    # --- time ---

    def _arm(self, due: float) -> None:
        timer = self._timer
        if timer is not None:
            if timer.when() <= due:
                return
            timer.cancel()
        self._timer = self._loop.call_at(due, self._tick)

    def _tick(self) -> None:
        self._timer = None
        now = self._loop.time()
        framer = self._framer
        if framer is None:
            due = self.idle_since + KEEP_SECONDS
            if now >= due:
                self.shut()
                return
        else:
            due = self._deadline if framer.is_stream else min(self._last + self._idle(framer), self._deadline)
            if now >= due:
                self._time_out(framer, total=now >= self._deadline)
                return
        self._arm(due)

    def _idle(self, framer: ResponseFramer) -> float:
        return min(self._limits.idle, LENIENT_IDLE) if framer.is_open_ended else self._limits.idle

    def _time_out(self, framer: ResponseFramer, *, total: bool) -> None:
        if framer.done:
            return
        try:
            framer.give_up(total=total)
        except CaptureError as exc:
            self._fail(exc)
        else:
            self._finish()
