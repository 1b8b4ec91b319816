"""A WACZ checked by itself: what holds, and every place in which it can stop to."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from archiver.fixity.package import check_package
from archiver.warc.reader import iter_records
from tests.system.cli import archiver

Files = dict[str, bytes]


@pytest.fixture(scope="module")
def whole(crawled: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The collection's WACZ."""
    path = tmp_path_factory.mktemp("wacz") / "whole.wacz"
    ran = archiver("wacz", "--out", str(crawled.parents[1]), "--to", str(path), cwd=path.parent)
    assert ran.code == 0, ran.err
    return path


@pytest.fixture
def package(whole: Path, tmp_path: Path) -> Path:
    """A copy to be damaged."""
    path = tmp_path / "made.wacz"
    path.write_bytes(whole.read_bytes())
    return path


def problems(path: Path) -> str:
    return "\n".join(f"{one.name.rpartition('!')[2]}: {text}" for one in check_package(path) for text in one.problems)


def notes(path: Path) -> str:
    return "\n".join(text for one in check_package(path) for text in one.notes)


def rewritten(path: Path, change: Callable[[Files], object]) -> None:
    """Files changed, and all lists of digests made to agree: somebody who knows how."""
    with zipfile.ZipFile(path) as archive:
        files = {one.filename: archive.read(one) for one in archive.infolist()}
    about = json.loads(files["datapackage.json"])
    change(files)
    for one in about["resources"]:
        one["hash"], one["bytes"] = _hash(files[one["path"]]), len(files[one["path"]])
    files["datapackage.json"] = json.dumps(about).encode()
    digest = {"path": "datapackage.json", "hash": _hash(files["datapackage.json"])}
    files["datapackage-digest.json"] = json.dumps(digest).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)


def _hash(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def test_what_was_packed_holds(whole: Path) -> None:
    found = list(check_package(whole))
    assert not problems(whole)
    folders = {one.name.rpartition("!")[2].split("/")[0] for one in found[1:]}
    assert folders == {"archive", "indexes", "pages", "logs"}
    assert sum("records" in one.told for one in found) == 2


def test_damage_in_a_warc_is_told_by_file_and_offset(package: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(package) as archive:
        info = next(one for one in archive.infolist() if one.filename.startswith("archive/"))
        inner = tmp_path / "inner.warc.gz"
        inner.write_bytes(archive.read(info))
    offset = [record.headers.offset for record in iter_records(inner)][3]
    data = bytearray(package.read_bytes())
    at = data.index(inner.read_bytes()[offset : offset + 200])
    data[at + 90] ^= 0x10
    package.write_bytes(data)
    said = problems(package)
    assert f"{info.filename}: {info.filename.rpartition('/')[2]} at {offset}: " in said


@pytest.mark.parametrize(
    ("cut", "says"),
    [
        (lambda data: data[:-30], "not a ZIP file"),
        (lambda data: data[:2000] + data[2100:], "bytes were cut out"),
        (lambda data: data + b"more", "4 bytes before its first file or behind its end"),
        (lambda data: b"more" + data, "4 bytes before its first file or behind its end"),
    ],
    ids=["end", "middle", "behind", "before"],
)
def test_a_package_that_is_not_as_it_was(package: Path, cut: Callable[[bytes], bytes], says: str) -> None:
    package.write_bytes(cut(package.read_bytes()))
    assert says in problems(package)


def _ledger(files: Files) -> None:
    name = next(name for name in files if name.startswith("logs/ledger-"))
    lines = files[name].splitlines(keepends=True)
    files[name] = b"".join([*lines[:3], *lines[4:]])


def _swap(files: Files) -> None:
    one, other = (name for name in files if name.startswith("archive/"))
    files[one], files[other] = files[other], files[one]


def _lost(files: Files) -> None:
    files["indexes/index.cdx.gz"] = b""


def _elsewhere(files: Files) -> None:
    first = next(name for name in files if name.startswith("archive/"))
    files[first] = files[max(name for name in files if name.startswith("archive/"))]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (_ledger, "prev is not the hash of the row before"),
        (_swap, "no such record"),
        (_lost, "the block has another SHA-256"),
        (_elsewhere, "unresolvedRevisit"),
    ],
    ids=["ledger-row", "warcs-swapped", "index-empty", "original-gone"],
)
def test_lists_that_agree_and_contents_that_do_not(package: Path, change: Callable[[Files], object], says: str) -> None:
    rewritten(package, change)
    assert says in problems(package)


def test_pages_and_captures_that_no_index_line_shows_are_told(package: Path) -> None:
    def change(files: Files) -> None:
        name = next(name for name in files if name.startswith("pages/"))
        files[name] += b'{"url": "http://other.example/", "ts": "2026-01-01T00:00:00Z"}\n'
        files["stray.txt"] = b"x"

    rewritten(package, change)
    assert not problems(package)
    assert "such as http://other.example/" in notes(package) and "'stray.txt'" in notes(package)
