"""The collection folder as the store."""

from __future__ import annotations

from pathlib import Path

import pytest

from archiver.errors import DiskError
from archiver.store import LocalStore, StoreConflict
from tests.store.conftest import file_of

KEY = "collections/main/archive/x.warc.gz"


async def test_a_file_in_place_is_proved_and_not_touched(tmp_path: Path) -> None:
    path, sha256 = file_of(tmp_path, b"bytes", KEY)
    before = path.stat()
    stored = await LocalStore(tmp_path).put(KEY, path, sha256=sha256, metadata={})
    assert stored.uri == path.as_uri()
    after = path.stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert [one.name for one in path.parent.iterdir()] == ["x.warc.gz"]


async def test_a_flipped_byte_on_disk_is_found(tmp_path: Path) -> None:
    path, sha256 = file_of(tmp_path, b"bytes", KEY)
    path.write_bytes(b"bytez")
    with pytest.raises(StoreConflict, match="disk holds"):
        await LocalStore(tmp_path).put(KEY, path, sha256=sha256, metadata={})


async def test_a_file_from_elsewhere_is_copied_whole(tmp_path: Path) -> None:
    path, sha256 = file_of(tmp_path / "elsewhere", b"bytes")
    await LocalStore(tmp_path / "out").put(KEY, path, sha256=sha256, metadata={})
    folder = (tmp_path / "out" / KEY).parent
    assert [(one.name, one.read_bytes()) for one in folder.iterdir()] == [("x.warc.gz", b"bytes")]


async def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    path, sha256 = file_of(tmp_path / "elsewhere", b"bytes")
    (tmp_path / "collections").write_text("")
    with pytest.raises(DiskError, match=r"x\.warc\.gz: cannot be stored"):
        await LocalStore(tmp_path).put(KEY, path, sha256=sha256, metadata={})
