"""Packages of others: what is refused before anything of it is used (B-78), and what is read."""

from __future__ import annotations

import json
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from archiver.warc.imported_wacz import BadWacz, open_wacz
from tests.warc.foreign import a_wacz, package, wacz

FILES = {"archive/data.warc.gz": b"bytes of a WARC", "pages/pages.jsonl": b"{}\n"}
Break = Callable[[Path], Path]


def read(path: Path) -> None:
    """As an import does: all of it."""
    with open_wacz(path) as opened:
        for resource in (*opened.warcs, *opened.others):
            opened.check(resource)
        list(opened.pages())


def with_member(info: zipfile.ZipInfo | str, data: bytes = b"x") -> Break:
    def make(path: Path) -> Path:
        wacz(path, FILES)
        with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning) if info in FILES else _quiet():
            archive.writestr(info, data)
        return path

    return make


class _quiet:
    def __enter__(self) -> None: ...
    def __exit__(self, *exc: object) -> None: ...


def link(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


def described(**changes: Any) -> Break:
    return lambda path: wacz(path, FILES, package(FILES, **changes))


def resource(**changes: Any) -> Break:
    one = package(FILES)["resources"][0]
    return described(resources=[{**one, **changes}, package(FILES)["resources"][1]])


def bomb(path: Path) -> Path:
    data = bytes(20 << 20)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.warc.gz", data)
        archive.writestr("datapackage.json", json.dumps(package({"archive/data.warc.gz": data})))
    return path


def overlap(path: Path) -> Path:
    """The same bytes, listed as a hundred members."""
    wacz(path, {f"archive/{number:03d}.warc.gz": b"y" * 5000 for number in range(2)})
    with zipfile.ZipFile(path, "a") as archive:
        first = archive.infolist()[0]
        for number in range(100):
            copy = zipfile.ZipInfo(f"logs/{number}")
            copy.header_offset, copy.compress_size, copy.file_size, copy.CRC = (
                first.header_offset, first.compress_size, first.file_size, first.CRC,
            )  # fmt: skip
            archive.filelist.append(copy)
        archive._didModify = True  # type: ignore[attr-defined]
    return path


def text(path: Path) -> Path:
    path.write_bytes(b"no zip")
    return path


def swapped(path: Path) -> Path:
    """A byte of the WARC flipped, with the checksum of the ZIP made to fit."""
    described = package(FILES)
    return wacz(path, {**FILES, "archive/data.warc.gz": b"Bytes of a WARC"}, described)


def flipped(path: Path) -> Path:
    data = wacz(path, FILES).read_bytes()
    path.write_bytes(data.replace(b"bytes of a WARC", b"bytes of a wARC"))
    return path


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (text, "not a ZIP"),
        (with_member("../out"), "leads out"),
        (with_member("/etc/passwd"), "leads out"),
        (with_member("archive//x"), "leads out"),
        (with_member("archive\\..\\x"), "characters"),
        (with_member("c:x"), "characters"),
        (with_member("a\nb"), "characters"),
        (with_member(link("archive/link.warc.gz"), b"/etc/passwd"), "symbolic link"),
        (with_member("archive/data.warc.gz"), "twice"),
        (with_member("archive/more.warc.gz"), "not listed"),
        (bomb, "bomb"),
        (overlap, "overlap"),
        (swapped, "the member has"),
        (flipped, "cannot be unpacked"),
        (resource(hash="sha256:" + "0" * 64), "the member has"),
        (resource(hash="crc32:00000000"), "no sha256"),
        (resource(bytes=3), "the member has"),
        (resource(path="archive/other.warc.gz"), "not in the package"),
        (resource(path="pages/pages.jsonl"), "twice"),
        (resource(bytes="many"), "without path"),
        (described(resources="none"), "no list"),
        (lambda path: wacz(path, FILES, digest="sha256:" + "0" * 64), "not the hash"),
        (lambda path: wacz(path, FILES, digest="x"), "not the hash"),
        (lambda path: wacz(path, {"pages/pages.jsonl": b""}), "no WARC"),
        (lambda path: wacz(path, {"inner/a.wacz": b""}), "multi-WACZ"),
    ],
    ids=[
        "no-zip", "traversal", "absolute", "empty-part", "backslash", "drive", "newline", "symlink", "duplicate",
        "unlisted", "bomb", "overlap", "swapped", "flipped", "hash", "unknown-hash", "size", "missing", "listed-twice",
        "no-size", "no-resources", "package-digest", "odd-digest", "no-warc", "multi",
    ],
)  # fmt: skip
def test_refused(tmp_path: Path, make: Break, says: str) -> None:
    with pytest.raises(BadWacz, match=says):
        read(make(tmp_path / "x.wacz"))
    assert sorted(one.name for one in tmp_path.iterdir()) == ["x.wacz"]


def test_a_package_without_description_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.wacz", "w") as archive:
        archive.writestr("archive/data.warc.gz", b"x")
    with pytest.raises(BadWacz, match="no datapackage"):
        read(tmp_path / "x.wacz")


def test_a_sound_package_is_read(tmp_path: Path) -> None:
    path = a_wacz(tmp_path)
    read(path)
    with open_wacz(path) as opened:
        assert [one.path for one in opened.warcs] == ["archive/data.warc.gz"]
        assert [(one.url, one.title) for one in opened.pages()] == [("http://site.test/0", "A title of theirs")]
        assert opened.claims["title"] == "Theirs"
        opened.copy(opened.warcs[0], tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == (tmp_path / "in.warc.gz").read_bytes()


def test_page_rows_that_are_none_are_passed_over(tmp_path: Path) -> None:
    rows = b'{"format":"x"}\nno json\n[1]\n{"url":"ftp://x/","ts":""}\n{"url":5,"ts":""}\n' + b"x" * (2 << 20) + b"\n"
    rows += b'{"url":"http://a.test/","ts":"t","title":7}\n'
    with open_wacz(wacz(tmp_path / "x.wacz", {**FILES, "pages/extraPages.jsonl": rows})) as opened:
        assert [(one.url, one.title) for one in opened.pages()] == [("http://a.test/", "")]
