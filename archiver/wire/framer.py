"""Where an answer begins and ends. h11 judges the heads; where it refuses, a lenient reading of ours goes on.

The bytes are never changed: `ResponseFramer` tees them into a spool and remembers offsets. Framing follows RFC 9112,
6.3. What h11 accepted is framed by h11's own rules; what it refused is marked `malformed` and its connection is never
used again (decision 1).
"""

from __future__ import annotations

import re

import h11

from archiver.errors import CaptureError
from archiver.framing import ChunkDecoder
from archiver.model import FailureCode, Framing, Truncated
from archiver.ports import WireLimits
from archiver.spooled import Spool
from archiver.wire.head import Head, parse_head

_HEAD_END = re.compile(rb"\n\r?\n")
_PROBE = h11.Request(method="GET", target="/", headers=[("Host", "host.invalid")])
_UPGRADE_PROBE = h11.Request(
    method="GET",
    target="/",
    headers=[("Host", "host.invalid"), ("Connection", "Upgrade"), ("Upgrade", "websocket")],
)
_HTTP2_SETTINGS = 4
# h11 was made for heads of 16 KiB: past this its cost would hold up everything else
_STRICT_LIMIT = 65_536
# h11 tries to split blanks before a value in every way there is, in quadratic time
_BLANKS = re.compile(rb":[ \t\r\n]{257}")
_CUT_LENGTH = "peer closed connection without sending complete message body"
_CUT_CHUNKED = "peer closed connection without sending complete message body (incomplete chunked read)"


