"""Whatever a server sends, the client's reading of the body and the verifier's are the same: else an odd answer would
make its own WARC look damaged."""

from __future__ import annotations

import gzip
import hashlib
import zlib

from hypothesis import given, settings
from hypothesis import strategies as st

from archiver.errors import CaptureError
from archiver.framing import ChunkDecoder
from archiver.model import Framing
from archiver.ports import WireLimits
from archiver.spooled import Spool
from archiver.warc.checks import BlockCheck
from archiver.warc.reader import RecordHead
from archiver.wire.framer import ResponseFramer
from archiver.wire.transfer import undo_codings

_BLANK = st.sampled_from([b"", b" ", b"\t", b"  ", b"\x0b", b"\x0c", b"\r", b"\0"])
_CODING = st.sampled_from(
    [b"chunked", b"Chunked", b"gzip", b"x-gzip", b"deflate", b"identity", b"chunked;q=1", b"xchunked", b"br", b""]
)
_END = st.sampled_from([b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r\r\n", b"\r\n ", b"\n\t"])
_STATUS = st.sampled_from(
    [b"HTTP/1.1 200 OK", b"HTTP/1.0 200", b"HTTP/1.1\t404 No", b"http/1.1 200", b"HTTP/ 200", b"HTTP/1.1 204 No"]
)
_SIZE = st.sampled_from([b"%x", b"%X", b"%020x", b"%017x", b" %x", b"%x ", b"%x;a", b"%x\t;", b"0x%x", b"-%x", b"+%x"])
_LEADING = st.sampled_from([b"", b"", b"", b"\r\n", b"\n\n", b"HTTP/1.1 103 E\r\nX: y\r\n\r\n", b"HTTP/1.1\t100\n\n"])


@st.composite
def fields(draw: st.DrawFn) -> bytes:
    """Header lines around transfer-encoding and content-length, in every spelling that servers were seen with."""
    lines = []
    for _ in range(draw(st.integers(0, 4))):
        name = draw(st.sampled_from([b"Transfer-Encoding", b"transfer-encoding", b"Content-Length", b"X", b""]))
        if name == b"Content-Length":
            value = draw(st.sampled_from([b"0", b"5", b"40", b"+5", b"5, 5", b"5,6", b"-1", b"9" * 30]))
        else:
            value = draw(st.sampled_from([b",", b", ", b",\r\n "])).join(draw(st.lists(_CODING, max_size=3)))
        colon = draw(_BLANK) + draw(st.sampled_from([b":", b":", b":", b""])) + draw(_BLANK)
        lines.append(draw(_BLANK) + name + colon + value + draw(_BLANK) + draw(_END))
    return b"".join(lines)


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    entity = draw(st.binary(max_size=60)) * draw(st.sampled_from([1, 1, 1, 3000]))
    entity = draw(st.sampled_from([lambda b: b, lambda b: b, gzip.compress, zlib.compress]))(entity)
    if not draw(st.booleans()):
        return entity
    out, at = b"", 0
    while at < len(entity):
        size = draw(st.integers(1, 40)) if len(entity) < 200 else 9000
        piece = entity[at : at + size]
        footer = draw(st.sampled_from([b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r \n", b"x\n", b""]))
        out += draw(_SIZE) % len(piece) + draw(st.sampled_from([b"\r\n", b"\r\n", b"\n"])) + piece + footer
        at += size
    last = [b"0\r\n\r\n", b"0\r\nA: b\r\n\r\n", b"0\n\n", b"00\r\n", b"", b"0\r\nx\r\n\r\n"]
    return out + draw(st.sampled_from(last))


def entity_of(raw: bytes, step: int) -> tuple[bytes, bytes] | None:
    """What the client keeps of `raw` and takes for the entity, fed `step` bytes at a time."""
    framer = ResponseFramer("GET", WireLimits())
    try:
        for at in range(0, len(raw), step):
            if framer.feed(raw[at : at + step]):
                break
        framer.eof(clean=True)
    except CaptureError:
        return None
    block = framer.raw.read()
    entity = framer.entity.read() if framer.entity is not None else block[framer.body_start :]
    assert framer.head is not None
    codings = framer.head.transfer_codings
    if codings[-1:] == (b"chunked",):
        codings = codings[:-1] if framer.entity is not None else ()
    if codings and framer.framing is not Framing.NONE:
        into = Spool()
        if undo_codings([entity], codings, wire_bytes=len(entity), into=into) is None:
            entity = into.read()
    framer.close()
    return block, entity


def is_faultless(block: bytes, entity: bytes, step: int) -> bool:
    """Whether the verifier takes this payload digest for this block."""
    digest = f"sha256:{hashlib.sha256(entity).hexdigest()}"
    head = RecordHead(
        version="WARC/1.1",
        offset=0,
        fields=(
            ("WARC-Type", "response"),
            ("Content-Type", "application/http; msgtype=response"),
            ("WARC-Payload-Digest", digest),
        ),
    )
    check = BlockCheck(head)
    for at in range(0, len(block), step):
        check.feed(block[at : at + step])
    return list(check.faults()) == []


@settings(max_examples=250, deadline=None)
@given(_LEADING, _STATUS, fields(), bodies(), st.integers(1, 5000), st.integers(1, 5000))
def test_client_and_verifier_agree_on_the_entity(
    leading: bytes, status: bytes, lines: bytes, body: bytes, step: int, other: int
) -> None:
    raw = leading + status + b"\r\n" + lines + b"\r\n" + body
    read = entity_of(raw, step)
    if read is not None:
        assert is_faultless(*read, other), raw


@settings(max_examples=100, deadline=None)
@given(bodies(), st.integers(1, 50))
def test_chunks_do_not_depend_on_how_they_arrive(wire: bytes, step: int) -> None:
    results = []
    for size in (step, len(wire) + 1):
        out: list[bytes] = []
        decoder = ChunkDecoder(out.append, trailer_limit=1000)
        used = sum(decoder.feed(wire[at : at + size]) for at in range(0, len(wire), size) if not decoder.done)
        results.append((b"".join(out), decoder.done, decoder.is_broken, decoder.problem, used))
    assert results[0] == results[1]


def test_bodies_of_tiny_chunks_cost_no_more_than_their_bytes() -> None:
    """A decoder that copies what is left at each chunk takes minutes here."""
    out: list[bytes] = []
    decoder = ChunkDecoder(out.append, trailer_limit=1000)
    decoder.feed(b"1\r\nx\r\n" * 500_000 + b"0\r\n\r\n")
    assert decoder.done and b"".join(out) == b"x" * 500_000


def test_a_line_is_too_long_however_it_arrives() -> None:
    wire = b"5;" + b"x" * 100_000 + b"\r\nhello\r\n0\r\n\r\n"
    for step in (1000, len(wire)):
        decoder = ChunkDecoder(lambda piece: None, trailer_limit=1000)
        for at in range(0, len(wire), step):
            decoder.feed(wire[at : at + step])
        assert decoder.is_broken and not decoder.decoded
