"""Bytes out equal bytes in, whatever the server sends; and every way of not ending has an end."""

from __future__ import annotations

import asyncio
import gzip
import ssl
from collections.abc import Sequence
from pathlib import Path

import pytest
import uvloop

from archiver.clock import SYSTEM
from archiver.errors import CaptureError, DiskError
from archiver.model import Framing, Truncated
from archiver.ports import WireLimits
from archiver.ports.browser import Control
from archiver.spooled import Spool
from archiver.wire.client import HttpClient
from tests.wire.awkward import BROKEN, CASES, PAGE, Case, chunked, head, sized
from tests.wire.rawserver import Certificates, RawServer, Reply, raw_server

TE = b"Transfer-Encoding: chunked"
SLOW: tuple[bytes | float, ...] = (b"H", 0.1, b"T", 0.1, b"T", 0.1, b"P/1.1 200 OK\r\nX", *((0.1, b"y") * 20))
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def test_the_whole_table_is_there() -> None:
    assert len(CASES) == 27
    assert len({case.name for case in CASES + BROKEN}) == len(CASES + BROKEN)


@pytest.mark.parametrize("case", CASES + BROKEN, ids=lambda case: case.name)
@pytest.mark.parametrize("piece", [1 << 20, 11], ids=["whole", "in pieces"])
async def test_awkward_answers_are_kept_exactly(client: HttpClient, server: RawServer, case: Case, piece: int) -> None:
    pieces: list[bytes | float] = []
    for start in range(0, len(case.sent), piece if len(case.sent) < 5_000 else 5_000):
        pieces += [case.sent[start : start + (piece if len(case.sent) < 5_000 else 5_000)], 0.0]
    server.reply("/case", *pieces, then=case.then)
    exchange = await client.exchange(server.request("/case", case.method))
    assert exchange.response.read() == case.sent
    assert exchange.request == server.requests[0][1]
    assert (exchange.status, exchange.framing, exchange.truncated) == (case.status, case.framing, case.truncated)
    assert exchange.entity_bytes() == case.entity
    assert b"".join(exchange.entity_chunks()) == case.entity
    assert (exchange.malformed is not None) == case.malformed, exchange.malformed
    assert exchange.head_start == case.head_start
    assert exchange.response.read(exchange.head_start, 5) == b"HTTP/"
    # whatever it was, the next answer is not touched by it
    after = await client.exchange(server.request("/ok"))
    assert after.response.read() == OK
    if case.malformed or case.truncated:
        assert server.connections == 2


@pytest.mark.parametrize("case", [case for case in CASES + BROKEN if case.method == "GET"], ids=lambda case: case.name)
async def test_head_requests_end_at_the_head(client: HttpClient, server: RawServer, case: Case) -> None:
    sent = case.sent[: len(case.sent) - len(_wire_body(case))]
    server.reply("/case", sent, then=case.then)
    exchange = await client.exchange(server.request("/case", "HEAD"))
    assert exchange.response.read() == sent
    assert exchange.entity_bytes() == b""
    assert exchange.truncated is None


def _wire_body(case: Case) -> bytes:
    rest = case.sent[case.head_start :]
    for end in (b"\r\n\r\n", b"\n\n"):
        if end in rest:
            return rest.split(end, 1)[1]
    return b""


async def test_fields_are_in_wire_order_and_lower_case(client: HttpClient, plain: RawServer) -> None:
    plain.reply("/", head(b"B: 1", b"a : 2", b"SET-Cookie: x", b"set-cookie:  y ", b"X-F: 1", b"  2", sized(b"")))
    exchange = await client.exchange(plain.request("/"))
    assert exchange.headers == (
        (b"b", b"1"),
        (b"a", b"2"),
        (b"set-cookie", b"x"),
        (b"set-cookie", b"y"),
        (b"x-f", b"1 2"),
        (b"content-length", b"0"),
    )
    assert exchange.header_all(b"set-cookie") == [b"x", b"y"]
    assert exchange.reason == "OK"


