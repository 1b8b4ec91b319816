"""Rows of imported files: written as a job of their own, read back, never mistaken for captures of ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from archiver.clock import ManualClock
from archiver.errors import LedgerError
from archiver.ledger.explain import explain
from archiver.ledger.explain_imported import ImportedCapture, with_imported
from archiver.ledger.hides import segments
from archiver.ledger.imports import JOB, Imported, ImportLedger, imported, imported_entry
from archiver.ledger.index import LedgerIndex
from archiver.model import Access, Actor, LedgerEntry

WHO = Actor(name="ada", through="test")


def a_file(name: str = "a.warc.gz", sha256: str = "ab" * 32, access: Access = Access.RESTRICTED) -> Imported:
    return Imported(
        file=name, source="/x/a.warc.gz", sha256=sha256, size=5, records=2, access=access, note="", by="", t="",
        origin="Friend", claims={"software": "wget"}, container={"name": "x.wacz", "sha256": "cd" * 32},
    )  # fmt: skip


def written(logs: Path, *files: Imported, note: str = "because", after: float = 0) -> None:
    clock = ManualClock()
    clock.advance(after)
    ledger = ImportLedger(logs, clock, WHO, note)
    ledger.append(*map(imported_entry, files))
    ledger.close()


def test_rows_come_back_with_who_and_why(tmp_path: Path) -> None:
    written(tmp_path, a_file(), a_file("b.warc.gz", "ef" * 32, Access.OPEN))
    first, second = imported(tmp_path)
    assert (first.file, first.by, first.note, first.origin) == ("a.warc.gz", "ada", "because", "Friend")
    assert first.t and dict(first.claims) == {"software": "wget"} and first.container["name"] == "x.wacz"
    assert (second.access, second.records) == (Access.OPEN, 2)
    assert len(segments(tmp_path, JOB)) == 1


def test_the_first_row_of_the_same_bytes_holds(tmp_path: Path) -> None:
    written(tmp_path, a_file())
    written(tmp_path, a_file("other.warc.gz"), note="again", after=60)
    assert [(one.file, one.note) for one in imported(tmp_path)] == [("a.warc.gz", "because")]


def test_nothing_is_created_for_nothing(tmp_path: Path) -> None:
    written(tmp_path / "logs")
    assert not (tmp_path / "logs").exists()


def test_a_name_from_the_ledger_stays_in_its_folder(tmp_path: Path) -> None:
    written(tmp_path, a_file("../../etc/x.warc.gz"))
    assert [one.file for one in imported(tmp_path)] == ["x.warc.gz"]


def test_a_damaged_row_is_not_passed_over(tmp_path: Path) -> None:
    written(tmp_path, a_file())
    (path,) = segments(tmp_path, JOB)
    path.write_bytes(path.read_bytes() + b"{torn}\n")
    with pytest.raises(LedgerError):
        imported(tmp_path)


def test_no_count_knows_of_them(tmp_path: Path) -> None:
    written(tmp_path, a_file())
    ledger = ImportLedger(tmp_path, ManualClock(), WHO, "n")
    ledger.append(LedgerEntry(event="quarantined", data={"file": "q", "sha256": "ab" * 32, "problems": ["at 0: bad"]}))
    ledger.close()
    with LedgerIndex(tmp_path / "i.sqlite", tmp_path) as index:
        assert index.counts().discovered == 0
        assert list(index.captures(hidden=True)) == []


def test_why_tells_of_theirs_beside_ours() -> None:
    url = "http://site.test/"
    unknown = explain(url, [])
    theirs = [
        ImportedCapture(file=a_file(), t=f"2020-01-0{day}T00:00:00.000Z", status=None, mime="", offset=day)
        for day in range(1, 6)
    ]
    assert with_imported(unknown, []) is unknown
    answer = with_imported(unknown, theirs)
    assert (answer.verdict, answer.policy, answer.access, answer.ways) == ("imported", "unknown", "restricted", ())
    assert "2 older captures" in " ".join(answer.said) and "without HTTP" in answer.text()
    assert [one["offset"] for one in answer.to_json()["imported"]] == [1, 2, 3, 4, 5]