class ResponseFramer:
    """One answer, fed piece by piece. Sans I/O; `feed` and `eof` raise CaptureError only while no head is complete."""

    __slots__ = (
        "_body_seen",
        "_buffer",
        "_chunks",
        "_directory",
        "_h11",
        "_interim",
        "_left",
        "_limits",
        "_method",
        "_scan",
        "_start",
        "_upgrade",
        "body_start",
        "done",
        "entity",
        "framing",
        "head",
        "is_reusable",
        "malformed",
        "raw",
        "truncated",
    )

    def __init__(
        self, method: str, limits: WireLimits, directory: str | None = None, *, upgrade: bool = False
    ) -> None:
        """`upgrade`: another protocol was offered, so that a 101 is an answer to it."""
        self._method = method
        self._upgrade = upgrade
        self._limits = limits
        self._directory = directory
        self._h11: h11.Connection | None = None
        self._buffer: bytes | bytearray = b""
        self._start = self._scan = self._interim = self._body_seen = self._left = 0
        self._chunks: ChunkDecoder | None = None
        self.raw = Spool(limit=limits.memory, directory=directory)
        self.entity: Spool | None = None
        self.head: Head | None = None
        self.body_start = 0
        self.framing = Framing.NONE
        self.malformed: str | None = None
        self.truncated: Truncated | None = None
        self.done = False
        self.is_reusable = False

    @property
    def head_start(self) -> int:
        """Offset of the final head; what stands before it are interim (1xx) heads."""
        return self._start

    @property
    def has_bytes(self) -> bool:
        return self.raw.size > 0 or bool(self._buffer)

    @property
    def is_open_ended(self) -> bool:
        """True where only silence or a close can end a message that was refused by the strict parser."""
        return self.head is not None and self.malformed is not None and self.framing is Framing.CLOSE

    @property
    def is_upgraded(self) -> bool:
        return self._upgrade and self.head is not None and self.head.status == 101

    @property
    def is_stream(self) -> bool:
        """True where silence is no fault: an upgraded connection, server-sent events (WHATWG HTML, 9.2)."""
        if self.head is None:
            return False
        return self.is_upgraded or self.head.is_event_stream

    def feed(self, data: bytes) -> bool:
        """Take bytes from the wire; True when the message is complete (or cut at the size limit)."""
        if self.head is not None:
            self._take_body(data)
            return self.done
        if not self._buffer:
            self._buffer = data
        else:
            if isinstance(self._buffer, bytes):
                self._buffer = bytearray(self._buffer)  # grows in place: a head sent byte by byte stays linear
            self._buffer += data
        if self._read_heads():
            heads = bytes(self._buffer)
            self._buffer = b""
            if len(heads) == self.body_start:
                self.raw.append(heads)
                self._end_if_bodiless()
            else:
                self._take_first_body(heads)
        return self.done

    def _read_heads(self) -> bool:
        """Read interim heads and the final one; True when the final head is complete."""
        while True:
            self._skip_blank_lines()
            self._check_is_http()
            match = _HEAD_END.search(self._buffer, max(self._start, self._scan))
            end = match.end() if match else len(self._buffer)
            if end > self._limits.head:
                raise CaptureError(FailureCode.HEADER_LIMIT, f"heads are larger than {self._limits.head} bytes")
            if match is None:
                self._scan = max(0, end - 3)
                return False
            if self._take_head(bytes(self._buffer[self._start : end])):
                self.body_start = end
                return True
            self._start = self._scan = end
            self._interim += 1
            if self._interim > self._limits.interim:
                raise CaptureError(FailureCode.HEADER_LIMIT, f"more than {self._limits.interim} interim answers")

    def _skip_blank_lines(self) -> None:
        begin = self._start
        while self._buffer[self._start : self._start + 1] in (b"\r", b"\n"):
            self._start += 1
        if self._start > begin and self.malformed is None:
            self.malformed = "empty line before the status line"

    def _check_is_http(self) -> None:
        """Say at once, not at the idle limit, that the peer does not speak HTTP/1."""
        first = bytes(self._buffer[self._start : self._start + 9])
        if b"HTTP/".startswith(first[:5].upper()):
            return
        if len(first) == 9 and first[3] == _HTTP2_SETTINGS and first[5:9] == b"\0\0\0\0":
            raise CaptureError(FailureCode.PROTOCOL_ERROR, "the server speaks HTTP/2 only; HTTP/1.1 was offered")
        if len(first) < 9 and first[:1] == b"\0":
            return
        raise CaptureError(FailureCode.PROTOCOL_ERROR, f"not an HTTP/1 answer; it begins with {first!r}")

    def _take_head(self, raw: bytes) -> bool:
        """Judge and parse one head; True when it is the final one."""
        head = parse_head(raw)
        if self.malformed is None and not (head is not None and head.is_plain):
            self.malformed = self._strict_objection(raw)
        if head is None:
            raise CaptureError(FailureCode.PROTOCOL_ERROR, f"no status line could be read in {raw[:60]!r}")
        # 101 answers an offer that was never made: nothing can follow it but what the peer pleases (RFC 9110, 15.2.2)
        if 100 <= head.status < 200 and head.status != 101:
            return False
        self.head = head
        self._choose_framing(head)
        return True

    def _strict_objection(self, raw: bytes) -> str | None:
        if len(raw) > _STRICT_LIMIT:
            return f"a head of more than {_STRICT_LIMIT} bytes"
        if _BLANKS.search(raw):
            return "a field value after more than 256 blanks"
        if self._h11 is None:
            self._h11 = h11.Connection(h11.CLIENT, max_incomplete_event_size=self._limits.head + 1)
            self._h11.send(_UPGRADE_PROBE if self._upgrade else _PROBE)
        try:
            self._h11.receive_data(raw)
            event = self._h11.next_event()
        except h11.RemoteProtocolError as exc:
            return str(exc)
        return None if isinstance(event, h11.Response | h11.InformationalResponse) else "incomplete head"

    def _choose_framing(self, head: Head) -> None:
        """RFC 9112, 6.3, in its order."""
        strict = self.malformed is None
        if self._method == "HEAD" or head.status in (204, 304):
            self.framing = Framing.NONE
        elif head.transfer_codings:
            chunked = head.transfer_codings[-1] == b"chunked"
            self.framing = Framing.CHUNKED if chunked else Framing.CLOSE
        elif head.content_length is not None:
            self.framing, self._left = Framing.LENGTH, head.content_length
        else:
            self.framing = Framing.CLOSE
        if self.framing is Framing.CHUNKED:
            self.entity = Spool(limit=self._limits.memory, directory=self._directory)
            self._chunks = ChunkDecoder(self.entity.append, trailer_limit=self._limits.head)
        # both framings given: the peers disagree about what is on the wire, so the connection ends here (6.3, item 3)
        both = bool(head.transfer_codings) and head.content_length_given
        self.is_reusable = strict and head.keeps_alive and not both and self.framing is not Framing.CLOSE

    def _end_if_bodiless(self) -> None:
        if self.framing is Framing.NONE or (self.framing is Framing.LENGTH and not self._left):
            self.done = True

    def _take_first_body(self, heads: bytes) -> None:
        self._end_if_bodiless()
        if self.done:
            self.raw.append(heads[: self.body_start])
            self._note_excess()
            return
        used = self._consume(heads[self.body_start :])
        self.raw.append(heads[: self.body_start + used])

    def _take_body(self, data: bytes) -> None:
        used = self._consume(data)
        self.raw.append(data if used == len(data) else data[:used])

    def _consume(self, data: bytes) -> int:
        """Frame body bytes; how many of them belong to this message. Past the size limit the rest is left."""
        room = self._limits.body - self._body_seen
        over = len(data) > room
        if over:
            data = data[:room]
        size = len(data)
        used = size
        if self.framing is Framing.LENGTH:
            used = min(size, self._left)
            self._left -= used
            self.done = not self._left
        elif self._chunks is not None:
            used = self._consume_chunked(data, self._chunks)
        self._body_seen += used
        if self.done and (used < size or over):
            self._note_excess()
        elif over and not self.done:
            self._cut(Truncated.LENGTH)
        return used

    def _consume_chunked(self, data: bytes, chunks: ChunkDecoder) -> int:
        used = chunks.feed(data)
        if chunks.problem is not None and self.malformed is None:
            self.malformed, self.is_reusable = chunks.problem, False
        if chunks.is_broken:
            # what follows cannot be told from chunks any more: keep it raw, up to the close
            self._chunks = None
            if not chunks.decoded and self.entity is not None:
                self.entity.close()
                self.entity, self.framing = None, Framing.CLOSE
            return len(data)
        self.done = chunks.done
        return used

    def _note_excess(self) -> None:
        """Bytes after the end are nobody's answer (a desync); they are left out and the connection ends."""
        self.is_reusable = False
        if self.malformed is None:
            self.malformed = "bytes after the end of the message"

    def _cut(self, how: Truncated) -> None:
        self.truncated, self.done, self.is_reusable = how, True, False

    def eof(self, *, clean: bool) -> None:
        """The peer closed (`clean`) or the connection broke. Raises CaptureError (`disconnected`) without a head."""
        if self.done:
            return
        if self.head is None:
            what = "in the middle of the head" if self.has_bytes else "before it answered"
            raise CaptureError(FailureCode.DISCONNECTED, f"the server closed the connection {what}")
        self.is_reusable = False
        if self.framing is Framing.CLOSE or (self.framing is Framing.CHUNKED and self._chunks is None):
            self.done = True
            self.truncated = None if clean else Truncated.DISCONNECT
            return
        if self.malformed is None:
            self.malformed = _CUT_CHUNKED if self.framing is Framing.CHUNKED else _CUT_LENGTH
        self._cut(Truncated.DISCONNECT)

    def give_up(self, *, total: bool) -> None:
        """A time limit passed. Raises CaptureError (`idleTimeout`, `totalTimeout`) when there is no head yet."""
        if self.head is None:
            code = FailureCode.TOTAL_TIMEOUT if total else FailureCode.IDLE_TIMEOUT
            limit = f"total limit ({self._limits.total:g} s)" if total else f"idle limit ({self._limits.idle:g} s)"
            raise CaptureError(code, f"no complete head within the {limit}")
        if self.is_open_ended and not total and self._body_seen >= self.head.largest_length:
            # a peer that contradicts itself about the length and then falls silent has said all it had to say
            self.done, self.is_reusable = True, False
            return
        self._cut(Truncated.TIME)

    def close(self) -> None:
        self.raw.close()
        if self.entity is not None:
            self.entity.close()
