"""A lenient reading of a response head: takes whatever has a status code, in wire order. h11 is the judge, not this."""

from __future__ import annotations

import re
from dataclasses import dataclass

from archiver.framing import header_fields, transfer_codings

_STATUS_LINE = re.compile(rb"HTTP/([0-9]+(?:\.[0-9]+)?)?[ \t]+([0-9]{3})(?![0-9])[ \t]?([^\r\n]*)", re.IGNORECASE)
# heads that h11 accepts for certain (its grammar holds more); most of the web's are of this kind
_PLAIN = re.compile(
    rb"HTTP/1\.[01] [2-5][0-9]{2}(?: [\t\x20-\x7e\x80-\xff]*)?\r\n"
    rb"(?:[-!#$%&'*+.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*\r\n)*\r\n"
)
_PLAIN_FIELD = re.compile(rb"([^:\r\n]+):([^\r\n]*)\r\n")
_DIGITS = re.compile(rb"[0-9]{1,20}")


@dataclass(slots=True)
class Head:
    """A status line and its fields (lower-case names, values trimmed, folded lines joined by one space).

    `content_length` is None when absent, unreadable or contradictory; `largest_length` then still says how many
    bytes were promised at most. `is_plain`: nothing in it that a strict parser could refuse (a sufficient test, proven
    against h11 in the tests). Mutable and internal: it never leaves `wire`.
    """

    status: int
    reason: str
    headers: tuple[tuple[bytes, bytes], ...]
    keeps_alive: bool
    transfer_codings: tuple[bytes, ...] = ()
    content_length: int | None = None
    content_length_given: bool = False
    largest_length: int = 0
    is_plain: bool = False

    @property
    def is_event_stream(self) -> bool:
        types = (value for name, value in self.headers if name == b"content-type")
        return any(value[:17].lower() == b"text/event-stream" for value in types)


def parse_head(raw: bytes) -> Head | None:
    """Parse the bytes of one head; None when no status can be read in its first line."""
    match = _STATUS_LINE.match(raw)
    if match is None:
        return None
    is_plain = _PLAIN.fullmatch(raw) is not None
    if is_plain:
        found = _PLAIN_FIELD.findall(raw, match.end())
        headers = [(name.lower(), value.strip(b" \t")) for name, value in found]
    else:
        headers = header_fields(raw)
    version = match[1] or b"0"
    head = Head(
        status=int(match[2]),
        reason=match[3].decode("latin-1"),
        headers=tuple(headers),
        keeps_alive=version >= b"1.1" and version < b"2",
        is_plain=is_plain,
    )
    _read_framing(head)
    return head


def _read_framing(head: Head) -> None:
    lengths: list[bytes] = []
    codings: list[bytes] = []
    for name, value in head.headers:
        if name == b"content-length":
            lengths += [item.strip() for item in value.split(b",")]
        elif name == b"transfer-encoding":
            codings.append(value)
        elif name == b"connection" and b"close" in [item.strip() for item in value.lower().split(b",")]:
            head.keeps_alive = False
    head.transfer_codings = transfer_codings(b",".join(codings))
    head.content_length_given = bool(lengths)
    readable = {int(item) for item in lengths if _DIGITS.fullmatch(item)}
    head.largest_length = max(readable, default=0)
    if len(readable) == 1 and all(_DIGITS.fullmatch(item) for item in lengths):
        head.content_length = head.largest_length
    odd_coding = bool(codings) and b",".join(codings).lower() != b"chunked"
    if len(lengths) > 1 or (lengths and head.content_length is None) or odd_coding:
        head.is_plain = False