async def test_request_goes_out_in_order_and_case_as_given(client: HttpClient, plain: RawServer) -> None:
    headers = ((b"x-LOWER", b"1"), (b"Host", b"h:1"), (b"Cookie", b"a=b"), (b"x-LOWER", b"2"))
    exchange = await client.exchange(plain.request("/ok", headers=headers))
    expected = b"GET /ok HTTP/1.1\r\nx-LOWER: 1\r\nHost: h:1\r\nCookie: a=b\r\nx-LOWER: 2\r\n\r\n"
    assert exchange.request == plain.requests[0][1] == expected


@pytest.mark.parametrize(
    "change",
    [
        {"headers": ((b"X", b"a\r\nEvil: 1"),)},
        {"headers": ((b"X y", b"a"),)},
        {"headers": ((b"X", b"nul\0"),)},
        {"headers": ((b"X: 1\r\nY", b"a"),)},
        {"target": b"/ HTTP/1.1\r\nEvil: 1\r\n\r\nGET /"},
        {"target": b""},
        {"method": "GET /x"},
    ],
)
async def test_requests_that_would_be_two_are_not_sent(
    client: HttpClient, plain: RawServer, change: dict[str, object]
) -> None:
    with pytest.raises(CaptureError) as caught:
        await client.exchange(plain.request("/ok", **change))
    assert caught.value.code == "protocolError"
    assert plain.connections == 0


# --- limits -----------------------------------------------------------------------------------------------------------


