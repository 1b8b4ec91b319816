from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import pytest

from archiver.clock import ManualClock
from archiver.errors import DiskError, WarcError
from archiver.model import Access
from archiver.spooled import Spool
from archiver.warc.reader import iter_records, read_at
from archiver.warc.reindex import build_index, verify_index
from archiver.warc.streams import Streams
from archiver.warc.verify import verify_file
from tests.warc.samples import INFO, SETTINGS, capture, document, exchange, page, streams


def test_refs_point_at_the_records(tmp_path: Path) -> None:
    made = streams(tmp_path)
    item, note = page(1), document()
    first, second = made.write([item, note])
    (segment,) = made.roll()
    assert [ref.type for ref in first.refs] == ["response", "request", "metadata"]
    for ref in first.refs + second.refs:
        assert ref.file == segment.file
        record = read_at(segment.path, ref.offset)
        assert (record.headers.type, record.headers.record_id) == (ref.type, ref.record_id)
    ends = [ref.offset + ref.length for ref in first.refs + second.refs]
    assert ends == [*[ref.offset for ref in first.refs[1:] + second.refs], segment.size]
    assert first.payload_digest == first.refs[0].payload_digest


def test_a_ref_is_what_its_class_makes(tmp_path: Path) -> None:
    (recorded,) = streams(tmp_path).write([page(1)])
    for ref in recorded.refs:
        assert replace(ref) == ref and repr(replace(ref)) == repr(ref)
        with pytest.raises(FrozenInstanceError):
            ref.file = "other"  # type: ignore[misc]


