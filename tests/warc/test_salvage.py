from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from archiver.model import Access
from archiver.warc import files
from archiver.warc import salvage as module
from archiver.warc.reader import iter_records
from archiver.warc.reindex import build_index, verify_index
from archiver.warc.salvage import closed_segments, salvage
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


def test_damage_inside_ends_the_file_there_and_the_rest_is_kept(tmp_path: Path) -> None:
    """A byte flipped in the third of five records: two stand, the bytes of the others are aside."""
    path = abandoned(tmp_path)
    content = bytearray(path.read_bytes())
    offsets = [record.headers.offset for record in iter_records(path)]
    content[offsets[2] + 30] ^= 1
    path.write_bytes(content)
    (result,) = salvage(tmp_path)
    assert (result.cut_at, result.kept_records) == (offsets[2], 2)
    assert result.segment is not None and verify_file(result.segment.path).ok
    assert Path(result.segment.path).read_bytes() + Path(str(result.aside)).read_bytes() == bytes(content)


@pytest.mark.parametrize("missing", [0, 1, 200], ids=["same", "byte-short", "record-short"])
def test_a_copy_of_a_closed_file_goes(tmp_path: Path, missing: int) -> None:
    """An `.open` beside its closed name, as a restored backup leaves it: nothing stands twice, nothing is lost."""
    made = streams(tmp_path)
    made.write([page(1), page(2)])
    (segment,) = made.roll()
    closed = Path(segment.path)
    content = closed.read_bytes()
    closed.with_name(closed.name + ".open").write_bytes(content[: len(content) - missing])
    (result,) = salvage(tmp_path)
    assert (result.file, result.cut_at, result.segment) == (segment.file, len(content), None)
    assert [path.name for path in closed.parent.iterdir()] == [closed.name]
    assert closed.read_bytes() == content
    assert (Path(result.aside).read_bytes() if result.aside else b"") in content
    assert salvage(tmp_path) == []


def test_two_files_of_one_name_are_both_kept(tmp_path: Path) -> None:
    path = abandoned(tmp_path)
    open_content = path.read_bytes()
    other = abandoned(tmp_path / "other", pages=3)
    closed = path.with_name(path.name.removesuffix(".open"))
    shutil.move(other, closed)
    closed_content = closed.read_bytes()
    found = {result.file: result for result in salvage(tmp_path)}
    second = path.with_name(closed.name.removesuffix(".warc.gz") + "-2.warc.gz")
    assert found.keys() == {closed.name, second.name}
    assert (closed.read_bytes(), second.read_bytes()) == (closed_content, open_content)
    for warc in (closed, second):
        assert not verify_index(tmp_path / "indexes" / f"{warc.name}.cdxj", warc)


def test_what_was_cut_before_is_not_written_over(tmp_path: Path) -> None:
    path = abandoned(tmp_path, b"rest of today")
    earlier = tmp_path / "state" / f"{path.name.removesuffix('.open')}.cut"
    earlier.parent.mkdir()
    earlier.write_bytes(b"rest of yesterday")
    (result,) = salvage(tmp_path)
    assert earlier.read_bytes() == b"rest of yesterday"
    assert result.aside == f"{earlier}.2" and Path(result.aside).read_bytes() == b"rest of today"


@pytest.mark.parametrize("kind", ["link", "fifo", "folder"])
def test_what_is_no_file_is_neither_followed_nor_read(tmp_path: Path, kind: str) -> None:
    path = abandoned(tmp_path / "elsewhere")
    content = path.read_bytes()
    planted = tmp_path / "archive" / "planted.warc.gz.open"
    planted.parent.mkdir()
    if kind == "link":
        planted.symlink_to(path)
    elif kind == "fifo":
        os.mkfifo(planted)
    else:
        planted.mkdir()
    assert salvage(tmp_path) == []
    assert os.path.lexists(planted) and path.read_bytes() == content


def test_a_start_opens_none_of_the_closed_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a start costs does not grow with what is there: names are listed, files are neither opened nor asked for."""
    (tmp_path / "archive").mkdir()
    (tmp_path / "indexes").mkdir()
    names = [f"ARCH-{number}.warc.gz" for number in range(50)]
    for name in names:
        (tmp_path / "archive" / name).touch()
        (tmp_path / "indexes" / f"{name}.cdxj").touch()
    touched: list[str] = []

    def spied(real: Callable[..., Any], path: object, *rest: Any, **named: Any) -> Any:
        touched.append(str(path))
        return real(path, *rest, **named)

    for call in ("open", "stat", "lstat"):
        monkeypatch.setattr(os, call, partial(spied, getattr(os, call)))
    assert salvage(tmp_path) == []
    assert closed_segments(tmp_path, frozenset(names)) == []
    assert not [path for path in touched if "ARCH-" in path]


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
