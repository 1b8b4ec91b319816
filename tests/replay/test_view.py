"""The folder of links: what pywb sees, and when it looks again."""

import os
from datetime import timedelta
from pathlib import Path

import pytest

from archiver.clock import ManualClock, iso
from archiver.config import Places
from archiver.errors import LedgerError
from archiver.ledger.hides import write
from archiver.ledger.opens import JOB
from archiver.ledger.segments import JsonlLedger
from archiver.model import Access, Actor, LedgerEntry
from archiver.replay.hidden import write_rules
from archiver.replay.view import LOOK_SECONDS, View
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
        assert sorted(path.name for path in (view.folder / folder).iterdir()) == ["open", "opened"]
        assert list((view.folder / folder / "opened").iterdir()) == []


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


def a_line(path: str, offset: int) -> str:
    return f'test,site){path} 20261123120000 {{"url": "http://site.test{path}", "offset": "{offset}"}}\n'


LINES = {name: a_line(f"/{name}", offset) for name, offset in (("plain", 10), ("noindex", 20), ("expires", 30))}


def a_bounded_collection(tmp_path: Path, clock: ManualClock) -> Places:
    where = places(tmp_path / "out")
    index = an_index(where, Access.OPEN, "x.warc.gz.cdxj")
    index.write_text("".join(LINES.values()) + "broken line\n")
    later = clock.now() + timedelta(hours=1)
    said = {"/noindex": (20, {"listed": False}), "/expires": (30, {"expires": iso(later)})}
    rows = [
        LedgerEntry(
            event="outcome", url=f"http://site.test{path}", data={**more, "record": {"file": "x.warc.gz", "offset": at}}
        )
        for path, (at, more) in said.items()
    ]
    ledger = JsonlLedger(where.logs, clock, job="a" * 32, actor=Actor(name="t"))
    ledger.append_many(rows)
    ledger.close()
    return where


def names(view: View, folder: str) -> set[str]:
    text = "".join(seen(view, folder).values())
    return {name for name, line in LINES.items() if line in text}


def test_the_public_view_leaves_out_what_is_past_its_date_and_lists_what_may_be_listed(tmp_path: Path) -> None:
    clock = ManualClock()
    where = a_bounded_collection(tmp_path, clock)
    view = View(tmp_path / "view", where, clock, public=True)
    assert (names(view, "index/open"), names(view, "listed")) == (set(LINES), {"plain", "expires"})
    stamp = (view.folder / "index" / "open").stat().st_mtime
    clock.advance(3_600)
    view.refresh()
    assert (names(view, "index/open"), names(view, "listed")) == ({"plain", "noindex"}, {"plain"})
    assert "broken line\n" in seen(view)["x.warc.gz.cdxj"]
    assert (view.folder / "index" / "open").stat().st_mtime != stamp, "pywb looks again"
    assert (where.root / "acl" / "hidden.aclj").read_text() == (
        'test,site)/expires### - {"access": "exclude", "url": "http://site.test/expires"}\n'
    )


def test_the_owner_sees_what_is_past_its_date_and_unlisted(tmp_path: Path) -> None:
    clock = ManualClock()
    where = a_bounded_collection(tmp_path, clock)
    clock.advance(7_200)
    view = View(tmp_path / "view", where, clock, public=False)
    assert names(view, "index/open") == set(LINES)
    assert not (view.folder / "listed").exists()


def test_a_row_that_comes_while_the_view_is_open_binds(tmp_path: Path) -> None:
    clock = ManualClock()
    where = a_bounded_collection(tmp_path, clock)
    view = View(tmp_path / "view", where, clock, public=True)
    data = {"listed": False, "record": {"file": "y.warc.gz", "offset": 10}}
    ledger = JsonlLedger(where.logs, clock, job="b" * 32, actor=Actor(name="t"))
    ledger.append_many([LedgerEntry(event="outcome", url="http://site.test/plain", data=data)])
    an_index(where, Access.OPEN, "y.warc.gz.cdxj").write_text(LINES["plain"])
    view.refresh()
    assert LINES["plain"] in seen(view)["y.warc.gz.cdxj"]
    assert LINES["plain"] not in seen(view, "listed")["y.warc.gz.cdxj"]
    data = {"expires": iso(clock.now()), "record": {"file": "x.warc.gz", "offset": 10}}
    ledger.append_many([LedgerEntry(event="outcome", url="http://site.test/plain", data=data)])
    clock.advance(LOOK_SECONDS)
    view.refresh()
    assert LINES["plain"] not in seen(view)["x.warc.gz.cdxj"]
    ledger.close()


