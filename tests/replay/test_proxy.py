"""The proxy in front of a server that answers what it is told, byte by byte."""

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from archiver.replay.proxy import ReplayProxy
from tests.replay.samples import Answer, dial
from tests.servers.ports import free_port

OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi"
MP = "/main/20261123120000mp_/http://site.test/"

Respond = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Upstream:
    """A stand-in for pywb: keeps each request, sends `answer` (bytes, or a function that writes)."""

    answer: bytes | Respond = OK
    asked: list[bytes] = field(default_factory=list)
    port: int = 0
    refreshed: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next((int(row[15:]) for row in head.split(b"\r\n") if row.lower().startswith(b"content-length:")), 0)
        self.asked.append(head + await reader.readexactly(length))
        try:
            if isinstance(self.answer, bytes):
                writer.write(self.answer)
                await writer.drain()
            else:
                await self.answer(writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    def refresh(self) -> None:
        self.refreshed += 1


@asynccontextmanager
async def proxied(banner: str | None = None) -> AsyncIterator[tuple[Upstream, int]]:
    upstream = Upstream()
    server = await asyncio.start_server(upstream.serve, "127.0.0.1", 0)
    upstream.port = server.sockets[0].getsockname()[1]
    port = free_port()
    proxy = ReplayProxy(
        collection="main", upstream_port=upstream.port, port=port, banner=banner, refresh=upstream.refresh
    )
    runner = proxy.runner()
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        yield upstream, port
    finally:
        await runner.cleanup()
        server.close()


async def ask(port: int, target: str | bytes = MP, **options: str | None) -> Answer:
    return await asyncio.to_thread(dial, port, target, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "other.replay.localhost", "main.replay.localhost", "main.replay.localhost.evil.test",
     "evil.test", None, "main.replay.localhost:1"],
)  # fmt: skip
async def test_any_other_host_is_misdirected(host: str | None) -> None:
    async with proxied() as (upstream, port):
        answer = await ask(port, host=host)
        assert answer.status in ((421, 400) if host is None else (421,))
        assert upstream.asked == []


async def test_host_names_have_no_case() -> None:
    async with proxied() as (_, port):
        assert (await ask(port, host=f"MAIN.Replay.localhost:{port}")).status == 200


@pytest.mark.parametrize(
    "target",
    ["/other/2026/http://site.test/", "/mainx/", "/collinfo.json", "/static/wombat.js", "/_pywb/../main", "/live/http://a",
     "/_pywb/..%2f..%2fetc/passwd", "/main/../../etc/passwd", "/main/..%2f..%2fetc/passwd", "/main/..%5c..%5cetc",
     "/main/%2e%2e/x", "/_pywb/%2e%2e/x", "//main/x", "/proxy-fetch/http://a", "/main%2f..%2fx"],
)  # fmt: skip
async def test_other_paths_are_not_found_and_not_asked_for(target: str) -> None:
    async with proxied() as (upstream, port):
        assert (await ask(port, target)).status == 404
        assert upstream.asked == []


@pytest.mark.parametrize(
    "target",
    [
        "/main/2026id_/http://site.test/a%2Fb%3Fc%23d/%20e//f?x=%2F&y=%26#z".partition("#")[0],
        "/main/2026id_/http://b%C3%BCcher.test/%FC",
        "/main/2026id_/http://xn--bcher-kva.test/",
        "/main/2026id_/https://site.test//a///b/./c/../d",
        "/main/2026id_/http://site.test/?a=1&a=2&&=&%00",
        '/main/2026id_/http://site.test/[x]{y}|^`"<>\\',
        "/main/cdx?url=http://site.test/*&output=json",
        "/_pywb/wombat.js?v=1",
    ],
)
async def test_targets_reach_pywb_as_they_came(target: str) -> None:
    async with proxied() as (upstream, port):
        assert (await ask(port, target)).status == 200
        assert upstream.asked[0].split(b" ")[1] == target.encode()
        assert upstream.refreshed == 1


