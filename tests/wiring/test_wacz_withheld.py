"""What names a hidden URL, and which rows, records and pages stay out."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from archiver.clock import ManualClock
from archiver.config import Places
from archiver.ledger.hides import write
from archiver.ledger.segments import JsonlLedger
from archiver.model import Access, Actor, LedgerEntry
from archiver.wiring.wacz_withheld import job8, withheld

ACTOR = Actor(name="a", through="cli")
JOB = "0123456789abcdef"
FILE = "ARCH-20261123120000000-00000-01234567-host.warc.gz"
NOW = datetime(2026, 11, 23, tzinfo=UTC)
HIDDEN = "http://example.org/patient/7"


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(out=tmp_path, name="main", hosts=tmp_path / "hosts").create()


def hide(places: Places, match: str, target: str, **data: Any) -> None:
    write(places.logs, ManualClock(), ACTOR, [LedgerEntry(event="hide", url=target, data={
        "match": match, "target": target, "because": "x", "until": None, **data})])  # fmt: skip


def rows(places: Places, *entries: LedgerEntry) -> None:
    ledger = JsonlLedger(places.logs, ManualClock(), job=JOB, actor=ACTOR)
    ledger.append_many(entries)
    ledger.close()


def outcome(url: str, offset: int, **data: Any) -> LedgerEntry:
    record = {"file": FILE, "offset": offset}
    return LedgerEntry(event="outcome", url=url, data={"key": url, "record": record, **data})


@pytest.mark.parametrize(
    ("value", "names"),
    [
        (HIDDEN, True),
        ("https://www.example.org/patient/7", True),
        ("http://example.org:80/patient/./7#top", True),
        ("http://example.org/patient/70", False),
        ({"via": {"deep": [1, None, f"see {HIDDEN}, please"]}}, True),
        ({HIDDEN: 1}, True),
        (f"urn:policy:{HIDDEN}", True),
        (f"https://web.example/save/{HIDDEN}", True),
        (f'Referer: {HIDDEN}\r\n{{"url":"{HIDDEN}"}}', True),
        ("no address at all", False),
        (7, False),
    ],
    ids=["itself", "spelling", "not canonical", "longer", "deep", "key", "urn", "inside", "text", "none", "number"],
)
def test_what_names_a_hidden_url(places: Places, value: object, names: bool) -> None:
    hide(places, "url", HIDDEN)
    found = withheld(places, NOW)
    assert found.names_hidden(value) is names
    assert found.row({"event": "decision", "job": "j", "said": value}) is names


def test_nothing_is_withheld_where_nothing_was_said(places: Places) -> None:
    found = withheld(places, NOW)
    assert not found.anything and not found.touches(FILE)
    assert found.why(FILE, 0, Access.OPEN, HIDDEN, "2026-11-23T12:00:00Z") == ""
    assert found.why(FILE, 0, Access.DARK, HIDDEN, "2026-11-23T12:00:00Z") == "dark"


def test_a_hidden_capture_is_its_time_and_urls_in_its_files(places: Places) -> None:
    lines = {"files": [FILE], "urls": [HIDDEN], "first": "20261123120000", "last": "20261123120005"}
    hide(places, "capture", "c" * 32, capture=lines)
    found = withheld(places, NOW)

    def why(date: str, file: str = FILE, url: str = HIDDEN) -> str:
        return found.why(file, 0, Access.OPEN, url, date)

    assert why("2026-11-23T12:00:05.999Z") == why("20261123120000") == "hidden"
    assert why("20261123120003", url=f"urn:policy:{HIDDEN}") == "hidden"
    assert why("2026-11-23T12:00:06Z") == why("20261123120003", file="other") == ""
    assert found.row({"event": "visit", "capture_id": "c" * 32}) and found.page({"id": "c" * 32})
    assert not found.row({"event": "decision", "url": HIDDEN}), "its URL is no secret"
    assert found.touches(FILE) and found.touches(FILE.replace("-00000-", "-00001-")), "revisits may lie further on"


def test_a_late_verdict_and_a_date_bind_the_record_and_its_rows(places: Places) -> None:
    rows(
        places,
        outcome("http://a.test/", 1, access="open"),
        outcome("http://b.test/", 2, access="open", expires="2026-11-22T00:00:00.000Z"),
        outcome("http://c.test/", 3, access="open", expires="2026-12-22T00:00:00.000Z"),
        LedgerEntry(event="access", url="http://d.test/", data={
            "access": "dark", "record": {"file": FILE, "offset": 4}}),
    )  # fmt: skip
    found = withheld(places, NOW)
    whys = [found.why(FILE, offset, Access.OPEN, "http://x.test/", "20261123120000") for offset in (1, 2, 3, 4)]
    assert whys == ["", "expired", "", "dark"]
    out = [host for host in "abcd" if found.row({"event": "decision", "job": JOB, "url": f"http://{host}.test/"})]
    assert out == ["b", "d"]
    assert not found.row({"event": "decision", "job": "another", "url": "http://b.test/"})
    assert not found.row({"event": "seed", "job": JOB, "url": "http://a.test/", "via": "http://b.test/"}), "a mention"


def test_rows_that_join_the_chain_stay(places: Places) -> None:
    hide(places, "url", HIDDEN)
    assert not withheld(places, NOW).row({"event": "segment", "note": HIDDEN})


def test_a_job_is_read_off_a_files_name() -> None:
    assert job8(FILE) == "01234567" and job8("rec-20261123-host.warc.gz") == ""
