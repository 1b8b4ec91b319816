"""A count that does not hold is found, whatever hides it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from archiver.ledger.index import LedgerIndex
from archiver.ledger.report_check import STATES, Recount
from archiver.model import LedgerEntry
from tests.ledger.conftest import SITE, Open, decision, story, visit

JOB = "0123456789abcdef"
Told = Callable[..., list[str]]


@pytest.fixture
def told(tmp_path: Path, logs: Path, open_ledger: Open) -> Told:
    """Write entries, index and recount them; `spoil` may change the index in between."""

    def faults(*entries: LedgerEntry, spoil: str = "") -> list[str]:
        ledger = open_ledger(JOB)
        ledger.append_many(entries)
        ledger.close()
        with LedgerIndex(tmp_path / "index.sqlite", logs) as index:
            index.refresh()
            if spoil:
                index._db.execute(spoil)
            recount = Recount(has_fate=lambda key: index.has_fate(key, JOB))
            for body in bodies(logs):
                recount.row(body)
            assert sum(1 for _ in recount.watched(index.fates(JOB))) == sum(recount.totals.values())
            counts = index.counts(job=JOB)
            return recount.faults({name: getattr(counts, name) for name in ("discovered", *STATES)})

    return faults


def bodies(logs: Path) -> list[dict[str, Any]]:
    from archiver.ledger.reader import read_rows, segment_paths

    return [row.body for path in segment_paths(logs) for row in read_rows(path) if row.body is not None]


def test_a_whole_story_holds(told: Told) -> None:
    assert told(*story()) == []


@pytest.mark.parametrize("state", ["fetched", "refused", "failed"])
def test_a_fate_that_the_rows_do_not_tell(told: Told, state: str) -> None:
    (fault, *_) = told(*story(), spoil=f"UPDATE states SET state = 'pending' WHERE state = '{state}'")
    assert fault.endswith(f"was counted as pending; its rows say {state}")


def test_a_url_that_is_not_counted(told: Told) -> None:
    faults = told(*story(), spoil="DELETE FROM states WHERE state = 'failed'")
    assert faults == ["rows about URLs that belong to no URL counted: 2"]


def test_a_missing_file_without_a_row(told: Told) -> None:
    gap = {"url": f"{SITE}/x.png#a", "type": "image", "reason": "requisiteLimit"}
    (fault,) = told(*story(), visit("/", "c3", matter=[gap]))
    assert fault == f"{SITE}/x.png is named by the visit of {SITE}/ and has no row of its own"
    assert told(decision("/x.png", "refuse", "requisiteLimit")) == [], "now it has"


def test_what_is_no_web_page_is_not_counted(told: Told) -> None:
    assert told(*story(), visit("/", "c3", matter=[{"url": "mailto:a@b.example", "reason": "unsupportedScheme"}])) == []


def test_where_a_visit_ended_has_a_row(told: Told) -> None:
    (fault,) = told(*story(), visit("/", "c3", final_url=f"{SITE}/landed"))
    assert "/landed is named by" in fault


def test_a_script_may_rename_its_page(told: Told) -> None:
    assert told(*story(), visit("/", "c3", lane="browser", final_url=f"{SITE}/pushed")) == []


def test_many_faults_are_counted_and_few_are_told(told: Told) -> None:
    gaps = [{"url": f"{SITE}/{number}.png", "reason": "failed"} for number in range(20)]
    faults = told(*story(), visit("/", "c3", matter=gaps))
    assert len(faults) == 6
    assert faults[-1] == "and 15 more (fate)"


def test_new_links_without_rows(told: Told) -> None:
    (fault,) = told(*story(), visit("/", "c3", discovered=3))
    assert fault == "visits found 3 new URLs; 1 have a row"


def test_a_frontier_that_knew_more(told: Told) -> None:
    end = LedgerEntry(event="end", data={"stopped": None, "frontier": {"discovered": 50}})
    (fault,) = told(*story(), end)
    assert fault == "the frontier ended with 50 URLs; the rows know 4"