def test_rules_for_a_pywb_that_is_given_all_classes(tmp_path: Path) -> None:
    where, clock = places(tmp_path), ManualClock()
    ledger = JsonlLedger(where.logs, clock, job="a" * 32, actor=Actor(name="t"))
    for number, access in enumerate(("dark", "restricted", "dark")):
        data = {"access": access, "record": {"file": "x", "offset": number}}
        ledger.append_many([LedgerEntry(event="outcome", url=f"http://site.test/{number % 2}", data=data)])
    ledger.close()
    write_rules(where, clock)
    assert (where.root / "acl" / "all" / "access.aclj").read_text() == (
        'test,site)/1### - {"access": "block", "url": "http://site.test/1"}\n'
        'test,site)/0### - {"access": "exclude", "url": "http://site.test/0"}\n'
    )
    assert not (where.root / "acl" / "hidden.aclj").exists(), "beside the open indexes there is nothing to say"


def test_of_what_is_restricted_the_public_view_holds_the_opened_lines_alone(tmp_path: Path) -> None:
    view, where = a_view(tmp_path, public=True)
    for name in ("a.warc.gz", "b.warc.gz"):
        index = where.indexes(Access.RESTRICTED) / f"{name}.cdxj"
        index.parent.mkdir(parents=True, exist_ok=True)
        index.write_text("".join(f'org,e)/{offset} 20260101000000 {{"offset": "{offset}"}}\n' for offset in (0, 70, 7)))
    view.refresh()
    for folder in ("index/opened", "listed-opened", "warcs/opened"):
        assert list((view.folder / folder).iterdir()) == []

    def row(*offsets: int) -> LedgerEntry:
        data = {"target": "ab" * 16, "because": "x", "by": "Ann", "opened": {"a.warc.gz": list(offsets)}}
        return LedgerEntry(event="open", url="https://e.org/", data={**data, "key": "https://e.org/"})

    write(where.logs, ManualClock(), Actor(name="t"), [row(7)], JOB)
    view.refresh()
    line = 'org,e)/7 20260101000000 {"offset": "7"}\n'
    assert seen(view, "index/opened") == seen(view, "listed-opened") == {"a.warc.gz.cdxj": line}
    assert [path.name for path in (view.folder / "warcs/opened").iterdir()] == ["a.warc.gz"], "no way to b.warc.gz"
    assert seen(view) == {}, "it is not mixed with what is open by itself"
    view.refresh()
    assert seen(view, "index/opened") == {"a.warc.gz.cdxj": line}


def test_a_damaged_row_opens_nothing(tmp_path: Path) -> None:
    view, where = a_view(tmp_path, public=True)
    data = {"key": "k", "target": "ab" * 16, "because": "x", "by": "Ann", "opened": {"../a": [1], "a": [1]}}
    write(where.logs, ManualClock(), Actor(name="t"), [LedgerEntry(event="open", url="u", data=data)], JOB)
    view.refresh()
    assert [path.name for path in (view.folder / "warcs/opened").iterdir()] == ["a"]
    (segment,) = where.logs.iterdir()
    segment.write_bytes(segment.read_bytes()[:-20] + b"\n")
    with pytest.raises(LedgerError):
        a_second = View(tmp_path / "again", where, ManualClock(), public=True)
        a_second.refresh()


def test_what_was_judged_late_is_withheld_from_the_public_alone(tmp_path: Path) -> None:
    where, clock = places(tmp_path / "out"), ManualClock()
    an_index(where, Access.OPEN, "x.warc.gz.cdxj").write_text("".join(LINES.values()))
    ledger = JsonlLedger(where.logs, clock, job="a" * 32, actor=Actor(name="t"))
    for event, access in (("outcome", "open"), ("access", "dark")):
        data = {"access": access, "record": {"file": "x.warc.gz", "offset": 10}}
        ledger.append_many([LedgerEntry(event=event, url="http://site.test/plain", data=data)])
    ledger.close()
    public = View(tmp_path / "public", where, clock, public=True)
    owner = View(tmp_path / "owner", where, clock, public=False)
    assert (names(public, "index/open"), names(public, "listed")) == ({"noindex", "expires"},) * 2
    assert names(owner, "index/open") == set(LINES)
    rules = (where.root / "acl" / "hidden.aclj").read_text()
    assert rules == 'test,site)/plain### - {"access": "exclude", "url": "http://site.test/plain"}\n'
