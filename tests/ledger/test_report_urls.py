"""The list of URLs: a line each, safe in a spreadsheet, every column explained."""

import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.ledger.report_urls import CODEBOOK, cell, printable, url_row, write_codebook, write_urls

DECIDED = {
    "event": "decision",
    "t": "1",
    "kind": "document",
    "via": "https://a.org/",
    "path": "L",
    "rule": "",
    "line": None,
}
KEPT = {
    "event": "outcome", "t": "2", "kind": "document", "status": "captured", "http_status": 200, "access": "open",
    "size": 9, "payload_digest": "sha256:0", "record": {"file": "A.warc.gz", "offset": 5, "record_id": "r"},
}  # fmt: skip


def test_rows_become_one_line() -> None:
    row = url_row(("https://a.org/x", "fetched", "allowed", [DECIDED, KEPT]))
    assert row.keys() <= CODEBOOK.keys()
    assert (row["via"], row["path"], row["http_status"], row["bytes"], row["file"], row["offset"]) == (
        "https://a.org/", "L", 200, 9, "A.warc.gz", 5,
    )  # fmt: skip
    assert (row["asked"], row["first_seen"], row["last_seen"]) == (1, "1", "2")


def test_a_failure_says_what_the_network_said() -> None:
    failed = {
        "event": "outcome",
        "t": "3",
        "status": "failed",
        "failure": {"code": "dnsError", "message": "no such host"},
    }
    row = url_row(("https://a.org/x", "failed", "dnsError", [DECIDED, failed]))
    assert (row["failure"], row["asked"], "bytes" in row) == ("no such host", 1, False)


@pytest.mark.parametrize("word", ["override", "transcluded", "mandate"])
def test_what_robots_txt_refuses_says_why_it_was_fetched(word: str) -> None:
    decided = {**DECIDED, "verdict": "allow", "notes": {word: {"rule": "Disallow: /"}, "robots": {}}}
    assert url_row(("https://a.org/x", "fetched", "allowed", [decided, KEPT]))["exception"] == word
    refused = {**decided, "verdict": "refuse"}
    assert "exception" not in url_row(("https://a.org/x", "refused", "robotsTxt", [refused]))


def test_lines_and_codebook_have_the_same_columns() -> None:
    out, codebook = io.StringIO(newline=""), io.StringIO(newline="")
    write_urls(out, [("https://a.org/x", "fetched", "allowed", [KEPT]), ("https://a.org/y", "pending", "", [])])
    write_codebook(codebook)
    lines = list(csv.DictReader(io.StringIO(out.getvalue(), newline="")))
    assert [line["url"] for line in lines] == ["https://a.org/x", "https://a.org/y"]
    explained = list(csv.DictReader(io.StringIO(codebook.getvalue(), newline="")))
    assert [row["column"] for row in explained] == list(lines[0])
    assert all(row["values"] and row["meaning"] for row in explained)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "  =1", "\t=1", "\r=1", "\n=1", "\uff1d1"])
def test_no_cell_is_a_formula(text: str) -> None:
    found: Any = cell(text)
    assert found[0] in "'\\"


@given(st.text())
def test_a_cell_stays_in_its_line_and_harmless(text: str) -> None:
    found = cell(text)
    assert isinstance(found, str)
    assert found.isprintable()
    assert found.lstrip()[:1] not in ("=", "+", "-", "@")


def test_numbers_stay_numbers() -> None:
    assert (cell(-5), cell(None)) == (-5, "")


def test_direction_marks_are_shown() -> None:
    assert printable("a\u202eb") == "a\\u202eb"
    assert printable("Größe 1") == "Größe 1"
