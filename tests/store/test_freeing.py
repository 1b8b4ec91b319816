"""Local copies go only once the store was seen to hold them, in steps that a kill may come between (F-04)."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from archiver.errors import DiskError
from archiver.model import StoredObject
from archiver.store import SpoolFile, SpoolJournal, spool_file
from archiver.store.freeing import away, finish_freeing, free_local
from tests.store.conftest import file_of

PLACE = "https://store/bucket"


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SpoolJournal]:
    found = SpoolJournal(tmp_path / "u.sqlite", tmp_path, PLACE)
    yield found
    found.close()


def warc(folder: Path, name: str) -> SpoolFile:
    return spool_file(file_of(folder, name.encode() * 10, f"collections/x/archive/{name}.warc.gz")[0], folder)


def store(journal: SpoolJournal, file: SpoolFile, *, tell: bool = True) -> StoredObject:
    stored = StoredObject(uri=f"s3://bucket/{file.key}", sha256=file.sha256, size=file.size, key=file.key)
    journal.add([file])
    journal.mark_stored(file, stored)
    if tell:
        journal.mark_told([stored])
    return stored


def test_only_what_is_stored_and_told_goes_and_only_warcs(journal: SpoolJournal, tmp_path: Path) -> None:
    waiting, untold, there = (warc(tmp_path, name) for name in ("waiting", "untold", "there"))
    index = spool_file(file_of(tmp_path, b"cdxj", "collections/x/indexes/there.warc.gz.cdxj")[0], tmp_path)
    journal.add([waiting])
    store(journal, untold, tell=False)
    stored = store(journal, there)
    store(journal, index)
    assert free_local(journal) == there.size
    left = {path.name for path in tmp_path.rglob("*") if path.is_file() and ".sqlite" not in path.name}
    assert left == {"waiting.warc.gz", "untold.warc.gz", "there.warc.gz.cdxj"}
    assert away(tmp_path / "u.sqlite") == {"there.warc.gz": stored}
    assert free_local(journal) == 0


def test_no_more_than_is_wanted(journal: SpoolJournal, tmp_path: Path) -> None:
    for name in "abc":
        store(journal, warc(tmp_path, name))
    assert free_local(journal, 11) == 20
    assert len(away(tmp_path / "u.sqlite")) == 2


@pytest.mark.parametrize("unlinked", [False, True], ids=["before unlink", "after unlink"])
def test_a_kill_in_between_is_made_good_at_the_next_start(tmp_path: Path, unlinked: bool) -> None:
    first = SpoolJournal(tmp_path / "u.sqlite", tmp_path, PLACE)
    file = warc(tmp_path, "a")
    store(first, file)
    first.mark_going(file)
    if unlinked:
        first.path(file).unlink()
    first.close()
    again = SpoolJournal(tmp_path / "u.sqlite", tmp_path, PLACE)
    finish_freeing(again)
    assert not again.path(file).exists() and again.going() == [] and len(away(tmp_path / "u.sqlite")) == 1
    again.close()


def test_what_cannot_be_deleted_is_named(journal: SpoolJournal, tmp_path: Path) -> None:
    file = warc(tmp_path, "a")
    store(journal, file)
    journal.path(file).unlink()
    journal.path(file).mkdir()
    with pytest.raises(DiskError, match=r"a\.warc\.gz: cannot be deleted"):
        free_local(journal)


def test_another_store_holds_nothing_of_this_but_what_is_gone_here(tmp_path: Path) -> None:
    first = SpoolJournal(tmp_path / "u.sqlite", tmp_path, PLACE)
    kept, gone = warc(tmp_path, "kept"), warc(tmp_path, "gone")
    store(first, gone)
    free_local(first)
    store(first, kept)
    first.close()
    other = SpoolJournal(tmp_path / "u.sqlite", tmp_path, "https://store/other")
    assert [file.key for file in other.pending()] == [kept.key]
    assert set(other.all_stored()) == {gone.key} and other.freeable() == []
    other.close()


def test_a_journal_of_an_earlier_version_becomes_one_of_this(tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / "u.sqlite")
    db.execute(
        "CREATE TABLE files (key TEXT PRIMARY KEY, sha256 TEXT NOT NULL, size INTEGER NOT NULL, metadata "
        "TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, error TEXT NOT NULL DEFAULT '', uri TEXT) WITHOUT ROWID"
    )
    db.execute("INSERT INTO files VALUES ('c/up', 'aa', 1, '{}', 0, '', 's3://bucket/c/up'), "
               "('c/left', 'bb', 2, '{}', 3, '503', NULL)")  # fmt: skip
    db.commit()
    db.close()
    assert away(tmp_path / "u.sqlite") == {}
    journal = SpoolJournal(tmp_path / "u.sqlite", tmp_path, PLACE)
    assert [(file.key, file.attempts) for file in journal.pending()] == [("c/left", 3)]
    assert [one.key for one in journal.untold()] == ["c/up"]
    journal.close()


def test_no_journal_and_none_of_ours(tmp_path: Path) -> None:
    assert away(tmp_path / "none.sqlite") == {}
    (tmp_path / "bad.sqlite").write_bytes(b"not a database at all, but long enough to be taken for one" * 100)
    with pytest.raises(DiskError, match="cannot be read"):
        away(tmp_path / "bad.sqlite")