def limits(**changes: float) -> WireLimits:
    """Wide, so that only the limit that a test names can end its exchange on a busy machine."""
    values: dict[str, object] = {"connect": 60.0, "idle": 60.0, "total": 60.0}
    return WireLimits(**(values | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("pieces", "code"),
    [
        ((), "idleTimeout"),
        ((b"HTTP/1.1 200 OK\r\nX: y\r\n",), "idleTimeout"),
        (
            (*(piece for char in b"HTTP/1.1 200 OK\r\nX: yyyyyyyyyyyyyyyy" for piece in (bytes([char]), 0.1)),),
            "totalTimeout",
        ),
        ((b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 300_000,), "headerLimit"),
        ((b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 50_000 + b"\r\n",), "headerLimit"),
        ((b"\r\n" * 200_000,), "headerLimit"),
        ((b"HTTP/1.1 100 Continue\r\n\r\n" * 5_000,), "headerLimit"),
        ((b"SSH-2.0-OpenSSH_9.2\r\n",), "protocolError"),
        ((b"\0\0\x12\x04\0\0\0\0\0" + b"\0" * 18,), "protocolError"),
        ((b"HTTP/1.1 abc OK\r\n\r\n",), "protocolError"),
    ],
    ids=[
        "nothing",
        "half a head",
        "slow head",
        "long field",
        "many fields",
        "blank lines",
        "1xx",
        "ssh",
        "h2",
        "no status",
    ],
)
async def test_no_head_is_a_named_failure(
    client: HttpClient, plain: RawServer, pieces: tuple[bytes | float, ...], code: str
) -> None:
    plain.reply("/", *pieces, then="hang")
    await client.exchange(plain.request("/ok"))  # the time of the connection is not what is limited here
    short = {"idleTimeout": {"idle": 0.3}, "totalTimeout": {"total": 0.8}}.get(code, {})
    with pytest.raises(CaptureError) as caught:
        await client.exchange(plain.request("/", limits=limits(**short)))
    assert caught.value.code == code
    assert (await client.exchange(plain.request("/ok"))).response.read() == OK


async def test_h2_only_peers_fail_by_name(client: HttpClient, plain: RawServer) -> None:
    plain.reply("/", b"\0\0\x12\x04\0\0\0\0\0" + b"\0" * 18, then="hang")
    with pytest.raises(CaptureError, match="HTTP/2 only"):
        await client.exchange(plain.request("/"))


@pytest.mark.parametrize("then", ["close", "reset"])
@pytest.mark.parametrize("sent", [b"", b"HTTP/1.1 200 OK\r\nX:"], ids=["before", "within"])
async def test_a_close_without_a_head_is_disconnected(
    client: HttpClient, server: RawServer, then: str, sent: bytes
) -> None:
    server.reply("/", sent, then=then)
    with pytest.raises(CaptureError) as caught:
        await client.exchange(server.request("/"))
    assert caught.value.code == "disconnected"


@pytest.mark.parametrize(
    "sent",
    [
        head(b"Content-Length: 100") + b"abc",
        head(TE) + b"3\r\nabc\r\n",
        head() + b"abc",
    ],
    ids=["length", "chunked", "close"],
)
@pytest.mark.parametrize("then", ["hang", "reset"])
async def test_a_body_that_stops_is_kept_and_marked(
    client: HttpClient, plain: RawServer, sent: bytes, then: str
) -> None:
    plain.reply("/", sent, 0.1, then=then)
    short = {"idle": 1.0} if then == "hang" else {}
    exchange = await client.exchange(plain.request("/", limits=limits(**short)))
    assert exchange.response.read() == sent
    assert exchange.entity_bytes() == b"abc"
    assert exchange.truncated is (Truncated.TIME if then == "hang" else Truncated.DISCONNECT)


async def test_trickled_bodies_end_at_the_total_limit(client: HttpClient, plain: RawServer) -> None:
    plain.reply("/", head(b"Content-Length: 1000"), *(b"x", 0.1) * 40)
    await client.exchange(plain.request("/ok"))
    exchange = await client.exchange(plain.request("/", limits=limits(total=1.0)))
    assert exchange.truncated is Truncated.TIME
    assert 0 < exchange.entity_size < 40
    assert exchange.seconds > 0.9


async def test_endless_chunks_end_at_the_size_limit(client: HttpClient, plain: RawServer) -> None:
    plain.reply("/", head(TE), *[chunked(b"z" * 60_000, 1_000)[:-5]] * 20, then="hang")
    exchange = await client.exchange(plain.request("/", limits=limits(body=200_000, memory=50_000)))
    assert exchange.truncated is Truncated.LENGTH
    assert exchange.response.size - exchange.body_start == 200_000
    assert exchange.entity_bytes() == b"z" * exchange.entity_size
    assert not exchange.response.in_memory
    assert exchange.entity is not None and not exchange.entity.in_memory


async def test_a_body_of_exactly_the_limit_is_whole(client: HttpClient, plain: RawServer) -> None:
    plain.reply("/", head(sized(PAGE)) + PAGE)
    exchange = await client.exchange(plain.request("/", limits=limits(body=len(PAGE))))
    assert exchange.truncated is None
    exchange = await client.exchange(plain.request("/", limits=limits(body=len(PAGE) - 1)))
    assert exchange.truncated is Truncated.LENGTH
    assert exchange.entity_bytes() == PAGE[:-1]


async def test_two_lengths_on_a_silent_connection_end_without_a_cut(client: HttpClient, plain: RawServer) -> None:
    plain.reply("/", head(b"Content-Length: 3", b"Content-Length: 5") + b"abcde", then="hang")
    exchange = await client.exchange(plain.request("/", limits=limits(idle=1.0)))
    assert exchange.entity_bytes() == b"abcde"
    assert exchange.truncated is None and exchange.malformed is not None


async def test_transfer_coding_bombs_stay_coded(client: HttpClient, plain: RawServer) -> None:
    bomb = gzip.compress(b"\0" * (1 << 22))
    sent = head(b"Transfer-Encoding: gzip, chunked") + chunked(bomb, 4096)
    plain.reply("/", sent)
    exchange = await client.exchange(plain.request("/"))
    assert exchange.response.read() == sent
    assert exchange.entity_bytes() == bomb
    assert "grows to more than" in (exchange.malformed or "")


async def test_a_spool_that_cannot_be_written_is_a_disk_error(plain: RawServer, tmp_path: Path) -> None:
    client = HttpClient(SYSTEM, tls=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), spool_dir=str(tmp_path / "absent"))
    plain.reply("/", head(sized(PAGE)) + PAGE)
    with pytest.raises(DiskError, match="absent"):
        await client.exchange(plain.request("/", limits=limits(memory=10)))
    assert (await client.exchange(plain.request("/ok"))).response.read() == OK
    await client.close()


