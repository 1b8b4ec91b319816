"""Hides in pywb's terms: which keys its rules exclude, which index lines are left out, and when they end."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.clock import ManualClock
from archiver.ledger.hides import Hide, Match, standing, write
from archiver.model import Access, Actor, LedgerEntry
from archiver.replay.hidden import Hides, hides_lines, rules, without, write_rules
from archiver.replay.layout import HIDDEN_RULES, acl_folder
from archiver.replay.view import View
from archiver.warc.surt import surt
from tests.replay.samples import places

WHO = Actor(name="ada", through="test")
SITE = "http://site.test"


def a_hide(match: Match, target: str, **more: Any) -> Hide:
    return Hide(match=match, target=target, because="asked to", by="ada", t="2026-11-23T12:00:00.000Z", **more)


def say(logs: Path, clock: ManualClock, event: str, match: str, target: str, **more: Any) -> None:
    data = {"match": match, "target": target, "because": "asked to", **more}
    write(logs, clock, WHO, [LedgerEntry(event=event, data=data)])
    clock.advance(1)


def excluded(text: str, url: str) -> bool:
    """As pywb looks for a rule: the first line, from the top, whose key is the URL's or its beginning."""
    key = surt(url)
    keys = [line.split(" ", 1)[0] for line in text.splitlines()]
    return any(one == f"{key}###" or key.startswith(one) for one in keys)


@pytest.mark.parametrize(
    ("match", "target", "inside", "outside"),
    [
        ("url", "/a", ["/a", "/a/"], ["/", "/ab", "/a/b", "/a?b"]),
        ("url", "/", ["/"], ["/a"]),
        ("prefix", "/a/", ["/a/", "/a/b", "/a/?b", "/a/b/c?d"], ["/", "/ab", "/b"]),
        ("prefix", "/a", ["/a", "/ab", "/a/b", "/a?b"], ["/", "/b"]),
        ("prefix", "/", ["/", "/a", "/?b"], []),
        ("capture", "/a", [], ["/a"]),
    ],
)
def test_rules(match: Match, target: str, inside: list[str], outside: list[str]) -> None:
    text = rules([a_hide(match, SITE + target)])
    assert [path for path in inside + outside if excluded(text, SITE + path)] == inside
    assert not excluded(text, f"http://other.test{target}")
    assert all(json.loads(line.split(" - ", 1)[1])["access"] == "exclude" for line in text.splitlines())


@given(st.lists(st.sampled_from(["/", "/a", "/a/", "/b/c", "/B", "/~"]), max_size=6))
def test_rules_are_sorted_backwards_and_each_stands_once(paths: list[str]) -> None:
    lines = rules([a_hide("prefix", SITE + path) for path in paths]).splitlines()
    assert lines == sorted(set(lines), reverse=True)


def test_what_stands_is_what_was_not_taken_back_and_has_not_ended(tmp_path: Path) -> None:
    clock = ManualClock()
    hides = Hides(tmp_path / "logs", clock)
    assert hides.now() == ()
    say(tmp_path / "logs", clock, "hide", "url", f"{SITE}/a")
    say(tmp_path / "logs", clock, "hide", "prefix", f"{SITE}/b/", until=clock.now() + timedelta(hours=1))
    assert [hide.target for hide in hides.now()] == [f"{SITE}/a", f"{SITE}/b/"]
    assert {hide.by for hide in hides.now()} == {"ada"}
    clock.advance(3600)
    assert [hide.target for hide in hides.now()] == [f"{SITE}/a"]
    say(tmp_path / "logs", clock, "unhide", "url", f"{SITE}/a")
    assert hides.now() == ()
    assert [hide.target for hide in standing(tmp_path / "logs")] == [f"{SITE}/b/"]


