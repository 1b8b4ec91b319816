"""Hides and their ends, in segments of their own, whatever else lies in the folder."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import jsonschema
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.clock import ManualClock, iso
from archiver.errors import LedgerError
from archiver.ledger.hides import segments, standing, write
from archiver.ledger.reader import read_rows, verify_folder
from archiver.ledger.segments import JsonlLedger
from archiver.model import Actor, LedgerEntry

WHO = Actor(name="ada", through="cli")
SCHEMA = orjson.loads((Path(__file__).resolve().parents[2] / "archiver/ledger/schema.json").read_bytes())


def entry(event: str, target: str, match: str = "url", **more: object) -> LedgerEntry:
    return LedgerEntry(event=event, data={"match": match, "target": target, "because": "asked to", **more})


@given(calls=st.lists(st.tuples(st.sampled_from(["hide", "unhide"]), st.sampled_from("abc")), max_size=8))
def test_the_last_word_on_a_target_counts(
    tmp_path_factory: pytest.TempPathFactory, calls: list[tuple[str, str]]
) -> None:
    logs, clock = tmp_path_factory.mktemp("logs"), ManualClock()
    for event, target in calls:
        write(logs, clock, WHO, [entry(event, target)])
        clock.advance(1)
    last = {target: event for event, target in calls}
    assert {hide.target for hide in standing(logs)} == {target for target, event in last.items() if event == "hide"}


def test_a_hide_says_who_why_and_how_long(tmp_path: Path) -> None:
    clock = ManualClock()
    end = clock.now() + timedelta(seconds=10)
    write(tmp_path, clock, WHO, [entry("hide", "https://a.test/", "prefix", until=end)])
    (hide,) = standing(tmp_path)
    assert (hide.match, hide.by, hide.because, hide.until) == ("prefix", "ada", "asked to", iso(end))
    assert hide.lasts(clock.now()) and not hide.lasts(end)


def test_its_segments_join_the_chain_and_follow_the_schema(tmp_path: Path) -> None:
    clock = ManualClock()
    crawl = JsonlLedger(tmp_path, clock, job="0123abcd", actor=WHO)
    crawl.append(LedgerEntry(event="run", data={}))
    write(tmp_path, clock, WHO, [entry("hide", "https://a.test/", until=None)])
    write(tmp_path, clock, WHO, [entry("unhide", "https://a.test/")])
    crawl.close()
    assert len(segments(tmp_path)) == 2 and verify_folder(tmp_path).ok
    body = {**SCHEMA["$defs"]["body"], "$defs": SCHEMA["$defs"]}
    for path in segments(tmp_path):
        for row in read_rows(path):
            jsonschema.validate(row.body, body)


def test_a_damaged_row_is_told_and_nothing_comes_back_by_it(tmp_path: Path) -> None:
    write(tmp_path, ManualClock(), WHO, [entry("hide", "https://a.test/")])
    (path,) = segments(tmp_path)
    path.write_bytes(path.read_bytes().replace(b'"seq"', b'"sep"'))
    with pytest.raises(LedgerError):
        standing(tmp_path)


def test_nothing_is_hidden_where_nothing_is(tmp_path: Path) -> None:
    assert standing(tmp_path / "absent") == ()
