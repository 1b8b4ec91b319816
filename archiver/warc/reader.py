"""Strict reading of WARC files by record and offset, in bounded memory. What is merely odd is noted, not refused."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from archiver.errors import WarcError
from archiver.warc.members import MAGIC, Damage, GzipStream, PlainStream, Source

MAX_HEADER = 1 << 20
MAX_BLOCK = 1 << 36  # what a Content-Length may claim: 64 GiB
VERSIONS = ("WARC/1.1", "WARC/1.0")

_ZSTD = (b"\x28\xb5\x2f\xfd", b"\x50\x2a\x4d\x18", b"\x5d\x2a\x4d\x18")
_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_LENGTH = re.compile(r"[0-9]{1,20}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordHead:
    """A record's own header. `fields` keep order and case; `notes` are (code, message) of what breaks the standard."""

    version: str
    offset: int
    fields: tuple[tuple[str, str], ...]
    notes: tuple[tuple[str, str], ...] = field(default=())

    def get(self, name: str) -> str | None:
        """The first value of a field; names compare without case."""
        wanted = name.lower()
        return next((value for key, value in self.fields if key.lower() == wanted), None)

    def get_all(self, name: str) -> list[str]:
        wanted = name.lower()
        return [value for key, value in self.fields if key.lower() == wanted]

    @property
    def type(self) -> str:
        return (self.get("WARC-Type") or "").lower()

    @property
    def record_id(self) -> str:
        """Without angle brackets."""
        return bare(self.get("WARC-Record-ID") or "")

    @property
    def target(self) -> str | None:
        value = self.get("WARC-Target-URI")
        return None if value is None else bare(value)

    @property
    def length(self) -> int:
        """Content-Length. Raises Damage when it is missing, no number, or beyond `MAX_BLOCK`."""
        value = self.get("Content-Length")
        if value is None:
            raise Damage("missingField", "Content-Length is missing")
        if not _LENGTH.fullmatch(value) or int(value) > MAX_BLOCK:
            raise Damage("badContentLength", f"Content-Length is no usable number: {value[:40]!r}")
        return int(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A record read whole."""

    headers: RecordHead
    block: bytes


class RecordStream:
    """Records out of one stream (a gzip member, or a whole uncompressed file), one after the other."""

    def __init__(self, stream: GzipStream | PlainStream, offset: int) -> None:
        self._stream = stream
        self._buffer = b""
        self.position = offset  # of the next unread byte, where the stream is uncompressed

    def at_end(self) -> bool:
        """Is the stream used up? Raises Damage."""
        if not self._buffer:
            self._buffer = self._stream.read()
        return not self._buffer

    def head(self, offset: int) -> RecordHead:
        """Read and parse a header. Raises Damage when it is no WARC header at all."""
        text = self._until(b"\r\n\r\n")
        return parse_header(text, offset)

    def block(self, length: int) -> Iterator[bytes]:
        """The next `length` bytes in pieces. Raises Damage `lengthMismatch` when the stream ends before."""
        left = length
        while left:
            if self.at_end():
                raise Damage("lengthMismatch", f"Content-Length says {length}, the block has {length - left} bytes")
            piece, self._buffer = self._buffer[:left], self._buffer[left:]
            left -= len(piece)
            self.position += len(piece)
            yield piece

    def finish(self) -> None:
        """Read the two line ends behind a block. Raises Damage `lengthMismatch` when something else stands there."""
        end = self._take(4)
        if end != b"\r\n\r\n":
            raise Damage("lengthMismatch", f"the block is not followed by two line ends but by {end!r}")

    def _take(self, length: int) -> bytes:
        while len(self._buffer) < length:
            more = self._stream.read()
            if not more:
                break
            self._buffer += more
        taken, self._buffer = self._buffer[:length], self._buffer[length:]
        self.position += len(taken)
        return taken

    def _until(self, mark: bytes) -> bytes:
        searched = 0
        while (found := self._buffer.find(mark, max(0, searched - len(mark)))) < 0:
            searched = len(self._buffer)
            if searched == 0:
                if self.at_end():
                    raise Damage("emptyMember", "a gzip member without content")
                continue
            if searched > MAX_HEADER:
                raise Damage("badHeader", f"no end of the record header within {MAX_HEADER} bytes")
            more = self._stream.read()
            if not more:
                raise Damage("badHeader", f"the record header has no end: {self._buffer[:60]!r}")
            self._buffer += more
        return self._take(found + len(mark))


def parse_header(text: bytes, offset: int) -> RecordHead:
    """A record header, blank line included. Raises Damage for what is not WARC 1.0 or 1.1; notes lesser faults."""
    first, _, rest = text.partition(b"\r\n")
    version = first.decode("ascii", "replace")
    if version not in VERSIONS:
        raise _not_ours(first)
    fields: list[tuple[str, str]] = []
    notes: list[tuple[str, str]] = []
    for line in rest.split(b"\r\n"):
        if not line:
            continue
        name, colon, value = line.partition(b":")
        if line[:1] in (b" ", b"\t"):
            notes.append(("foldedHeader", f"a folded header line: {line[:60]!r}"))
        elif not colon or not _NAME.fullmatch(name):
            notes.append(("badHeader", f"not a header line: {line[:60]!r}"))
            continue
        if _CONTROL.search(value):
            notes.append(("forgedField", f"control characters in {name[:60]!r}: {value[:60]!r}"))
        fields.append((name.decode("ascii", "replace"), value.strip(b" \t").decode("utf-8", "replace")))
    return RecordHead(version=version, offset=offset, fields=tuple(fields), notes=tuple(notes))


def _not_ours(first: bytes) -> Damage:
    line = first[:60].split(b"\n")[0]
    if line.startswith(b"WARC/"):
        return Damage("badVersion", f"{line.decode('ascii', 'replace').strip()} is not WARC 1.0 or 1.1")
    return Damage("notWarc", f"no WARC record begins here but {line!r}")


def bare(value: str) -> str:
    """A URI without the angle brackets that WARC puts around it."""
    return value[1:-1] if value.startswith("<") and value.endswith(">") else value


def sniff(source: Source) -> str:
    """`gzip` or `plain`. Raises Damage `unsupportedFormat` that names what the file is instead."""
    start = source.read(0, 512)
    if start.startswith(MAGIC):
        return "gzip"
    if start.startswith(b"WARC/"):
        return "plain"
    if start.startswith(_ZSTD):
        raise Damage("unsupportedFormat", "a zstd WARC (.warc.zst); recompress it as .warc.gz")
    if start.startswith(b"filedesc://"):
        raise Damage("unsupportedFormat", "an ARC file; convert it to WARC 1.1")
    if start[:1] == b"<" or b"<html" in start.lower():
        raise Damage("unsupportedFormat", "an HTML or XML document, not a WARC")
    return "gzip"  # perhaps a WARC with a damaged beginning: the search for records decides


def open_stream(source: Source, offset: int) -> RecordStream:
    """The record at `offset` of a compressed or plain file. Raises Damage."""
    if source.read(offset, 5) == b"WARC/":
        return RecordStream(PlainStream(source, offset), offset)
    return RecordStream(GzipStream(source, offset), offset)


@contextmanager
def open_source(path: Path | str) -> Iterator[Source]:
    """The file for reading by position. Raises OSError."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield Source.of_file(fd)
    finally:
        os.close(fd)


def read_at(path: Path | str, offset: int, *, limit: int = 1 << 28) -> Record:
    """The record whose member begins at `offset`. Raises WarcError, also for a block over `limit` bytes; OSError."""
    try:
        with open_source(path) as source:
            stream = open_stream(source, offset)
            head = stream.head(offset)
            if head.length > limit:
                raise Damage("tooLarge", f"the block has {head.length} bytes, more than {limit}")
            block = b"".join(stream.block(head.length))
            stream.finish()
            return Record(headers=head, block=block)
    except Damage as error:
        raise WarcError(f"{path} at {offset}: {error}") from error


def iter_records(path: Path | str, *, limit: int = 1 << 28) -> Iterator[Record]:
    """Every record in order, each whole in memory. Raises WarcError at the first damage; see `verify` to go on."""
    offset = 0
    with open_source(path) as source:
        try:
            sniff(source)
            while offset < source.size:
                compressed = source.read(offset, 5) != b"WARC/"
                member = GzipStream(source, offset) if compressed else PlainStream(source, offset)
                stream = RecordStream(member, offset)
                while not stream.at_end():
                    head = stream.head(offset if compressed else stream.position)
                    if head.length > limit:
                        raise Damage("tooLarge", f"the block has {head.length} bytes, more than {limit}")
                    block = b"".join(stream.block(head.length))
                    stream.finish()
                    yield Record(headers=head, block=block)
                assert member.end is not None
                offset = member.end
        except Damage as error:
            raise WarcError(f"{path} at {offset}: {error}") from error
