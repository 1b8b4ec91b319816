"""HTTP/1.1 with every wire byte kept: the one way out, for documents and robots.txt as for the browser's requests."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from datetime import datetime

from archiver.clock import Clock
from archiver.errors import CaptureError
from archiver.model import Exchange, FailureCode, Framing
from archiver.ports import WireRequest
from archiver.ports.browser import Tap
from archiver.spooled import Spool
from archiver.wire.connect import connect
from archiver.wire.connection import Connection
from archiver.wire.framer import ResponseFramer
from archiver.wire.head import Head
from archiver.wire.pool import Pool
from archiver.wire.request import IDEMPOTENT, asks_to_close, serialise
from archiver.wire.tapped import Tapped
from archiver.wire.tls import Trust
from archiver.wire.transfer import undo_codings

_NEXT_ADDRESS = frozenset({FailureCode.CONNECT_ERROR, FailureCode.CONNECT_TIMEOUT})


@dataclass(slots=True)
class _Timing:
    started_at: datetime
    started: float
    loop_started: float


class HttpClient:
    """`ports.Client`. Belongs to one event loop; connects only to `WireRequest.addresses`, never resolves a name.

    `tls` is a context or a `Trust` (which builds its context at the first https request); bodies past the memory
    limit go to unnamed files in `spool_dir` (None = the system's temporary folder).
    """

    def __init__(self, clock: Clock, *, tls: ssl.SSLContext | Trust, spool_dir: str | None = None) -> None:
        self._clock = clock
        self._tls = tls
        self._spool_dir = spool_dir
        self._pool = Pool()
        self._open: set[Connection] = set()
        self._all_closed: asyncio.Event | None = None

    async def exchange(self, request: WireRequest, tap: Tap | None = None) -> Exchange:
        """Send once, receive once; see `ports.Client`. Raises CaptureError without a head, DiskError.

        `tap` follows the answer while it comes in; it may end it, and send on after an upgrade.
        """
        loop = asyncio.get_running_loop()
        timing = _Timing(self._clock.now(), self._clock.monotonic(), loop.time())
        deadline = timing.loop_started + request.limits.total
        wire = serialise(request)
        framer = ResponseFramer(request.method, request.limits, self._spool_dir, upgrade=request.upgrade)
        tapped = None
        if tap is not None:
            tapped = Tapped(tap, framer)
            tap.begin(framer.raw, tapped)
        try:
            connection = await self._try_pooled(request, wire, framer, deadline, tapped)
            if connection is None:
                connection = await self._connect(request, deadline)
                await connection.exchange(wire, framer, request.limits, deadline, tapped)
            self._put_back(connection, request, framer)
            entity = await self._entity(framer)
        except BaseException:
            framer.close()
            raise
        return self._build(request, wire, framer, entity, connection, timing)

    async def close(self) -> None:
        """Drop every connection, in use or not, and wait until the sockets are gone."""
        if not self._open:
            return
        self._all_closed = asyncio.Event()
        for connection in list(self._open):
            connection.abort()
        await self._all_closed.wait()

    # --- connections ---

    async def _try_pooled(
        self, request: WireRequest, wire: bytes, framer: ResponseFramer, deadline: float, tapped: Tapped | None
    ) -> Connection | None:
        """Use a kept connection; None when there is none, or when it proved dead before a byte came back."""
        connection = self._pool.take(request.origin, request.addresses, asyncio.get_running_loop().time())
        if connection is None:
            return None
        try:
            await connection.exchange(wire, framer, request.limits, deadline, tapped)
        except CaptureError as exc:
            stale = exc.code == FailureCode.DISCONNECTED and not framer.has_bytes
            if not stale or request.method not in IDEMPOTENT:
                raise
            return None
        return connection

    async def _connect(self, request: WireRequest, deadline: float) -> Connection:
        """The first address that accepts. Raises CaptureError of the last one that did not."""
        failure = CaptureError(FailureCode.CONNECT_ERROR, f"{request.origin.host} has no vetted address")
        for address in request.addresses:
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                message = f"not connected within the total limit ({request.limits.total:g} s)"
                raise CaptureError(FailureCode.TOTAL_TIMEOUT, message)
            seconds = min(request.limits.connect, left)
            try:
                connection = await connect(request.origin, address, self._context, self._closed, seconds)
            except CaptureError as exc:
                if exc.code not in _NEXT_ADDRESS:
                    raise
                failure = exc
                continue
            if connection.is_open:
                self._open.add(connection)
            return connection
        raise failure

    def _context(self) -> ssl.SSLContext:
        return self._tls.context if isinstance(self._tls, Trust) else self._tls

    def _closed(self, connection: Connection) -> None:
        self._open.discard(connection)
        self._pool.forget(connection)
        if self._all_closed is not None and not self._open:
            self._all_closed.set()

    def _put_back(self, connection: Connection, request: WireRequest, framer: ResponseFramer) -> None:
        if framer.is_reusable and connection.is_open and not asks_to_close(request) and self._all_closed is None:
            connection.rest()
            self._pool.give(connection)
        elif framer.malformed is not None or framer.truncated is not None:
            connection.abort()
        else:
            connection.shut()

    # --- the answer ---

    async def _entity(self, framer: ResponseFramer) -> Spool | None:
        """The transfer-decoded body where it differs from the wire's; undoes `gzip, chunked` off the loop."""
        head = framer.head
        codings = head.transfer_codings if head else ()
        coded = framer.entity
        if codings[-1:] == (b"chunked",):
            codings = codings[:-1] if coded is not None else ()
        if not codings or framer.framing is Framing.NONE:
            return coded
        pieces = coded.chunks() if coded is not None else framer.raw.chunks(framer.body_start)
        size = coded.size if coded is not None else framer.raw.size - framer.body_start
        into = Spool(directory=self._spool_dir)
        problem = await asyncio.to_thread(undo_codings, pieces, codings, wire_bytes=size, into=into)
        if problem is not None:
            framer.malformed = f"{framer.malformed}; {problem}" if framer.malformed else problem
            into.close()
            return coded
        if coded is not None:
            coded.close()
        framer.entity = None
        return into

    def _build(
        self,
        request: WireRequest,
        wire: bytes,
        framer: ResponseFramer,
        entity: Spool | None,
        connection: Connection,
        timing: _Timing,
    ) -> Exchange:
        head = framer.head
        assert isinstance(head, Head)  # the connection raised otherwise
        return Exchange(
            url=request.url,
            method=request.method,
            request=wire,
            response=framer.raw,
            head_start=framer.head_start,
            body_start=framer.body_start,
            status=head.status,
            reason=head.reason,
            headers=head.headers,
            framing=framer.framing,
            ip=connection.key[1],
            port=request.origin.port,
            started_at=timing.started_at,
            seconds=self._clock.monotonic() - timing.started,
            first_byte_seconds=max(0.0, connection.first_byte_at - timing.loop_started),
            entity=entity,
            tls=connection.tls,
            truncated=framer.truncated,
            malformed=framer.malformed,
        )
