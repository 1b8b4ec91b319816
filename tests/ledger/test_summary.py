"""The ledger as a whole: told at once or as it grows, the same; jobs that went on are counted once."""

import json
from pathlib import Path
from typing import Any

import pytest

from archiver.clock import ManualClock
from archiver.ledger import summary
from archiver.ledger.hides import write
from archiver.ledger.reader import last_head, segment_paths
from archiver.ledger.segments import JsonlLedger
from archiver.ledger.summary import Summary, summarised
from archiver.model import Actor, LedgerEntry
from tests.ledger.conftest import Open, decision

WHO = Actor(name="Ann")


def run(title: str = "", policy: str = "strict", operator: str = "", contact: str = "a@b.example") -> LedgerEntry:
    document = {
        "job": {"title": title, "description": "", "collection": "main"},
        "basis": {"operator": operator, "legal_basis": ""},
        "identity": {"contact": contact},
    }
    data = {
        "software": {"archiver": "1.2"},
        "policy": {"name": policy, "version": 1, "sha256": "ab" * 32},
        "config": {"sha256": "cd" * 32, "document": document},
    }
    return LedgerEntry(event="run", data=data)


def end(stopped: str | None = None, **frontier: int) -> LedgerEntry:
    return LedgerEntry(event="end", data={"stopped": stopped, "counts": {}, "frontier": frontier})


def one(logs: Path, clock: ManualClock, job: str, *entries: LedgerEntry) -> None:
    """A process that writes these rows, and ends."""
    ledger = JsonlLedger(logs, clock, job=job, actor=WHO, previous=last_head(logs))
    ledger.append_many(entries)
    ledger.close()
    clock.advance(60)


def test_nothing_was_written(logs: Path) -> None:
    logs.mkdir()
    assert summarised(logs, Summary()) == Summary()


def test_runs_policies_operator_counts_and_heads(logs: Path, clock: ManualClock) -> None:
    one(logs, clock, "j1", run(title="Old", operator="City"), decision("/"), end(fetched=3, refused=1))
    one(logs, clock, "j2", run(policy="research"), end("timeLimit", fetched=2))
    told = summarised(logs, Summary())
    assert (told.runs, told.counts) == (2, {"fetched": 5, "refused": 1})
    assert told.policies == {"strict": ["ab" * 32], "research": ["ab" * 32]}
    assert told.about == {"title": "Old", "operator": "a@b.example", "software": "archiver/1.2"}
    assert [(row["job"], row["stopped"], row["counts"]["fetched"]) for row in told.latest] == [
        ("j1", None, 3),
        ("j2", "timeLimit", 2),
    ]
    assert told.first < told.last and all(row["ended"] >= row["started"] for row in told.latest)
    head = last_head(logs)
    assert head is not None
    assert told.heads == {head.file: head.hash}


def test_a_job_that_went_on_is_counted_once(logs: Path, clock: ManualClock) -> None:
    one(logs, clock, "j1", run(), end("interrupted", fetched=3, pending=7))
    one(logs, clock, "j1", run(), end(fetched=10, pending=0))
    told = summarised(logs, Summary())
    assert (told.runs, told.counts) == (2, {"fetched": 10, "pending": 0})


def test_as_it_grows_it_tells_the_same(logs: Path, clock: ManualClock) -> None:
    kept: dict[str, Any] = {}
    for number in range(4):
        one(logs, clock, f"j{number}", run(title=f"T{number}"), end(fetched=number))
        write(logs, clock, WHO, [LedgerEntry(event="hide", data={"match": "url", "target": "x", "because": "y"})])
        clock.advance(1)
        told = summarised(logs, Summary.of(kept))
        kept = json.loads(json.dumps(told.as_json()))
        assert Summary.of(kept).as_json() == summarised(logs, Summary()).as_json()
    assert (told.runs, told.about["title"], len(told.read)) == (4, "T3", 8)


def test_two_processes_have_two_ends(open_ledger: Open, logs: Path, clock: ManualClock) -> None:
    first, second = open_ledger("aaaaaaaa"), open_ledger("bbbbbbbb")
    first.append(run())
    second.append(run())
    assert sorted(summarised(logs, Summary()).heads.values()) == sorted((first.head, second.head))


def test_what_lies_in_the_store_is_told_of_what_was_read_just_now(logs: Path, clock: ManualClock) -> None:
    stored = [
        LedgerEntry(event="stored", data={"uri": uri, "sha256": "ab" * 32, "size": 1})
        for uri in ("file:///srv/a%20b/x.warc.gz", "s3://bucket/x.warc.gz")
    ]
    one(logs, clock, "j1", run(), *stored)
    told = summarised(logs, Summary())
    assert told.stored == {"/srv/a b/x.warc.gz": "ab" * 32}
    assert summarised(logs, Summary.of(told.as_json())).stored == {}


def test_a_segment_that_shrank_or_went_away_begins_it_anew(logs: Path, clock: ManualClock) -> None:
    one(logs, clock, "j1", run(), end(fetched=1))
    one(logs, clock, "j2", run(), end(fetched=2))
    told = summarised(logs, Summary())
    segment_paths(logs)[0].unlink()
    assert summarised(logs, told).counts == {"fetched": 2}
    path = segment_paths(logs)[0]
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    assert summarised(logs, Summary.of(told.as_json())).counts == {}


def test_an_unfinished_row_is_read_when_it_is_whole(logs: Path, clock: ManualClock) -> None:
    one(logs, clock, "j1", run(), end(fetched=1))
    path = segment_paths(logs)[0]
    whole = path.read_bytes()
    path.write_bytes(whole[:-9])
    told = summarised(logs, Summary())
    assert told.counts == {} and told.runs == 1
    path.write_bytes(whole)
    assert summarised(logs, told).counts == {"fetched": 1}


def test_the_last_runs_are_told_one_by_one(logs: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(summary, "LATEST", 2)
    for number in range(4):
        one(logs, clock, f"j{number}", run(), end(fetched=1))
    told = summarised(logs, Summary())
    assert (told.runs, told.counts, [row["job"] for row in told.latest]) == (4, {"fetched": 4}, ["j2", "j3"])


@pytest.mark.parametrize("said", [None, [], {"unknown": 1}, "x"], ids=["none", "list", "unknown", "text"])
def test_a_state_that_is_none(said: object) -> None:
    assert Summary.of(said) == Summary()


def test_damaged_rows_are_passed_over(logs: Path, clock: ManualClock) -> None:
    one(logs, clock, "j1", run(), end(fetched=1))
    path = segment_paths(logs)[0]
    path.write_bytes(
        b'{"body": "{\\"event\\":\\"run\\""}\n{"body": 5, "x": "\\"event\\":\\"end\\""}\nno row\n' + path.read_bytes()
    )
    assert summarised(logs, Summary()).counts == {"fetched": 1}
