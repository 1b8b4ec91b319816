"""The view: captures, everything about one URL, counts; the same however and whenever it was built."""

import sqlite3
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archiver.clock import ManualClock, iso
from archiver.ledger import index as index_module
from archiver.ledger import tables
from archiver.ledger.chain import erase
from archiver.ledger.index import LedgerIndex
from archiver.ledger.reader import segment_paths
from archiver.ledger.segments import JsonlLedger
from archiver.model import Actor, LedgerEntry
from tests.ledger.conftest import RECORD, SITE, Open, captured, decision, failed, story, visit

OpenIndex = Callable[[], LedgerIndex]


@pytest.fixture
def open_index(tmp_path: Path, logs: Path) -> Iterator[OpenIndex]:
    opened = []

    def index() -> LedgerIndex:
        opened.append(LedgerIndex(tmp_path / "state/ledger-index.sqlite", logs, collection="demo"))
        return opened[-1]

    yield index
    for one in opened:
        one.close()


def everything(index: LedgerIndex) -> dict[str, Any]:
    """All that can be asked, for comparing two indexes."""
    states = ("fetched", "refused", "failed", "pending")
    urls = {state: list(index.urls(state)) for state in states}
    keys = sorted(key for found in urls.values() for key, _ in found)
    rows = {key: [(row.file, row.offset) for row in index.rows_for(key)] for key in keys}
    return {"counts": index.counts(), "urls": urls, "captures": list(index.captures(hidden=True)), "rows": rows}


def test_counts_are_of_distinct_urls_and_add_up(open_ledger: Open, open_index: OpenIndex) -> None:
    ledger = open_ledger()
    ledger.append_many(story())
    ledger.append_many(story())
    counts = open_index().counts()
    assert (counts.fetched, counts.refused, counts.failed, counts.pending) == (3, 2, 1, 3)
    assert counts.discovered == 9
    assert sum(counts.reasons.values()) == 9
    assert counts.reasons["refused", "robotsTxt"] == 1
    assert counts.reasons["fetched", "noarchive"] == 1
    assert counts.reasons["pending", ""] == 1


def test_what_was_fetched_stays_fetched_and_the_latest_word_decides_else(
    open_ledger: Open, open_index: OpenIndex, clock: ManualClock
) -> None:
    ledger, index = open_ledger(), open_index()
    steps: list[tuple[LedgerEntry, str]] = [
        (LedgerEntry(event="seed", url=f"{SITE}/x", data={}), "pending"),
        (LedgerEntry(event="discovered", url=f"{SITE}/x", data={"reason": "outOfScope"}), "refused"),
        (decision("/x"), "pending"),
        (failed("/x"), "failed"),
        (LedgerEntry(event="discovered", url=f"{SITE}/x", data={"reason": "outOfScope"}), "failed"),
        (LedgerEntry(event="pending", url=f"{SITE}/x", data={"reason": "interrupted"}), "pending"),
        (captured("/x"), "fetched"),
        (decision("/x", "refuse", "robotsTxt"), "fetched"),
        (LedgerEntry(event="seed", url=f"{SITE}/x", data={}), "fetched"),
    ]
    for entry, state in steps:
        clock.advance(1)
        ledger.append(entry)
        assert [key for key, _ in index.urls(state)] == [f"{SITE}/x"]
        assert index.counts().discovered == 1


def test_counts_of_one_job(open_ledger: Open, open_index: OpenIndex) -> None:
    open_ledger(job="one").append_many([decision("/a"), captured("/a")])
    open_ledger(job="two").append_many([decision("/a", "refuse", "robotsTxt"), decision("/b"), captured("/b")])
    index = open_index()
    assert index.counts(job="one").fetched == 1
    assert (index.counts(job="two").fetched, index.counts(job="two").refused) == (1, 1)
    assert (index.counts().fetched, index.counts().refused) == (2, 0)
    assert list(index.urls("refused", reason="robotsTxt", job="two")) == [(f"{SITE}/a", "robotsTxt")]
    assert list(index.urls("refused", reason="outOfScope", job="two")) == []


def test_captures_are_listed_by_prefix_and_time(open_ledger: Open, open_index: OpenIndex, clock: ManualClock) -> None:
    ledger = open_ledger()
    ledger.append_many(story())
    clock.advance(3600)
    later = clock.now()
    started = iso(later)
    ledger.append(visit("/", "c3", http_status=404, title="Gone", started_at=started, records=[], record=None))
    ledger.append(visit("/refused", "c4", status="refused"))
    index = open_index()
    assert [(one.capture_id, one.url) for one in index.captures()] == [
        ("c1", f"{SITE}/"),
        ("c3", f"{SITE}/"),
        ("c2", f"{SITE}/dark"),
    ]
    assert [one.capture_id for one in index.captures(prefix=f"{SITE}/d")] == ["c2"]
    (third,) = index.captures(since=later)
    assert (third.http_status, third.title, third.t, third.file, third.offset) == (404, "Gone", started, None, None)
    first = next(index.captures())
    assert (first.status, first.access, first.completeness, first.collection) == (
        "captured",
        "open",
        "complete",
        "demo",
    )
    assert (first.file, first.offset, first.job) == ("ARCH-1.warc.gz", 100, "0123456789abcdef")


