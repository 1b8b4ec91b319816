"""What the server sends is what the browser gets, while it comes; and nothing of it is lost when the browser goes."""

from __future__ import annotations

import asyncio
import base64
import hashlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from archiver.model import Framing, Truncated
from archiver.wire.proxy import Proxy
from tests.wire.awkward import CASES, Case
from tests.wire.proxy.conftest import ALLOWED, Browser, Visit
from tests.wire.rawserver import RawServer

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


async def tunnelled(port: int, server: RawServer) -> Browser:
    """A browser that reached `server` as Chromium would: in clear on the proxy's port, else through a tunnel."""
    browser = await Browser.connect(port)
    if server.scheme == "https":
        await browser.tunnel(f"127.0.0.1:{server.port}", tls=True)
    return browser


def target(server: RawServer, path: str) -> str:
    return path if server.scheme == "https" else server.url(path)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_the_browser_gets_every_byte(proxy: Proxy, visit: Visit, server: RawServer, case: Case) -> None:
    server.reply("/case", case.sent, then=case.then)
    listener = await visit.listen(proxy)
    browser = await tunnelled(listener.port, server)
    await browser.ask(target(server, "/case"), "Accept: */*", method=case.method)
    assert await browser.read(len(case.sent)) == case.sent
    exchange = visit.fetched[0].exchange if visit.fetched else None
    if exchange is None or (
        exchange.framing is not Framing.CLOSE and not exchange.truncated and not exchange.malformed
    ):
        await browser.ask(target(server, "/ok"))
        assert await browser.read(len(OK)) == OK
    else:
        assert await browser.rest() == b""
    await browser.close()


async def test_what_the_server_hears_is_the_browsers(proxy: Proxy, visit: Visit, server: RawServer) -> None:
    server.reply("/form?a=1", OK)
    listener = await visit.listen(proxy)
    browser = await tunnelled(listener.port, server)
    await browser.ask(
        target(server, "/form?a=1"), "X-Odd-CASE: 1", "Proxy-Connection: keep-alive", "Cookie: a=b",
        method="POST", body=b"x=1",
    )  # fmt: skip
    assert await browser.read(len(OK)) == OK
    heard = server.requests[0][1]
    assert heard.startswith(b"POST /form?a=1 HTTP/1.1\r\n") and b"X-Odd-CASE: 1" in heard and b"Cookie: a=b" in heard
    assert b"Proxy-Connection" not in heard and b"whatever" not in heard
    assert (visit.asked[0].url, visit.asked[0].body) == (server.url("/form?a=1"), b"x=1")
    await browser.close()


async def test_an_event_stream_flows_and_ends_with_its_listener(proxy: Proxy, visit: Visit, server: RawServer) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
    server.reply("/events", head, b"data: 1\n\n", 0.05, b"data: 2\n\n", then="hang")
    listener = await visit.listen(proxy)
    browser = await tunnelled(listener.port, server)
    await browser.ask(target(server, "/events"))
    sent = head + b"data: 1\n\ndata: 2\n\n"
    assert await browser.read(len(sent)) == sent
    assert visit.fetched == []  # still open
    await listener.close()
    exchange = visit.fetched[0].exchange
    assert exchange is not None and exchange.truncated is Truncated.TIME and exchange.response.read() == sent


