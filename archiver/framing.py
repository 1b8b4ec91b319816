"""What the framing of an HTTP/1.1 message rests on: its fields, its transfer codings, chunks (RFC 9112, 5 to 7.1).

The wire client, which takes the payload digest, and the WARC reader, which checks it, both read through this module:
whatever a server sends, they cannot disagree about what the entity is.
"""

from __future__ import annotations

import re
from collections.abc import Callable

# h11's own grammar, so that its verdict on chunk framing is kept where we decode in its place
# (written so that no input makes it backtrack: `.*` swallows the blanks that h11 allows after an extension)
_STRICT = re.compile(rb"([0-9A-Fa-f]{1,20})(?:[ \t]*|;.*)\r\n")
_LENIENT = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,20})[ \t]*(?:;[^\n]*)?\r?\n")
_USUAL = re.compile(rb"([0-9A-Fa-f]{1,20})\r\n")
_SIZE_START = frozenset(b"0123456789abcdefABCDEF \t")
_SIZE, _DATA, _DATA_END, _TRAILER = range(4)
_LINE_LIMIT = 16_384


_FLOOR, _RATIO, _CEILING = 1 << 20, 100, 1 << 26


def header_fields(head: bytes) -> list[tuple[bytes, bytes]]:
    """Names (lower case) and values of the field lines behind the first line, folded ones joined by one space.

    Lenient: bare LF ends a line, blanks may stand before the colon. A line without a colon has no name and is left to
    the bytes, as is a fold with nothing before it.
    """
    fields: list[tuple[bytes, bytes]] = []
    folds: dict[int, list[bytes]] = {}
    for line in head.split(b"\n")[1:]:
        if line[:1] in (b" ", b"\t"):
            if fields:
                folds.setdefault(len(fields) - 1, []).append(line.strip(b" \t\r"))
            continue
        name, colon, value = line.partition(b":")
        if colon:
            fields.append((name.strip(b" \t").lower(), value.strip(b" \t\r")))
    for place, more in folds.items():
        name, value = fields[place]
        fields[place] = (name, b" ".join([value, *more]).strip(b" \t\r"))
    return fields


def uncoded_limit(size: int) -> int:
    """Bytes that `size` bytes under a transfer coding may grow to; what grows more is kept as it came."""
    return min(max(_FLOOR, _RATIO * size), _CEILING)


def transfer_codings(value: bytes) -> tuple[bytes, ...]:
    """The codings of a Transfer-Encoding value in the order they were applied, lower case, parameters cut.

    `identity` is none. The body is chunked where `chunked` is the last one.
    """
    codings = (item.partition(b";")[0].strip(b" \t").lower() for item in value.split(b","))
    return tuple(coding for coding in codings if coding and coding != b"identity")


class ChunkDecoder:
    """Feed wire bytes, get entity bytes through `sink`, as many as one feed completes in one call.

    `problem` names the first thing a strict parser refuses (None = nothing); `is_broken` means that chunk framing was
    lost and nothing after it can be decoded. The result depends on the bytes alone, not on how they were cut.
    """

    __slots__ = (
        "_carry",
        "_left",
        "_pieces",
        "_sink",
        "_state",
        "_trailer_limit",
        "_trailer_seen",
        "decoded",
        "done",
        "is_broken",
        "problem",
    )

    def __init__(self, sink: Callable[[bytes], None], *, trailer_limit: int) -> None:
        self._sink = sink
        self._trailer_limit = trailer_limit
        self._carry = b""
        self._pieces: list[bytes] = []
        self._state = _SIZE
        self._left = 0
        self._trailer_seen = 0
        self.decoded = False
        self.done = False
        self.is_broken = False
        self.problem: str | None = None

    def feed(self, data: bytes) -> int:
        """Decode; how many bytes of `data` belong to the message (all of them until it ends)."""
        held = len(self._carry)
        buffer = self._carry + data if held else data
        self._carry = b""
        position = 0
        while position < len(buffer) and not self.done and not self.is_broken:
            step = self._step(buffer, position)
            if step == position:
                self._carry = buffer[position:]
                break
            position = step
        if self._pieces:
            self.decoded = True
            self._sink(self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces))
            self._pieces.clear()
        return position - held if self.done else len(data)

    def _step(self, buffer: bytes, position: int) -> int:
        if self._state == _SIZE:
            position = self._usual(buffer, position)
            if position == len(buffer):
                return position
        return self._data(buffer, position) if self._state == _DATA else self._line(buffer, position)

    def _usual(self, buffer: bytes, position: int) -> int:
        """Whole chunks without anything odd, as long as they go on: else tiny chunks cost ten times as much."""
        while match := _USUAL.match(buffer, position):
            start = match.end()
            end = start + int(match[1], 16)
            if end == start or buffer[end : end + 2] != b"\r\n":
                break
            self._pieces.append(buffer[start:end])
            position = end + 2
        return position

    def _data(self, buffer: bytes, position: int) -> int:
        piece = buffer[position : position + self._left]
        self._pieces.append(piece)
        self._left -= len(piece)
        if not self._left:
            self._state = _DATA_END
        return position + len(piece)

    def _line(self, buffer: bytes, position: int) -> int:
        """Take one line; `position` itself when it is not complete yet."""
        if self._state == _SIZE and buffer[position] not in _SIZE_START:
            return self._break(position, f"illegal chunk header: {buffer[position : position + 1]!r}")
        if self._state == _DATA_END and buffer[position : position + 1] not in (b"\r", b"\n"):
            return self._break(position, "malformed chunk footer")
        end = buffer.find(b"\n", position, position + _LINE_LIMIT) + 1
        if not end:
            too_long = len(buffer) - position >= _LINE_LIMIT
            return self._break(position, "a chunk line is too long") if too_long else position
        line = buffer[position:end]
        if self._state == _SIZE:
            self._size(line)
        elif self._state == _DATA_END:
            self._footer(line)
        else:
            self._trailer(line)
        return end

    def _size(self, line: bytes) -> None:
        match = _STRICT.fullmatch(line)
        if match is None:
            self._object(f"illegal chunk header: {line[:40]!r}")
            match = _LENIENT.fullmatch(line)
        if match is None:
            self.is_broken = True
            return
        self._left = int(match[1], 16)
        self._state = _DATA if self._left else _TRAILER

    def _footer(self, line: bytes) -> None:
        self._state = _SIZE
        if line != b"\r\n":
            self._object(f"malformed chunk footer: {line[:40]!r}")
            self.is_broken = bool(line.strip())

    def _trailer(self, line: bytes) -> None:
        self._trailer_seen += len(line)
        if line in (b"\r\n", b"\n"):
            self.done = True
        elif self._trailer_seen > self._trailer_limit:
            self._break(0, "trailers are too large")
        elif b":" not in line:
            self._object(f"illegal trailer line: {line[:40]!r}")

    def _break(self, position: int, problem: str) -> int:
        self._object(problem)
        self.is_broken = True
        return position

    def _object(self, problem: str) -> None:
        if self.problem is None:
            self.problem = problem
