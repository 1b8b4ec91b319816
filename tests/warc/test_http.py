from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.warc.http import ChunkDecoder, parse_head, status_and_mime


@pytest.mark.parametrize(
    ("block", "status", "mime", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=x\r\n\r\nbody", 200, "text/html", b"body"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Made\r\n\r\nx", 201, "unk", b"x"),
        (
            b"HTTP/1.1 103 Early\r\nContent-Type: a/b\r\n\r\nHTTP/1.1 200 OK\r\ncontent-type:c/d\r\n\r\n",
            200,
            "c/d",
            b"",
        ),
        (b"HTTP/1.1 101 Switching\r\n\r\nframes", 101, "unk", b"frames"),
        (b"HTTP/1.1 200\nX: y\n\nbare", 200, "unk", b"bare"),
        (b"HTTP/2 200 \r\n\r\nx", 200, "unk", b"x"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", 100, "unk", b""),
        (b"no head at all", 0, "unk", b""),
        (b"", 0, "unk", b""),
    ],
)
def test_final_head(block: bytes, status: int, mime: str, body: bytes) -> None:
    head = parse_head(block)
    assert (head.status, head.mime, block[head.end :]) == (status, mime, body)


@given(st.text("ab:\r\n", max_size=30), st.binary(max_size=20))
def test_the_first_blank_line_ends_a_head(fields: str, body: bytes) -> None:
    block = b"HTTP/1.1 200 OK\r\n" + fields.encode() + b"\r\n\r\n" + body
    blank = re.search(rb"\n\r?\n", block)
    assert blank is not None and parse_head(block).end == blank.end()


def test_a_head_without_end_is_all_there_is() -> None:
    assert parse_head(b"HTTP/1.1 200 OK\r\nX: y").end == 21
    assert parse_head(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200").status == 200


def test_only_a_last_chunked_counts() -> None:
    assert parse_head(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n").chunked
    assert not parse_head(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: identity\r\n\r\n").chunked


def chunked(pieces: list[bytes]) -> bytes:
    return b"".join(b"%x;ext=1\r\n%b\r\n" % (len(p), p) for p in pieces if p) + b"0\r\nTrailer: x\r\n\r\n"


@given(st.lists(st.binary(max_size=40)), st.integers(1, 7))
def test_chunked_round_trip_in_any_pieces(pieces: list[bytes], step: int) -> None:
    wire, decoder = chunked(pieces), ChunkDecoder()
    out = b"".join(b"".join(decoder.feed(wire[i : i + step])) for i in range(0, len(wire), step))
    assert out == b"".join(pieces)
    assert decoder.done and not decoder.broken


@pytest.mark.parametrize("wire", [b"xyz\r\n", b"3\r\nabcX\r\n", b"-1\r\n", b"5" * 70_000])
def test_broken_chunks_are_told(wire: bytes) -> None:
    decoder = ChunkDecoder()
    decoder.feed(wire)
    assert decoder.broken and not decoder.done


def test_cut_chunks_keep_what_came() -> None:
    decoder = ChunkDecoder()
    assert b"".join(decoder.feed(b"5\r\nhel")) == b"hel"
    assert not decoder.done and not decoder.broken


LINES = st.sampled_from(
    [
        b"HTTP/1.1 200 OK", b"HTTP/1.0 404", b"HTTP/1.1 2000", b"HTTP/2 200", b"http/1.1 301 x", b"HTTP/1.1 103 Early",
        b"Content-Type: text/html; charset=utf-8", b"content-type:a,b", b"Content-Type:", b"CONTENT-TYPE : x/y",
        b" Content-Type: folded/x", b"X-Content-Type: no/pe", b"Content-Type: \xff", b"Server: x", b"", b"a\rb",
        b"Content-Type: text/\nb", b"a\nb: c",
    ]
)  # fmt: skip
ENDS = st.sampled_from([b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r", b""])


@given(st.lists(st.tuples(LINES, ENDS), max_size=8), st.booleans())
def test_the_usual_head_says_what_any_head_says(lines: list[tuple[bytes, bytes]], usual: bool) -> None:
    text = b"HTTP/1.1 200 OK\r\n" * usual + b"".join(line + end for line, end in lines)
    head = parse_head(text)
    assert status_and_mime(text) == (head.status, head.mime)
