"""The short way through a gzip member that is as writers make it: whole, one record, plain header lines, right digests.

The same checks as the long way of `verify`, each in one call over bytes in memory. The answer is about faultless
members alone: None says that this one is larger, odd or damaged, and what is wrong with it is for the long way to say.
"""

from __future__ import annotations

import hashlib
import re
from typing import NamedTuple

from isal import igzip_lib

from archiver.warc.checks import TRUNCATED, TYPES
from archiver.warc.http import MAX_HEAD, ChunkDecoder, parse_head
from archiver.warc.members import INFLATE_ERRORS, Source
from archiver.warc.reader import VERSIONS

MAX_SIZE = 1 << 20  # uncompressed bytes of a record that is taken up whole
MAX_RATIO = 64  # so that damaged members cost little before the long way counts what they waste

_NO_TARGET = frozenset({"warcinfo", "metadata"})
_REPEATED = ("WARC-Protocol", "WARC-Cipher-Suite")
_NAMES = frozenset(
    {
        "WARC-Type", "WARC-Record-ID", "WARC-Date", "WARC-Target-URI", "WARC-Warcinfo-ID", "WARC-Filename",
        "WARC-IP-Address", "WARC-Protocol", "WARC-Cipher-Suite", "WARC-Certificate-Chain", "WARC-Page-ID",
        "WARC-Resource-Type", "WARC-Truncated", "WARC-Concurrent-To", "WARC-Profile", "WARC-Refers-To",
        "WARC-Refers-To-Target-URI", "WARC-Refers-To-Date", "WARC-Block-Digest", "WARC-Payload-Digest",
        "WARC-Identified-Payload-Type", "WARC-JSON-Metadata", "Content-Type", "Content-Length",
    }
)  # fmt: skip
# Header values are printable ASCII by the time these see them.
_ID = re.compile(r"<[A-Za-z][A-Za-z0-9+.\-]*:[^ ]+>")
_TARGET = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[^ ]+")
_DATE = re.compile(
    r"[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])T(?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)"
    r"(?:\.[0-9]{1,9})?Z"
)


class Ordinary(NamedTuple):
    """A record without fault, with what `RecordHead` tells about one. `end` is the offset behind its member."""

    offset: int
    end: int
    fields: dict[str, str]
    block: bytes

    def get(self, name: str) -> str | None:
        """The value of a field, its name spelled as the standard does."""
        return self.fields.get(name)

    @property
    def type(self) -> str:
        return self.fields["WARC-Type"]

    @property
    def record_id(self) -> str:
        """Without angle brackets."""
        return self.fields["WARC-Record-ID"][1:-1]

    @property
    def target(self) -> str | None:
        return self.fields.get("WARC-Target-URI")


def ordinary(source: Source, offset: int) -> Ordinary | None:
    """The record of the member at `offset`, read and checked to its last byte; None = go the long way."""
    data = source.whole_member(offset)
    text = None if data is None else _inflate(data)
    if data is None or text is None or not text.endswith(b"\r\n\r\n"):
        return None
    end = text.find(b"\r\n\r\n")
    fields = _fields(text[:end])
    if fields is None or len(text) < end + 8 or not _is_faultless(fields):
        return None
    block = text[end + 4 : -4]
    if fields["Content-Length"] != str(len(block)) or not _holds_digests(fields, block):
        return None
    return Ordinary(offset, offset + len(data), fields, block)


def _inflate(data: bytes) -> bytes | None:
    """The member's content when `data` is exactly one (CRC and length hold; RFC 1952, 2.3.1) of an ordinary size."""
    size = int.from_bytes(data[-4:], "little")
    if size > min(MAX_SIZE, MAX_RATIO * len(data)):
        return None
    inflater = igzip_lib.IgzipDecompressor(igzip_lib.DECOMP_GZIP)
    try:
        text = inflater.decompress(data, size + 1)
    except INFLATE_ERRORS:
        return None
    return text if inflater.eof and not inflater.unused_data and len(text) == size else None


def _fields(head: bytes) -> dict[str, str] | None:
    """Header fields by name: printable ASCII, names that we know, none twice that may stand there once only."""
    try:
        lines = head.decode("ascii").split("\r\n")
        fields: dict[str, str] = dict([line.split(": ", 1) for line in lines[1:]])
    except ValueError:
        return None
    if lines[0] not in VERSIONS or not "".join(lines).isprintable() or not fields.keys() <= _NAMES:
        return None
    surplus = len(lines) - 1 - len(fields)
    if surplus and surplus != sum(head.count(b"\r\n%b: " % name.encode()) - 1 for name in _REPEATED if name in fields):
        return None
    return fields


def _is_faultless(fields: dict[str, str]) -> bool:
    """What `checks.header_faults` asks of a header, for values without white space around them."""
    kind = fields.get("WARC-Type")
    target = fields.get("WARC-Target-URI")
    return (
        kind in TYPES
        and "Content-Length" in fields
        and _ID.fullmatch(fields.get("WARC-Record-ID", "")) is not None
        and _DATE.fullmatch(fields.get("WARC-Date", "")) is not None
        and (kind in _NO_TARGET if target is None else _TARGET.fullmatch(target) is not None)
        and (kind != "revisit" or _is_plain_revisit(fields))
        and ("WARC-Truncated" not in fields or fields["WARC-Truncated"] in TRUNCATED)
    )


def _is_plain_revisit(fields: dict[str, str]) -> bool:
    return bool(fields.get("WARC-Profile")) and all(value == value.strip(" ") for value in fields.values())


def _holds_digests(fields: dict[str, str], block: bytes) -> bool:
    """SHA-256 in lower-case hex, as it should be of block and payload; what is not so spelled is not judged here."""
    said = fields.get("WARC-Block-Digest")
    if said is not None and said != _sha256(block):
        return False
    payload = fields.get("WARC-Payload-Digest")
    kind = fields["WARC-Type"]
    if payload is None or kind in ("request", "revisit", "metadata", "warcinfo"):
        return True
    if kind == "response" and fields.get("Content-Type", "").startswith("application/http"):
        return _is_entity_digest(payload, block)
    return kind == "resource" and payload == (said or _sha256(block))


def _is_entity_digest(payload: str, block: bytes) -> bool:
    """Of the transfer-decoded body (WARC 1.1, 5.9), whole and decoded without doubt."""
    head = parse_head(block)
    if head.end > MAX_HEAD or head.coding:
        return False
    body = memoryview(block)[head.end :]
    if not head.chunked:
        return payload == _sha256(body)
    chunks = ChunkDecoder()
    entity = hashlib.sha256()
    for piece in chunks.feed(bytes(body)):
        entity.update(piece)
    return chunks.done and payload == "sha256:" + entity.hexdigest()


def _sha256(data: bytes | memoryview) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()
