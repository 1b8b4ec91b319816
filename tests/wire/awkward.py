"""The awkward answers that every capture way was measured with (27), and six more that break the grammar."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass

import brotli
import zstandard

from archiver.model import Framing, Truncated

PAGE = b"<!doctype html><title>awkward</title><p>" + b"caf\xc3\xa9 " * 60
GZIP = gzip.compress(PAGE, mtime=0)


def chunked(data: bytes, size: int = 100, extension: bytes = b"", trailer: bytes = b"") -> bytes:
    pieces = [data[i : i + size] for i in range(0, len(data), size)]
    body = b"".join(b"%x%b\r\n%b\r\n" % (len(piece), extension, piece) for piece in pieces)
    return body + b"0\r\n" + trailer + b"\r\n"


def head(*lines: bytes, status: bytes = b"HTTP/1.1 200 OK", end: bytes = b"\r\n") -> bytes:
    return end.join((status, *lines, b"", b""))


def sized(body: bytes) -> bytes:
    return b"Content-Length: %d" % len(body)


@dataclass(frozen=True)
class Case:
    """`sent` goes over the wire as it is; the rest is what an exchange must say about it."""

    name: str
    sent: bytes
    entity: bytes = PAGE
    status: int = 200
    framing: Framing = Framing.LENGTH
    then: str = "keep"
    method: str = "GET"
    malformed: bool = False
    truncated: Truncated | None = None
    head_start: int = 0


BR = brotli.compress(PAGE)
ZSTD = zstandard.compress(PAGE)
TRAILERS = b"X-End: 1\r\nX-Sum: abc\r\n"
TE = b"Transfer-Encoding: chunked"
HTML = b"Content-Type: text/html"
INTERIM_100 = b"HTTP/1.1 100 Continue\r\n\r\n"
INTERIM_103 = b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n"

CASES = [
    Case("odd header case and order", head(b"x-FOO: 1", sized(PAGE), b"SERVER: s", b"cONTENT-tYPE: text/html") + PAGE),
    Case("two Set-Cookie in different case", head(b"Set-Cookie: a=1", b"set-cookie: b=2", sized(PAGE)) + PAGE),
    Case("chunked", head(TE) + chunked(PAGE), framing=Framing.CHUNKED),
    Case("chunked with extensions", head(TE) + chunked(PAGE, extension=b';n="v"; x'), framing=Framing.CHUNKED),
    Case(
        "chunked with trailers",
        head(TE) + chunked(PAGE, trailer=TRAILERS),
        framing=Framing.CHUNKED,
    ),
    Case("gzip", head(b"Content-Encoding: gzip", sized(GZIP)) + GZIP, GZIP),
    Case(
        "br", head(b"Content-Encoding: br", sized(brotli.compress(PAGE))) + brotli.compress(PAGE), brotli.compress(PAGE)
    ),
    Case(
        "zstd",
        head(b"Content-Encoding: zstd", sized(ZSTD)) + ZSTD,
        ZSTD,
    ),
    Case("gzip and chunked", head(b"Content-Encoding: gzip", TE) + chunked(GZIP, 7), GZIP, framing=Framing.CHUNKED),
    Case("HTTP/1.0 closed", head(HTML, status=b"HTTP/1.0 200 OK") + PAGE, framing=Framing.CLOSE, then="close"),
    Case("100 first", INTERIM_100 + head(sized(PAGE)) + PAGE, head_start=len(INTERIM_100)),
    Case("103 first", INTERIM_103 + head(sized(PAGE)) + PAGE, head_start=len(INTERIM_103)),
    Case("204", head(b"X: y", status=b"HTTP/1.1 204 No Content"), b"", 204, Framing.NONE),
    Case("304", head(b'ETag: "a"', sized(PAGE), status=b"HTTP/1.1 304 Not Modified"), b"", 304, Framing.NONE),
    Case("HEAD", head(sized(PAGE), HTML), b"", framing=Framing.NONE, method="HEAD"),
    Case("20 KB header", head(b"X-Big: " + b"a" * 20_000, sized(PAGE)) + PAGE),
    Case("space before the colon", head(b"X-Foo : bar", sized(PAGE)) + PAGE, malformed=True),
    Case("folded header", head(b"X-Fold: one", b"\t two", sized(PAGE)) + PAGE),
    Case("bare LF", head(b"X: y", sized(PAGE), end=b"\n") + PAGE),
    Case("non-UTF-8 header", head(b"X-Name: caf\xe9 \xff", sized(PAGE)) + PAGE),
    Case("no reason", head(sized(PAGE), status=b"HTTP/1.1 200") + PAGE),
    Case("Content-Length twice equal", head(sized(PAGE), sized(PAGE)) + PAGE),
    Case(
        "Content-Length twice different",
        head(b"Content-Length: 10", sized(PAGE)) + PAGE,
        framing=Framing.CLOSE,
        then="close",
        malformed=True,
    ),
    Case("Content-Length and chunked", head(b"Content-Length: 4", TE) + chunked(PAGE), framing=Framing.CHUNKED),
    Case(
        "body cut under Content-Length",
        head(b"Content-Length: 9999") + PAGE,
        then="close",
        malformed=True,
        truncated=Truncated.DISCONNECT,
    ),
    Case(
        "chunked cut",
        head(TE) + b"%x\r\n%b\r\n5\r\nab" % (len(PAGE), PAGE),
        PAGE + b"ab",
        framing=Framing.CHUNKED,
        then="close",
        malformed=True,
        truncated=Truncated.DISCONNECT,
    ),
    Case("redirect with a body", head(b"Location: /ok", sized(PAGE), status=b"HTTP/1.1 302 Found") + PAGE, status=302),
]

BROKEN = [
    Case("control characters in a value", head(b"X-Ctl: a\x00b\x07c\x0bd", sized(PAGE)) + PAGE, malformed=True),
    Case("a line without a colon", head(b"what is this", sized(PAGE)) + PAGE, malformed=True),
    Case(
        "gzip, chunked",
        head(b"Transfer-Encoding: gzip, chunked") + chunked(GZIP, 9),
        framing=Framing.CHUNKED,
        malformed=True,
    ),
    Case("HTTP/2 200 line", head(sized(PAGE), status=b"HTTP/2 200") + PAGE, malformed=True),
    Case(
        "deflate without chunked",
        head(b"Transfer-Encoding: deflate") + zlib.compress(PAGE),
        framing=Framing.CLOSE,
        then="close",
        malformed=True,
    ),
    Case(
        "said to be chunked, is not",
        head(TE) + PAGE,
        framing=Framing.CLOSE,
        then="close",
        malformed=True,
    ),
    Case("chunk sizes ended by LF", head(TE) + b"3\nabc\n0\n\n", b"abc", framing=Framing.CHUNKED, malformed=True),
]
