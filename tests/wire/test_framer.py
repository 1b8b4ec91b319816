"""Framing without a network: however the bytes are cut, the result is the same; nothing raises but CaptureError."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from archiver.errors import CaptureError
from archiver.model import Framing, Truncated
from archiver.ports import WireLimits
from archiver.wire.framer import ResponseFramer
from tests.wire.awkward import BROKEN, CASES, PAGE, Case, chunked, head, sized

LIMITS = WireLimits()


def run(sent: bytes, cuts: list[int], method: str = "GET", limits: WireLimits = LIMITS) -> ResponseFramer:
    framer = ResponseFramer(method, limits)
    start = 0
    for cut in [*sorted(cut % (len(sent) + 1) for cut in cuts), len(sent)]:
        if cut > start and not framer.done:
            framer.feed(sent[start:cut])
            start = cut
    if not framer.done:
        framer.eof(clean=True)
    return framer


def facts(framer: ResponseFramer) -> tuple[object, ...]:
    assert framer.head is not None
    entity = framer.entity.read() if framer.entity is not None else framer.raw.read(framer.body_start)
    what = (framer.head.status, framer.head.headers, framer.framing, framer.head_start, framer.body_start)
    return (framer.raw.read(), entity, *what, framer.malformed, framer.truncated, framer.is_reusable)


@given(st.sampled_from(CASES + BROKEN), st.lists(st.integers(0, 1 << 16), max_size=12))
def test_cuts_do_not_matter(case: Case, cuts: list[int]) -> None:
    framer = run(case.sent, cuts, case.method)
    assert framer.raw.read() == case.sent
    assert facts(framer) == facts(run(case.sent, [], case.method))


@given(st.binary(max_size=300), st.lists(st.integers(0, 300), max_size=5), st.sampled_from(["GET", "HEAD"]))
@example(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", [], "GET")
def test_whatever_comes_is_framed_or_a_capture_error(tail: bytes, cuts: list[int], method: str) -> None:
    for start in (b"", b"HTTP/1.1 200 OK\r\n", head(), head(b"Transfer-Encoding: chunked"), head(b"Content-Length: 9")):
        try:
            framer = run(start + tail, cuts, method)
        except CaptureError as exc:
            assert exc.code in ("protocolError", "disconnected", "headerLimit")
        else:
            assert (start + tail).startswith(framer.raw.read())


@given(st.binary(max_size=2_000), st.integers(1, 300), st.lists(st.integers(0, 4_000), max_size=8))
def test_chunks_round_trip(body: bytes, size: int, cuts: list[int]) -> None:
    sent = head(b"Transfer-Encoding: chunked") + chunked(body, size)
    framer = run(sent, cuts)
    assert framer.entity is not None and framer.entity.read() == body
    assert framer.raw.read() == sent and framer.is_reusable and framer.truncated is None


@given(st.binary(min_size=1, max_size=50), st.integers(0, 400))
def test_bytes_after_the_end_never_get_in(extra: bytes, cut: int) -> None:
    for sent in (head(sized(PAGE)) + PAGE, head(b"Transfer-Encoding: chunked") + chunked(PAGE)):
        framer = run(sent + extra, [cut])
        assert framer.raw.read() == sent
        assert not framer.is_reusable
        assert framer.malformed == "bytes after the end of the message"


@pytest.mark.parametrize(
    "sent",
    [
        b"HTTP/" + b" " * 250_000,
        b"HTTP/1.1 " + b" " * 250_000 + b"x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX:" + b" " * 250_000 + b"\x00\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX:" + b" " * 60_000 + b"\x00\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: a" + b" " * 60_000 + b"\x00\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a " * 30_000 + b"\x00\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + (b"X:" + b" " * 250 + b"\x01\x00\r\n") * 250 + b"\r\n",
        b"HTTP/1.1 200 OK\r\n" + (b"X:" + b" " * 250 + b"\r\n") * 250 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX:" + b"\r\n " * 20_000 + b"\x00\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: a" + b"\r\n b" * 15_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: a" + b"\r\n b" * 60_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 " + b"\t " * 30_000 + b"\x00\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b" \r\n" * 80_000 + b"\r\n",
        head(b"Transfer-Encoding: chunked") + b"5;" + b" " * 16_000 + b"\n",
        head(b"Transfer-Encoding: chunked") + b"5" + b" " * 16_000 + b"\n",
        head(b"Content-Length: " + b"1, " * 60_000 + b"1"),
    ],
)
def test_hostile_heads_cost_linear_time(sent: bytes) -> None:
    """Quadratic patterns would take minutes here; the generous bound only tells them apart."""
    started = time.process_time()
    with contextlib.suppress(CaptureError):
        run(sent, [])
    assert time.process_time() - started < 5


def test_a_head_that_trickles_in_stays_linear() -> None:
    framer = ResponseFramer("GET", LIMITS)
    sent = b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000
    started = time.process_time()
    for at in range(len(sent)):
        framer.feed(sent[at : at + 1])
    assert time.process_time() - started < 10


def test_time_limits_before_and_after_the_head() -> None:
    framer = ResponseFramer("GET", LIMITS)
    with pytest.raises(CaptureError) as caught:
        framer.give_up(total=False)
    assert caught.value.code == "idleTimeout"
    framer.feed(head(sized(PAGE)) + b"half")
    framer.give_up(total=True)
    assert framer.done and framer.truncated is Truncated.TIME and not framer.is_reusable


def test_a_broken_connection_cuts_even_a_body_that_ends_at_the_close() -> None:
    framer = ResponseFramer("GET", LIMITS)
    framer.feed(head() + b"half")
    framer.eof(clean=False)
    assert framer.framing is Framing.CLOSE and framer.truncated is Truncated.DISCONNECT
    framer.close()


def test_switching_protocols_was_never_asked_for() -> None:
    framer = run(head(b"Upgrade: x", status=b"HTTP/1.1 101 Switching Protocols") + b"\x81\x02hi", [])
    assert framer.head is not None and framer.head.status == 101
    assert framer.malformed is not None and not framer.is_reusable
