"""The merged index: all lines, sorted, whatever came in which order, was left out, and wherever it was killed."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archiver.warc import merged
from archiver.warc.cdxj import merge
from archiver.warc.merged import LEVELS, RATIO, LeftOut, MergedIndex


def line(number: int, name: str = "a", offset: int = 0) -> bytes:
    text = f'test,site)/{number:07d} 20261123120000 {{"url":"http://site.test/{number:07d}",'
    return f'{text}"offset":"{offset}","filename":"{name}.warc.gz"}}\n'.encode()


class Folder:
    """A folder of WARC indexes and the merged one of them."""

    def __init__(self, root: Path) -> None:
        self.indexes = root / "indexes"
        self.indexes.mkdir(exist_ok=True)
        self.folder, self.state = self.indexes / "merged", root / "state" / "merged.json"

    def put(self, name: str, lines: Iterable[bytes]) -> None:
        (self.indexes / f"{name}.warc.gz.cdxj").write_bytes(merge(lines))

    def update(self, left_out: LeftOut = merged.NOTHING) -> int:
        """Bytes written."""
        index = MergedIndex(self.folder, self.state)
        levels = index.update(self.indexes, left_out)
        assert [one.size for one in levels] == [index.path(level).stat().st_size for level in range(LEVELS)]
        assert [one.sha256 for one in levels] == [merged._digest(index.path(level)) for level in range(LEVELS)]
        return index.written

    def levels(self) -> list[list[bytes]]:
        return [(self.folder / f"{level}.cdxj").read_bytes().splitlines(keepends=True) for level in range(LEVELS)]

    def all(self) -> list[bytes]:
        """Every line, sorted; each level is sorted, and no line stands twice."""
        levels = self.levels()
        assert all(lines == sorted(lines) for lines in levels)
        found = sorted(one for lines in levels for one in lines)
        assert len(found) == len(set(found))
        return found

    def fresh(self) -> list[bytes]:
        return sorted({one for path in self.indexes.glob("*.cdxj") for one in path.read_bytes().splitlines(True)})

    def names(self) -> list[str]:
        return sorted(os.listdir(self.folder))


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is tested here is order and content, not the disk."""
    monkeypatch.setattr(os, "fsync", lambda fd: None)
    monkeypatch.setattr(merged, "OPENING_SECONDS", 0)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


NAMES = sorted(f"{level}.cdxj" for level in range(LEVELS))


def test_nothing_gives_ten_empty_files(folder: Folder) -> None:
    folder.update()
    assert folder.names() == NAMES
    assert folder.all() == []


def test_indexes_come_in_one_after_the_other(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merged, "SMALLEST", 1000)
    for step in range(60):
        name = f"w{step:02d}"
        folder.put(name, [line(number, name) for number in range(step % 7, 40, 7)])
        folder.update()
        assert folder.all() == folder.fresh()
        assert folder.names() == NAMES
    assert folder.update() == 0, "nothing new: nothing written"


@settings(max_examples=25)
@given(st.lists(st.lists(st.integers(0, 50), max_size=30), max_size=12), st.integers(1, 4))
def test_any_batches_give_all_lines_once(
    tmp_path_factory: pytest.TempPathFactory, batches: list[list[int]], step: int
) -> None:
    folder = Folder(tmp_path_factory.mktemp("merged"))
    for number, batch in enumerate(batches):
        folder.put(f"w{number}", [line(one) for one in batch])
        if number % step == 0:
            folder.update()
    folder.update()
    assert folder.all() == folder.fresh()


