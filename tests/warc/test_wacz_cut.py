"""Cuts of a WARC: whole members, and index lines that say where these stand then."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from archiver.warc.reader import read_at
from archiver.warc.reindex import build_index, verify_index
from archiver.warc.verify import verify_file
from archiver.warc.wacz_cut import Spans, members, moved_lines
from tests.warc.samples import page, write_warc


@pytest.fixture
def warc(tmp_path: Path) -> Path:
    return write_warc(tmp_path, *(page(number) for number in range(6)))


def test_a_cut_is_a_warc_with_an_index_that_holds(warc: Path, tmp_path: Path) -> None:
    kept = [one for one in members(warc) if (one.head.target or "")[-6:] not in ("page-2", "page-4")]
    spans = Spans((one.offset, one.length) for one in kept)
    cut = tmp_path / "cut" / warc.name
    cut.parent.mkdir()
    cut.write_bytes(b"".join(spans.pieces(warc)))
    assert cut.stat().st_size == spans.size and len(spans.spans) == 3
    assert verify_file(cut).ok
    index = tmp_path / "cut.cdxj"
    whole = build_index(warc).splitlines(keepends=True)
    index.write_bytes(b"".join(moved_lines(whole, spans.moved(), None)))
    assert verify_index(index, cut) == []
    assert [json.loads(line.split(b" ", 2)[2])["url"][-1] for line in index.read_bytes().splitlines()] == list("0135")


def test_members_stand_where_they_say(warc: Path) -> None:
    found = list(members(warc))
    assert sum(one.length for one in found) == warc.stat().st_size
    for one in found:
        assert read_at(warc, one.offset).headers.record_id == one.head.record_id
    assert [one.offset for one in members(warc, found[3].offset)] == [one.offset for one in found[3:]]


@pytest.mark.parametrize(
    ("offset", "to"), [(0, 0), (9, 9), (10, None), (19, None), (20, 10), (29, 19), (30, None), (99, None)]
)
def test_offsets_move_with_their_member(offset: int, to: int | None) -> None:
    assert Spans([(0, 5), (5, 5), (20, 10)]).moved().to(offset) == to


def test_lines_of_a_whole_file_stay_as_they_are() -> None:
    lines = [b'a) 20261123120000 {"offset":"1","filename":"x"}\n']
    assert list(moved_lines(lines, None, None)) == lines
    assert list(moved_lines(lines, None, "y")) == [b'a) 20261123120000 {"offset":"1","filename":"y"}\n']


def test_a_line_that_cannot_be_read_is_no_line_of_a_cut() -> None:
    lines = [b"a) 2026 {broken\n", b"no line\n", b'a) 20261123120000 {"offset":"x"}\n']
    assert list(moved_lines(lines, Spans([(0, 10)]).moved(), None)) == []


def test_a_file_that_became_shorter_is_an_error(warc: Path) -> None:
    spans = Spans([(0, warc.stat().st_size + 1)])
    with pytest.raises(OSError, match="shorter"):
        list(spans.pieces(warc))
