"""The journal of uploads: nothing is forgotten, nothing listed twice."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from archiver.errors import DiskError
from archiver.model import Access, ClosedSegment, StoredObject
from archiver.store import SpoolFile, SpoolJournal, segment_files, spool_file
from tests.store.conftest import file_of


def journal(tmp_path: Path) -> SpoolJournal:
    return SpoolJournal(tmp_path / "uploads.sqlite", tmp_path)


def one(key: str = "a/b", digest: str = "1") -> SpoolFile:
    return SpoolFile(key=key, sha256=digest * 64, size=10, metadata={"access": "open"})


def test_what_is_listed_survives_a_restart(tmp_path: Path) -> None:
    first = journal(tmp_path)
    first.add([one(), one("a/c")])
    first.mark_stored(one(), StoredObject(uri="s3://b/a/b", sha256="1" * 64, size=10))
    first.mark_failed(one("a/c"), "503")
    first.close()
    again = journal(tmp_path)
    (left,) = again.pending()
    assert (left.key, left.attempts, left.error, left.metadata) == ("a/c", 1, "503", {"access": "open"})
    assert again.stored([one(), one("a/c"), one("a/d")]) == {
        "a/b": StoredObject(uri="s3://b/a/b", sha256="1" * 64, size=10)
    }
    assert (again.waiting_bytes(), again.keys()) == (10, {"a/b", "a/c"})
    again.close()


def test_listing_again_changes_nothing_unless_the_file_did(tmp_path: Path) -> None:
    spool = journal(tmp_path)
    spool.add([one()])
    spool.mark_stored(one(), StoredObject(uri="s3://b/a/b", sha256="1" * 64, size=10))
    spool.add([one()])
    assert spool.pending() == []
    spool.add([one(digest="2")])
    assert [file.sha256 for file in spool.pending()] == ["2" * 64]
    spool.mark_stored(one(), StoredObject(uri="s3://b/a/b", sha256="1" * 64, size=10))
    spool.mark_failed(one(), "of the file that was")
    assert [(file.sha256, file.attempts) for file in spool.pending()] == [("2" * 64, 0)]
    spool.close()


def test_segments_and_files_become_rows(tmp_path: Path) -> None:
    warc, warc_sha256 = file_of(tmp_path, b"warc", "collections/x/dark/a.warc.gz")
    index, index_sha256 = file_of(tmp_path, b"cdxj", "collections/x/dark/indexes/a.cdxj")
    segment = ClosedSegment(
        file=warc.name, path=str(warc), access=Access.DARK, size=4, sha256=warc_sha256, records=1,
        cdxj_path=str(index), cdxj_sha256=index_sha256,
    )  # fmt: skip
    rows = segment_files(segment, tmp_path)
    assert [(row.key, row.size, row.metadata) for row in rows] == [
        ("collections/x/dark/a.warc.gz", 4, {"access": "dark", "type": "warc"}),
        ("collections/x/dark/indexes/a.cdxj", 4, {"access": "dark", "type": "cdxj"}),
    ]
    ledger = spool_file(warc, tmp_path, type="ledger")
    assert ledger.sha256 == hashlib.sha256(b"warc").hexdigest()
    with pytest.raises(ValueError, match="subpath"):
        spool_file(Path("/etc/hostname"), tmp_path)


def test_a_journal_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    (tmp_path / "uploads.sqlite").mkdir()
    with pytest.raises(DiskError, match=r"uploads\.sqlite"):
        journal(tmp_path)
    (tmp_path / "other").write_bytes(b"not a database at all, but long enough to be taken for one" * 100)
    with pytest.raises(DiskError, match="cannot be opened"):
        SpoolJournal(tmp_path / "other", tmp_path)
