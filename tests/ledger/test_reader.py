"""Files read back, and folders checked as a whole."""

from pathlib import Path

import orjson
import pytest

from archiver.errors import LedgerError
from archiver.ledger import reader
from archiver.ledger.chain import erase
from archiver.ledger.reader import Rows, last_head, read_row, read_rows, segment_paths, verify_folder, verify_segment
from archiver.ledger.segments import Head
from archiver.model import LedgerEntry
from tests.ledger.conftest import Open, story

ROW = LedgerEntry(event="end", data={"filler": "x" * 300})


def test_rows_come_back_with_their_places(open_ledger: Open, logs: Path) -> None:
    open_ledger().append_many(story())
    (path,) = segment_paths(logs)
    rows = list(read_rows(path))
    assert [row.seq for row in rows] == list(range(len(story()) + 1))
    assert [(row.body or {})["event"] for row in rows[1:]] == [entry.event for entry in story()]
    with path.open("rb") as file:
        assert [read_row(file, path.name, row.offset, row.length) for row in rows] == rows
    assert list(read_rows(path, rows[5].offset)) == rows[5:]


def test_a_line_that_is_no_row_is_named_or_passed_over(open_ledger: Open, logs: Path) -> None:
    open_ledger().append_many([ROW, ROW])
    (path,) = segment_paths(logs)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + b"nonsense\n" + b'{"seq": "x"}\n' + lines[1])
    with pytest.raises(LedgerError, match=rf"{path.name}: no ledger row at byte {len(lines[0])}"):
        list(read_rows(path))
    damaged: list[str] = []
    assert len(list(read_rows(path, damaged=damaged))) == 2
    assert len(damaged) == 2


@pytest.mark.parametrize("block", [1, 7, 1 << 16])
def test_the_last_head_is_found_behind_torn_lines_and_empty_files(
    open_ledger: Open, logs: Path, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archiver.ledger.reader._BLOCK", block)
    assert last_head(logs) is None
    ledger = open_ledger()
    ledger.append_many([ROW] * 3)
    (path,) = segment_paths(logs)
    expected = Head(hash=ledger.head, file=path.name)
    assert last_head(logs) == expected
    with path.open("ab") as file:
        file.write(b'{"seq":4,"leaf')
    assert last_head(logs) == expected
    path.write_bytes(path.read_bytes().rpartition(b"\n")[0] + b"\n" + b"\0" * 50 + b"\n")
    assert last_head(logs) == expected
    (logs / "ledger-99999999999999999-x-1.jsonl").write_bytes(b"")
    (logs / "ledger-99999999999999999-x-2.jsonl").write_bytes(b'{"seq"')
    (logs / "ledger-99999999999999999-x-3.jsonl").write_bytes(b"no row\n")
    assert last_head(logs) == expected


def test_a_missing_or_shortened_segment_is_noticed_by_the_next(open_ledger: Open, logs: Path) -> None:
    ledger = open_ledger()
    ledger.append_many([ROW, ROW])
    ledger.rotate()
    ledger.append(ROW)
    first, second = segment_paths(logs)
    assert verify_folder(logs).ok

    whole = first.read_bytes()
    first.write_bytes(b"".join(whole.splitlines(keepends=True)[:-1]))
    report = verify_folder(logs)
    assert not report.ok
    assert "rows were cut or changed there" in report.segments[1].joint

    first.write_bytes(b"broken\n" + whole)
    assert not verify_folder(logs).ok
    first.unlink()
    report = verify_folder(logs)
    assert f"{first.name}, is not in this folder" in report.segments[0].joint
    assert verify_segment(second).chain.ok


def test_a_run_may_begin_while_another_writes_on(open_ledger: Open, logs: Path) -> None:
    running = open_ledger(job="aaaaaaaa")
    running.append(ROW)
    other = open_ledger(job="bbbbbbbb", previous=last_head(logs))
    running.append(ROW)
    report = verify_folder(logs)
    assert report.ok
    assert {head.hash for head in report.open_heads} == {running.head, other.head}

    first = segment_paths(logs)[0]
    first.write_bytes(first.read_bytes().splitlines(keepends=True)[0])
    assert not verify_folder(logs).ok
    first.write_bytes(b"broken\n")
    assert not verify_folder(logs).ok


def test_the_head_may_be_known_from_elsewhere(open_ledger: Open, logs: Path) -> None:
    ledger = open_ledger()
    ledger.append(ROW)
    (path,) = segment_paths(logs)
    assert verify_segment(path, head=ledger.head).ok
    assert not verify_segment(path, head="ab" * 32).ok


def test_an_erased_row_is_read_without_a_body(open_ledger: Open, logs: Path) -> None:
    ledger = open_ledger()
    ledger.append_many([ROW, ROW])
    ledger.rotate()
    ledger.append(ROW)
    path = segment_paths(logs)[0]
    lines = path.read_bytes().splitlines(keepends=True)
    lines[1] = erase(lines[1])
    path.write_bytes(b"".join(lines))
    report = verify_folder(logs)
    assert report.ok
    assert report.segments[0].chain.erased == 1
    assert [row.body is None for row in read_rows(path)] == [False, True, False]


def test_files_without_a_first_row_have_no_joint(open_ledger: Open, logs: Path) -> None:
    logs.mkdir()
    for name, content in {"1": b"", "2": b"nonsense\n", "3": orjson.dumps({"seq": 0})}.items():
        (logs / f"ledger-{name}.jsonl").write_bytes(content)
    reports = verify_folder(logs).segments
    assert [report.previous for report in reports] == [None, None, None]
    assert [report.ok for report in reports] == [True, False, True]


def test_rows_at_known_places_keep_few_files_open(
    open_ledger: Open, logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        open_ledger(job=f"{number}" * 16).append_many(story())
    known = [row for path in segment_paths(logs) for row in read_rows(path)]
    monkeypatch.setattr(reader, "_OPEN_FILES", 2)
    with Rows(logs) as rows:
        assert [rows.read(row.file, row.offset, row.length) for row in reversed(known)] == known[::-1]
        with pytest.raises(LedgerError):
            rows.read(known[0].file, 3, 5)