def test_a_capture_is_archived_once_its_files_are_stored(open_ledger: Open, open_index: OpenIndex) -> None:
    ledger, index = open_ledger(), open_index()
    two = [{"file": name, "offset": 0, "record_id": RECORD.format(1)} for name in ("a.warc.gz", "b.warc.gz")]
    ledger.append_many([visit("/", "c1", record=None, records=two), visit("/x", "c2", completeness="complete")])
    stored = {"sha256": "ab" * 32, "size": 1}
    ledger.append(LedgerEntry(event="stored", data={"uri": "s3://b/k/a.warc.gz", **stored}))
    assert [one.status for one in index.captures()] == ["captured", "captured"]
    ledger.append(LedgerEntry(event="stored", data={"file": "b.warc.gz", "uri": "s3://b/k/b", **stored}))
    assert [one.status for one in index.captures()] == ["archived", "captured"]
    assert [one.completeness for one in index.captures()] == ["complete", "complete"]


def test_everything_about_one_url_in_order(open_ledger: Open, open_index: OpenIndex, clock: ManualClock) -> None:
    ledger = open_ledger()
    ledger.append_many(story())
    ledger.rotate()
    clock.advance(60)
    ledger.append_many([decision("/dark"), captured("/dark", 4)])
    rows = open_index().rows_for(f"{SITE}/dark")
    assert [(row.body or {})["event"] for row in rows] == ["decision", "outcome", "visit", "decision", "outcome"]
    assert open_index().rows_for(f"{SITE}/never") == []


def test_rows_are_found_by_key_though_the_url_is_written_otherwise(open_ledger: Open, open_index: OpenIndex) -> None:
    entry = LedgerEntry(event="seed", url="https://example.org/%7Ea", data={"key": "https://example.org/~a"})
    open_ledger().append(entry)
    assert len(open_index().rows_for("https://example.org/~a")) == 1


def test_the_evidence_of_a_decision_is_located(open_ledger: Open, open_index: OpenIndex) -> None:
    place = {"file": "ARCH-2.warc.gz", "offset": 70, "length": 1, "record_id": RECORD.format(7)}
    copy = LedgerEntry(event="robotsCopy", url=f"{SITE}/robots.txt", data={"kind": "robots", "record": place})
    open_ledger().append_many([*story(), copy])
    index = open_index()
    index.refresh()
    assert index.locate(RECORD.format(9)) == ("ARCH-1.warc.gz", 900)
    assert index.locate(RECORD.format(7)) == ("ARCH-2.warc.gz", 70)
    assert index.locate(RECORD.format(8)) is None


def test_what_is_hidden_is_not_listed_until_it_ends_or_is_taken_back(
    open_ledger: Open, open_index: OpenIndex, clock: ManualClock
) -> None:
    ledger, index = open_ledger(), open_index()
    ledger.append_many([visit("/a/1", "c1"), visit("/a/2", "c2"), visit("/b", "c3")])

    def hide(event: str, match: str, target: str, **more: Any) -> list[str]:
        clock.advance(1)
        ledger.append(LedgerEntry(event=event, data={"match": match, "target": target, "because": "asked to", **more}))
        return [one.capture_id for one in index.captures(now=clock.now())]

    assert hide("hide", "prefix", f"{SITE}/a/") == ["c3"]
    assert hide("hide", "capture", "c3") == []
    assert [one.hidden for one in index.captures(now=clock.now(), hidden=True)] == [True, True, True]
    assert hide("unhide", "prefix", f"{SITE}/a/") == ["c1", "c2"]
    assert hide("hide", "url", f"{SITE}/a/1", until=iso(clock.now() + timedelta(days=1))) == ["c2"]
    clock.advance(90_000)
    assert [one.capture_id for one in index.captures(now=clock.now())] == ["c1", "c2"]
    assert [(row.body or {})["event"] for row in index.rows_for(f"{SITE}/b")] == ["visit", "hide"]
    assert [(row.body or {})["event"] for row in index.rows_for(f"{SITE}/a/2")] == ["visit", "unhide"]