def test_a_closed_segment_is_told_exactly(tmp_path: Path) -> None:
    made = streams(tmp_path)
    made.write([page(1), page(2)])
    (segment,) = made.roll()
    content = Path(segment.path).read_bytes()
    index = Path(segment.cdxj_path).read_bytes()
    assert re.fullmatch(r"ARCH-\d{17}-00000-01234567-host1\.warc\.gz", segment.file)
    assert segment.path == str(tmp_path / "archive" / segment.file)
    assert segment.cdxj_path == str(tmp_path / "indexes" / f"{segment.file}.cdxj")
    assert (segment.size, segment.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert segment.cdxj_sha256 == hashlib.sha256(index).hexdigest()
    assert segment.records == verify_file(segment.path).records == 7
    assert index == build_index(segment.path)
    assert not verify_index(segment.cdxj_path, segment.path)
    assert not list(tmp_path.rglob("*.open")) and not list(tmp_path.rglob("*.tmp"))


def test_one_stream_an_access_class(tmp_path: Path) -> None:
    made = streams(tmp_path)
    made.write([page(n, access=access) for n, access in enumerate(Access)])
    segments = {segment.access: segment for segment in made.roll()}
    for access, folder, index in (
        (Access.OPEN, "archive", "indexes"),
        (Access.RESTRICTED, "restricted", "restricted/indexes"),
        (Access.DARK, "dark", "dark/indexes"),
    ):
        assert Path(segments[access].path).parent == tmp_path / folder
        assert Path(segments[access].cdxj_path).parent == tmp_path / index
        assert [r.headers.type for r in iter_records(segments[access].path)].count("response") == 1
    assert len({segment.file for segment in segments.values()}) == 3
    assert Path(segments[Access.DARK].path).stat().st_mode & 0o77 == 0
    assert (tmp_path / "dark").stat().st_mode & 0o77 == 0


def test_rollover_by_size_and_by_age(tmp_path: Path) -> None:
    clock = ManualClock()
    made = streams(tmp_path, clock, rollover_size=1500, rollover_seconds=60)
    for number in range(3):
        made.write([page(number, size=2000)])
    sizes = made.take_closed()
    assert sizes and made.take_closed() == []
    clock.advance(61)
    made.roll_due()
    assert len(made.take_closed()) == 1
    assert made.roll() == []
    for path in (tmp_path / "archive").iterdir():
        assert verify_file(path).ok


def test_taken_names_are_passed_over(tmp_path: Path) -> None:
    clock = ManualClock()
    first, second = streams(tmp_path, clock), streams(tmp_path, clock)
    first.write([page(1)])
    second.write([page(2)])
    third = streams(tmp_path, clock)
    first.roll()
    third.write([page(3)])
    names = {s.file for s in second.roll() + third.roll()} | {p.name for p in (tmp_path / "archive").iterdir()}
    assert len(names) == 3


def test_names_hold_no_path(tmp_path: Path) -> None:
    made = Streams(tmp_path, ManualClock(), replace(SETTINGS, job="../x", host="../../h", prefix="a/b"), INFO)
    made.write([page(1)])
    (segment,) = made.roll()
    assert Path(segment.path).parent == tmp_path / "archive"
    assert segment.file.startswith("a-b-")


def test_warcinfo_may_be_made_for_each_file(tmp_path: Path) -> None:
    asked: list[Access] = []

    def info(access: Access) -> dict[str, str]:
        asked.append(access)
        return {"description": f"file {len(asked)}"}

    made = Streams(tmp_path, ManualClock(), SETTINGS, info)
    made.write([page(1), page(2)])
    made.roll()
    made.write([page(3, access=Access.DARK)])
    assert asked == [Access.OPEN, Access.DARK]
    assert b"description: file 1\r\n" in next(iter_records(next((tmp_path / "archive").iterdir()))).block


def test_a_failed_batch_leaves_nothing(tmp_path: Path) -> None:
    """A spool that runs short under the writer: neither file nor memory keeps anything of the batch."""
    made = streams(tmp_path)
    made.write([page(1)])
    open_file = next((tmp_path / "archive").iterdir())
    before = open_file.read_bytes()
    with pytest.raises(WarcError, match="bytes"):
        made.write([page(2), capture(_short()), page(3)])
    assert open_file.read_bytes() == before
    made.write([page(4)])
    (segment,) = made.roll()
    assert verify_file(segment.path).ok
    assert hashlib.sha256(Path(segment.path).read_bytes()).hexdigest() == segment.sha256
    assert Path(segment.cdxj_path).read_bytes() == build_index(segment.path)


def _short():  # type: ignore[no-untyped-def]
    class Short(Spool):
        def chunks(self, start: int = 0):  # type: ignore[no-untyped-def]
            yield b"only this"

    spool = Short(b"HTTP/1.1 200 OK\r\n\r\n" + os.urandom(12 << 20))
    return exchange(response=spool, body_start=19)


def test_a_failed_first_batch_leaves_no_file(tmp_path: Path) -> None:
    made = streams(tmp_path)
    with pytest.raises(WarcError):
        made.write([capture(_short())])
    assert list((tmp_path / "archive").iterdir()) == []
    made.write([page(1)])
    assert len(made.roll()) == 1


FILE_LIMIT = """
import resource, sys
from pathlib import Path
from archiver.errors import DiskError
from archiver.warc.verify import verify_file
from tests.warc.samples import page, streams
import os
made = streams(Path(sys.argv[1]))
made.write([page(1)])
resource.setrlimit(resource.RLIMIT_FSIZE, (6000, resource.RLIM_INFINITY))
try:
    made.write([page(2), page(3, size=0, policy_json=os.urandom(30000).hex().encode())])
except DiskError as error:
    print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
made.write([page(4)])
report = verify_file(made.roll()[0].path)
print(report.ok, report.records)
"""


def test_no_room_is_a_clean_error_and_room_again_goes_on(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FILE_LIMIT, str(tmp_path)], capture_output=True, text=True, check=True, timeout=60
    )
    message, verdict = done.stdout.splitlines()
    assert str(tmp_path / "archive") in message and "free" in message and "needed" in message
    assert verdict == "True 7"


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "archive").write_text("a file where the folder should be")
    with pytest.raises(DiskError, match=re.escape(str(tmp_path))):
        streams(tmp_path).write([page(1)])


def test_a_removed_file_is_noticed(tmp_path: Path) -> None:
    made = streams(tmp_path)
    made.write([page(1)])
    next((tmp_path / "archive").iterdir()).unlink()
    with pytest.raises(DiskError, match="removed"):
        made.sync()
    with pytest.raises(DiskError, match="removed"):
        made.roll()
    made.abandon()


def test_each_batch_is_one_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    real = os.pwrite

    def pwrite(fd: int, data: bytes, offset: int) -> int:
        sizes.append(len(data))
        return real(fd, data, offset)

    made = streams(tmp_path)
    made.write([page(1)])
    monkeypatch.setattr(os, "pwrite", pwrite)
    recorded = made.write([page(2), page(3)])
    assert sizes == [sum(ref.length for r in recorded for ref in r.refs)]
