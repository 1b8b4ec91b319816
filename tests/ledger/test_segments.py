"""Rows on disk: files, joints, rotation, full disks, killed writers, several writers."""

import os
import re
import resource
import signal
import subprocess
import sys
import threading
from hashlib import sha256
from pathlib import Path

import orjson
import pytest

from archiver.clock import ManualClock
from archiver.errors import DiskError
from archiver.ledger import segments
from archiver.ledger.chain import ZEROS, verify_rows
from archiver.ledger.reader import last_head, read_rows, segment_paths, verify_folder
from archiver.ledger.segments import Head, JsonlLedger
from archiver.model import Actor, LedgerEntry
from tests.ledger.conftest import Open, story

ROW = LedgerEntry(event="pending", url="https://example.org/", data={"reason": "pageLimit"})

WRITER = """
import sys
from pathlib import Path
from archiver.clock import SYSTEM
from archiver.ledger.segments import JsonlLedger
from archiver.model import Actor, LedgerEntry
ledger = JsonlLedger(Path(sys.argv[1]), SYSTEM, job="j" * 32, actor=Actor(name="Ann"))
number = 0
while number != int(sys.argv[2]):
    number = ledger.append(LedgerEntry(event="end", data={"filler": "x" * 400}))
    print(number, flush=True)
"""


def write(logs: Path, rows: int = -1) -> "subprocess.Popen[str]":
    return subprocess.Popen([sys.executable, "-c", WRITER, str(logs), str(rows)], stdout=subprocess.PIPE, text=True)


def _refuse(*arguments: int) -> None:
    raise OSError(5, "Input/output error")


def test_one_file_a_writer_with_a_name_that_says_whose(open_ledger: Open, logs: Path) -> None:
    ledger = open_ledger()
    ledger.append_many(story())
    (path,) = segment_paths(logs)
    assert re.fullmatch(rf"ledger-\d{{17}}-01234567-{os.getpid()}\.jsonl", path.name)
    assert ledger.file == path.name
    assert path.read_bytes().count(b"\n") == len(story()) + 1
    ledger.close()


def test_a_row_is_in_the_file_before_append_returns(open_ledger: Open, logs: Path) -> None:
    ledger = open_ledger()
    for expected in (1, 2, 3):
        assert ledger.append(ROW) == expected
        assert orjson.loads(segment_paths(logs)[0].read_bytes().splitlines()[-1])["hash"] == ledger.head
    assert ledger.append_many([]) == 3
    assert ledger.append_many([ROW, ROW]) == 5


def test_the_first_row_names_what_stood_before(open_ledger: Open, logs: Path) -> None:
    open_ledger(previous=Head(hash="ab" * 32, file="ledger-0.jsonl"))
    first = next(read_rows(segment_paths(logs)[0]))
    assert first.body is not None
    assert first.body["event"] == "segment"
    assert first.body["format"] == "archiver-ledger/1"
    assert (first.body["first_seq"], first.body["prev_head"]) == (0, "ab" * 32)
    assert first.body["prev_file"] == "ledger-0.jsonl"


def test_rotation_closes_one_segment_and_the_chain_runs_on(open_ledger: Open, logs: Path) -> None:
    ledger = open_ledger()
    ledger.append(ROW)
    head = ledger.head
    closed = ledger.rotate()
    assert closed is not None
    assert closed.path == segment_paths(logs)[0]
    assert closed.sha256 == sha256(closed.path.read_bytes()).hexdigest()
    assert (closed.rows, closed.first_seq, closed.head, closed.size) == (2, 0, head, closed.path.stat().st_size)
    assert ledger.rotate() is None
    assert ledger.file is None
    ledger.sync()

    assert ledger.append(ROW) == 3
    second = ledger.rotate()
    assert second is not None
    assert (second.rows, second.first_seq) == (2, 2)
    lines = second.path.read_bytes().splitlines()
    assert orjson.loads(lines[0])["prev"] == head
    assert orjson.loads(orjson.loads(lines[0])["body"])["prev_file"] == closed.file
    whole = closed.path.read_bytes() + second.path.read_bytes()
    assert verify_rows(whole.splitlines(keepends=True)).ok
    assert verify_folder(logs).ok


def test_names_sort_as_written_though_the_clock_stands_or_goes_back(
    open_ledger: Open, clock: ManualClock, logs: Path
) -> None:
    ledger, files = open_ledger(), []
    for wall in (0, 0, -3600):
        clock.advance(1, wall=wall)
        ledger.append(ROW)
        closed = ledger.rotate()
        assert closed is not None
        files.append(closed.file)
    assert files == sorted(files)
    other = open_ledger()
    assert other.file not in files
    assert verify_folder(logs).ok


def test_a_late_row_after_close_is_kept(open_ledger: Open, logs: Path) -> None:
    ledger = open_ledger()
    ledger.close()
    ledger.append(ROW)
    ledger.close()
    assert len(segment_paths(logs)) == 2
    assert verify_folder(logs).ok


def test_sync_leaves_the_segment_open(open_ledger: Open) -> None:
    ledger = open_ledger()
    ledger.sync()
    ledger.append(ROW)
    ledger.sync()
    assert ledger.append(ROW) == 2


