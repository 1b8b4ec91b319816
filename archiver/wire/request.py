"""A request as bytes. What the caller gives goes out in that order and case; nothing is added."""

from __future__ import annotations

import re
from functools import lru_cache

from archiver.errors import CaptureError
from archiver.model import FailureCode
from archiver.ports import WireRequest

# one field a line: a token, then anything but CR, LF and NUL (RFC 9110, 5.1 and 5.5)
_FIELDS = re.compile(rb"(?:[-!#$%&'*+.^_`|~0-9A-Za-z]+: [^\r\n\0]*\r\n)*")
_TARGET = re.compile(rb"[\x21-\x7e\x80-\xff]+")
_METHOD = re.compile(r"[A-Z][A-Z-]{0,31}")

# may be sent again when a kept connection turns out dead before a byte came back (RFC 9110, 9.2.2; RFC 9112, 9.3.1)
IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})


def serialise(request: WireRequest) -> bytes:
    """Head and body as they will cross the wire.

    Raises CaptureError (`protocolError`) for anything that could be read as more than one request.
    """
    fields = _field_lines(request.headers)
    if fields is None or not (_TARGET.fullmatch(request.target) and _METHOD.fullmatch(request.method)):
        message = f"{request.method} {request.url}: a header or the target holds characters that HTTP/1.1 forbids"
        raise CaptureError(FailureCode.PROTOCOL_ERROR, message)
    return b"%b %b HTTP/1.1\r\n%b\r\n%b" % (request.method.encode(), request.target, fields, request.body)


@lru_cache(maxsize=64)
def _field_lines(headers: tuple[tuple[bytes, bytes], ...]) -> bytes | None:
    """None for what is not one field a line. Most requests to a site have the same fields."""
    fields = b"".join([b"%b: %b\r\n" % field for field in headers])
    return fields if _FIELDS.fullmatch(fields) and fields.count(b"\r\n") == len(headers) else None


def asks_to_close(request: WireRequest) -> bool:
    """Whether the request itself ends the connection (`Connection: close`)."""
    return _asks_to_close(request.headers)


@lru_cache(maxsize=64)
def _asks_to_close(headers: tuple[tuple[bytes, bytes], ...]) -> bool:
    for name, value in headers:
        if len(name) == 10 and name.lower() == b"connection":
            return b"close" in value.lower()
    return False