async def test_a_cancelled_exchange_leaves_no_connection(client: HttpClient, plain: RawServer) -> None:
    plain.reply("/", head(b"Content-Length: 10") + b"abc", then="hang")
    task = asyncio.create_task(client.exchange(plain.request("/")))
    while not plain.requests:
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await client.exchange(plain.request("/ok"))).response.read() == OK
    assert plain.connections == 2


# --- the pool ---------------------------------------------------------------------------------------------------------


async def test_connections_are_kept(client: HttpClient, server: RawServer) -> None:
    server.reply("/chunked", head(TE) + chunked(PAGE))
    for path in ("/ok", "/chunked", "/ok", "/chunked"):
        await client.exchange(server.request(path))
    assert server.connections == 1


@pytest.mark.parametrize(
    "sent",
    [
        OK + b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil",
        head(b"Content-Length: 2", b"Transfer-Encoding: chunked") + b"2\r\nok\r\n0\r\n\r\n",
        head(b"Content-Length: 2", b"Connection: Keep-Alive, close") + b"ok",
        head(b"Content-Length: 2", status=b"HTTP/1.0 200 OK") + b"ok",
        head(b"Content-Length: 2", b"Bad : header") + b"ok",
    ],
    ids=["extra answer", "both framings", "close", "HTTP/1.0", "malformed"],
)
async def test_doubtful_connections_are_not_used_again(client: HttpClient, server: RawServer, sent: bytes) -> None:
    server.reply("/doubt", sent)
    exchange = await client.exchange(server.request("/doubt"))
    assert exchange.entity_bytes() == b"ok"
    assert (await client.exchange(server.request("/ok"))).response.read() == OK
    assert server.connections == 2