def test_more_than_is_sorted_in_memory(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(merged, "RUN_BYTES", 500)
    for step in range(9):
        folder.put(f"w{step}", [line(number, f"w{step}") for number in range(step, 60, 5)])
    folder.update()
    assert folder.all() == folder.fresh()
    assert folder.names() == NAMES


def test_a_line_is_written_a_few_times_a_level(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Levels grow by RATIO, so each is written anew at most RATIO times before its lines move on."""
    monkeypatch.setattr(merged, "SMALLEST", 3_000)
    written = total = 0
    for step in range(200):
        name = f"w{step:03d}"
        lines = [line(step * 20 + number, name) for number in range(20)]
        folder.put(name, lines)
        total += sum(map(len, lines))
        written += folder.update()
    used = sum(1 for lines in folder.levels() if lines)
    assert used > 1
    assert written < total * RATIO * (used + 1)


class Killed(Exception):
    pass


def killed_at(count: int, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """From the `count`-th durable step on, nothing more happens; the number of steps that were asked for."""
    steps = 0

    def before(function: Callable[..., object]) -> Callable[..., object]:
        def step(*arguments: object, **more: object) -> object:
            nonlocal steps
            steps += 1
            if steps >= count:
                raise Killed
            return function(*arguments, **more)

        return step

    for target, name in [
        (os, "rename"),
        (merged, "write_atomic"),
        (merged, "sync_folder"),
        (merged, "_created"),
    ]:
        monkeypatch.setattr(target, name, before(getattr(target, name)))
    return lambda: steps


@pytest.mark.parametrize("rebuild", [False, True], ids=["one-more", "all-anew"])
def test_killed_at_every_step(tmp_path: Path, rebuild: bool) -> None:
    """F-05: a reader misses no line at any moment, and the next call gives what a fresh index would hold."""
    for count in range(1, 40):
        (root := tmp_path / str(count)).mkdir()
        folder = Folder(root)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(merged, "SMALLEST", 1000)
            for step in range(7):
                folder.put(f"w{step}", [line(number, f"w{step}") for number in range(step, 30, 3)])
                folder.update()
            before = set(folder.all())
            folder.put("new", [line(number, "new") for number in range(30)])
            left_out = LeftOut(mark="other") if rebuild else merged.NOTHING
            with pytest.MonkeyPatch.context() as inner:
                killed_at(count, inner)
                try:
                    folder.update(left_out)
                    done = True
                except Killed:
                    done = False
            assert before <= {one for lines in folder.levels() for one in lines}
            folder.update(left_out)
            assert folder.all() == folder.fresh()
            assert folder.names() == NAMES
        if done:
            return
    pytest.fail("never ran to its end")


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: folder.state.unlink(),
        lambda folder: folder.state.write_bytes(b'{"format"'),
        lambda folder: folder.state.write_bytes(b"[]"),
        lambda folder: (folder.folder / "0.cdxj").write_bytes(b"cut"),
        lambda folder: (folder.folder / "0.cdxj").unlink(),
        lambda folder: (folder.folder / "5.cdxj").unlink(),
        lambda folder: (folder.folder / "5.cdxj").write_bytes(line(999)),
        lambda folder: (folder.folder / "0.next").write_bytes(b"begun"),
        lambda folder: (folder.folder / "run-0.tmp").write_bytes(b"begun"),
    ],
    ids=["no-state", "cut-state", "odd-state", "other-size", "gone", "empty-gone", "not-empty", "next", "run"],
)
def test_what_does_not_fit_is_made_anew(folder: Folder, damage: Callable[[Folder], object]) -> None:
    folder.put("a", [line(number) for number in range(9)])
    folder.update()
    damage(folder)
    folder.put("b", [line(number, "b") for number in range(4)])
    folder.update()
    assert folder.all() == folder.fresh()
    assert folder.names() == NAMES


def test_what_is_left_out_comes_back(folder: Folder) -> None:
    folder.put("a", [line(number, "a", offset=number * 10) for number in range(9)])
    folder.put("b", [line(number, "b", offset=number * 10) for number in range(9)])
    hidden = LeftOut(mark="one hide", hides=lambda name, text: name.startswith("a") and b"0000003 " in text)
    single = LeftOut(offsets={"b.warc.gz.cdxj": frozenset({40})})

    folder.update(hidden)
    assert set(folder.fresh()) - set(folder.all()) == {line(3, "a", 30)}
    folder.update(single)
    assert set(folder.fresh()) - set(folder.all()) == {line(4, "b", 40)}
    assert folder.update(single) == 0
    folder.put("c", [line(1, "c")])
    assert folder.update(single) > 0
    assert set(folder.fresh()) - set(folder.all()) == {line(4, "b", 40)}
    folder.update()
    assert folder.all() == folder.fresh()


def test_offsets_of_an_index_that_comes_later_do_not_begin_all_anew(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merged, "SMALLEST", 500)
    folder.put("a", [line(number, "a") for number in range(90)])
    later = LeftOut(offsets={"b.warc.gz.cdxj": frozenset({7})})
    folder.update(later)
    folder.put("b", [line(1, "b", offset=7), line(2, "b", offset=8)])
    assert folder.update(later) == len(line(2, "b", offset=8))
    assert line(1, "b", offset=7) not in folder.all()


def test_an_index_that_went_away_stays_merged(folder: Folder) -> None:
    folder.put("a", [line(1, "a")])
    folder.update()
    (folder.indexes / "a.warc.gz.cdxj").unlink()
    folder.put("b", [line(2, "b")])
    folder.update()
    assert folder.all() == [line(1, "a"), line(2, "b")]


def test_a_last_line_without_an_end_gets_one(folder: Folder) -> None:
    (folder.indexes / "a.warc.gz.cdxj").write_bytes(line(1) + line(2)[:-1])
    folder.update()
    assert folder.all() == [line(1), line(2)]


@pytest.mark.parametrize(("text", "offset"), [(line(1, offset=77), 77), (b"no line\n", -1), (b"a b {}\n", -1)])
def test_offset_of(text: bytes, offset: int) -> None:
    assert merged.offset_of(text) == offset