async def test_absolute_targets_are_taken_by_their_path() -> None:
    async with proxied() as (upstream, port):
        await ask(port, f"http://main.replay.localhost:{port}{MP}")
        assert upstream.asked[0].split(b" ")[1] == MP.encode()


async def test_robots_and_home_are_the_proxys_own() -> None:
    async with proxied() as (upstream, port):
        robots = await ask(port, "/robots.txt")
        assert robots.body == b"User-agent: *\nDisallow: /\n"
        for path in ("/", "/main"):
            home = await ask(port, path)
            assert (home.status, home.one("Location")) == (302, "/main/")
        assert upstream.asked == []


async def test_every_answer_keeps_crawlers_and_other_origins_out() -> None:
    async with proxied() as (_, port):
        answer = await ask(port)
        assert answer.one("X-Robots-Tag") == "noindex, noarchive"
        assert answer.one("Cross-Origin-Resource-Policy") == "same-origin"
        assert answer.one("Content-Security-Policy").startswith("default-src 'self'")
        refused = await ask(port, "/none")
        assert refused.one("X-Robots-Tag") == "noindex, noarchive"


async def test_service_workers_are_not_handed_out() -> None:
    async with proxied() as (upstream, port):
        assert (await ask(port, Service_Worker="script")).status == 403
        assert upstream.asked == []


@pytest.mark.parametrize("method", ["DELETE", "CONNECT", "TRACE", "PATCH"])
async def test_methods_that_read_nothing_are_refused(method: str) -> None:
    async with proxied() as (upstream, port):
        assert (await ask(port, method=method)).status in (400, 405)
        assert upstream.asked == []


async def test_posted_bodies_reach_pywb_for_post_captures() -> None:
    async with proxied() as (upstream, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        host = f"Host: main.replay.localhost:{port}\r\n".encode()
        writer.write(b"POST %b HTTP/1.1\r\n%bContent-Length: 3\r\n\r\na=1" % (MP.encode(), host))
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        writer.close()
        assert upstream.asked[0].endswith(b"\r\n\r\na=1")


async def test_odd_headers_survive() -> None:
    async with proxied() as (upstream, port):
        upstream.answer = (
            b"HTTP/1.1 299 Well, yes\r\nX-Foo : bar\r\nX-Utf: caf\xc3\xa9\r\nX-Latin: caf\xe9\r\nno colon\r\n"
            b"X-Two: 1\r\n"
            b"x-two: 2\r\nX-Empty:\r\nX-Bell: a\x07b\r\nContent-Length: 2\r\n\r\nhi"
        )
        answer = await ask(port)
        assert (answer.status, answer.body) == (299, b"hi")
        assert answer.one("X-Foo") == "bar"
        assert answer.one("X-Utf") == "café" and answer.one("X-Latin") == "café"
        assert answer.all("X-Two") == ["1", "2"]
        assert answer.one("X-Empty") == ""
        assert answer.one("X-Bell") == "a b"


async def test_an_answer_without_a_type_stays_without() -> None:
    async with proxied() as (upstream, port):
        upstream.answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
        answer = await ask(port)
        assert answer.all("Content-Type") == [] and answer.all("Server") == []


@pytest.mark.parametrize(
    ("wire", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n", b"abcde"),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", b"until the end"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b""),
        (b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 1-2/9\r\nContent-Length: 2\r\n\r\nab", b"ab"),
    ],
)
async def test_bodies_in_every_framing(wire: bytes, body: bytes) -> None:
    async with proxied() as (upstream, port):
        upstream.answer = wire
        assert (await ask(port)).body == body


@pytest.mark.parametrize(
    ("wire", "length"),
    [
        (OK[:-2], ["2"]),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", []),
        (b"HTTP/1.1 200 OK\r\n\r\n", []),
    ],
)
async def test_head_has_the_head_alone(wire: bytes, length: list[str]) -> None:
    async with proxied() as (upstream, port):
        upstream.answer = wire
        answer = await ask(port, method="HEAD")
        assert (answer.status, answer.body, answer.all("Content-Length")) == (200, b"", length)
        assert upstream.asked[0].startswith(b"HEAD ")


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
async def test_answers_that_have_no_body(status: bytes) -> None:
    async with proxied() as (upstream, port):
        upstream.answer = b"HTTP/1.1 " + status + b"\r\n\r\n"
        answer = await ask(port)
        assert (answer.status, answer.body) == (int(status[:3]), b"")


async def test_a_body_that_breaks_off_does_not_look_whole() -> None:
    async with proxied() as (upstream, port):
        upstream.answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n5\r\nab"
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"GET {MP} HTTP/1.1\r\nHost: main.replay.localhost:{port}\r\n\r\n".encode())
        try:
            wire = await reader.read()
        except ConnectionResetError:
            wire = b""
        assert b"0\r\n\r\n" not in wire
        writer.close()


