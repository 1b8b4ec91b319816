"""The merged index of a WACZ, in blocks."""

from __future__ import annotations

import gzip
import hashlib
import json
from functools import partial
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from archiver.warc import wacz_index
from archiver.warc.wacz_index import LINES, ZipNum, merged


def line(key: str, offset: int = 0) -> bytes:
    return b'%s) 20261123120000 {"url":"http://%s/","offset":"%d"}\n' % (key.encode(), key.encode(), offset)


@given(files=st.lists(st.lists(st.text("abc", min_size=1, max_size=2), max_size=5), max_size=6))
def test_what_is_merged_is_what_sorting_gives(files: list[list[str]]) -> None:
    sources = [sorted({line(key) for key in keys}) for keys in files]
    found = list(merged([partial(iter, lines) for lines in sources], Path("unused")))
    assert found == sorted({one for lines in sources for one in lines})


def test_many_files_are_merged_in_rounds(tmp_path: Path) -> None:
    sources = [[line(f"k{number:04d}"), line(f"z{number:04d}")] for number in range(3 * wacz_index._AT_ONCE + 1)]
    found = list(merged([partial(iter, lines) for lines in sources], tmp_path))
    assert found == sorted(one for lines in sources for one in lines)
    assert len(list(tmp_path.iterdir())) == 4


def test_lines_of_one_key_and_time_are_put_in_order(tmp_path: Path) -> None:
    """A cut moves offsets, and with them the order of lines that differ in nothing else."""
    found = list(merged([partial(iter, [line("a", 9), line("a", 10), line("b")])], tmp_path))
    assert found == [line("a", 10), line("a", 9), line("b")]


def test_a_block_is_found_by_its_first_line() -> None:
    lines = [line(f"k{number:05d}") for number in range(2 * LINES + 7)]
    zipnum = ZipNum()
    data = b"".join(zipnum.pieces(iter(lines)))
    assert gzip.decompress(data) == b"".join(lines) and zipnum.lines == len(lines)
    head, *rows = zipnum.small.decode().splitlines()
    assert head == '!meta 0 {"format":"cdxj-gzip-1.0","filename":"index.cdx.gz"}'
    assert len(rows) == 3
    for number, row in enumerate(rows):
        place, _, text = row.partition(" {")
        about = json.loads("{" + text)
        block = data[about["offset"] : about["offset"] + about["length"]]
        first = lines[number * LINES]
        assert gzip.decompress(block).startswith(first) and first.decode().startswith(place)
        assert about["digest"] == f"sha256:{hashlib.sha256(block).hexdigest()}"


def test_nothing_has_an_index_too() -> None:
    zipnum = ZipNum()
    assert list(zipnum.pieces(iter([]))) == [] and zipnum.small.startswith(b"!meta 0 ")
