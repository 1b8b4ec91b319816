from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import pytest

from archiver.model import Access
from archiver.warc import files
from archiver.warc import salvage as module
from archiver.warc.reader import iter_records
from archiver.warc.reindex import build_index, verify_index
from archiver.warc.salvage import salvage
from archiver.warc.verify import verify_file
from tests.warc.samples import page, streams


def abandoned(folder: Path, tail: bytes = b"", *, access: Access = Access.OPEN, pages: int = 2) -> Path:
    """An `.open` file as a killed writer leaves it, with `tail` behind its last whole record."""
    made = streams(folder)
    made.write([page(number, access=access) for number in range(pages)])
    made.abandon()
    path = next(files.warc_folder(folder, access).glob("*.open"))
    with open(path, "ab") as file:
        file.write(tail)
    return path


@pytest.mark.parametrize("access", list(Access))
def test_a_whole_file_is_just_closed(tmp_path: Path, access: Access) -> None:
    path = abandoned(tmp_path, access=access)
    content = path.read_bytes()
    (result,) = salvage(tmp_path)
    assert result.segment is not None and result.aside is None
    assert (result.kept_records, result.cut_at) == (7, len(content))
    assert Path(result.segment.path).read_bytes() == content
    assert not path.exists()
    assert result.segment.sha256 == hashlib.sha256(content).hexdigest()
    assert Path(result.segment.cdxj_path).read_bytes() == build_index(result.segment.path)
    assert not verify_index(result.segment.cdxj_path, result.segment.path)
    assert salvage(tmp_path) == []


def test_the_index_is_the_one_the_writer_makes(tmp_path: Path) -> None:
    made = streams(tmp_path / "a")
    made.write([page(1), page(2)])
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    (closed,) = made.roll()
    (result,) = salvage(tmp_path / "b")
    assert result.segment is not None
    assert Path(result.segment.cdxj_path).read_bytes() == Path(closed.cdxj_path).read_bytes()
    assert (result.segment.sha256, result.segment.records) == (closed.sha256, closed.records)


def test_cut_at_every_byte_of_the_last_two_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda fd: None)  # some hundred runs, and no power to lose
    path = abandoned(tmp_path / "origin", pages=1)
    content = path.read_bytes()
    offsets = [record.headers.offset for record in iter_records(path)]
    for cut in range(offsets[-2], len(content)):
        folder = tmp_path / "cut"
        (folder / "archive").mkdir(parents=True)
        (folder / "archive" / path.name).write_bytes(content[:cut])
        (result,) = salvage(folder)
        expected = max(offset for offset in [*offsets, len(content)] if offset <= cut)
        assert result.segment is not None and result.cut_at == expected
        assert Path(result.segment.path).read_bytes() == content[:expected]
        assert (Path(result.aside).read_bytes() if result.aside else b"") == content[expected:cut]
        assert verify_file(result.segment.path).ok
        shutil.rmtree(folder)


@pytest.mark.parametrize("tail", [b"\0" * 5000, b"\x1f\x8b\x08\x00garbage", b"text", b"\x1f"])
def test_rubbish_behind_the_end_goes_aside(tmp_path: Path, tail: bytes) -> None:
    abandoned(tmp_path, tail)
    (result,) = salvage(tmp_path)
    assert result.aside == str(tmp_path / "state" / f"{result.file}.cut")
    assert Path(result.aside).read_bytes() == tail
    assert result.kept_records == 7


@pytest.mark.parametrize("content", [b"", b"\0" * 100, b"\x1f\x8b\x08\x00"])
def test_a_file_without_a_record_goes_altogether(tmp_path: Path, content: bytes) -> None:
    path = abandoned(tmp_path)
    path.write_bytes(content)
    (result,) = salvage(tmp_path)
    assert (result.segment, result.cut_at, result.kept_records) == (None, 0, 0)
    assert (Path(result.aside).read_bytes() if result.aside else b"") == content
    assert not path.exists()


def test_a_live_file_is_left_alone(tmp_path: Path) -> None:
    made = streams(tmp_path)
    made.write([page(1)])
    assert salvage(tmp_path) == []
    made.write([page(2)])
    (segment,) = made.roll()
    assert verify_file(segment.path).ok


def test_a_closed_file_without_an_index_gets_one(tmp_path: Path) -> None:
    made = streams(tmp_path)
    made.write([page(1)])
    (segment,) = made.roll()
    os.unlink(segment.cdxj_path)
    (result,) = salvage(tmp_path)
    assert result.segment == segment
    assert salvage(tmp_path) == []


class Killed(BaseException):
    """Stands for SIGKILL: nothing catches it."""


STEPS = ["rename", "fsync", "ftruncate", "unlink"]


def test_interrupted_before_and_after_any_step_it_ends_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = abandoned(tmp_path / "origin", b"half a record")
    whole = path.read_bytes()[: -len(b"half a record")]
    for after in (False, True):
        for stop in range(1, 40):
            folder = tmp_path / f"{after}-{stop}"
            shutil.copytree(tmp_path / "origin", folder)
            with monkeypatch.context() as patch:
                done = _stop_at(patch, stop, after=after, folder=folder)
            salvage(folder)
            (warc,) = (folder / "archive").iterdir()
            assert warc.name == path.name.removesuffix(".open") and warc.read_bytes() == whole
            assert (folder / "indexes" / f"{warc.name}.cdxj").read_bytes() == build_index(warc)
            assert (folder / "state" / f"{warc.name}.cut").read_bytes() == b"half a record"
            if done:
                break
        assert stop > 6


def _stop_at(patch: pytest.MonkeyPatch, stop: int, *, after: bool, folder: Path) -> bool:
    """Run salvage, killed at its `stop`th step; True when it came to its end."""
    count = 0

    def wrap(name: str) -> None:
        real = getattr(os, name)

        def step(*arguments: object) -> object:
            nonlocal count
            count += 1
            if count == stop and not after:
                raise Killed
            result = real(*arguments)
            if count == stop:
                raise Killed
            return result

        patch.setattr(os, name, step)

    for name in STEPS:
        wrap(name)
    try:
        module.salvage(folder)
    except Killed:
        return False
    return True