def test_a_folder_that_cannot_be_written_is_named_at_once(tmp_path: Path, clock: ManualClock) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DiskError, match=re.escape(str(tmp_path / "file"))):
        JsonlLedger(tmp_path / "file", clock, job="j", actor=Actor(name="Ann"))
    with pytest.raises(DiskError, match=r"No such file or directory .[0-9,]+ bytes free"):
        JsonlLedger(tmp_path, clock, job="no/such", actor=Actor(name="Ann"))


def test_a_planted_link_is_not_followed(tmp_path: Path, logs: Path, open_ledger: Open) -> None:
    ledger = open_ledger()
    name = str(ledger.file)
    ledger.close()
    (logs / name).unlink()
    (logs / name).symlink_to(tmp_path / "elsewhere")
    again = open_ledger()
    assert again.file != name
    assert not (tmp_path / "elsewhere").exists()


def test_names_run_out_with_an_error(open_ledger: Open, logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_ledger()
    monkeypatch.setattr(segments, "_NAMES_TRIED", 1)
    with pytest.raises(DiskError, match="File exists"):
        open_ledger()


def test_a_full_disk_takes_no_part_of_a_row(open_ledger: Open, logs: Path) -> None:
    """RLIMIT_FSIZE stands for the disk: the write takes a part, then fails."""
    ledger = open_ledger()
    ledger.append(ROW)
    (path,) = segment_paths(logs)
    before, head = path.read_bytes(), ledger.head
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 700, hard))
    try:
        with pytest.raises(DiskError, match=rf"{re.escape(str(path))}.*bytes free.*, [\d,]+ needed"):
            ledger.append_many([ROW] * 5)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == before
    assert ledger.head == head
    assert ledger.append(ROW) == 2
    assert verify_folder(logs).ok


@pytest.mark.parametrize("cut", ["cut back", "not even that"])
def test_a_disk_too_full_for_the_first_row_leaves_no_file(
    cut: str, open_ledger: Open, logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if cut == "not even that":
        monkeypatch.setattr(os, "ftruncate", _refuse)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(DiskError):
            open_ledger()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert segment_paths(logs) == []


def test_where_cutting_back_fails_too_the_next_row_starts_a_new_file(
    open_ledger: Open, logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = open_ledger()
    ledger.append(ROW)

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    size = segment_paths(logs)[0].stat().st_size
    with monkeypatch.context() as patch:
        patch.setattr(os, "ftruncate", _refuse)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 100, hard))
        try:
            with pytest.raises(DiskError):
                ledger.append(ROW)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert ledger.append(ROW) == 3
    report = verify_folder(logs)
    assert report.ok
    assert [segment.chain.torn for segment in report.segments] == [100, 0]


def test_an_entry_that_cannot_be_written_breaks_nothing(open_ledger: Open, logs: Path) -> None:
    ledger = open_ledger()
    with pytest.raises(ValueError, match="job"):
        ledger.append_many([ROW, LedgerEntry(event="end", data={"job": "x"})])
    assert ledger.append(ROW) == 1
    assert verify_folder(logs).ok


def test_a_fault_of_fsync_is_a_disk_error(open_ledger: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = open_ledger()

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", _refuse)
        with pytest.raises(DiskError, match="Input/output error"):
            ledger.sync()
        with pytest.raises(DiskError, match="Input/output error"):
            ledger.rotate()


def test_every_row_told_survives_sigkill(logs: Path) -> None:
    writer = write(logs)
    assert writer.stdout is not None
    lines = [writer.stdout.readline() for _ in range(200)]
    writer.send_signal(signal.SIGKILL)
    lines += writer.stdout.readlines()
    assert writer.wait() == -signal.SIGKILL
    told = int(next(line for line in reversed(lines) if line.endswith("\n")))
    (path,) = segment_paths(logs)
    report = verify_folder(logs)
    assert report.ok
    assert report.segments[0].chain.last.seq >= told
    assert sum(1 for _ in read_rows(path)) >= told + 1


def test_a_torn_last_line_is_told_and_the_next_run_starts_a_new_file(open_ledger: Open, logs: Path) -> None:
    open_ledger().append_many([ROW, ROW])
    (path,) = segment_paths(logs)
    os.truncate(path, path.stat().st_size - 30)
    torn = path.read_bytes()
    previous = last_head(logs)
    assert previous is not None
    ledger = open_ledger(previous=previous)
    ledger.append(ROW)
    report = verify_folder(logs)
    assert report.ok
    assert report.segments[0].chain.torn > 0
    assert report.segments[1].previous == previous
    assert path.read_bytes() == torn


def test_two_writers_at_once_keep_two_chains(logs: Path) -> None:
    writers = [write(logs, 300), write(logs, 300)]
    for writer in writers:
        writer.communicate()
        assert writer.returncode == 0
    report = verify_folder(logs)
    assert report.ok
    assert [segment.chain.rows for segment in report.segments] == [301, 301]
    assert all(segment.chain.first.hash == ZEROS for segment in report.segments)


def test_threads_may_share_a_ledger(open_ledger: Open, logs: Path) -> None:
    ledger = open_ledger()

    def work() -> None:
        for number in range(50):
            ledger.append(ROW)
            if number % 10 == 0:
                ledger.sync()
                ledger.rotate()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ledger.close()
    report = verify_folder(logs)
    assert report.ok
    assert sum(segment.chain.rows for segment in report.segments) == 200 + len(report.segments)
