"""Content codings: round trips, bad data, bombs."""

from __future__ import annotations

import gzip
import random
import zlib
from collections.abc import Callable, Iterator

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from archiver.coding import MAX_MEMBERS, RATIO_FROM, Decoded, decode

LIMIT = 1 << 20


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


def zstd_stream(data: bytes) -> bytes:
    """Without content size, with checksum, in several blocks."""
    packer = zstandard.ZstdCompressor(write_checksum=True, write_content_size=False).compressobj()
    half = len(data) // 2
    block = zstandard.COMPRESSOBJ_FLUSH_BLOCK
    return packer.compress(data[:half]) + packer.flush(block) + packer.compress(data[half:]) + packer.flush()


PACK: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "DEFLATE ": raw_deflate,
    "br": brotli.compress,
    "zstd": zstandard.compress,
    " Zstd": zstd_stream,
}


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


@given(
    st.lists(st.sampled_from(sorted(PACK)), max_size=5),
    st.binary(max_size=300),
    st.integers(1, 400),
    st.integers(1, 900),
)
def test_codings_are_undone_in_the_servers_order(names: list[str], seed: bytes, times: int, size: int) -> None:
    body = data = seed * times
    for name in names:
        body = PACK[name](body)
    header = ",".join(names).encode()
    assert decode(body, header, limit=LIMIT).data == data
    chunked = decode(pieces(body, size), header, limit=LIMIT)
    assert (chunked.data, chunked.complete, chunked.error) == (data, True, None)


@given(st.binary(max_size=200), st.sampled_from(sorted(PACK)), st.integers(0, 4096))
def test_any_bytes_are_an_answer(noise: bytes, name: str, limit: int) -> None:
    for body in (noise, PACK[name](b"x" * 1000)[:20] + noise):
        got = decode(body, name.encode(), limit=limit)
        assert len(got.data) <= limit
        assert got.complete is (got.error is None)


@pytest.mark.parametrize("name", sorted(PACK))
def test_a_cut_body_gives_its_beginning(name: str) -> None:
    data = random.Random(1).randbytes(300_000).hex().encode()
    body = PACK[name](data)
    got = decode(body[: len(body) // 2], name.encode(), limit=LIMIT)
    assert got.error is not None and "ends early" in got.error
    assert len(got.data) > 10_000 and data.startswith(got.data)


@pytest.mark.parametrize("name", sorted(PACK))
def test_an_empty_body_needs_no_decoding(name: str) -> None:
    assert decode(b"", name.encode(), limit=LIMIT).complete
    assert decode(iter([b"", b""]), name.encode(), limit=LIMIT).data == b""


def test_gzip_members_follow_each_other_and_rubbish_behind_them_is_ignored() -> None:
    body = gzip.compress(b"one ") + gzip.compress(b"two") + b"\0\0rubbish"
    got = decode(body, b"gzip", limit=LIMIT)
    assert got == Decoded(data=b"one two", codings=("gzip",))
    assert decode(pieces(body, 1), b"gzip", limit=LIMIT) == got
    frames = zstandard.compress(b"one ") + b"\x50\x2a\x4d\x18\x04\0\0\0skip" + zstandard.compress(b"two") + b"rubbish"
    assert decode(frames, b"zstd", limit=LIMIT).data == b"one two"


def test_a_wrong_checksum_keeps_the_text() -> None:
    text = b"<p>some page</p>" * 50
    packed = gzip.compress(text)
    got = decode(packed[:-8] + b"\0" * 8, b"gzip", limit=LIMIT)
    assert got.data == text
    assert not got.complete
    broken = decode(zlib.compress(text)[:-1] + b"\xff", b"deflate", limit=LIMIT)
    assert broken.data == text and not broken.complete


@pytest.mark.parametrize(
    ("header", "codings"),
    [
        (None, ()),
        (b"", ()),
        (b"identity", ()),
        (b"chunked", ()),
        (b"gzip, chunked", ("gzip",)),
        (b" , X-GZIP ,", ("gzip",)),
    ],
)
def test_what_is_no_content_coding_is_passed_over(header: bytes | None, codings: tuple[str, ...]) -> None:
    body = gzip.compress(b"page") if codings else b"page"
    assert decode(body, header, limit=LIMIT) == Decoded(data=b"page", codings=codings)


@pytest.mark.parametrize(
    ("header", "body", "error"),
    [
        (b"utf-8", b"<p>", "unknown content coding 'utf-8'"),
        (b"gzip, compress", b"<p>", "unknown content coding 'compress'"),
        (b"gzip, " * 6, b"<p>", "more than 5 content codings"),
        (b"gzip", b"<p>plain</p>", "not gzip"),
        (b"gzip", b"\x1f<p>plain</p>", "bad deflate data"),
        (b"zstd", b"<p>plain</p>", "not zstd"),
        (b"br", b"<p>plain</p>" * 9, "bad brotli data"),
    ],
)
def test_labels_that_lie(header: bytes, body: bytes, error: str) -> None:
    got = decode(body, header, limit=LIMIT)
    assert got.error is not None and error in got.error
    assert got.data == (b"" if "bad" in error or header == b"zstd" else body)


def test_plain_bodies_are_cut_at_the_limit_too() -> None:
    got = decode(b"x" * 11, None, limit=10)
    assert (got.data, got.complete, got.error) == (b"x" * 10, False, "more than 10 bytes")
    assert decode(b"x" * 10, None, limit=10).complete


@pytest.mark.parametrize("name", sorted(PACK))
def test_bombs_stop_at_the_limit(name: str) -> None:
    got = decode(PACK[name](b"\0" * (8 * LIMIT)), name.encode(), limit=LIMIT)
    assert (len(got.data), got.error) == (LIMIT, f"more than {LIMIT} bytes")


def test_a_ratio_no_page_has_stops_before_the_limit() -> None:
    bomb = brotli.compress(b"\0" * (64 << 20), quality=5)
    got = decode(bomb, b"br", limit=1 << 30)
    assert got.error == "expands more than 1100 times"
    assert len(got.data) <= RATIO_FROM


def test_inner_layers_are_bounded_like_the_outer_one() -> None:
    inner = gzip.compress(b"\0" * (32 * LIMIT))
    got = decode(gzip.compress(gzip.compress(inner)), b"gzip, gzip, gzip", limit=LIMIT)
    assert len(got.data) == LIMIT and not got.complete


@pytest.mark.parametrize(
    ("name", "empty"), [("gzip", gzip.compress(b"")), ("zstd", zstandard.compress(b""))], ids=["gzip", "zstd"]
)
def test_a_million_empty_members_are_not_walked(name: str, empty: bytes) -> None:
    got = decode(empty * 1_000_000, name.encode(), limit=LIMIT)
    assert got.error is not None and str(MAX_MEMBERS) in got.error


def test_empty_zstd_blocks_are_not_walked() -> None:
    frame = zstandard.compress(b"")[:6] + b"\0\0\0" * 1_000_000
    got = decode(frame, b"zstd", limit=LIMIT)
    assert got.error is not None and "empty zstd blocks" in got.error


def test_zstd_may_not_ask_for_a_huge_window() -> None:
    params = zstandard.ZstdCompressionParameters(window_log=25)
    body = zstandard.ZstdCompressor(compression_params=params).compressobj()
    got = decode(body.compress(b"x" * 1000) + body.flush(), b"zstd", limit=LIMIT)
    assert got.error is not None and got.error.startswith("bad zstd data")
