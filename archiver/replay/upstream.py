"""HTTP/1.1 to pywb, by hand: the target goes out as it came, header names and values come back as they are.

Archived headers may be anything (`X-Foo : bar`, Latin-1, no Content-Type at all); a client library refuses or mends
them. One connection a request, on loopback.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from archiver.replay.headers import Headers

HEAD_LIMIT = 1 << 20
HEAD_SECONDS = 120.0
PIECE = 1 << 16

_BROKEN = (OSError, EOFError, TimeoutError, asyncio.LimitOverrunError)


class UpstreamFault(Exception):
    """pywb gave no answer that can be passed on; the message is one line for the visitor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """pywb's answer. `length` is its Content-Length; `body` raises UpstreamFault when pywb breaks off."""

    status: int
    reason: str
    headers: Headers
    length: int | None
    body: AsyncIterator[bytes]


@contextlib.asynccontextmanager
async def ask(port: int, method: str, target: bytes, headers: Headers, body: bytes = b"") -> AsyncIterator[Answer]:
    """One request; the body is read while the block runs, never collected. Raises UpstreamFault."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=HEAD_LIMIT)
    except OSError as error:
        raise UpstreamFault("pywb does not answer") from error
    try:
        writer.write(_request(method, target, headers, body))
        try:
            async with asyncio.timeout(HEAD_SECONDS):
                await writer.drain()
                head = await reader.readuntil(b"\r\n\r\n")
        except _BROKEN as error:
            raise UpstreamFault("pywb broke off") from error
        yield _answer(head, method, reader)
    finally:
        writer.close()


def _request(method: str, target: bytes, headers: Headers, body: bytes) -> bytes:
    lines = [f"{name}: {value}\r\n".encode("utf-8", "surrogateescape") for name, value in headers]
    length = b"Content-Length: %d\r\n" % len(body) if body or method in ("POST", "PUT") else b""
    return b"%b %b HTTP/1.1\r\n%b%bConnection: close\r\n\r\n%b" % (
        method.encode(), target, b"".join(lines), length, body,
    )  # fmt: skip


def _answer(head: bytes, method: str, reader: asyncio.StreamReader) -> Answer:
    first, *lines = head[:-4].split(b"\r\n")
    status, _, reason = first.partition(b" ")[2].partition(b" ")
    if not status.isdigit() or int(status) < 200:
        raise UpstreamFault(f"the archived record begins with an answer that is not final ({_text(status)})")
    headers = [(_text(name), _text(value).strip(" \t")) for name, _, value in (line.partition(b":") for line in lines)]
    bodiless = method == "HEAD" or int(status) in (204, 304)
    length = _length(headers)
    if bodiless:
        body = _plain(reader, 0)
    elif any(name.lower() == "transfer-encoding" and "chunked" in value.lower() for name, value in headers):
        body, length = _chunked(reader), None
    else:
        body = _plain(reader, length)
    return Answer(status=int(status), reason=_text(reason), headers=headers, length=length, body=_whole(body))


def _length(headers: Headers) -> int | None:
    values = {value for name, value in headers if name.lower() == "content-length"}
    only = values.pop() if len(values) == 1 else ""
    return int(only) if only.isascii() and only.isdigit() else None


def _text(raw: bytes) -> str:
    """UTF-8 where it is, so that it goes out as the same bytes; else each byte a character (RFC 9110, 5.5)."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")


async def _whole(body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    try:
        async for piece in body:
            yield piece
    except _BROKEN as error:
        raise UpstreamFault("pywb broke off") from error


async def _plain(reader: asyncio.StreamReader, length: int | None) -> AsyncIterator[bytes]:
    left = length
    while left is None or left > 0:
        piece = await reader.read(PIECE if left is None else min(PIECE, left))
        if not piece:
            if left:
                raise EOFError
            return
        if left is not None:
            left -= len(piece)
        yield piece


async def _chunked(reader: asyncio.StreamReader) -> AsyncIterator[bytes]:
    """RFC 9112, 7.1; pywb sends no trailers."""
    while True:
        line = await reader.readuntil(b"\r\n")
        try:
            left = int(line.partition(b";")[0], 16)
        except ValueError as error:
            raise UpstreamFault("pywb broke its own framing") from error
        if left == 0:
            return
        async for piece in _plain(reader, left):
            yield piece
        await reader.readexactly(2)
