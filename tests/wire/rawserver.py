"""A server on loopback that sends exactly the bytes it is told to, over http and https."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import trustme

from archiver.model import Origin
from archiver.ports import WireLimits, WireRequest


@dataclass
class Reply:
    """What to send for a path: byte pieces, and pauses in seconds between them. Then close, reset, or keep open."""

    pieces: tuple[bytes | float, ...]
    then: str = "keep"  # keep | close | reset | hang

    @property
    def sent(self) -> bytes:
        return b"".join(piece for piece in self.pieces if isinstance(piece, bytes))


Answer = Reply | Callable[[bytes], Reply]


@dataclass
class RawServer:
    """`replies` by path (or a callable of the request bytes); `requests` holds (connection number, request bytes)."""

    scheme: str = "http"
    host: str = "127.0.0.1"
    port: int = 0
    replies: dict[str, Answer] = field(default_factory=dict)
    requests: list[tuple[int, bytes]] = field(default_factory=list)
    connections: int = 0

    @property
    def origin(self) -> Origin:
        return Origin(self.scheme, self.host, self.port)

    def url(self, path: str) -> str:
        return f"{self.origin}{path}"

    def paths(self) -> list[str]:
        return [raw.split(b" ", 2)[1].decode() for _, raw in self.requests]

    def reply(self, path: str, *pieces: bytes | float, then: str = "keep") -> None:
        self.replies[path] = Reply(pieces, then)

    def request(self, path: str, method: str = "GET", **changes: object) -> WireRequest:
        """A plain request for `path`; `limits`, `headers`, `addresses`, `body` may be given."""
        headers = (
            (b"Host", f"{self.host}:{self.port}".encode()),
            (b"User-Agent", b"PoliteArchiver-tests"),
            (b"Accept", b"*/*"),
        )
        values: dict[str, object] = {
            "url": self.url(path),
            "origin": self.origin,
            "method": method,
            "target": path.encode(),
            "headers": headers,
            "addresses": ("127.0.0.1",),
            "limits": WireLimits(connect=5, idle=5, total=20),
        }
        return WireRequest(**(values | changes))  # type: ignore[arg-type]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        number = self.connections
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self.requests.append((number, head))
                answer = self.replies[head.split(b" ", 2)[1].decode()]
                reply = answer(head) if callable(answer) else answer
                if not await self._send(reply, writer):
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()

    async def _send(self, reply: Reply, writer: asyncio.StreamWriter) -> bool:
        for piece in reply.pieces:
            if isinstance(piece, float):
                await writer.drain()
                await asyncio.sleep(piece)
            else:
                writer.write(piece)
        await writer.drain()
        if reply.then == "reset":
            linger = b"\x01\0\0\0\0\0\0\0"
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            writer.transport.abort()
        elif reply.then == "hang":
            await asyncio.sleep(30)
        return reply.then == "keep"


@asynccontextmanager
async def raw_server(
    context: ssl.SSLContext | None = None, *, host: str = "127.0.0.1", bind: str = "127.0.0.1"
) -> AsyncIterator[RawServer]:
    """Start on a free port; https when a context is given."""
    server = RawServer(scheme="https" if context else "http", host=host)
    tasks: set[asyncio.Task[None]] = set()

    async def on_connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            await server.serve(reader, writer)
        except asyncio.CancelledError:
            pass
        finally:
            tasks.discard(task)

    listener = await asyncio.start_server(on_connect, bind, 0, ssl=context, limit=1 << 20)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@dataclass
class Certificates:
    """A root, an intermediate and a server context whose chain holds leaf and intermediate."""

    root: trustme.CA
    intermediate: trustme.CA
    server: ssl.SSLContext

    def client(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.set_alpn_protocols(["http/1.1"])
        self.root.configure_trust(context)
        return context


def make_certificates(*names: str) -> Certificates:
    root = trustme.CA()
    intermediate = root.create_child_ca()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    intermediate.issue_cert(*(names or ("127.0.0.1", "localhost"))).configure_cert(context)
    return Certificates(root, intermediate, context)
