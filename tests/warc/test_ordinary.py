"""The short way is the long way in less time: every verdict is compared with what comes out without it."""

from __future__ import annotations

import gzip
import itertools
import zlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archiver.warc import verify
from archiver.warc.members import Source
from archiver.warc.ordinary import MAX_SIZE, Ordinary, ordinary
from archiver.warc.reader import iter_records, open_source
from archiver.warc.reindex import build_index, index_lines, verify_closed, verify_index
from archiver.warc.verify import Report, verify_file
from tests.warc.samples import capture, document, exchange, page, streams, tls

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/plain\r\n\r\n"


def items() -> list:  # type: ignore[type-arg]
    """A capture of each kind that has a header or a body of its own."""
    body = b"same " * 400
    return [
        page(1, size=0),
        document(),
        document(type="resource", target="urn:view:http://example.org/", content_type="image/png", payload=b"\x89PNG"),
        capture(exchange("https://example.org/a", tls=tls(chain=(b"der",)), body=body), page_id="p", via="http://x/"),
        capture(exchange("http://example.org/b", body=body)),
        capture(exchange("http://example.org/c", head=CHUNKED, body=b"3\r\nabc\r\n0\r\n\r\n", entity=b"abc")),
        capture(exchange("http://example.org/d", interim=b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")),
        capture(exchange("http://example.org/e", request=b"POST /e HTTP/1.1\r\n\r\na=b"), drop_body=True),
    ]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = streams(tmp_path_factory.mktemp("whole"))
    made.write(items())
    return Path(made.roll()[0].path)


def members(path: Path) -> list[bytes]:
    content = path.read_bytes()
    offsets = [record.headers.offset for record in iter_records(path)]
    return [content[begin:end] for begin, end in itertools.pairwise([*offsets, len(content)])]


def both_ways(path: Path, content: bytes) -> tuple[Report, Report]:
    path.write_bytes(content)
    short = verify_file(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verify, "ordinary", lambda *_: None)
        return short, verify_file(path)


def taken(path: Path) -> list[Ordinary | None]:
    with open_source(path) as source:
        offsets = [record.headers.offset for record in iter_records(path)]
        return [ordinary(source, offset) for offset in offsets]


def test_what_the_writer_writes_goes_the_short_way(whole: Path) -> None:
    records = list(iter_records(whole))
    found = taken(whole)
    assert len(found) == len(records) > 20
    for record, short in zip(records, found, strict=True):
        assert short is not None
        head = record.headers
        assert (short.type, short.record_id, short.target) == (head.type, head.record_id, head.target)
        assert short.block == record.block
        assert short.fields == dict(head.fields)
    assert found[-1] is not None and found[-1].end == whole.stat().st_size


def test_both_ways_say_the_same_of_a_good_file(whole: Path, tmp_path: Path) -> None:
    short, long = both_ways(tmp_path / "x.warc.gz", whole.read_bytes())
    assert short == long and short.ok
    assert short.originals == long.originals and short.revisits


def test_both_ways_say_the_same_of_flipped_bits(whole: Path, tmp_path: Path) -> None:
    content = whole.read_bytes()
    for position in range(0, len(content), 19):
        flipped = bytearray(content)
        flipped[position] ^= 1 << (position % 8)
        short, long = both_ways(tmp_path / "x.warc.gz", bytes(flipped))
        assert short == long, position


def test_both_ways_say_the_same_of_a_cut_file(whole: Path, tmp_path: Path) -> None:
    content = whole.read_bytes()
    for cut in range(1, len(content), 41):
        short, long = both_ways(tmp_path / "x.warc.gz", content[:cut])
        assert short == long, cut


ODD_LINES = st.sampled_from(
    [
        b"X-Other: 1", b"WARC-Date: 2026-11-23T12:00:00Z", b"warc-date: 2026", b"WARC-Protocol: h2", b"no colon",
        b"WARC-Truncated: length", b"WARC-Truncated: why", b" folded", b"WARC-Via:tight", b"WARC-Page-ID: \xc3\xa9",
        b"WARC-Page-ID: a\tb", b"WARC-Page-ID: a\x01b", b"WARC-Filename:  wide ", b"Content-Length: 1", b"", b"\r",
        b"WARC-Concurrent-To: <urn:a>", b"WARC-Profile:", b"WARC-Block-Digest: sha256:00", b"WARC-Payload-Digest: x:1",
        b"WARC-Refers-To: <urn:uuid:1>", b"Content-Type: text/plain", b"WARC-Target-URI: <urn:x:y>",
    ]
)  # fmt: skip
EDITS = st.one_of(
    st.tuples(st.just("drop"), st.integers(0, 12), st.just(b"")),
    st.tuples(st.just("add"), st.integers(0, 12), ODD_LINES),
    st.tuples(st.just("replace"), st.integers(0, 12), ODD_LINES),
    st.tuples(st.just("insert"), st.integers(0, 900), st.binary(min_size=1, max_size=3)),
    st.tuples(st.just("cut"), st.integers(0, 12), st.just(b"")),
)


def edited(text: bytes, kind: str, at: int, piece: bytes) -> bytes:
    head, _, rest = text.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    if kind == "insert":
        return text[:at] + piece + text[at:]
    if kind == "cut":
        return text[: len(text) - at]
    lines[at : at + (kind != "add")] = [] if kind == "drop" else [piece]
    return b"\r\n".join(lines) + b"\r\n\r\n" + rest


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 20), st.lists(EDITS, min_size=1, max_size=2))
def test_both_ways_say_the_same_of_edited_records(
    whole: Path, tmp_path_factory: pytest.TempPathFactory, victim: int, edits: list[tuple[str, int, bytes]]
) -> None:
    parts = members(whole)
    text = gzip.decompress(parts[victim])
    for edit in edits:
        text = edited(text, *edit)
    parts[victim] = gzip.compress(text, 1, mtime=0)
    short, long = both_ways(tmp_path_factory.getbasetemp() / "edited.warc.gz", b"".join(parts))
    assert short == long