async def test_a_late_extra_answer_is_not_taken_for_the_next(client: HttpClient, server: RawServer) -> None:
    server.reply("/late", OK, 0.05, b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
    await client.exchange(server.request("/late"))
    await asyncio.sleep(0.2)
    assert (await client.exchange(server.request("/ok"))).response.read() == OK
    assert server.connections == 2


async def test_an_unread_extra_answer_is_seen_at_checkout(client: HttpClient, plain: RawServer) -> None:
    plain.reply("/late", OK, 0.0, b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")
    for _ in range(5):
        await client.exchange(plain.request("/late"))
        assert (await client.exchange(plain.request("/ok"))).response.read() == OK


async def test_stale_connections_are_retried_once(client: HttpClient, plain: RawServer) -> None:
    seen: list[int] = []

    def once_then_close(_: bytes) -> Reply:
        seen.append(1)
        return Reply((OK,)) if len(seen) != 2 else Reply((), then="close")

    plain.replies["/"] = once_then_close
    for _ in range(2):
        assert (await client.exchange(plain.request("/"))).response.read() == OK
    assert len(seen) == 3 and plain.connections == 2


async def test_stale_connections_are_not_retried_for_post(client: HttpClient, plain: RawServer) -> None:
    plain.reply("/post", then="close")
    await client.exchange(plain.request("/ok"))
    with pytest.raises(CaptureError) as caught:
        await client.exchange(plain.request("/post", "POST"))
    assert caught.value.code == "disconnected"
    assert plain.paths() == ["/ok", "/post"]


async def test_a_cut_after_the_first_byte_is_not_retried(client: HttpClient, plain: RawServer) -> None:
    plain.reply("/cut", b"HTTP/1.1 2", then="close")
    await client.exchange(plain.request("/ok"))
    with pytest.raises(CaptureError):
        await client.exchange(plain.request("/cut"))
    assert plain.paths() == ["/ok", "/cut"]


async def test_parallel_exchanges_do_not_mix(client: HttpClient, server: RawServer) -> None:
    for n in range(12):
        server.reply(f"/{n}", head(b"Content-Length: 2"), 0.01, b"%02d" % n)
    answers = await asyncio.gather(*(client.exchange(server.request(f"/{n}")) for n in range(12)))
    assert [answer.entity_bytes() for answer in answers] == [b"%02d" % n for n in range(12)]


async def test_other_origins_do_not_share_connections(client: HttpClient, plain: RawServer) -> None:
    await client.exchange(plain.request("/ok"))
    plain.host = "other.test"
    await client.exchange(plain.request("/ok"))
    assert plain.connections == 2


async def test_close_ends_exchanges_in_hand(client: HttpClient, plain: RawServer) -> None:
    plain.reply("/", then="hang")
    task = asyncio.create_task(client.exchange(plain.request("/")))
    while not plain.requests:
        await asyncio.sleep(0.01)
    await client.close()
    with pytest.raises(CaptureError):
        await task


async def test_framing_is_told(client: HttpClient, plain: RawServer) -> None:
    plain.reply("/", head() + b"to the end", then="close")
    exchange = await client.exchange(plain.request("/"))
    assert exchange.framing is Framing.CLOSE and exchange.entity_bytes() == b"to the end"
    assert exchange.truncated is None and exchange.malformed is None


@pytest.mark.parametrize("secure", [False, True], ids=["http", "https"])
def test_the_whole_table_under_uvloop(certificates: Certificates, secure: bool) -> None:
    async def story() -> None:
        client = HttpClient(SYSTEM, tls=certificates.client())
        async with raw_server(certificates.server if secure else None) as server:
            for case in CASES + BROKEN:
                server.reply("/case", case.sent, then=case.then)
                exchange = await client.exchange(server.request("/case", case.method))
                assert exchange.response.read() == case.sent, case.name
                assert exchange.entity_bytes() == case.entity, case.name
                assert (exchange.framing, exchange.truncated) == (case.framing, case.truncated), case.name
                assert secure == (exchange.tls is not None and len(exchange.tls.chain) == 2)
            server.reply("/stop", head(b"Content-Length: 9") + b"abc", then="hang")
            assert (await client.exchange(server.request("/stop", limits=limits(idle=1.0)))).truncated is Truncated.TIME
            await client.close()

    uvloop.run(story())


class Follower:
    """A tap that keeps what it was told, and stops the exchange when asked to."""

    def __init__(self, *, stop_at: int | None = None) -> None:
        self.told: list[object] = []
        self._stop_at = stop_at
        self._size = lambda: 0

    def begin(self, raw: Spool, control: Control) -> None:
        self.told.append("begin")
        self.control, self._size = control, lambda: raw.size

    def head(self, status: int, headers: Sequence[tuple[bytes, bytes]]) -> None:
        self.told.append(status)

    def grew(self) -> None:
        self.told.append(self._size())
        if self._stop_at is not None and self._size() >= self._stop_at:
            self.control.stop()


EVENTS = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"


async def test_a_tap_hears_the_head_once_and_every_growth(client: HttpClient, server: RawServer) -> None:
    server.reply("/x", b"HTTP/1.1 103 X\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab", 0.05, b"cd")
    tap = Follower()
    exchange = await client.exchange(server.request("/x"), tap)
    assert tap.told[:2] == ["begin", 200] and tap.told.count(200) == 1
    assert tap.told[-1] == exchange.response.size
    await client.exchange(server.request("/ok"), again := Follower())
    assert again.told[0] == "begin" and again.told[1] == 200


async def test_silence_ends_no_event_stream(client: HttpClient, server: RawServer) -> None:
    server.reply("/events", EVENTS, b"data: 1\n\n", 1.5, b"data: 2\n\n", then="hang")
    limits = WireLimits(connect=60, idle=1.0, total=60)
    tap = Follower(stop_at=len(EVENTS) + 18)
    exchange = await client.exchange(server.request("/events", limits=limits), tap)
    assert exchange.entity_bytes() == b"data: 1\n\ndata: 2\n\n" and exchange.truncated is Truncated.TIME
    with pytest.raises(CaptureError, match="idle"):
        server.reply("/quiet", 1.5, EVENTS)
        await client.exchange(server.request("/quiet", limits=limits))


async def test_a_stop_before_the_head_is_a_failure(client: HttpClient, server: RawServer) -> None:
    server.reply("/hang", b"HTTP/1.1 200", then="hang")
    tap = Follower()
    asyncio.get_running_loop().call_later(0.2, lambda: tap.control.stop())
    with pytest.raises(CaptureError) as caught:
        await client.exchange(server.request("/hang"), tap)
    assert caught.value.code == "totalTimeout"
    tap.control.stop()
    tap.control.send(b"nobody hears this")
