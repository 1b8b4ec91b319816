"""Every kind of damage, by cutting and flipping at every offset of a small file."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import zlib
from pathlib import Path

import pytest

from archiver.errors import WarcError
from archiver.warc.members import Source, empty_members, next_record_member
from archiver.warc.reader import iter_records, read_at
from archiver.warc.reindex import build_index, verify_index
from archiver.warc.verify import Report, problems, verify_file, verify_paths
from tests.warc.samples import capture, document, exchange, page, streams, write_warc


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, list[int]]:
    """A small file and the offsets of its members."""
    made = streams(tmp_path_factory.mktemp("good"))
    recorded = made.write([page(1, size=0), document()])
    content = Path(made.roll()[0].path).read_bytes()
    return content, [0, *(ref.offset for r in recorded for ref in r.refs)]


def check(tmp_path: Path, content: bytes, name: str = "x.warc.gz") -> Report:
    path = tmp_path / name
    path.write_bytes(content)
    return verify_file(path)


def _written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def codes(report: Report) -> set[str]:
    return {problem.code for problem in report.errors}


def member(text: bytes) -> bytes:
    return gzip.compress(text, 1, mtime=0)


def record(
    fields: bytes = b"", block: bytes = b"abc", *, version: bytes = b"WARC/1.1", length: bytes | None = None
) -> bytes:
    return (
        version + b"\r\nWARC-Type: resource\r\nWARC-Record-ID: <urn:uuid:1>\r\nWARC-Date: 2026-11-23T12:00:00Z\r\n"
        b"WARC-Target-URI: urn:x:y\r\n" + fields
        + b"Content-Length: " + (str(len(block)).encode() if length is None else length)
        + b"\r\n\r\n" + block + b"\r\n\r\n"
    )  # fmt: skip


def test_a_good_file_is_good(tmp_path: Path, good: tuple[bytes, list[int]]) -> None:
    report = check(tmp_path, good[0])
    assert report.ok and report.records == 5
    assert report.good_until == report.size == len(good[0])


def test_a_cut_anywhere_is_found_at_the_member_it_is_in(tmp_path: Path, good: tuple[bytes, list[int]]) -> None:
    content, offsets = good
    for cut in range(1, len(content)):
        report = check(tmp_path, content[:cut])
        if cut in offsets:
            assert report.ok
            continue
        start = max(offset for offset in offsets if offset < cut)
        assert [(p.offset, p.code) for p in report.errors][:1] == [(start, "truncated")] or cut - start < 4
        assert report.errors[0].offset == report.good_until == start
        assert report.errors[0].file == "x.warc.gz"


def test_a_flipped_bit_anywhere_is_found_and_the_rest_is_still_checked(
    tmp_path: Path, good: tuple[bytes, list[int]]
) -> None:
    content, offsets = good
    ends = [*offsets[1:], len(content)]
    # The format covers neither these header bytes (time, XFL, OS, the text flag) nor the padding of the last byte, nor
    # which of two equal stretches a deflate match copies from: what counts is that the bytes come out the same.
    loose = {offset + n for offset in offsets for n in range(3, 10)} | {end - 9 for end in ends}
    records = [r.block for r in iter_records(_written(tmp_path / "good.warc.gz", content))]
    for position in range(len(content)):
        flipped = bytearray(content)
        flipped[position] ^= 1 << (position % 8)
        report = check(tmp_path, bytes(flipped))
        if report.ok:
            assert [r.block for r in iter_records(tmp_path / "x.warc.gz")] == records
            assert position in loose or gzip.decompress(flipped) == gzip.decompress(content), position
            continue
        start = max(offset for offset in offsets if offset <= position)
        assert report.errors, position
        assert {problem.offset for problem in report.errors} == {start}, position
        assert report.records == 4, position


@pytest.mark.parametrize("victim", range(5))
def test_damaged_magic_hides_nothing_behind_it(tmp_path: Path, good: tuple[bytes, list[int]], victim: int) -> None:
    content, offsets = good
    damaged = bytearray(content)
    damaged[offsets[victim]] = 0x42
    report = check(tmp_path, bytes(damaged))
    assert [(p.offset, p.code) for p in report.errors] == [(offsets[victim], "badGzip")]
    assert report.records == 4
    for offset in offsets[victim + 1 :]:
        assert read_at(tmp_path / "x.warc.gz", offset).headers.offset == offset


def test_two_damaged_members_are_two_problems(tmp_path: Path, good: tuple[bytes, list[int]]) -> None:
    content, offsets = good
    damaged = bytearray(content)
    damaged[offsets[2] + 40] ^= 255
    damaged[offsets[4] + 40] ^= 255
    report = check(tmp_path, bytes(damaged))
    assert [problem.offset for problem in report.errors] == [offsets[2], offsets[4]]
    assert report.records == 3 and report.good_until == offsets[2]


@pytest.mark.parametrize("zeros", [1, 3, 4, 4096, 3_000_000])
def test_zeros_behind_the_end(tmp_path: Path, good: tuple[bytes, list[int]], zeros: int) -> None:
    report = check(tmp_path, good[0] + b"\0" * zeros)
    assert codes(report) == {"zeros" if zeros >= 4 else "badGzip"}
    assert report.errors[0].offset == report.good_until == len(good[0])
    assert report.records == 5


def test_files_that_are_no_warc_are_named(tmp_path: Path) -> None:
    for content, words in (
        (b"\x28\xb5\x2f\xfd1234", "zstd"),
        (b"filedesc://x.arc 0.0.0.0 20261123 text/plain 200\n", "ARC"),
        (b"<!doctype html><html>", "HTML"),
        (b"\n  <html>", "HTML"),
        (member(b"filedesc://x.arc 0.0.0.0"), "filedesc"),
        (b"\0" * 5000, "zero bytes"),
        (b"", "empty"),
        (os.urandom(5000).replace(b"\x1f\x8b", b"ab"), "magic"),
    ):
        report = check(tmp_path, content)
        assert report.errors and words in report.errors[0].message, content[:20]
        assert report.records == 0


@pytest.mark.parametrize("version", [b"WARC/0.18", b"WARC/1.2", b"WARC/2.0"])
def test_other_versions_are_named(tmp_path: Path, version: bytes) -> None:
    report = check(tmp_path, member(record(version=version)))
    assert [p.code for p in report.errors] == ["badVersion"]
    assert version.decode() in report.errors[0].message


def test_warc_1_0_is_read(tmp_path: Path) -> None:
    assert check(tmp_path, member(record(version=b"WARC/1.0"))).ok


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (record(length=b"2"), "lengthMismatch"),
        (record(length=b"4"), "lengthMismatch"),
        (record(length=b"100"), "lengthMismatch"),
        (record(length=b"-3"), "badContentLength"),
        (record(length=b"1000000000000000000"), "badContentLength"),
        (record(length=b"x"), "badContentLength"),
        (record().replace(b"Content-Length: 3\r\n", b""), "missingField"),
        (record().replace(b"WARC-Date: 2026-11-23T12:00:00Z\r\n", b""), "missingField"),
        (record().replace(b"WARC-Record-ID: <urn:uuid:1>\r\n", b""), "missingField"),
        (record().replace(b"WARC-Type: resource\r\n", b""), "missingField"),
        (record().replace(b"WARC-Target-URI: urn:x:y\r\n", b""), "missingField"),
        (record().replace(b"12:00:00Z", b"12:00:00"), "badDate"),
        (record().replace(b"12:00:00Z", b"25:00:00Z"), "badDate"),
        (record().replace(b"2026-11-23T12:00:00Z", b"yesterday"), "badDate"),
        (record().replace(b"resource", b"strange"), "unknownType"),
        (record().replace(b"<urn:uuid:1>", b"urn:uuid:1"), "badField"),
        (record().replace(b"urn:x:y", b"no uri"), "badField"),
        (record(b"WARC-Target-URI: urn:x:z\r\n"), "duplicateField"),
        (record(b"WARC-Truncated: because\r\n"), "badField"),
        (record(b"X: a\n WARC-Type: b\r\n"), "forgedField"),
        (record(b"X: a\x00b\r\n"), "forgedField"),
        (record(b"X: a\r\n folded\r\n"), "foldedHeader"),
        (record(b"no colon here\r\n"), "badHeader"),
        (record().replace(b"\r\n", b"\n"), "badHeader"),
        (record(b"WARC-Block-Digest: sha256:" + b"0" * 64 + b"\r\n"), "blockDigest"),
        (record(b"WARC-Payload-Digest: sha1:" + b"A" * 32 + b"\r\n"), "payloadDigest"),
        (record(b"WARC-Block-Digest: crc7:00\r\n"), "unknownDigest"),
        (record()[:-2], "lengthMismatch"),
        (record() + record().replace(b":1>", b":2>"), "gzipNotPerRecord"),
        (record()[:40], "badHeader"),
        (b"", "emptyMember"),
        (b"GET / HTTP/1.1\r\n\r\n", "notWarc"),
        (b"WARC/1.1\r\n" + b"X" * (2 << 20), "badHeader"),
    ],
)
def test_faults_of_a_record(tmp_path: Path, text: bytes, code: str) -> None:
    """Between two good records, which are checked all the same."""
    first, last = record().replace(b":1>", b":0>"), record().replace(b":1>", b":9>")
    before = member(first)
    report = check(tmp_path, before + member(text) + member(last))
    assert code in codes(report)
    assert {problem.offset for problem in report.errors} == {len(before)}
    assert report.records >= 2


@pytest.mark.parametrize(
    "value",
    [
        b"sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        b"SHA-256:BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD",
        b"sha256:XJ4BNP4PAHH6UQKBIDPF3LRCEOYAGYNDSYLXVHFUCD7WD4QACWWQ====",
        b"sha1:VGMT4NSHA2AWVOR6EVYXQUGCNSONBWE5",
        b"sha1:a9993e364706816aba3e25717850c26c9cd0d89d",
        b"md5:900150983cd24fb0d6963f7d28e17f72",
    ],
)
def test_digest_spellings(tmp_path: Path, value: bytes) -> None:
    assert check(tmp_path, member(record(b"WARC-Block-Digest: " + value + b"\r\n"))).ok


def test_a_duplicate_id_is_told(tmp_path: Path) -> None:
    assert codes(check(tmp_path, member(record()) * 2)) == {"duplicateRecordId"}


def test_uncompressed_files_are_read_by_record(tmp_path: Path) -> None:
    first = record()
    report = check(tmp_path, first + record().replace(b":1>", b":2>").replace(b"Z\r\n", b"\r\n"), "x.warc")
    assert [(p.offset, p.code, p.record_id) for p in report.errors] == [(len(first), "badDate", "urn:uuid:2")]
    assert [r.headers.offset for r in iter_records(tmp_path / "x.warc")] == [0, len(first)]


def test_the_payload_of_broken_chunks_may_be_either(tmp_path: Path) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    decoded = exchange(head=head, body=b"5\r\nhel", entity=b"hel")
    raw = exchange(head=head, body=b"hello", entity=b"hello")
    wrong = exchange(head=head, body=b"5\r\nhello\r\n0\r\n\r\n", entity=b"other")
    for made, ok in ((decoded, True), (raw, True), (wrong, False)):
        report = verify_file(write_warc(tmp_path / str(made.response.size), capture(made)))
        assert report.ok is ok


def test_a_bomb_is_left_where_it_lies(tmp_path: Path) -> None:
    bomb = zlib.compressobj(9, wbits=31)
    content = bomb.compress(record(length=b"3")[:-4]) + b"".join(bomb.compress(b"\0" * (1 << 20)) for _ in range(50))
    content += bomb.flush()
    report = check(tmp_path, content + member(record()))
    assert codes(report) == {"lengthMismatch"} and report.records == 1


def test_very_many_empty_members_end(tmp_path: Path) -> None:
    """They are told by the run, and looked at without being inflated."""
    report = check(tmp_path, member(b"") * 1_000_000 + member(record()))
    assert report.records == 1 and codes(report) == {"emptyMember"}
    assert sum(int(problem.message.split()[0]) for problem in report.errors) == 1_000_000
    assert report.errors[0].offset == report.good_until == 0 and len(report.errors) <= 100


def test_odd_empty_members_count_as_waste(tmp_path: Path) -> None:
    odd = b"\x1f\x8b\x08\x08" + bytes(6) + b"name\0" + member(b"")[10:]
    report = check(tmp_path, odd * 100_000 + member(record()))
    assert "emptyMember" in codes(report) and report.records == 0
    assert check(tmp_path, odd * 1_000 + member(record())).records == 1


def test_empty_members_between_records_are_told_where_they_lie(tmp_path: Path) -> None:
    first = member(record())
    report = check(tmp_path, first + member(b"") * 3 + member(record().replace(b":1>", b":2>")))
    assert [(one.offset, one.code, one.message[:2]) for one in report.errors] == [(len(first), "emptyMember", "3 ")]
    assert (report.records, report.good_records) == (2, 1)


@pytest.mark.parametrize("coding", ["chunked", "gzip, chunked"])
def test_a_digest_of_the_chunked_body_is_no_damage_and_told(tmp_path: Path, coding: str) -> None:
    """As wget writes it."""
    head = f"HTTP/1.1 200 OK\r\nTransfer-Encoding: {coding}\r\n\r\n".encode()
    entity = gzip.compress(b"hello") if "gzip" in coding else b"hello"
    body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(entity), entity)
    fields = b"Content-Type: application/http; msgtype=response\r\nWARC-Payload-Digest: sha1:%b\r\n"
    for digested, notes, found in ((body, 1, set()), (b"hello", 0, set()), (b"other", 0, {"payloadDigest"})):
        said = fields % hashlib.sha1(digested, usedforsecurity=False).hexdigest().encode()
        report = check(tmp_path, member(record(said, head + body).replace(b": resource", b": response")))
        assert codes(report) == found and len(report.notes) == notes
    assert all("chunked" in note for note in report.notes)


def test_overlapping_fake_members_end(tmp_path: Path) -> None:
    """Each of them seems to begin a record and fails late: the time they may take together is bounded."""
    fake = zlib.compressobj(0, wbits=31)
    start = (fake.compress(b"WARC/1.1\r\n") + fake.flush())[:-8]
    report = check(tmp_path, (start[:10] + b"\x00\x40\x00\xbf\xffWARC/1.1\r\n").ljust(64, b"a") * 3000)
    assert report.records == 0 and report.errors


def test_revisits_are_resolved_across_files(tmp_path: Path) -> None:
    body = b"y" * 2000
    made = streams(tmp_path)
    made.write([capture(exchange("http://example.org/1", body=body))])
    first = made.roll()[0].path
    made.write([capture(exchange("http://example.org/2", body=body))])
    second = made.roll()[0].path
    assert problems(verify_paths([first, second])) == []
    (alone,) = verify_paths([second])
    assert codes(alone) == {"unresolvedRevisit"}


def test_a_revisit_of_a_revisit_resolves_nothing(tmp_path: Path) -> None:
    text = (
        b"WARC/1.1\r\nWARC-Type: revisit\r\nWARC-Record-ID: <urn:uuid:%d>\r\nWARC-Date: 2026-11-23T12:00:00Z\r\n"
        b"WARC-Target-URI: http://x/\r\nWARC-Profile: http://netpreserve.org/warc/1.1/revisit/identical-payload-digest\r\n"
        b"WARC-Refers-To: <urn:uuid:%d>\r\nContent-Length: 0\r\n\r\n\r\n\r\n"
    )
    path = tmp_path / "x.warc.gz"
    path.write_bytes(member(text % (1, 2)) + member(text % (2, 1)))
    assert [p.code for p in problems(verify_paths([path]))] == ["unresolvedRevisit"] * 2


def test_processes_say_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [write_warc(tmp_path / str(n)) for n in range(2)]
    paths[1].write_bytes(paths[1].read_bytes()[:-1])
    expected = verify_paths(paths)
    monkeypatch.setattr("archiver.warc.verify._PARALLEL_FROM", 0)
    assert verify_paths(paths, workers=2) == expected


def test_indexes_are_compared(tmp_path: Path) -> None:
    warc = write_warc(tmp_path)
    content = build_index(warc)
    lines = content.splitlines(keepends=True)
    index = tmp_path / "x.cdxj"
    for changed, code in (
        (content, None),
        (content.replace(b'"200"', b"200"), None),
        (b"".join(reversed(lines)), "indexOrder"),
        (content + lines[-1], "indexOrder"),
        (b"".join(lines[1:]), "indexMissing"),
        (content.replace(b'"offset":"', b'"offset":"1'), "indexExtra"),
        (content[:-1], "indexCut"),
        (content + b"zzz) not a line\n", "indexExtra"),
    ):
        index.write_bytes(changed)
        found = {problem.code for problem in verify_index(index, warc)}
        assert (code in found) if code else not found


def test_other_tools_indexes_pass(tmp_path: Path) -> None:
    """Fewer fields, other spacing: what they say is what counts."""
    warc = write_warc(tmp_path)
    rows = [line.split(" ", 2) for line in build_index(warc).decode().splitlines()]
    lines = [
        f"{key} {stamp} " + json.dumps({k: v for k, v in json.loads(text).items() if k != "status"})
        for key, stamp, text in rows
    ]
    index = tmp_path / "x.cdxj"
    index.write_text("\n".join(lines) + "\n")
    assert verify_index(index, warc) == []


def test_plain_files_are_indexed(tmp_path: Path) -> None:
    warc = write_warc(tmp_path)
    plain = tmp_path / "x.warc"
    plain.write_bytes(b"".join(gzip.decompress(warc.read_bytes()[o:n]) for o, n in _members(warc)))
    rows = [json.loads(line.split(b" ", 2)[2]) for line in build_index(plain).splitlines()]
    assert [row["url"] for row in rows] == [f"http://example.org/page-{n}" for n in (1, 2, 3)]
    for row in rows:
        piece = plain.read_bytes()[int(row["offset"]) :][: int(row["length"])]
        assert piece.startswith(b"WARC/1.1\r\nWARC-Type: response") and piece.endswith(b"\r\n\r\n")
        assert read_at(plain, int(row["offset"])).headers.target == row["url"]


def _members(path: Path) -> list[tuple[int, int]]:
    offsets = [record.headers.offset for record in iter_records(path)]
    return list(zip(offsets, [*offsets[1:], path.stat().st_size]))


def test_reading_stops_at_damage_with_file_and_offset(tmp_path: Path) -> None:
    path = tmp_path / "x.warc.gz"
    path.write_bytes(member(record()) + member(record(length=b"99")))
    with pytest.raises(WarcError, match=rf"x.warc.gz at {len(member(record()))}: Content-Length says 99"):
        list(iter_records(path))
    with pytest.raises(WarcError, match="more than 2"):
        list(iter_records(path, limit=2))
    with pytest.raises(WarcError, match="more than 2"):
        read_at(path, 0, limit=2)
    with pytest.raises(WarcError, match="magic"):
        read_at(path, 5)


def test_records_behind_damage_are_indexed(tmp_path: Path) -> None:
    warc = write_warc(tmp_path)
    lines = build_index(warc).splitlines()
    damaged = bytearray(warc.read_bytes())
    (offset,) = [r.headers.offset for r in iter_records(warc) if r.headers.target == "http://example.org/page-2"][:1]
    damaged[offset + 30] ^= 255
    warc.write_bytes(damaged)
    assert build_index(warc).splitlines() == [lines[0], lines[2]]


@pytest.mark.parametrize("shape", ["false beginnings", "empty members", "odd empty members"])
def test_a_window_is_read_once_however_many_beginnings_lie_in_it(shape: str) -> None:
    """Bytes that seem to begin a member cost a look, not a read: 12 MB of them took minutes once."""
    odd = b"\x1f\x8b\x08\x08" + bytes(6) + b"n\0" + member(b"")[10:]
    unit = {
        "false beginnings": b"\x1f\x8b\x08\0" + b"\xff" * 30,
        "empty members": member(b""),
        "odd empty members": member(b"") * 3 + odd,
    }[shape]
    data = unit * 20_000 + member(record())
    reads: list[int] = []

    def read_at(length: int, offset: int) -> bytes:
        reads.append(length)
        return data[offset : offset + length]

    source = Source(read_at, len(data))
    assert next_record_member(source, 1) == len(unit) * 20_000
    assert sum(reads) <= 2 * len(data) + (2 << 20)
    assert sum(empty_members(source, at * len(unit)) for at in range(3)) >= (0 if shape == "false beginnings" else 60)
