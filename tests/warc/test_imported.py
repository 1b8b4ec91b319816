"""A foreign WARC looked at: errors, claims, an index in bounded memory."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from archiver.warc import imported
from archiver.warc.imported import CLAIMS, MAX_CLAIM, claims, examine, is_gzip
from archiver.warc.reindex import build_index, verify_closed
from tests.warc.foreign import INFO, SITE, answer, document, revisit, warcio_warc


def test_the_index_is_what_the_reindexer_makes(tmp_path: Path) -> None:
    path = warcio_warc(tmp_path / "a.warc.gz", pages=20)
    found = examine(path, "new-name.warc.gz", tmp_path / "index")
    assert found.report.ok and found.index == 20
    assert (tmp_path / "index").read_bytes() == build_index(path, name="new-name.warc.gz")
    assert not list(tmp_path.glob(".sort-*"))


def test_sorting_on_disk_gives_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imported, "SPILLED", 7)
    path = warcio_warc(tmp_path / "a.warc.gz", pages=40)
    assert examine(path, path.name, tmp_path / "index").index == 40
    assert (tmp_path / "index").read_bytes() == build_index(path)


@pytest.mark.parametrize("packed", [True, False])
def test_resources_have_lines_and_conversions_none(tmp_path: Path, packed: bool) -> None:
    path = warcio_warc(
        tmp_path / ("a.warc.gz" if packed else "a.warc"),
        document("resource", f"{SITE}/image", b"PNG", "image/png"),
        document("resource", "urn:text:x", b"words", "text/plain"),
        document("resource", f"{SITE}/fields", b"a: b\r\n", "application/warc-fields"),
        document("conversion", f"{SITE}/converted", b"words", "text/plain"),
        document("metadata", f"{SITE}/about", b"words", "text/plain"),
        pages=1,
        gzip=packed,
    )
    assert is_gzip(path) is packed
    assert examine(path, path.name, tmp_path / "index").report.ok
    lines = (tmp_path / "index").read_text().splitlines()
    assert [line.split(" ")[0] for line in lines] == ["test,site)/0", "test,site)/image"]
    assert '"mime":"image/png","status":"-"' in lines[1]
    (tmp_path / "cdxj").write_bytes((tmp_path / "index").read_bytes())
    report, of_index = verify_closed(tmp_path / "cdxj", path)
    assert report.ok and of_index == []


def test_claims_are_the_known_fields(tmp_path: Path) -> None:
    found = examine(warcio_warc(tmp_path / "a.warc.gz"), "a.warc.gz", tmp_path / "index").claims
    assert found == {name: INFO[name] for name in ("software", "operator", "robots", "isPartOf")}
    assert set(found) <= set(CLAIMS)


def test_claims_are_bounded_and_optional(tmp_path: Path) -> None:
    assert claims(warcio_warc(tmp_path / "none.warc.gz", info=False)) == {}
    (tmp_path / "junk").write_bytes(b"junk")
    assert claims(tmp_path / "junk") == {}
    long = "software: " + "x" * 5000 + "\r\n"
    block = f"WARC/1.0\r\nWARC-Type: warcinfo\r\nContent-Length: {len(long)}\r\n\r\n{long}\r\n\r\n".encode()
    (tmp_path / "long.warc").write_bytes(block)
    assert len(claims(tmp_path / "long.warc")["software"]) == MAX_CLAIM


def test_revisits_without_their_original_are_no_damage(tmp_path: Path) -> None:
    path = warcio_warc(tmp_path / "a.warc.gz", revisit(f"{SITE}/again"))
    found = examine(path, path.name, tmp_path / "index")
    assert found.report.ok and len(found.report.revisits) == 1
    assert b'"mime":"warc/revisit"' in (tmp_path / "index").read_bytes()


def test_cut_at_every_kind_of_place_is_an_error_with_an_offset(tmp_path: Path) -> None:
    """B-71. What a cut between two members leaves is a whole, shorter file."""
    whole = warcio_warc(tmp_path / "a.warc.gz", pages=4).read_bytes()
    borders = {whole.find(b"\x1f\x8b\x08", at) for at in range(len(whole))}
    cut = tmp_path / "cut.warc.gz"
    for at in range(1, len(whole), max(len(whole) // 200, 1)):
        cut.write_bytes(whole[:at])
        report = examine(cut, "cut.warc.gz", tmp_path / "index").report
        assert report.ok is (at in borders), at
        assert all(0 <= one.offset < at and one.code and one.message for one in report.errors)


@pytest.mark.parametrize(
    ("data", "code", "says"),
    [
        (b"", "empty", "empty"),
        (b"\x28\xb5\x2f\xfd" + b"x" * 50, "unsupportedFormat", "zstd"),
        (b"filedesc://x 0.0.0.0 2020 text/plain 77\n", "unsupportedFormat", "ARC"),
        (b"<!doctype html><p>not found", "unsupportedFormat", "HTML"),
        (b"WARC/0.18\r\nWARC-Type: warcinfo\r\nContent-Length: 0\r\n\r\n\r\n\r\n", "badVersion", "0.18"),
        (b"WARC/1.2\r\nWARC-Type: warcinfo\r\nContent-Length: 0\r\n\r\n\r\n\r\n", "badVersion", "1.2"),
        (
            b"WARC/1.1\r\nWARC-Type: response\r\nContent-Length: 10000000000000000000\r\n\r\n",
            "badContentLength",
            "usable",
        ),
        (b"WARC/1.1\r\nWARC-Type: response\r\nContent-Length: -1\r\n\r\n", "badContentLength", "usable"),
    ],
    ids=["empty", "zstd", "arc", "html", "0.18", "1.2", "huge", "negative"],
)
def test_what_is_no_warc_of_ours_has_a_name(tmp_path: Path, data: bytes, code: str, says: str) -> None:
    """B-72, B-73."""
    (tmp_path / "x.warc").write_bytes(data)
    report = examine(tmp_path / "x.warc", "x.warc", tmp_path / "index").report
    assert code in {one.code for one in report.errors}
    assert any(says in one.message for one in report.errors)


def test_one_gzip_member_for_all_is_told(tmp_path: Path) -> None:
    """B-70."""
    plain = warcio_warc(tmp_path / "a.warc", gzip=False).read_bytes()
    (tmp_path / "b.warc.gz").write_bytes(gzip.compress(plain))
    report = examine(tmp_path / "b.warc.gz", "b.warc.gz", tmp_path / "index").report
    assert [one.code for one in report.errors] == ["gzipNotPerRecord"]


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_a_million_records_take_bounded_memory(tmp_path: Path) -> None:
    """The index is sorted on disk; what grows is the verifier's eight bytes a record, in sets."""
    import resource

    path = tmp_path / "big.warc.gz"
    with path.open("wb") as out:
        for number in range(1_000_000):
            body = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 1\r\n\r\nx"
            head = (
                "WARC/1.1\r\nWARC-Type: response\r\nContent-Type: application/http; msgtype=response\r\n"
                f"WARC-Record-ID: <urn:uuid:00000000-0000-4000-8000-{number:012d}>\r\n"
                "WARC-Date: 2020-01-01T00:00:00Z\r\n"
                f"WARC-Target-URI: {SITE}/{number}\r\nContent-Length: {len(body)}\r\n\r\n"
            )
            out.write(gzip.compress(head.encode() + body + b"\r\n\r\n", 1, mtime=0))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = examine(path, path.name, tmp_path / "index")
    assert found.report.ok and found.index == 1_000_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 600_000  # KiB


def test_other_answers_count_too(tmp_path: Path) -> None:
    path = warcio_warc(tmp_path / "a.warc.gz", answer(f"{SITE}/gone", b"no", status="404 Not Found"), pages=0)
    assert examine(path, path.name, tmp_path / "index").index == 1
    assert b'"status":"404"' in (tmp_path / "index").read_bytes()
