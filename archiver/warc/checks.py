"""What one record must hold: fields, dates, digests (WARC 1.1, 5). Each check yields (code, message) pairs."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator

from archiver.warc.http import MAX_HEAD, ChunkDecoder, CodingDecoder, parse_head
from archiver.warc.reader import RecordHead

Fault = tuple[str, str]

TYPES = frozenset({"warcinfo", "response", "resource", "request", "metadata", "revisit", "conversion", "continuation"})
TRUNCATED = frozenset({"length", "time", "disconnect", "unspecified"})

_MANDATORY = ("WARC-Record-ID", "Content-Length", "WARC-Date", "WARC-Type")
_NEEDS_TARGET = TYPES - {"warcinfo", "metadata"}
_REPEATABLE = frozenset({"warc-concurrent-to", "warc-protocol", "warc-cipher-suite"})
_DATE = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.\d{1,9})?)?Z)?)?)?")
_LIMITS = ((1, 12), (1, 31), (0, 23), (0, 59), (0, 60))
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:\S+")
_ALGORITHMS = {"sha256": "sha256", "sha1": "sha1", "md5": "md5", "sha512": "sha512", "sha384": "sha384"}


def header_faults(head: RecordHead) -> Iterator[Fault]:
    """Faults of the header alone."""
    yield from head.notes
    for name in _MANDATORY:
        if not head.get(name):
            yield "missingField", f"{name} is missing"
    yield from _repeated(head)
    date = head.get("WARC-Date")
    if date and not is_date(date):
        yield "badDate", f"WARC-Date is no UTC date: {date[:60]!r}"
    kind = head.type
    if kind and kind not in TYPES:
        yield "unknownType", f"WARC-Type {kind[:60]!r} is not of WARC 1.1"
    if kind in _NEEDS_TARGET and not head.get("WARC-Target-URI"):
        yield "missingField", "WARC-Target-URI is missing"
    if kind == "revisit" and not head.get("WARC-Profile"):
        yield "missingField", "WARC-Profile is missing"
    yield from _values(head)


def _repeated(head: RecordHead) -> Iterator[Fault]:
    seen: set[str] = set()
    for name, _ in head.fields:
        key = name.lower()
        if key in seen and key not in _REPEATABLE and (key.startswith("warc-") or key.startswith("content-")):
            yield "duplicateField", f"{name} stands there more than once"
        seen.add(key)


def _values(head: RecordHead) -> Iterator[Fault]:
    record_id = head.get("WARC-Record-ID")
    if record_id and not (record_id.startswith("<") and record_id.endswith(">") and _URI.fullmatch(head.record_id)):
        yield "badField", f"WARC-Record-ID is no URI in angle brackets: {record_id[:80]!r}"
    target = head.target
    if target and (not _URI.fullmatch(target)):
        yield "badField", f"WARC-Target-URI is no URI: {target[:80]!r}"
    truncated = head.get("WARC-Truncated")
    if truncated and truncated not in TRUNCATED:
        yield "badField", f"WARC-Truncated is {truncated[:40]!r}"


def is_date(text: str) -> bool:
    """A W3C date in UTC, of any precision that WARC 1.1 (5.4) allows."""
    match = _DATE.fullmatch(text)
    if match is None:
        return False
    return all(value is None or low <= int(value) <= high for value, (low, high) in zip(match.groups()[1:], _LIMITS))


class DigestCheck:
    """One digest field against what is fed. Hex and base32, any case, with or without padding (WARC 1.1, 5.8)."""

    def __init__(self, field: str, value: str) -> None:
        self._field = field
        self._value = value
        algorithm, _, self._text = value.partition(":")
        name = _ALGORITHMS.get(algorithm.strip().lower().replace("-", ""))
        self._hash = hashlib.new(name, usedforsecurity=False) if name else None

    def update(self, data: bytes) -> None:
        if self._hash is not None:
            self._hash.update(data)

    @property
    def known(self) -> bool:
        return self._hash is not None

    def matches(self) -> bool:
        return self._hash is not None and _decode(self._text.strip(), self._hash.digest_size) == self._hash.digest()

    def fault(self) -> Fault:
        code = "blockDigest" if self._field == "WARC-Block-Digest" else "payloadDigest"
        if self._hash is None:
            return "unknownDigest", f"{self._field} of an unknown algorithm: {self._value[:60]!r}"
        return code, f"{self._field} says {self._value[:80]}, the bytes give {self._hash.name}:{self._hash.hexdigest()}"


def _decode(text: str, size: int) -> bytes:
    try:
        if len(text) == 2 * size:
            return bytes.fromhex(text)
        padded = text.rstrip("=").upper()
        return base64.b32decode(padded + "=" * (-len(padded) % 8))
    except (ValueError, binascii.Error):
        return b""


class BlockCheck:
    """Feed it a record's block piece by piece, then ask for `faults`; `http` is the block's first bytes.

    A payload digest is over the transfer-decoded entity. Where a coding is broken or cut, the body as it was before
    that coding counts as well: there is no telling which of the two the writer took. Where the coding is whole, a
    digest of the body as it was sent (wget's) is no fault, but `is_of_coded_body` tells, once `faults` has ended.
    """

    is_of_coded_body = False

    def __init__(self, head: RecordHead) -> None:
        block = head.get("WARC-Block-Digest")
        payload = head.get("WARC-Payload-Digest")
        media = (head.get("Content-Type") or "").lower()
        self._block = DigestCheck("WARC-Block-Digest", block) if block else None
        self._is_http = head.type == "response" and media.startswith("application/http")
        checked = payload if self._is_http or head.type in ("resource", "conversion") else None
        self._raw = DigestCheck("WARC-Payload-Digest", checked) if checked else None
        self._decoded = DigestCheck("WARC-Payload-Digest", checked) if checked and self._is_http else None
        self._coded = DigestCheck("WARC-Payload-Digest", checked) if checked and self._is_http else None
        self._chunks: ChunkDecoder | None = None
        self._coding: CodingDecoder | None = None
        self._in_body = not self._is_http
        self._start = b""

    def feed(self, piece: bytes) -> None:
        if self._block is not None:
            self._block.update(piece)
        if self._raw is None:
            return
        if self._in_body:
            self._body(piece)
            return
        self._start += piece
        if len(self._start) > MAX_HEAD or parse_head_complete(self._start):
            self._begin_body()

    def _begin_body(self) -> None:
        parsed = parse_head(self._start)
        self._chunks = ChunkDecoder() if parsed.chunked else None
        self._coding = CodingDecoder(parsed.coding) if parsed.coding else None
        self._in_body = True
        body, self._start = self._start[parsed.end :], b""
        self._body(body)

    def _body(self, data: bytes) -> None:
        assert self._raw is not None
        self._raw.update(data)
        if self._chunks is None or self._decoded is None:
            self._uncode(data)
            return
        for piece in self._chunks.feed(data):
            self._decoded.update(piece)
            self._uncode(piece)

    def _uncode(self, data: bytes) -> None:
        if self._coding is None or self._coded is None:
            return
        for piece in self._coding.feed(data):
            self._coded.update(piece)

    def faults(self) -> Iterator[Fault]:
        """To be asked once, after the last piece."""
        if self._raw is not None and not self._in_body:
            self._begin_body()
        if self._block is not None and not self._block.matches():
            yield self._block.fault()
        if self._raw is None:
            return
        said = self._entities()
        if any(one.matches() for one in said):
            return
        self.is_of_coded_body = self._raw.matches()
        if not self.is_of_coded_body:
            yield said[0].fault()

    def _entities(self) -> list[DigestCheck]:
        """What the digest may be of, the likeliest first."""
        assert self._raw is not None
        found: list[DigestCheck] = []
        if self._coding is not None and self._coded is not None and self._coding.is_usable:
            found.append(self._coded)
            if self._coding.done:
                return found
        if self._chunks is None or self._decoded is None:
            return [*found, self._raw]
        return [*found, self._decoded] if self._chunks.done else [*found, self._decoded, self._raw]


def parse_head_complete(start: bytes) -> bool:
    """Do these bytes hold the final head and a byte behind it (so that no interim head can be taken for it)?"""
    parsed = parse_head(start)
    return parsed.end < len(start) and not (100 <= parsed.status < 200 and parsed.status != 101)
