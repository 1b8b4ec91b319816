"""Captures found in an index by URL, and read one after the other."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.warc.imported_lines import captures, captures_of
from archiver.warc.surt import surt

_PATHS = st.sampled_from(["/", "/a", "/a/b", "/ab", "/a?x=1", "/a?x=2", "/b", "/" + "long" * 60, "/z"])


def line(path: str, second: int, **changes: str) -> bytes:
    url = f"http://site.test{path}"
    fields = {"url": url, "status": "200", "mime": "text/html", "digest": "sha1:A", "filename": "f", "offset": "7"}
    text = ",".join(f'"{name}":"{value}"' for name, value in {**fields, "length": "9", **changes}.items())
    return f"{surt(url)} 202001010000{second:02d} {{{text}}}\n".encode()


@given(st.lists(st.tuples(_PATHS, st.integers(0, 59)), max_size=40), _PATHS)
def test_bisection_finds_what_reading_finds(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, int]], wanted: str
) -> None:
    index = tmp_path_factory.mktemp("index") / "x.cdxj"
    index.write_bytes(b"".join(sorted({line(*row) for row in rows})))
    found = captures_of(index, f"http://site.test{wanted}")
    assert found == [one for one in captures(index) if surt(one.url) == surt(f"http://site.test{wanted}")]
    assert len(found) == len({row for row in rows if row[0] == wanted})


def test_scheme_and_www_make_no_difference(tmp_path: Path) -> None:
    (tmp_path / "i").write_bytes(line("/a", 1))
    (one,) = captures_of(tmp_path / "i", "https://www.site.test/a")
    assert (one.url, one.t, one.status, one.offset) == ("http://site.test/a", "2020-01-01T00:00:01.000Z", 200, 7)


def test_what_is_no_capture_is_passed_over(tmp_path: Path) -> None:
    rows = [b"torn\n", b"test,site)/a 2020 nojson\n", b'test,site)/a 20200101000000 ["x"]\n']
    rows += [line("/a", 2, method="POST"), line("/a", 3, status="-")]
    (tmp_path / "i").write_bytes(b"".join(rows))
    (one,) = captures(tmp_path / "i")
    assert (one.t[-7:], one.status) == ("03.000Z", None)
