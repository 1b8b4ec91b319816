"""Index lines found by halving a sorted file."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.warc.wacz_find import IndexFiles, _lines


def row(host: str, stamp: str, offset: int, mime: str = "text/html") -> bytes:
    return b'com,%s)/ %s {"mime":"%s","offset":"%d"}\n' % (host.encode(), stamp.encode(), mime.encode(), offset)


def index(folder: Path, *rows: bytes) -> IndexFiles:
    path = folder / "a.warc.gz.cdxj"
    path.write_bytes(b"".join(sorted(rows)))
    return IndexFiles({path: folder / "a.warc.gz", folder / "none.cdxj": folder / "none.warc.gz"})


@given(keys=st.lists(st.text("abc", max_size=3), max_size=40), wanted=st.text("abc", max_size=3))
def test_halving_finds_what_reading_finds(
    tmp_path_factory: pytest.TempPathFactory, keys: list[str], wanted: str
) -> None:
    lines = sorted(b"%s %d" % (key.encode(), number) for number, key in enumerate(keys))
    path = tmp_path_factory.getbasetemp() / "halving.cdxj"
    path.write_bytes(b"".join(one + b"\n" for one in lines) or b"\n")
    start = wanted.encode() + b" "
    assert _lines(path, start) == [one for one in lines if one.startswith(start)]


def test_the_nearest_capture_of_a_url(tmp_path: Path) -> None:
    files = index(
        tmp_path, row("a", "20261123120000", 1), row("a", "20261123120010", 2), row("aa", "20261123120005", 3)
    )
    found = [files.nearest("http://a.com/", f"202611231200{second}") for second in ("00", "04", "06", "59")]
    assert [one.offset for one in found if one is not None] == [1, 1, 2, 2]
    assert files.nearest("http://b.com/", "20261123120000") is None


def test_an_original_is_no_revisit_of_the_same_moment(tmp_path: Path) -> None:
    both = row("a", "20261123120000", 1, "warc/revisit"), row("a", "20261123120000", 2)
    found = index(tmp_path, *both).original("http://a.com/", "20261123120000")
    assert found is not None and found.offset == 2
    assert index(tmp_path, both[0]).original("http://a.com/", "20261123120000") is None


def test_lines_without_an_offset_name_nothing(tmp_path: Path) -> None:
    assert list(index(tmp_path, b"com,a)/ 20261123120000 {}\n", b"com,a)/ 2 broken\n").all("http://a.com/")) == []
