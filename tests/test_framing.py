"""Chunk by chunk: what strict parsers refuse is named, what can be read is read."""

from __future__ import annotations

import pytest

from archiver.framing import ChunkDecoder


def decode(*pieces: bytes) -> tuple[bytes, ChunkDecoder, int]:
    out: list[bytes] = []
    decoder = ChunkDecoder(out.append, trailer_limit=200)
    used = 0
    for piece in pieces:
        used += decoder.feed(piece)
    return b"".join(out), decoder, used


def test_the_end_is_found_across_pieces() -> None:
    body, decoder, used = decode(b"3\r", b"\nab", b"c\r\n0\r\n", b"\r", b"\nrest")
    assert (body, decoder.done, decoder.problem) == (b"abc", True, None)
    assert used == len(b"3\r\nabc\r\n0\r\n\r\n")


@pytest.mark.parametrize(
    ("sent", "body", "done", "broken"),
    [
        (b"3 ;x\r\nabc\r\n0\r\n\r\n", b"abc", True, False),
        (b" 3\r\nabc\r\n0\r\n\r\n", b"abc", True, False),
        (b"3\nabc\r\n0\r\n\r\n", b"abc", True, False),
        (b"3\r\nabc\n0\r\n\r\n", b"abc", True, False),
        (b"0\r\nno colon\r\n\r\n", b"", True, False),
        (b"3\r\nabcdef\r\n0\r\n\r\n", b"abc", False, True),
        (b"xyz\r\n", b"", False, True),
        (b"-3\r\nabc\r\n", b"", False, True),
        (b"\r\n3\r\nabc", b"", False, True),
        (b"3;" + b"e" * 20_000, b"", False, True),
        (b"0\r\n" + b"a: b\r\n" * 100, b"", False, True),
        (b"3\r\nabc\rX\n0\r\n", b"abc", False, True),
    ],
)
def test_what_strict_parsers_refuse(sent: bytes, body: bytes, done: bool, broken: bool) -> None:
    got, decoder, used = decode(sent)
    assert (got, decoder.done, decoder.is_broken) == (body, done, broken)
    assert decoder.problem is not None
    assert used == len(sent)


@pytest.mark.parametrize("line", [b"3;a=b", b"3  ", b"3;", b"0003", b"3\t;x \t"])
def test_what_strict_parsers_take(line: bytes) -> None:
    body, decoder, _ = decode(line + b"\r\nabc\r\n0\r\nA: b\r\n\r\n")
    assert body == b"abc" and decoder.done
    assert (decoder.problem is None) == (b"\t;" not in line)
