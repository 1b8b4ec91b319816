"""What outcome rows say about showing a record: found by their bytes, read on from where a segment ended."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from archiver.clock import ManualClock
from archiver.ledger.bounds import Bound, Bounds
from archiver.ledger.segments import JsonlLedger
from archiver.model import Actor, LedgerEntry

URL = "https://a.test/p"


def outcome(offset: int = 10, **said: Any) -> LedgerEntry:
    record = {"file": "x.warc.gz", "offset": offset, "length": 1, "record_id": "urn:uuid:1"}
    return LedgerEntry(event="outcome", url=URL, data={"kind": "document", "record": record, "access": "open", **said})


def write(logs: Path, *entries: LedgerEntry, job: str = "a" * 32) -> JsonlLedger:
    ledger = JsonlLedger(logs, ManualClock(), job=job, actor=Actor(name="t"))
    ledger.append_many(entries)
    return ledger


@pytest.mark.parametrize(
    ("said", "bound"),
    [
        ({}, None),
        ({"listed": True}, None),
        ({"listed": False}, Bound(URL, "", False, "open")),
        ({"expires": "2030-01-01T00:00:00.000Z"}, Bound(URL, "2030-01-01T00:00:00.000Z", True, "open")),
        ({"access": "dark"}, Bound(URL, "", True, "dark")),
        ({"access": "restricted", "listed": False}, Bound(URL, "", False, "restricted")),
        ({"rule": '"access":"dark" "listed":false "expires":"2030'}, None),
    ],
    ids=["nothing", "listed", "unlisted", "expires", "dark", "restricted", "words-in-a-rule"],
)
def test_a_row_and_what_it_says(tmp_path: Path, said: dict[str, Any], bound: Bound | None) -> None:
    write(tmp_path, outcome(**said)).close()
    bounds = Bounds(tmp_path)
    bounds.refresh()
    found = bounds.by_file.get("x.warc.gz", {}).get(10)
    if bound is None:
        assert found is None or (found.listed and not found.expires and found.access == "open")
    else:
        assert found == bound


def test_rows_are_taken_as_they_come(tmp_path: Path) -> None:
    bounds = Bounds(tmp_path)
    assert not bounds.refresh() and list(bounds.all()) == []
    ledger = write(tmp_path, outcome(1, listed=False))
    assert bounds.refresh() and not bounds.refresh()
    ledger.append_many([outcome(2), outcome(3, listed=False)])
    assert bounds.refresh()
    assert set(bounds.by_file["x.warc.gz"]) == {1, 3}
    write(tmp_path, outcome(4, access="dark"), job="b" * 32).close()
    assert bounds.refresh() and set(bounds.by_file["x.warc.gz"]) == {1, 3, 4}
    ledger.close()


def test_an_unfinished_row_waits_for_its_end_and_a_damaged_one_is_passed_over(tmp_path: Path) -> None:
    write(tmp_path, outcome(1, listed=False), outcome(2, listed=False)).close()
    (path,) = tmp_path.glob("*.jsonl")
    whole = path.read_bytes()
    path.write_bytes(whole[:-9])
    bounds = Bounds(tmp_path)
    assert bounds.refresh() and set(bounds.by_file["x.warc.gz"]) == {1}
    path.write_bytes(whole + b'{"body": "{\\"listed\\":false"}\n' + b'\\"listed\\":false\n')
    assert bounds.refresh() and set(bounds.by_file["x.warc.gz"]) == {1, 2}


@pytest.mark.parametrize("change", ["shorter", "gone"])
def test_a_segment_that_went_back_is_read_anew(tmp_path: Path, change: str) -> None:
    write(tmp_path, outcome(1, listed=False), outcome(2, listed=False)).close()
    (path,) = tmp_path.glob("*.jsonl")
    bounds = Bounds(tmp_path)
    bounds.refresh()
    if change == "gone":
        path.unlink()
    else:
        lines = path.read_bytes().splitlines(keepends=True)
        path.write_bytes(b"".join(line for line in lines if b'\\"offset\\":2' not in line))
    assert bounds.refresh()
    assert set(bounds.by_file.get("x.warc.gz", {})) == ({1} if change == "shorter" else set())


def test_expired_from_its_moment_on() -> None:
    bound = Bound(URL, "2030-01-01T00:00:00.000Z", True, "open")
    assert not bound.expired("2029-12-31T23:59:59.999Z") and bound.expired("2030-01-01T00:00:00.000Z")
    assert not Bound(URL, "", True, "open").expired("9999-01-01T00:00:00.000Z")


def test_an_erased_row_says_nothing(tmp_path: Path) -> None:
    write(tmp_path, outcome(1, listed=False)).close()
    (path,) = tmp_path.glob("*.jsonl")
    rows = [orjson.loads(line) | {"body": None, "salt": None} for line in path.read_bytes().splitlines()]
    path.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    bounds = Bounds(tmp_path)
    bounds.refresh()
    assert list(bounds.all()) == []


@pytest.mark.parametrize("access", ["open", "restricted", "dark"])
def test_of_one_record_the_latest_word_holds(tmp_path: Path, access: str) -> None:
    data = outcome().data | {"access": access, "target": f"urn:view:{URL}"}
    write(tmp_path, outcome(listed=False), LedgerEntry(event="access", url=URL, data=data)).close()
    bounds = Bounds(tmp_path)
    bounds.refresh()
    found = bounds.by_file["x.warc.gz"].get(10)
    if access == "open":
        assert found == Bound(URL, "", False, "open"), "a row that says nothing of it changes nothing"
    else:
        assert found == Bound(f"urn:view:{URL}", "", True, access, late=True) and found.withheld


def test_what_lies_in_a_file_of_its_class_is_not_withheld_from_it() -> None:
    assert not Bound(URL, "", True, "restricted").withheld and not Bound(URL, "", True, "open", late=True).withheld


def test_what_was_found_is_kept_and_read_on(tmp_path: Path) -> None:
    ledger = write(tmp_path, outcome(10, listed=False))
    first = Bounds(tmp_path)
    first.refresh()
    kept = orjson.loads(orjson.dumps(first.as_json()))
    ledger.append(outcome(20, access="dark"))
    ledger.close()
    second, whole = Bounds(tmp_path), Bounds(tmp_path)
    second.restore(kept)
    assert second.by_file == first.by_file
    assert second.refresh() and whole.refresh()
    assert second.by_file == whole.by_file and len(second.by_file["x.warc.gz"]) == 2
    assert second.as_json() == whole.as_json()


@pytest.mark.parametrize(
    "said", [{}, [], None, {"read": {}, "found": {"x": [[1]]}}, {"read": {"a": "b"}, "found": {}}],
    ids=["empty", "list", "none", "short", "no-number"],
)  # fmt: skip
def test_what_cannot_be_restored_is_read_anew(tmp_path: Path, said: object) -> None:
    write(tmp_path, outcome(10, listed=False)).close()
    bounds = Bounds(tmp_path)
    bounds.restore(said)
    bounds.refresh()
    assert not bounds.by_file["x.warc.gz"][10].listed