@pytest.mark.parametrize(
    "odd",
    [
        lambda data: gzip.compress(gzip.decompress(data)[:-4], 1, mtime=0),  # one blank line behind the block
        lambda data: gzip.compress(gzip.decompress(data)[:-1], 1, mtime=0),
        lambda data: data[:3] + b"\x08" + data[4:10] + b"name\0" + data[10:],
        lambda data: data + b"behind",
        lambda data: data + b"\0" * 8,
        lambda data: data[:-4] + b"\0\0\0\0",
        lambda data: data[:-4] + b"\xff\xff\xff\xff",
        lambda data: data[:-8] + b"\0\0\0\0" + data[-4:],
        lambda data: data[:-1],
        lambda data: gzip.decompress(data),
    ],
)
def test_odd_members_go_the_long_way(whole: Path, tmp_path: Path, odd) -> None:  # type: ignore[no-untyped-def]
    parts = members(whole)
    path = tmp_path / "x.warc.gz"
    for victim in (1, len(parts) - 1):
        changed = [*parts[:victim], odd(parts[victim]), *parts[victim + 1 :]]
        short, long = both_ways(path, b"".join(changed))
        assert short == long
        with open_source(path) as source:
            assert ordinary(source, sum(map(len, parts[:victim]))) is None


def test_large_members_and_bombs_are_not_taken_up_whole(tmp_path: Path) -> None:
    path = tmp_path / "x.warc.gz"
    large = exchange(body=bytes(range(256)) * (MAX_SIZE // 256 + 1))
    made = streams(tmp_path)
    made.write([capture(large)])
    closed = Path(made.roll()[0].path)
    assert [short is None for short in taken(closed)] == [False, True, False, False]
    assert verify_file(closed).ok
    path.write_bytes(zlib.compressobj(9, wbits=31).compress(b"") + gzip.compress(b"\0" * (MAX_SIZE - 9), 9))
    with open_source(path) as source:
        assert ordinary(source, 0) is None


def test_members_across_windows_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = streams(tmp_path)
    made.write([page(number) for number in range(30)])
    path = Path(made.roll()[0].path)
    whole = taken(path)
    for size in (700, 1000, 5000):
        monkeypatch.setattr("archiver.warc.members._WINDOW", size)
        monkeypatch.setattr("archiver.warc.members._MAX_FEED", size)
        found = taken(path)
        assert all(short is None or short == same for short, same in zip(found, whole, strict=True))
        assert any(found) and verify_file(path).ok


def test_a_file_that_shrinks_is_not_trusted(whole: Path, tmp_path: Path) -> None:
    path = tmp_path / "x.warc.gz"
    path.write_bytes(whole.read_bytes())
    with path.open("r+b") as file:
        source = Source.of_file(file.fileno())
        file.truncate(source.size - 1)
        offset = sum(map(len, members(whole)[:-1]))
        assert ordinary(source, offset) is None


@pytest.mark.parametrize("count", [1, 8])
def test_one_reading_gives_report_and_index(whole: Path, tmp_path: Path, count: int) -> None:
    made = streams(tmp_path)
    made.write([*items()[:count], capture(exchange(body=bytes(range(256)) * 8192))])
    (segment,) = made.roll()
    warc, index = Path(segment.path), Path(segment.cdxj_path)
    assert index.read_bytes() == build_index(warc)
    assert verify_closed(index, warc) == (verify_file(warc), [])


def test_one_reading_says_of_a_wrong_index_what_two_say(whole: Path, tmp_path: Path) -> None:
    lines = list(index_lines(whole))
    index = tmp_path / "x.cdxj"
    for content in (
        b"".join(sorted(lines)),
        b"".join(sorted(lines)).replace(b'"200"', b"200"),
        b"".join(sorted(lines, reverse=True)),
        b"".join(sorted(lines)[1:]),
        b"".join(sorted(lines))[:-1],
        b"".join(sorted(lines)).replace(b'"offset":"', b'"offset":"1'),
        b"",
    ):
        index.write_bytes(content)
        assert verify_closed(index, whole) == (verify_file(whole), verify_index(index, whole))


def test_one_reading_of_damage_and_of_plain_files(whole: Path, tmp_path: Path) -> None:
    index = tmp_path / "x.cdxj"
    index.write_bytes(build_index(whole))
    damaged, plain = tmp_path / "damaged.warc.gz", tmp_path / "plain.warc"
    parts = members(whole)
    damaged.write_bytes(b"".join([*parts[:1], parts[1][:-1], *parts[2:]]))
    plain.write_bytes(b"".join(map(gzip.decompress, parts)))
    for path in (damaged, plain):
        report, problems = verify_closed(index, path)
        assert (report, problems) == (verify_file(path), verify_index(index, path))
        assert problems
