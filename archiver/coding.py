"""Content-Encoding undone (RFC 9110, 8.4), for looking into bodies. What is stored stays as it came from the wire.

Bounded in memory and CPU whatever arrives: every stage works in pieces, no stage may yield more than the limit, and
bombs end where they begin to look like one. Bad data is an answer here, not an exception: what could be decoded comes
back with the reason why it is not all.
"""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import brotli  # type: ignore[import-untyped]
import zstandard
from isal import igzip_lib, isal_zlib

PIECE = 262_144
SLICE = 65_536
MAX_CODINGS = 5
MAX_MEMBERS = 4_096
"""gzip members or zstd frames in one body, and zstd blocks that yield nothing in a row."""
RATIO_FROM = 16 << 20
MAX_RATIO = 1_100
"""Past `RATIO_FROM` bytes, output may be this many times the input: above deflate's own 1032, far above real pages."""
ZSTD_WINDOW = 8 << 20
"""RFC 9659: the largest window a zstd content coding may ask for."""

Stage = Callable[[Iterator[bytes]], Iterator[bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """`data` as far as it could be decoded; `error` says why not `complete`; `codings` as the server applied them.

    Where the coding is unknown or was never applied, `data` is the body as it came.
    """

    data: bytes
    complete: bool = True
    error: str | None = None
    codings: tuple[str, ...] = ()


class _Broken(Exception):
    """A stage cannot go on; what it yielded before counts."""


def decode(body: bytes | Iterable[bytes], content_encoding: bytes | None, *, limit: int) -> Decoded:
    """Undo the codings of a transfer-decoded body, at most `limit` bytes of output. Never raises for bad data."""
    codings = () if content_encoding is None else _codings(bytes(content_encoding))
    chunks = iter((body,)) if isinstance(body, bytes) else iter(body)
    unknown = next((name for name in codings if name not in _STAGES), None)
    if unknown is not None:
        return _collect(chunks, limit, codings, f"unknown content coding {unknown!r}")
    if len(codings) > MAX_CODINGS:
        return _collect(chunks, limit, codings, f"more than {MAX_CODINGS} content codings")
    if not codings:
        return _collect(chunks, limit, codings, None)
    read = _Meter(chunks)
    pieces: Iterator[bytes] = read
    for name in reversed(codings):
        pieces = _capped(_STAGES[name](pieces), read, limit)
    return _collect(pieces, limit, codings, None)


@lru_cache(maxsize=256)
def _codings(value: bytes) -> tuple[str, ...]:
    """The codings in the order they were applied; `chunked` and `identity` are none, though servers say so."""
    names = (name.strip().lower() for name in value[:1024].decode("latin-1").split(","))
    return tuple(name.removeprefix("x-") for name in names if name not in ("", "identity", "chunked", "aws-chunked"))


def _collect(pieces: Iterator[bytes], limit: int, codings: tuple[str, ...], error: str | None) -> Decoded:
    kept: list[bytes] = []
    size = 0
    try:
        for piece in pieces:
            kept.append(piece)
            size += len(piece)
            if size > limit:
                raise _Broken(f"more than {limit} bytes")
    except _Broken as broken:
        error = str(broken)
    data = kept[0] if len(kept) == 1 else b"".join(kept)
    return Decoded(data=data[:limit], complete=error is None, error=error, codings=codings)


class _Meter(Iterator[bytes]):
    """The body in slices, counted."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self.size = 0
        self._slices = (
            chunk if len(chunk) <= SLICE else chunk[at : at + SLICE]
            for chunk in chunks
            for at in range(0, len(chunk), SLICE)
        )

    def __next__(self) -> bytes:
        piece = next(self._slices)
        self.size += len(piece)
        return piece


def _capped(pieces: Iterator[bytes], read: _Meter, limit: int) -> Iterator[bytes]:
    """One stage's output, up to the limit and the ratio; inner layers of several codings are held to them too."""
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > RATIO_FROM and size > read.size * MAX_RATIO:
            raise _Broken(f"expands more than {MAX_RATIO} times")
        yield piece
        if size > limit:
            raise _Broken(f"more than {limit} bytes")


def _gzip(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """gzip members one after the other (RFC 1952, 2.2); what follows the last one is ignored, as browsers do."""
    decoder: Any = None
    members = 0
    for chunk in chunks:
        data = chunk
        while data:
            if decoder is None:
                if data[0] != 0x1F:
                    if members:
                        return
                    yield from itertools.chain((data,), chunks)
                    raise _Broken("not gzip, though the server says so")
                members += 1
                if members > MAX_MEMBERS:
                    raise _Broken(f"more than {MAX_MEMBERS} gzip members")
                decoder, fresh = isal_zlib.decompressobj(31), data
            else:
                fresh = b""
            yield from _drain(decoder, data, fresh, 31)
            if not decoder.eof:
                break
            data, decoder = decoder.unused_data, None
    if decoder is not None:
        raise _Broken("gzip data ends early")


def _deflate(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """zlib format, as RFC 9110 has it, or raw deflate, as some servers do: told apart by zlib's two bytes."""
    head = b""
    while len(head) < 2:
        chunk = next(chunks, None)
        if chunk is None:
            break
        head += chunk
    if not head:
        return
    is_zlib = len(head) > 1 and head[0] & 0x0F == 8 and int.from_bytes(head[:2], "big") % 31 == 0
    wbits = 15 if is_zlib else -15
    decoder = isal_zlib.decompressobj(wbits)
    fresh = head
    for chunk in itertools.chain((head,), chunks):
        yield from _drain(decoder, chunk, fresh, wbits)
        fresh = b""
        if decoder.eof:
            return
    raise _Broken("deflate data ends early")


def _drain(decoder: Any, data: bytes, fresh: bytes, wbits: int) -> Iterator[bytes]:
    """All that `data` yields, in pieces. `fresh` is the same data when the decoder has seen none before."""
    done = 0
    try:
        while True:
            piece = decoder.decompress(data, PIECE)
            yield piece
            done += len(piece)
            data = decoder.unconsumed_tail
            if decoder.eof or (not data and len(piece) < PIECE):
                return
    except igzip_lib.IsalError as error:  # type: ignore[misc]
        if fresh:
            yield _salvage(fresh, wbits)[done:]
        raise _Broken(f"bad deflate data: {error}") from error


def _salvage(data: bytes, wbits: int) -> bytes:
    """What comes before the fault, up to a piece: a failing call yields nothing, so the slice is fed again by bytes."""
    decoder = zlib.decompressobj(wbits)
    good = bytearray()
    try:
        for at in range(len(data)):
            good += decoder.decompress(data[at : at + 1], PIECE)
            if len(good) >= PIECE:
                break
    except zlib.error:
        pass
    return bytes(good)


def _brotli(chunks: Iterator[bytes]) -> Iterator[bytes]:
    decoder = brotli.Decompressor()
    started = False
    for chunk in chunks:
        started = True
        try:
            piece = decoder.process(chunk, output_buffer_limit=PIECE)
            while piece:
                yield piece
                piece = b"" if decoder.is_finished() else decoder.process(b"", output_buffer_limit=PIECE)
        except brotli.error as error:
            raise _Broken("bad brotli data") from error
        if decoder.is_finished():
            return
    if started:
        raise _Broken("brotli data ends early")


class _Reader:
    """Exact reads from an iterator of chunks."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""

    def take(self, size: int, *, may_end: bool = False) -> bytes:
        """`size` bytes; with `may_end`, nothing at the end of the input."""
        while len(self._rest) < size:
            chunk = next(self._chunks, None)
            if chunk is None:
                if may_end:
                    return b""
                raise _Broken("zstd data ends early")
            self._rest += chunk
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken


def _zstd(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Frames one after the other (RFC 8878, 3). Fed block by block: the binding bounds no output, a block is 128 KB."""
    reader = _Reader(chunks)
    for frames in range(MAX_MEMBERS):
        magic = reader.take(4, may_end=True)
        if magic[1:] == b"\x2a\x4d\x18" and magic[0] & 0xF0 == 0x50:
            left = int.from_bytes(reader.take(4), "little")
            while left:
                left -= len(reader.take(min(left, SLICE)))
        elif magic == b"\x28\xb5\x2f\xfd":
            yield from _zstd_frame(reader, magic)
        elif frames or not magic:
            return
        else:
            raise _Broken("not zstd, though the server says so")
    raise _Broken(f"more than {MAX_MEMBERS} zstd frames")


def _zstd_frame(reader: _Reader, magic: bytes) -> Iterator[bytes]:
    decoder = zstandard.ZstdDecompressor(max_window_size=ZSTD_WINDOW).decompressobj()
    descriptor = reader.take(1)
    flags = descriptor[0]
    single_segment = flags >> 5 & 1
    fields = (1 - single_segment) + (0, 1, 2, 4)[flags & 3] + (single_segment, 2, 4, 8)[flags >> 6]
    try:
        decoder.decompress(magic + descriptor + reader.take(fields))
        last, idle = False, 0
        while not last:
            head = reader.take(3)
            bits = int.from_bytes(head, "little")
            last, kind, size = bool(bits & 1), bits >> 1 & 3, bits >> 3
            if size > 131_072:
                raise _Broken("bad zstd data: a block over 128 KB")
            piece = decoder.decompress(head + reader.take(1 if kind == 1 else size))
            idle = 0 if piece else idle + 1
            if idle > MAX_MEMBERS:
                raise _Broken(f"more than {MAX_MEMBERS} empty zstd blocks")
            yield piece
        if flags >> 2 & 1:
            yield decoder.decompress(reader.take(4))
    except zstandard.ZstdError as error:
        raise _Broken(f"bad zstd data: {error}") from error


_STAGES: dict[str, Stage] = {"gzip": _gzip, "deflate": _deflate, "br": _brotli, "zstd": _zstd}
