"""A request is one request, byte for byte what was given."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.errors import CaptureError
from archiver.model import Origin
from archiver.ports import WireRequest
from archiver.wire.request import asks_to_close, serialise


def request(*headers: tuple[bytes, bytes], target: bytes = b"/", method: str = "GET", body: bytes = b"") -> WireRequest:
    origin = Origin("http", "h", 80)
    return WireRequest(
        url="http://h/", origin=origin, method=method, target=target, headers=headers, addresses=(), body=body
    )


def test_bytes() -> None:
    post = request((b"Host", b"h"), (b"content-LENGTH", b"3"), method="POST", target=b"/a?b=c", body=b"xyz")
    assert serialise(post) == b"POST /a?b=c HTTP/1.1\r\nHost: h\r\ncontent-LENGTH: 3\r\n\r\nxyz"


@given(st.lists(st.tuples(st.binary(max_size=8), st.binary(max_size=8)), max_size=3), st.binary(max_size=12))
def test_what_is_sent_is_one_head(headers: list[tuple[bytes, bytes]], target: bytes) -> None:
    try:
        sent = serialise(request(*headers, target=target))
    except CaptureError as exc:
        assert exc.code == "protocolError"
        return
    head, _, rest = sent.partition(b"\r\n\r\n")
    assert rest == b""
    lines = head.split(b"\r\n")
    assert lines[0] == b"GET %b HTTP/1.1" % target and len(lines[0].split()) == 3
    assert lines[1:] == [b"%b: %b" % pair for pair in headers]


@pytest.mark.parametrize(
    ("headers", "closes"),
    [((), False), (((b"Connection", b"keep-alive"),), False), (((b"connection", b"Close"),), True)],
)
def test_close(headers: tuple[tuple[bytes, bytes], ...], closes: bool) -> None:
    assert asks_to_close(request(*headers)) is closes
