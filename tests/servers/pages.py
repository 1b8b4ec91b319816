"""Sites for browsers: whole pages, event streams, WebSockets, and a log of what was asked for and what was sent.

A server runs on a loop of its own in a thread. An answer is bytes sent as they are, or a coroutine function that talks.
"""

from __future__ import annotations

import asyncio
import base64
import gzip
import hashlib
import ssl
import threading
import time
import zlib
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import pairwise

import brotli

_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


@dataclass(slots=True, eq=False)
class Hit:
    """A request as it was read and what was sent for it; `at` and `done` in monotonic seconds.

    A request is in flight until just before the last byte of its answer is written. `talked`: an upgraded connection,
    an event stream: `sent` has all that went out until it ended.
    """

    url: str
    path: str
    method: str
    head: bytes
    body: bytes
    at: float
    done: float = float("inf")
    sent: bytearray = field(default_factory=bytearray)
    talked: bool = False

    def header(self, name: str) -> str | None:
        for line in self.head.split(b"\r\n")[1:]:
            key, _, value = line.partition(b":")
            if key.strip().lower() == name.lower().encode():
                return value.strip().decode("latin-1")
        return None


@dataclass(slots=True)
class Talk:
    """A request in hand, for answers that take their time."""

    hit: Hit
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def send(self, data: bytes) -> None:
        self.hit.sent += data
        self.writer.write(data)
        await self.writer.drain()


Talker = Callable[[Talk], Awaitable[None]]
Reply = bytes | Talker | Callable[[Hit], bytes]


@dataclass(slots=True, eq=False)
class Pages:
    """A running site; `answers` by target (path with query), changeable while it runs; else a 404."""

    host: str
    port: int
    scheme: str = "http"
    answers: dict[str, Reply] = field(default_factory=dict)
    hits: list[Hit] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.address}"

    def url(self, path: str = "/") -> str:
        return self.origin + path

    def count(self) -> Counter[str]:
        """How often each path was asked for, but robots.txt and what else says how the site may be used."""
        return Counter(hit.path for hit in self.asked)

    @property
    def asked(self) -> list[Hit]:
        return [hit for hit in self.hits if hit.path != "/robots.txt" and not hit.path.startswith("/.well-known/")]

    def of(self, prefix: str) -> list[Hit]:
        return [hit for hit in self.hits if hit.path.startswith(prefix)]

    def gaps(self) -> list[float]:
        """Seconds between one arrival and the next."""
        return [later.at - earlier.at for earlier, later in pairwise(self.hits)]


def most_in_flight(hits: list[Hit]) -> int:
    return max(sum(other.at <= hit.at < other.done for other in hits) for hit in hits)


# --- answers ----------------------------------------------------------------------------------------------------------

_CODINGS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda body: gzip.compress(body, mtime=0),
    "br": brotli.compress,
    "deflate": zlib.compress,
}


def page(
    body: str | bytes,
    kind: str = "text/html; charset=utf-8",
    *,
    status: str = "200 OK",
    coding: str = "",
    chunks: int = 0,
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """A whole answer on a connection that stays open; `chunks`: sent in so many, chunked."""
    content = body.encode() if isinstance(body, str) else body
    fields = {"Content-Type": kind, **(headers or {})}
    if coding:
        content, fields["Content-Encoding"] = _CODINGS[coding](content), coding
    if chunks:
        fields["Transfer-Encoding"] = "chunked"
        size = -(-len(content) // chunks)
        parts = [content[start : start + size] for start in range(0, len(content), size)]
        content = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
    else:
        fields["Content-Length"] = str(len(content))
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode("latin-1") + content


def moved(where: str, status: str = "302 Found") -> bytes:
    return page("moved", "text/plain", status=status, headers={"Location": where})


def slow(answer: bytes, seconds: float) -> Talker:
    async def talk(talk: Talk) -> None:
        await asyncio.sleep(seconds)
        talk.hit.done = time.monotonic()
        await talk.send(answer)

    return talk


def event_stream(count: int = 3, headers: str = "") -> Talker:
    """So many events at once, and then nothing more: the stream stays open."""

    async def talk(talk: Talk) -> None:
        talk.hit.talked = True
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n{headers}Connection: close\r\n\r\n"
        await talk.send(head.encode())
        for number in range(count):
            await talk.send(b"data: event %d\n\n" % number)
        await talk.reader.read()  # until the other side leaves

    return talk


async def web_socket(talk: Talk) -> None:
    """Greets, then sends back what comes, in text frames."""
    talk.hit.talked = True
    key = (talk.hit.header("sec-websocket-key") or "").encode()
    accept = base64.b64encode(hashlib.sha1(key + _GUID).digest())
    await talk.send(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: %b\r\n\r\n" % accept
    )
    await talk.send(_frame(b"hello"))
    while True:
        first, second = await talk.reader.readexactly(2)
        mask = await talk.reader.readexactly(4)
        payload = bytes(
            byte ^ mask[place % 4] for place, byte in enumerate(await talk.reader.readexactly(second & 0x7F))
        )
        if first & 0x0F == 8:
            return
        await talk.send(_frame(b"echo " + payload))


def _frame(text: bytes) -> bytes:
    return bytes([0x81, len(text)]) + text


# --- the server -------------------------------------------------------------------------------------------------------


@contextmanager
def serving(
    answers: Mapping[str, Reply] | None = None, *, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> Iterator[Pages]:
    """Serves on a free port of 127.0.0.1; `host` is what its URLs say (`127.0.0.1`, `localhost`)."""
    site = Pages(host=host, port=0, scheme="https" if tls else "http", answers=dict(answers or {}))
    loop = asyncio.new_event_loop()
    started, ended = threading.Event(), asyncio.Event()
    thread = threading.Thread(target=loop.run_until_complete, args=(_serve(site, tls, started, ended),), daemon=True)
    thread.start()
    try:
        assert started.wait(60), "the server did not start"
        yield site
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(60)
        loop.close()


async def _serve(site: Pages, tls: ssl.SSLContext | None, started: threading.Event, ended: asyncio.Event) -> None:
    tasks: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while await _answer(site, reader, writer):
                    pass
        finally:
            tasks.discard(task)
            writer.close()

    listener = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=tls, limit=1 << 20)
    site.port = listener.sockets[0].getsockname()[1]
    started.set()
    await ended.wait()
    listener.close()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _answer(site: Pages, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """One request; True while the connection goes on."""
    head = await reader.readuntil(b"\r\n\r\n")
    method, target, _ = head.split(b"\r\n")[0].decode("latin-1").split(" ")
    hit = Hit(site.origin + target, target, method, head, b"", time.monotonic())
    hit.body = await reader.readexactly(int(hit.header("content-length") or 0))
    site.hits.append(hit)
    reply = site.answers.get(target, NOT_FOUND)
    talk = Talk(hit, reader, writer)
    if callable(reply):
        made = reply(talk) if asyncio.iscoroutinefunction(reply) else reply(hit)  # type: ignore[arg-type]
        if not isinstance(made, bytes):
            try:
                await made
            finally:
                hit.done = min(hit.done, time.monotonic())
            return not hit.talked
        reply = made
    hit.done = time.monotonic()
    await talk.send(reply)
    return True


NOT_FOUND = page("nothing here", "text/plain", status="404 Not Found")