def test_rules_in_the_collection_are_made_anew(tmp_path: Path) -> None:
    where, clock = places(tmp_path), ManualClock()
    path = acl_folder(where) / HIDDEN_RULES
    where.root.mkdir(parents=True)
    write_rules(where, clock)
    assert not path.parent.exists()
    say(where.logs, clock, "hide", "url", f"{SITE}/a")
    write_rules(where, clock)
    assert path.read_text() == rules([a_hide("url", f"{SITE}/a")])
    say(where.logs, clock, "unhide", "url", f"{SITE}/a")
    write_rules(where, clock)
    assert path.read_text() == ""


def line(path: str, stamp: int) -> str:
    return f'test,site){path} {stamp} {{"url": "{SITE}{path}"}}\n'


CAPTURE = {
    "files": ["x.warc.gz"],
    "urls": [f"{SITE}/a", f"{SITE}/moved"],
    "first": "20261123120000",
    "last": "20261123120003",
}
INDEX = [
    line("/a", 20261123115959), line("/a", 20261123120000), line("/a", 20261123120004), line("/b", 20261123120001),
    line("/moved", 20261123120003),
]  # fmt: skip


def test_the_lines_of_a_hidden_capture_are_left_out() -> None:
    kept = without("".join(INDEX), [a_hide("capture", "c1", capture=CAPTURE)])
    assert kept == INDEX[0] + INDEX[2] + INDEX[3]


@given(
    st.lists(st.tuples(st.sampled_from(["url", "prefix"]), st.sampled_from(["/", "/a", "/a/", "/b/c"])), max_size=3),
    st.sampled_from(["/", "/a", "/a/", "/ab", "/a/b", "/a?b", "/b", "/b/c", "/b/c/d"]),
)
def test_an_index_without_hidden_lines_shows_what_rules_do(hidden: list[tuple[Match, str]], path: str) -> None:
    hides = [a_hide(match, SITE + target) for match, target in hidden]
    text = f"{surt(SITE + path)} 20261123120000 {{}}\n".encode()
    assert hides_lines(hides)("x.warc.gz.cdxj", text) == excluded(rules(hides), SITE + path)


def test_the_lines_of_a_hidden_capture_are_those_of_its_file() -> None:
    is_hidden = hides_lines([a_hide("capture", "c1", capture=CAPTURE)])
    assert [text for text in INDEX if is_hidden("x.warc.gz.cdxj", text.encode())] == [
        text for text in INDEX if text not in without("".join(INDEX), [a_hide("capture", "c1", capture=CAPTURE)])
    ]
    assert not any(is_hidden("y.warc.gz.cdxj", text.encode()) for text in INDEX)


@pytest.mark.parametrize("public", [False, True])
def test_the_view_shows_a_cut_copy_until_it_is_taken_back(tmp_path: Path, public: bool) -> None:
    where, clock = places(tmp_path / "out"), ManualClock()
    for name in ("x.warc.gz.cdxj", "y.warc.gz.cdxj"):
        path = where.indexes(Access.OPEN) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(INDEX))
    view = View(tmp_path / "view", where, clock, public=public)
    shown = view.folder / "index" / "open"
    times = [int(shown.stat().st_mtime)]
    say(where.logs, clock, "hide", "capture", "c1", capture=CAPTURE)
    say(where.logs, clock, "hide", "url", f"{SITE}/b")
    view.refresh()
    times.append(int(shown.stat().st_mtime))
    assert (shown / "x.warc.gz.cdxj").read_text() == INDEX[0] + INDEX[2] + INDEX[3]
    assert (shown / "y.warc.gz.cdxj").read_text() == "".join(INDEX)
    assert (view.folder / "acl" / HIDDEN_RULES).read_text() == rules([a_hide("url", f"{SITE}/b")])
    say(where.logs, clock, "unhide", "capture", "c1")
    view.refresh()
    times.append(int(shown.stat().st_mtime))
    assert (shown / "x.warc.gz.cdxj").read_text() == "".join(INDEX)
    assert (where.indexes(Access.OPEN) / "x.warc.gz.cdxj").read_text() == "".join(INDEX)
    assert len(set(times)) == 3
