"""Segments copied with rows erased, and page lists."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from archiver.clock import ManualClock
from archiver.errors import LedgerError
from archiver.ledger.chain import verify_rows
from archiver.ledger.segments import JsonlLedger
from archiver.model import Actor, LedgerEntry
from archiver.wiring.wacz_logs import Pages, Rows, holds_withheld


@pytest.fixture
def segment(tmp_path: Path) -> Path:
    ledger = JsonlLedger(tmp_path, ManualClock(), job="j" * 32, actor=Actor(name="a", through="cli"))
    ledger.append_many([LedgerEntry(event="seed", url=f"http://{host}.test/") for host in "abc"])
    closed = ledger.rotate()
    assert closed is not None
    return closed.path


def test_a_chain_with_erased_rows_has_the_same_head(segment: Path) -> None:
    rows = Rows(lambda body: body["url"] == "http://b.test/")
    size = segment.stat().st_size
    made = list(rows.pieces(segment, size))
    whole, cut = verify_rows(segment.read_bytes().splitlines(keepends=True)), verify_rows(made)
    assert cut.ok and cut.last == whole.last and (cut.rows, cut.erased) == (4, 1)
    assert b"b.test" not in b"".join(made) and rows.erased == {"seed": 1}
    assert b"".join(Rows(None).pieces(segment, size)) == segment.read_bytes()


def test_what_was_written_later_or_not_to_its_end_is_not_copied(segment: Path) -> None:
    size = segment.stat().st_size
    before = segment.read_bytes()
    segment.write_bytes(before + before.splitlines(keepends=True)[-1])
    assert b"".join(Rows(None).pieces(segment, size)) == before
    segment.write_bytes(before + b'{"seq": 4')
    assert b"".join(Rows(None).pieces(segment, size + 9)) == before


def test_what_is_no_row_cannot_be_judged(segment: Path) -> None:
    segment.write_bytes(segment.read_bytes() + b"{}\n")
    with pytest.raises(LedgerError, match=segment.name):
        list(Rows(lambda body: False).pieces(segment, 1 << 20))


def test_a_copy_of_rows_in_a_warc_is_judged_row_by_row(segment: Path) -> None:
    lines = [line.rstrip(b"\n") for line in segment.read_bytes().splitlines()]
    block = b"".join(b"ledger: %b\r\n" % line for line in lines)
    assert not holds_withheld(block, lambda body: body.get("url") == "http://d.test/")
    assert holds_withheld(block, lambda body: body.get("url") == "http://c.test/")
    assert holds_withheld(block + b"ledger: {\r\n", lambda body: False), "what cannot be read"


def page(host: str, **more: object) -> dict[str, object]:
    return {"id": host, "url": f"http://{host}.test/", "ts": "2026-11-23T12:00:00Z", **more}


def lists(tmp_path: Path, *rows: dict[str, object]) -> Path:
    path = tmp_path / "pages.jsonl"
    head = {"format": "json-pages-1.0", "id": "pages"}
    path.write_text("".join(json.dumps(row) + "\n" for row in (head, *rows)) + '{"torn')
    return path


def test_seeds_and_others_have_lists_of_their_own(tmp_path: Path) -> None:
    path = lists(tmp_path, page("a", seed=False), page("b", seed=True), page("c", seed=True))
    found = Pages([path], lambda row: row["id"] == "c", [page("d")])
    assert (found.count, found.left_out, found.split) == (3, 1, True)
    assert found.first is not None and found.first["id"] == "b"
    seeds, others = ([json.loads(line) for line in found.lines(seeds=one)] for one in (True, False))
    assert [row["id"] for row in seeds] == ["pages", "b", "d"] and [row["id"] for row in others] == ["extraPages", "a"]
    assert len(list(found.lines())) == 4


def test_pages_of_others_are_no_seeds_of_ours(tmp_path: Path) -> None:
    own, imported = lists(tmp_path, page("a", seed=True)), tmp_path / "imported.jsonl"
    imported.write_text(json.dumps(page("b", origin="imported")) + "\n")
    assert Pages([own, imported, tmp_path / "none.jsonl"], None).split
    assert not Pages([imported], None).split
