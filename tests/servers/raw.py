"""A server that sends exactly the bytes it was given, for each path: what capture has to keep, to the byte.

It runs on a loop of its own in a thread, so a test may be a coroutine, a plain function or drive a child process.
"""

import asyncio
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from tests.servers.authority import Authority


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What the server read: every byte of it, when (monotonic seconds) and on which connection."""

    raw: bytes
    path: str
    at: float
    connection: int

    def header(self, name: str) -> str | None:
        """The value of the first header called `name`, in any case."""
        for line in self.raw.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]:
            key, _, value = line.partition(b":")
            if key.strip().lower() == name.lower().encode():
                return value.strip().decode("latin-1")
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`parts` are written one after the other with `pause` seconds between; then the connection closes, unless kept.

    `abort` resets the connection instead of closing it in order. What follows the first part waits while `held` says
    so: a client that is to be disturbed is then still there, however quick it is and however late the test comes.
    """

    parts: tuple[bytes, ...]
    pause: float = 0.0
    keep: bool = False
    abort: bool = False
    held: Callable[[], bool] = lambda: False


NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
Reply = bytes | Answer | Callable[[Request], bytes | Answer]


@dataclass(slots=True)
class RawServer:
    """A running server. Answers may be changed while it runs; `requests` grows in order of arrival."""

    port: int
    scheme: str
    answers: dict[str, Reply]
    otherwise: Reply = NOT_FOUND
    requests: list[Request] = field(default_factory=list)
    connections: int = 0

    @property
    def origin(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def url(self, path: str) -> str:
        return self.origin + path

    def paths(self) -> list[str]:
        return [request.path for request in self.requests]


@contextmanager
def raw_server(
    answers: Mapping[str, Reply], *, tls: Authority | None = None, otherwise: Reply = NOT_FOUND
) -> Iterator[RawServer]:
    """Serves `answers` (path with query -> reply) on a free port; any other path is a 404, or `otherwise`."""
    server = RawServer(port=0, scheme="https" if tls else "http", answers=dict(answers), otherwise=otherwise)
    loop = asyncio.new_event_loop()
    started, ended = threading.Event(), asyncio.Event()
    serve = _serve(server, tls.server_context() if tls else None, started, ended)
    thread = threading.Thread(target=loop.run_until_complete, args=(serve,), daemon=True)
    thread.start()
    try:
        assert started.wait(60), "the raw server did not start"
        yield server
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(60)
        loop.close()


async def _serve(
    server: RawServer, context: ssl.SSLContext | None, started: threading.Event, ended: asyncio.Event
) -> None:
    tasks: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        server.connections += 1
        try:
            # the client left: its right; cancelled: the server stops while it holds an answer back
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await _converse(server, reader, writer, server.connections)
        finally:
            tasks.discard(task)
            writer.close()

    listener = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context, limit=1 << 24)
    server.port = listener.sockets[0].getsockname()[1]
    started.set()
    await ended.wait()
    listener.close()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _converse(
    server: RawServer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: int
) -> None:
    while True:
        request = await _read(reader, writer, connection)
        server.requests.append(request)
        reply = server.answers.get(request.path, server.otherwise)
        if callable(reply):
            reply = reply(request)
        answer = reply if isinstance(reply, Answer) else Answer(parts=(reply,))
        await _write(writer, answer)
        if answer.abort:
            _reset(writer)
        if not answer.keep:
            return


async def _read(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, connection: int) -> Request:
    head = await reader.readuntil(b"\r\n\r\n")
    path = head.split(b" ", 2)[1].decode("latin-1")
    request = Request(raw=head, path=path, at=time.monotonic(), connection=connection)
    length = int(request.header("content-length") or 0)
    if (request.header("expect") or "").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    body = await reader.readexactly(length) if length else b""
    return Request(raw=head + body, path=path, at=request.at, connection=connection)


async def _write(writer: asyncio.StreamWriter, answer: Answer) -> None:
    for position, part in enumerate(answer.parts):
        if position and answer.pause:
            await asyncio.sleep(answer.pause)
        while position and answer.held():
            await asyncio.sleep(0.005)
        writer.write(part)
        await writer.drain()


def _reset(writer: asyncio.StreamWriter) -> None:
    """Closes with RST: with no lingering, the kernel drops what is unsent and says so to the peer."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def respond(body: bytes, *, content_type: str = "text/html", status: str = "200 OK", headers: str = "") -> bytes:
    """A plain answer with its Content-Length. `headers` are whole lines, each ending in CR LF."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n{headers}"
    return f"{head}Connection: close\r\n\r\n".encode("latin-1") + body