@pytest.mark.parametrize(
    "wire",
    [b"", b"HTTP/1.1 103 Early Hints\r\nTransfer-Encoding: chunked\r\n\r\n", b"nonsense\r\n\r\n",
     b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * (1 << 21)],
)  # fmt: skip
async def test_what_cannot_be_shown_is_said_in_one_line(wire: bytes) -> None:
    async with proxied() as (upstream, port):
        upstream.answer = wire
        answer = await ask(port)
        assert answer.status == 502
        assert answer.body.startswith(b"Cannot be shown: ") and answer.body.count(b"\n") == 1


async def test_pieces_arrive_before_the_whole_is_there_and_nothing_is_collected() -> None:
    """The upstream sends its second piece only when the first one has arrived at the visitor."""
    arrived = asyncio.Event()

    async def slowly(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
        await asyncio.wait_for(arrived.wait(), 90)
        writer.write(b"6\r\nsecond\r\n0\r\n\r\n")
        await writer.drain()

    async with proxied() as (upstream, port):
        upstream.answer = slowly
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(f"GET {MP} HTTP/1.1\r\nHost: main.replay.localhost:{port}\r\n\r\n".encode())
        await asyncio.wait_for(reader.readuntil(b"first"), 90)
        arrived.set()
        await asyncio.wait_for(reader.readuntil(b"second"), 90)
        writer.close()


async def test_a_visitor_who_stops_reading_stops_pywb_too() -> None:
    """Backpressure: of an endless body only what fits into the sockets' buffers is ever asked for."""
    sent = 0

    async def endless(writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while sent < 1 << 28:
            writer.write(bytes(1 << 16))
            await writer.drain()
            sent += 1 << 16

    async with proxied() as (upstream, port):
        upstream.answer = endless
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 10)
        writer.write(f"GET {MP} HTTP/1.1\r\nHost: main.replay.localhost:{port}\r\n\r\n".encode())
        await reader.readexactly(100)
        before = -1
        while sent != before:
            before = sent
            await asyncio.sleep(0.3)
        assert sent < 1 << 26
        writer.transport.abort()
        gc.collect()


async def test_the_owners_view_is_marked_above_pywbs_page_only() -> None:
    async with proxied(banner="Owner's <view>") as (upstream, port):
        upstream.answer = (
            b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 20\r\n\r\n<html><body id=x>top"
        )
        frame = await ask(port, "/main/2026/http://site.test/")
        assert b'<body id=x><div role="note"' in frame.body and b"Owner&#x27;s &lt;view&gt;" in frame.body
        assert frame.one("Content-Length") == str(len(frame.body))
        assert (await ask(port)).body == b"<html><body id=x>top"


async def test_when_pywb_is_gone_the_visitor_is_told() -> None:
    async with proxied() as (_, port):
        pass
    port = free_port()
    proxy = ReplayProxy(collection="main", upstream_port=free_port(), port=port, banner=None, refresh=lambda: None)
    runner = proxy.runner()
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    try:
        answer = await ask(port)
        assert (answer.status, answer.body) == (502, b"Cannot be shown: pywb does not answer.\n")
    finally:
        await runner.cleanup()
