from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.ports.browser import BrowserRequest
from archiver.wire.proxy.intake import BODY_LIMIT, Connect, Intake, IntakeError, base_of

REQUEST = (
    b"POST http://a.test:8080/x?y=1 HTTP/1.1\r\nHost: a.test\r\nX-Case: 1\r\nProxy-Connection: keep-alive\r\n"
    b"Content-Length: 5\r\n\r\nhello"
)


@given(st.lists(st.integers(1, len(REQUEST) - 1), max_size=8))
def test_pieces_make_no_difference(cuts: list[int]) -> None:
    intake, found = Intake(), []
    edges = [0, *sorted(set(cuts)), len(REQUEST)]
    for start, end in pairwise(edges):
        found.append(intake.feed(REQUEST[start:end]))
    assert found[:-1] == [None] * (len(found) - 1)
    last = found[-1]
    assert isinstance(last, BrowserRequest)
    assert (last.url, last.method, last.body) == ("http://a.test:8080/x?y=1", "POST", b"hello")
    assert last.headers == ((b"X-Case", b"1"),)


def test_requests_follow_one_another() -> None:
    intake = Intake("https://a.test")
    first = intake.feed(b"GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n")
    second = intake.turn()
    assert isinstance(first, BrowserRequest) and isinstance(second, BrowserRequest)
    assert (first.url, second.url) == ("https://a.test/1", "https://a.test/2")
    assert intake.turn() is None


def test_a_tunnel_keeps_what_came_after_it() -> None:
    came = Intake().feed(b"CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n\x16\x03")
    assert came == Connect(authority="a.test:443", rest=b"\x16\x03")


@pytest.mark.parametrize(
    ("target", "url"),
    [("ws://a.test/chat", "http://a.test/chat"), ("wss://a.test/", "https://a.test/"), ("HTTP://A/", "http://A/")],
)
def test_web_sockets_are_http(target: str, url: str) -> None:
    came = Intake().feed(f"GET {target} HTTP/1.1\r\nHost: a\r\nUpgrade: WebSocket\r\n\r\n".encode())
    assert isinstance(came, BrowserRequest) and came.upgrade and came.url == url
    assert came.header(b"upgrade") == b"WebSocket" and came.header(b"cookie") is None


def test_a_body_has_an_end() -> None:
    intake = Intake()
    intake.feed(b"POST http://a/ HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
    piece = b"100000\r\n" + b"x" * 0x100000 + b"\r\n"
    with pytest.raises(IntakeError, match="body"):
        for _ in range(BODY_LIMIT // 0x100000 + 1):
            intake.feed(piece)


def test_default_ports_are_left_out() -> None:
    assert base_of("a.test:443", secure=True) == "https://a.test"
    assert base_of("a.test:80", secure=True) == "https://a.test:80"
    assert base_of("[::1]:80", secure=False) == "http://[::1]"
