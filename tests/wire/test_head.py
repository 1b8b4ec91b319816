"""A lenient reading: in wire order, lower case, nothing lost that has a name."""

from __future__ import annotations

import pytest
from hypothesis import given
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
