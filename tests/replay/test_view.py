"""The folder of links: what pywb sees, and when it looks again."""

import os
from pathlib import Path

import pytest

from archiver.clock import ManualClock
from archiver.config import Places
from archiver.model import Access
from archiver.replay.view import View
from tests.replay.samples import places


def an_index(where: Places, access: Access, name: str) -> Path:
    path = where.indexes(access) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{access.value} {name}")
    return path


def seen(view: View, folder: str = "index/open") -> dict[str, str]:
    return {path.name: path.read_text() for path in (view.folder / folder).iterdir()}


def a_view(tmp_path: Path, *, public: bool = False) -> tuple[View, Places]:
    where = places(tmp_path / "out")
    return View(tmp_path / "view", where, ManualClock(), public=public), where


def test_files_of_all_classes_apart(tmp_path: Path) -> None:
    view, where = a_view(tmp_path)
    assert seen(view) == {}
    for access in Access:
        an_index(where, access, "same.cdxj")
    view.refresh()
    for access in Access:
        assert seen(view, f"index/{access.value}") == {"same.cdxj": f"{access.value} same.cdxj"}


def test_the_public_view_has_no_path_to_what_is_not_open(tmp_path: Path) -> None:
    view, where = a_view(tmp_path, public=True)
    for access in Access:
        an_index(where, access, "a.cdxj")
    view.refresh()
    for folder in ("index", "warcs"):
        assert [path.name for path in (view.folder / folder).iterdir()] == ["open"]


def test_rules_are_seen_when_they_come(tmp_path: Path) -> None:
    view, where = a_view(tmp_path, public=True)
    assert seen(view, "acl") == {"hidden.aclj": ""}
    (where.root / "acl").mkdir(parents=True)
    (where.root / "acl" / "access-rules.aclj").write_text("rules")
    view.refresh()
    (where.root / "acl" / "hidden.aclj").write_text("made anew from the ledger, never linked")
    view.refresh()
    assert seen(view, "acl") == {"access-rules.aclj": "rules", "hidden.aclj": ""}


def test_half_written_files_are_not_seen(tmp_path: Path) -> None:
    view, where = a_view(tmp_path)
    for name in ("a.cdxj.tmp", "a.warc.gz.open", "a.cdxj.idx", "notes.txt"):
        an_index(where, Access.OPEN, name)
    view.refresh()
    assert seen(view) == {}


def test_each_change_gives_the_folder_a_time_it_never_had(tmp_path: Path) -> None:
    """pywb compares times in whole seconds: two files within one second must not look like one."""
    view, where = a_view(tmp_path)
    times = [(view.folder / "index" / "open").stat().st_mtime]
    for number in range(4):
        an_index(where, Access.OPEN, f"{number}.cdxj")
        view.refresh()
        times.append((view.folder / "index" / "open").stat().st_mtime)
    assert len({int(time) for time in times}) == 5
    assert len(seen(view)) == 4


def test_what_is_gone_is_gone(tmp_path: Path) -> None:
    view, where = a_view(tmp_path)
    path = an_index(where, Access.OPEN, "a.cdxj")
    view.refresh()
    path.unlink()
    view.refresh()
    assert seen(view) == {}


def test_a_folder_changed_just_now_is_listed_again_though_its_time_is_the_same(tmp_path: Path) -> None:
    """Coarse clocks: a second file may come without the folder's time changing."""
    view, where = a_view(tmp_path)
    folder = an_index(where, Access.OPEN, "a.cdxj").parent
    now = int(ManualClock().now().timestamp())
    os.utime(folder, (now, now))
    view.refresh()
    an_index(where, Access.OPEN, "b.cdxj")
    os.utime(folder, (now, now))
    view.refresh()
    assert len(seen(view)) == 2


def test_a_settled_folder_is_not_listed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    view, where = a_view(tmp_path)
    folder = an_index(where, Access.OPEN, "a.cdxj").parent
    os.utime(folder, (1, 1))
    view.refresh()
    listed: list[object] = []
    real = os.listdir
    monkeypatch.setattr(os, "listdir", lambda path: listed.append(path) or real(path))
    view.refresh()
    assert folder not in listed


def test_paths_with_signs_that_pywb_would_read_as_patterns(tmp_path: Path) -> None:
    where = places(tmp_path / "a*{b}[c]")
    an_index(where, Access.OPEN, "a.cdxj")
    view = View(tmp_path / "view", where, ManualClock(), public=False)
    assert seen(view) == {"a.cdxj": "open a.cdxj"}