def test_refreshing_takes_in_only_what_is_new(open_ledger: Open, open_index: OpenIndex, logs: Path) -> None:
    ledger, index = open_ledger(), open_index()
    assert index.refresh() == 1
    ledger.append_many(story())
    assert index.refresh() == len(story())
    assert index.refresh() == 0
    with segment_paths(logs)[0].open("ab") as file:
        file.write(b'{"seq":99,"le')
    assert index.refresh() == 0
    assert open_index().refresh() == 0


OPERATIONS = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, len(story()) - 1), st.sampled_from(["", "rotate", "refresh"])),
    min_size=1,
    max_size=30,
)


@settings(max_examples=25, deadline=None)
@given(operations=OPERATIONS)
def test_rebuilt_equals_kept_up_to_date(
    operations: list[tuple[int, int, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Two writers whose rows and rotations interleave in any way."""
    folder, clock = tmp_path_factory.mktemp("index"), ManualClock()
    ledgers = [JsonlLedger(folder / "logs", clock, job=f"job{n}", actor=Actor(name="Ann")) for n in (0, 1)]
    with LedgerIndex(folder / "state/kept.sqlite", folder / "logs") as kept:
        for writer, number, then in operations:
            clock.advance(0.001 * (number % 3))
            ledgers[writer].append(story()[number])
            if then == "rotate":
                ledgers[writer].rotate()
            elif then == "refresh":
                kept.refresh()
        with LedgerIndex(folder / "state/new.sqlite", folder / "logs") as new:
            assert everything(kept) == everything(new)
        before = everything(kept)
        kept.rebuild()
        assert everything(kept) == before
    for ledger in ledgers:
        ledger.close()


@pytest.mark.parametrize("change", ["erase", "remove", "shorten", "replace"])
def test_a_segment_that_changed_starts_a_rebuild(
    change: str, open_ledger: Open, open_index: OpenIndex, logs: Path, tmp_path: Path
) -> None:
    ledger, index = open_ledger(), open_index()
    ledger.append_many(story())
    ledger.rotate()
    ledger.append(decision("/new"))
    ledger.rotate()
    index.refresh()
    path = segment_paths(logs)[0]
    lines = path.read_bytes().splitlines(keepends=True)
    if change == "erase":
        path.write_bytes(b"".join([*lines[:4], erase(lines[4]), *lines[5:]]))
    elif change == "remove":
        path.unlink()
    elif change == "shorten":
        path.write_bytes(b"".join(lines[:5]))
    else:
        path.write_bytes(b"".join(lines[:-1]) + lines[-1].replace(b"/cut", b"/cat"))
    assert index.refresh() > 0
    with LedgerIndex(tmp_path / "other.sqlite", logs, collection="demo") as fresh:
        assert everything(index) == everything(fresh)


def test_a_damaged_line_is_named_and_passed_over(open_ledger: Open, open_index: OpenIndex, logs: Path) -> None:
    open_ledger().append_many([decision("/a"), decision("/b")])
    (path,) = segment_paths(logs)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + b"nonsense\n" + b"".join(lines[1:]))
    index = open_index()
    index.refresh()
    assert [line for line in index.damaged if path.name in line]
    assert index.counts().pending == 2


def test_an_index_that_is_damaged_or_of_another_version_is_built_anew(
    open_ledger: Open, open_index: OpenIndex, tmp_path: Path
) -> None:
    open_ledger().append_many(story())
    expected = everything(open_index())
    path = tmp_path / "state/ledger-index.sqlite"
    for leftover in path.parent.iterdir():
        leftover.unlink()
    path.write_bytes(b"this is no database" * 100)
    assert everything(open_index()) == expected
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 9999")
    assert everything(open_index()) == expected


def test_an_index_damaged_inside_is_replaced_when_that_shows(
    open_ledger: Open, open_index: OpenIndex, tmp_path: Path
) -> None:
    open_ledger().append_many(story() * 20)
    first = open_index()
    expected = everything(first)
    first.close()
    path = tmp_path / "state/ledger-index.sqlite"
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))
    index = open_index()
    index.refresh()
    assert everything(index) == expected


def test_any_page_of_the_index_may_be_damaged(open_ledger: Open, tmp_path: Path, logs: Path) -> None:
    """Found by the refresh or only by a question: the answer is that of an index built anew."""
    open_ledger().append_many(story() * 2)
    path = tmp_path / "state/ledger-index.sqlite"
    with LedgerIndex(path, logs) as index:
        expected = everything(index)
    content = path.read_bytes()
    for start in range(0, len(content), 4096):
        path.write_bytes(content[:start] + b"\xff" * 4096 + content[start + 4096 :])
        with LedgerIndex(path, logs) as index:
            assert everything(index) == expected, start


def test_what_a_power_cut_took_is_in_no_list(open_ledger: Open, open_index: OpenIndex) -> None:
    """Its rows had reached the disk, its record had not: salvage found the file shorter, and closed it."""
    ledger = open_ledger()
    place = {"record_id": RECORD.format(1)}
    for name, offset in (("whole", 100), ("lost", 200)):
        ledger.append(visit(f"/{name}", name, record={"file": "ARCH-1.warc.gz", "offset": offset, **place}))
    ledger.append(LedgerEntry(event="salvage", data={"file": "ARCH-1.warc.gz", "kept": 3, "cut": 200}))
    ledger.append(LedgerEntry(event="stored", data={"file": "ARCH-1.warc.gz", "uri": "file:///ARCH-1.warc.gz"}))
    assert [(one.capture_id, one.status) for one in open_index().captures()] == [("whole", "archived")]


def test_where_nothing_can_be_written_the_view_is_in_memory(open_ledger: Open, tmp_path: Path, logs: Path) -> None:
    open_ledger().append_many(story())
    (tmp_path / "file").write_text("")
    with LedgerIndex(tmp_path / "file/state/index.sqlite", logs) as index:
        assert index.counts().discovered == 9
    with LedgerIndex(tmp_path, logs) as index:
        assert index.counts().discovered == 9


def test_more_urls_than_are_remembered(
    open_ledger: Open, open_index: OpenIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "_CACHED_URLS", 2)
    open_ledger().append_many([*story(), *story()])
    assert open_index().counts().discovered == 9


def test_two_readers_at_once(open_ledger: Open, open_index: OpenIndex) -> None:
    ledger, one, other = open_ledger(), open_index(), open_index()
    ledger.append_many(story())
    assert one.refresh() == len(story()) + 1
    assert other.refresh() == 0
    assert everything(one) == everything(other)


def test_an_index_that_somebody_else_holds_is_not_thrown_away(
    open_ledger: Open, open_index: OpenIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_module, "_PATIENCE", 0.01)
    open_ledger().append_many(story())
    index = open_index()
    before = everything(index)
    other = sqlite3.connect(tmp_path / "state/ledger-index.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert everything(index) == before  # from memory meanwhile
    other.close()
    kept = sqlite3.connect(tmp_path / "state/ledger-index.sqlite")
    assert kept.execute("SELECT count(*) FROM captures").fetchone()[0] > 0
    kept.close()


def test_a_collection_without_a_ledger_is_empty(open_index: OpenIndex) -> None:
    assert open_index().counts().discovered == 0
    assert list(open_index().captures()) == []


def test_a_fault_while_reading_leaves_the_index_as_it_was(
    open_ledger: Open, open_index: OpenIndex, logs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_ledger().append_many(story())
    index = open_index()
    before = everything(index)
    paths = [*segment_paths(logs), logs / "ledger-99999999999999999-x-1.jsonl"]
    paths[-1].mkdir()  # not listed among the segments, so it is named here: reading it is a fault
    with monkeypatch.context() as patch:
        patch.setattr(index_module, "segment_paths", lambda folder: paths)
        with pytest.raises(OSError, match="directory"):
            index.refresh()
    assert everything(index) == before


def test_fates_of_a_job_are_its_counts_url_by_url(open_ledger: Open, open_index: OpenIndex) -> None:
    open_ledger().append_many(story())
    open_ledger(job="fedcba9876543210").append_many([decision("/other"), failed("/other"), failed("/")])
    index = open_index()
    for job in ("0123456789abcdef", "fedcba9876543210"):
        fates, counts = list(index.fates(job)), index.counts(job=job)
        assert [key for key, *_ in fates] == sorted({key for key, *_ in fates})
        assert len(fates) == counts.discovered
        for name in ("fetched", "refused", "failed", "pending"):
            assert [state for _, state, *_ in fates].count(name) == getattr(counts, name)
        assert all(bodies and {body["job"] for body in bodies} == {job} for *_, bodies in fates)


def test_visits_that_asked_and_files_that_are_stored(open_ledger: Open, open_index: OpenIndex) -> None:
    later, sooner = "2026-11-23T12:00:05.000Z", "2026-11-23T12:00:01.000Z"
    entries = [
        visit("/b", "c1", started_at=later, fetched=2),
        visit("/a", "c2", started_at=sooner, fetched=1),
        visit("/no", "c3", started_at=sooner, fetched=0, status="refused"),
        LedgerEntry(event="stored", data={"uri": "file:///x/A.warc.gz", "sha256": "0" * 64, "size": 1}),
    ]
    open_ledger().append_many(entries)
    index = open_index()
    assert list(index.visits("0123456789abcdef")) == [(f"{SITE}/a", sooner), (f"{SITE}/b", later)]
    assert list(index.visits("another")) == []
    assert index.stored() == {"A.warc.gz"}
