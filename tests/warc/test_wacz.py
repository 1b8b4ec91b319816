"""The zip and its data package: what a WACZ says of itself."""

from __future__ import annotations

import fcntl
import io
import json
import os
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from archiver.errors import DiskError
from archiver.warc import wacz
from archiver.warc.wacz import About, Resource, WaczWriter, datapackage, whole_file
from tests.warc.wacz_package import Package

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ABOUT = About(title="T", description="D", software="archiver", created=NOW)


def made(files: dict[str, bytes], about: About = ABOUT, signed: dict[str, Any] | None = None) -> io.BytesIO:
    stream = io.BytesIO()
    with WaczWriter(stream, NOW) as writer:
        for path, data in files.items():
            writer.add(path, [data[:3], data[3:]], stored=path.endswith(".gz"))
        writer.finish(about, signed)
    return stream


def test_files_are_listed_with_hash_and_size(tmp_path: Path) -> None:
    path = tmp_path / "a.wacz"
    path.write_bytes(made({"archive/a.warc.gz": b"warc", "pages/pages.jsonl": b"pages" * 100}).getvalue())
    found = Package.read(path)
    assert found.files["pages/pages.jsonl"] == b"pages" * 100
    assert found.stored == {"archive/a.warc.gz"}
    package = found.json("datapackage.json")
    assert (package["profile"], package["wacz_version"]) == ("data-package", "1.1.1")
    assert package["created"] == package["modified"] == "2026-11-23T12:00:00Z"
    assert [(one["path"], one["bytes"]) for one in package["resources"]] == [
        ("archive/a.warc.gz", 4),
        ("pages/pages.jsonl", 500),
    ]
    assert found.json("datapackage-digest.json").keys() == {"path", "hash"}


def test_a_path_stands_once() -> None:
    with WaczWriter(io.BytesIO(), NOW) as writer:
        writer.add("logs/a", [b""])
        with pytest.raises(ValueError, match="logs/a"):
            writer.add("logs/a", [b""])


def test_a_main_page_has_the_keys_of_both_versions() -> None:
    about = About(title="", description="", software="", created=NOW, main_url="http://x/", main_date="2026")
    package = datapackage(about, [])
    assert (package["mainPageUrl"], package["mainPageDate"]) == ("http://x/", "2026")
    assert package["home"] == {"url": "http://x/", "ts": "2026"}
    assert "home" not in datapackage(ABOUT, [])


def test_resource_names_are_plain_and_unique() -> None:
    paths = ["archive/A.warc.gz", "logs/a.warc.gz", "logs/a b.jsonl"]
    package = datapackage(ABOUT, [Resource(path=path, sha256="", size=0) for path in paths])
    assert [one["name"] for one in package["resources"]] == ["a.warc.gz", "logs/a.warc.gz", "a_b.jsonl"]


def test_a_signature_stands_beside_the_hash(tmp_path: Path) -> None:
    path = tmp_path / "a.wacz"
    path.write_bytes(made({}, signed={"signature": "s"}).getvalue())
    assert Package.read(path).json("datapackage-digest.json")["signedData"] == {"signature": "s"}


def test_a_large_file_has_zip64_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sizes are known when an entry has been written; room for them is needed before."""
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 1000)
    with WaczWriter(io.BytesIO(), NOW) as writer:
        writer.add("archive/a.warc.gz", [b"x" * 5000], stored=True, size=wacz._LARGE)
        with pytest.raises(RuntimeError, match="size"):
            writer.add("archive/b.warc.gz", [b"x" * 5000], stored=True)


def test_nothing_is_left_of_a_file_that_went_wrong(tmp_path: Path) -> None:
    path = tmp_path / "a.wacz"
    path.write_bytes(b"before")

    def pieces() -> Iterator[bytes]:
        yield b"some"
        raise OSError(28, "No space left on device")

    with pytest.raises(DiskError, match="No space left"), whole_file(path) as stream, WaczWriter(stream, NOW) as writer:
        writer.add("archive/a.warc.gz", pieces())
    assert path.read_bytes() == b"before" and list(tmp_path.iterdir()) == [path]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(DiskError, match="none"), whole_file(tmp_path / "none" / "a.wacz"):
        pass


def test_the_owners_file_is_the_owners(tmp_path: Path) -> None:
    path = tmp_path / "a.wacz"
    with whole_file(path, mode=0o600) as stream:
        stream.write(b"x")
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_package_is_json_that_people_can_read() -> None:
    with zipfile.ZipFile(made({})) as archive:
        text = archive.read("datapackage.json").decode()
    assert text.startswith('{\n  "profile"') and json.loads(text)["title"] == "T"


def test_what_a_killed_process_left_goes_and_what_another_writes_stays(tmp_path: Path) -> None:
    path = tmp_path / "[a].wacz"
    mine, dead = (tmp_path / f".{path.name}.{number}.tmp" for number in (os.getpid(), 4_000_000))
    for left in (mine, dead):
        left.write_bytes(b"half")
    live, other = tmp_path / f".{path.name}.1.tmp", tmp_path / ".b.wacz.1.tmp"
    other.write_bytes(b"of another package")
    with live.open("wb") as written:
        fcntl.flock(written, fcntl.LOCK_EX)
        with whole_file(path) as stream:
            stream.write(b"whole")
            assert {one.name for one in tmp_path.iterdir()} == {mine.name, live.name, other.name}
    assert path.read_bytes() == b"whole"
    assert {one.name for one in tmp_path.iterdir()} == {path.name, live.name, other.name}
