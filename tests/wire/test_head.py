"""A lenient reading: in wire order, lower case, nothing lost that has a name."""

from __future__ import annotations

import h11
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archiver.wire.head import parse_head


@given(st.binary(max_size=400))
def test_it_never_raises(tail: bytes) -> None:
    parse_head(tail)
    found = parse_head(b"HTTP/1.1 200 OK\r\n" + tail)
    assert found is None or found.status == 200


@pytest.mark.parametrize(
    ("line", "status", "reason"),
    [
        (b"HTTP/1.1 200 OK", 200, "OK"),
        (b"HTTP/1.1 404", 404, ""),
        (b"HTTP/1.1  301   Moved", 301, "  Moved"),
        (b"http/1.0 200 caf\xe9", 200, "caf\xe9"),
        (b"HTTP/2 200", 200, ""),
        (b"HTTP/ 200", 200, ""),
    ],
)
def test_status_lines(line: bytes, status: int, reason: str) -> None:
    found = parse_head(line + b"\r\n\r\n")
    assert found is not None
    assert (found.status, found.reason) == (status, reason)


@pytest.mark.parametrize(
    "line", [b"HTTP/1.1 20", b"HTTP/1.1 2000", b"HTTP/1.1200 OK", b"OK 200", b"", b"HTTP/1.1 OK 200"]
)
def test_no_status(line: bytes) -> None:
    assert parse_head(line + b"\r\n\r\n") is None


@pytest.mark.parametrize(
    ("lengths", "length", "largest"),
    [
        ([], None, 0),
        ([b"5"], 5, 5),
        ([b"5", b"5"], 5, 5),
        ([b"5, 5"], 5, 5),
        ([b"5", b"7"], None, 7),
        ([b"5, 7"], None, 7),
        ([b"5", b"x"], None, 5),
        ([b"-1"], None, 0),
        ([b"+5"], None, 0),
        ([b""], None, 0),
        ([b"9" * 40], None, 0),
    ],
)
def test_lengths(lengths: list[bytes], length: int | None, largest: int) -> None:
    fields = b"".join(b"Content-Length: %b\r\n" % value for value in lengths)
    found = parse_head(b"HTTP/1.1 200 OK\r\n" + fields + b"\r\n")
    assert found is not None
    assert (found.content_length, found.largest_length) == (length, largest)
    assert found.content_length_given == bool(lengths)


@pytest.mark.parametrize(
    ("version", "connection", "kept"),
    [(b"1.1", b"", True), (b"1.1", b"Close", False), (b"1.1", b"x, close", False), (b"1.0", b"keep-alive", False)],
)
def test_persistence(version: bytes, connection: bytes, kept: bool) -> None:
    found = parse_head(b"HTTP/%b 200 OK\r\nConnection: %b\r\n\r\n" % (version, connection))
    assert found is not None and found.keeps_alive is kept


TOKEN = st.sampled_from(
    [b"X", b"content-length", b"Content-Length", b"Transfer-Encoding", b"connection", b"a b", b"", b"~"]
)
VALUE = st.one_of(
    st.sampled_from([b"chunked", b"5", b"5, 5", b"chunked, chunked", b"identity", b" 5 ", b"close", b"\t", b"1" * 21]),
    st.binary(max_size=6),
    st.text(max_size=8).map(lambda text: text.encode("utf-8", "replace")),
)
LINE = st.builds(lambda name, colon, value: name + colon + value, TOKEN, st.sampled_from([b":", b": ", b""]), VALUE)
STATUS = st.sampled_from(
    [b"HTTP/1.1 200 OK", b"HTTP/1.0 404", b"HTTP/1.1 500 \xff x", b"HTTP/1.1 099 x", b"HTTP/1.1 200OK"]
)


@settings(max_examples=400)
@given(STATUS, st.lists(LINE, max_size=4), st.sampled_from([b"\r\n", b"\n"]))
def test_plain_heads_are_accepted_by_h11_and_read_alike(status: bytes, lines: list[bytes], end: bytes) -> None:
    raw = end.join([status, *lines, b"", b""])
    found = parse_head(raw)
    if found is None or not found.is_plain:
        return
    strict = h11.Connection(h11.CLIENT)
    strict.send(h11.Request(method="GET", target="/", headers=[("Host", "h")]))
    strict.receive_data(raw)
    event = strict.next_event()
    assert isinstance(event, h11.Response)
    assert event.status_code == found.status
    lowered = [(name, value.lower() if name == b"transfer-encoding" else value) for name, value in found.headers]
    assert list(event.headers) == lowered


@pytest.mark.parametrize(
    ("head", "plain"),
    [
        (b"HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 5\r\n\r\n", True),
        (b"HTTP/1.1 200\r\nTransfer-Encoding: Chunked\r\nX-Empty:\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\n\r\n", True),
        (b"HTTP/1.1 100 Continue\r\n\r\n", False),
        (b"HTTP/1.1 200 OK\nX: y\n\n", False),
        (b"HTTP/1.1 200 OK\r\nX : y\r\n\r\n", False),
        (b"HTTP/1.1 200 OK\r\nX: y\r\n z\r\n\r\n", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n", False),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", False),
    ],
)
def test_plain(head: bytes, plain: bool) -> None:
    found = parse_head(head)
    assert found is not None and found.is_plain is plain