async def test_a_stream_ends_when_the_browser_leaves(proxy: Proxy, visit: Visit, plain: RawServer) -> None:
    plain.reply("/events", b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n", b"data: 1\n\n", then="hang")
    listener = await visit.listen(proxy)
    browser = await Browser.connect(listener.port)
    await browser.ask(plain.url("/events"))
    await browser.reader.readuntil(b"data: 1\n\n")
    browser.writer.transport.abort()
    await visit.first()
    assert visit.fetched[0].exchange is not None and visit.fetched[0].exchange.truncated is Truncated.TIME


async def test_a_web_socket_speaks_both_ways(proxy: Proxy, visit: Visit, plain: RawServer) -> None:
    accepted = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        plain.requests.append((0, await reader.readuntil(b"\r\n\r\n")))
        writer.write(accepted + b"\x81\x05hello")
        while data := await reader.read(100):
            writer.write(b"echo:" + data)
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    listener = await visit.listen(proxy)
    browser = await Browser.connect(listener.port)
    await browser.tunnel(f"127.0.0.1:{port}", tls=False)
    await browser.ask("/chat", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: eA==")
    assert await browser.read(len(accepted) + 7) == accepted + b"\x81\x05hello"
    browser.writer.write(b"frame")
    assert await browser.read(10) == b"echo:frame"
    heard = plain.requests[0][1]
    assert b"Upgrade: websocket\r\n" in heard and heard.count(b"Connection: Upgrade") == 1
    await browser.close()
    await visit.first()
    exchange = visit.fetched[0].exchange
    assert exchange is not None and exchange.status == 101 and exchange.malformed is None
    assert exchange.response.read() == accepted + b"\x81\x05helloecho:frame"
    server.close()


async def test_a_big_body_is_drained_whatever_the_browser_reads(proxy: Proxy, visit: Visit, plain: RawServer) -> None:
    body = bytes(range(256)) * 40_000
    plain.reply("/big", b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body), body)
    listener = await visit.listen(proxy)
    browser = await Browser.connect(listener.port)
    await browser.ask(plain.url("/big"))
    first = await browser.read(100)  # and no more for now
    await visit.first()
    exchange = visit.fetched[0].exchange
    assert exchange is not None and exchange.entity_size == len(body) and not exchange.response.in_memory
    rest = first + await browser.read(exchange.response.size - 100)
    assert hashlib.sha256(rest).digest() == hashlib.sha256(exchange.response.read()).digest()
    await browser.close()


async def test_a_browser_that_goes_away_leaves_the_exchange_whole(proxy: Proxy, visit: Visit, plain: RawServer) -> None:
    plain.reply("/slow", b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc", 0.2, b"def")
    listener = await visit.listen(proxy)
    browser = await Browser.connect(listener.port)
    await browser.ask(plain.url("/slow"))
    await browser.read(20)
    browser.writer.transport.abort()
    await visit.first()
    exchange = visit.fetched[0].exchange
    assert exchange is not None and exchange.entity_bytes() == b"abcdef" and exchange.truncated is None


async def test_a_refusal_is_told_and_never_an_exchange(proxy: Proxy, visit: Visit, server: RawServer) -> None:
    listener = await visit.listen(proxy)
    browser = await tunnelled(listener.port, server)
    await browser.ask(target(server, "/private"))
    head = await browser.reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 451 ") and b"X-Archiver-Reason: robotsTxt" in head
    assert b"Disallow: /private" in await browser.reader.readuntil(b"\n")
    await browser.ask(target(server, "/ok"))
    assert await browser.read(len(OK)) == OK
    assert server.paths() == ["/ok"] and visit.fetched[0].exchange is None
    await browser.close()


async def test_a_failure_breaks_the_connection(proxy: Proxy, visit: Visit, server: RawServer) -> None:
    server.reply("/reset", b"", then="reset")
    listener = await visit.listen(proxy)
    browser = await tunnelled(listener.port, server)
    await browser.ask(target(server, "/reset"))
    assert await browser.rest() == b""
    assert visit.fetched[0].failure is not None


async def test_a_document_fetched_before_is_given(proxy: Proxy, visit: Visit, plain: RawServer) -> None:
    exchange = await visit.client.exchange(plain.request("/ok"))
    listener = await visit.listen(proxy)
    browser = await Browser.connect(listener.port)
    await browser.ask(plain.url("/ok"))
    assert await browser.read(len(OK)) == OK
    visit.given[plain.url("/ok")] = visit.fetched[0].__class__(
        candidate=visit.fetched[0].candidate, decision=ALLOWED, exchange=exchange
    )
    before = len(plain.requests)
    await browser.ask(plain.url("/ok"))
    assert await browser.read(len(OK)) == OK
    assert len(plain.requests) == before
    await browser.close()


async def test_what_was_not_begun_is_given_up_at_the_end(proxy: Proxy, visit: Visit, plain: RawServer) -> None:
    visit.hold = asyncio.Event()
    listener = await visit.listen(proxy)
    browser = await Browser.connect(listener.port)
    await browser.ask(plain.url("/ok"))
    async with asyncio.timeout(10):
        while not visit.asked:
            await asyncio.sleep(0.01)
    await listener.close()
    assert visit.gave_up == [plain.url("/ok")] and plain.requests == []
    assert await browser.rest() == b""


async def test_the_pin_is_that_of_the_key(proxy: Proxy, visit: Visit) -> None:
    listener = await visit.listen(proxy)
    browser = await Browser.connect(listener.port)
    await browser.tunnel("site.example:443", tls=True)
    der = browser.writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    key = x509.load_der_x509_certificate(der).public_key()
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert base64.b64encode(hashlib.sha256(spki).digest()).decode() == proxy.spki
    assert Proxy(proxy._clock).spki != proxy.spki
    await browser.ask("/x")
    await browser.reader.read(1)
    assert visit.asked[0].url == "https://site.example/x"
    await browser.close()


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET http://a/ HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x00\x05hello",
        b"nonsense\r\n\r\n",
        b"CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n\x16\x03\x01\x00\x05hello" + b"\0" * 40,
        b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\nCONNECT b:80 HTTP/1.1\r\nHost: b\r\n\r\n",
    ],
    ids=["origin form", "ftp", "no host", "tls at once", "nonsense", "broken tls", "tunnel in tunnel"],
)
async def test_what_no_proxy_answers_ends_the_connection(proxy: Proxy, visit: Visit, sent: bytes) -> None:
    listener = await visit.listen(proxy)
    browser = await Browser.connect(listener.port)
    browser.writer.write(sent)
    assert (await browser.rest()).replace(b"HTTP/1.1 200 Connection established\r\n\r\n", b"")[:1] in (b"", b"\x15")
    assert visit.asked == []


async def test_between_visits_nobody_answers(proxy: Proxy, visit: Visit, plain: RawServer) -> None:
    listener = await visit.listen(proxy)
    await listener.settle()
    browser = await Browser.connect(listener.port)
    await browser.ask(plain.url("/ok"))
    assert await browser.rest() == b"" and plain.requests == []
    listener.serve(visit.answer)
    browser = await Browser.connect(listener.port)
    await browser.ask(plain.url("/ok"))
    assert await browser.read(len(OK)) == OK
    await browser.close()
