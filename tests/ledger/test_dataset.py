"""What goes into a data set, and how its rows look."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.ledger.dataset import CODEBOOK, Rules, as_cells, as_json, left_out, reserved
from archiver.ledger.index import Capture

NOW = "2026-11-23T12:00:00.000Z"
ONE = Capture(
    capture_id="c1", url="https://h.test/", t=NOW, status="archived", http_status=200, access="open",
    completeness="complete", title="T", file="x.warc.gz", offset=5, collection="main", job="j", hidden=False,
    final_url="https://h.test/a", mime="text/html", size=10, payload_digest="sha256:" + "ab" * 32, usage={},
)  # fmt: skip


def rules(usage: str = "exclude", *, art3: bool = False) -> Rules:
    return Rules(usage=usage, art3=art3, now=NOW)


def says(**values: str) -> dict[str, Any]:
    return {name.replace("_", "-"): {"value": value, "sources": ["header"]} for name, value in values.items()}


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, ""),
        ({"hidden": True}, "hidden"),
        ({"access": "dark", "access_reason": "noarchive"}, "noarchive"),
        ({"access": "restricted"}, "restricted"),
        ({"expires": "2026-11-23T11:59:59.000Z"}, "expired"),
        ({"expires": "2026-11-23T12:00:01.000Z"}, ""),
        ({"usage": None}, "unlabelled"),
        ({"usage": says(tdm="disallow")}, "tdmReserved"),
        ({"usage": says(ai_train="disallow")}, "tdmReserved"),
        ({"usage": says(ai_input="disallow")}, "tdmReserved"),
        ({"usage": says(search="disallow", tdm="allow")}, ""),
        ({"usage": says(tdm="disallow"), "hidden": True}, "hidden"),
    ],
)
def test_why_a_capture_is_left_out(changes: dict[str, Any], why: str) -> None:
    assert left_out(replace(ONE, **changes), rules()) == why


@pytest.mark.parametrize(
    ("usage", "art3", "why"),
    [
        ("exclude", False, "tdmReserved"),
        ("exclude", True, "tdmReserved"),
        ("art3", False, "tdmReserved"),
        ("art3", True, ""),
        ("label", False, ""),
    ],
)
def test_a_reservation_is_overcome_by_the_policys_line_alone(usage: str, art3: bool, why: str) -> None:
    capture = replace(ONE, usage=says(tdm="disallow", ai_train="disallow"))
    assert reserved(capture) == ("tdm", "ai-train")
    assert left_out(capture, rules(usage, art3=art3)) == why


@pytest.mark.parametrize("changes", [{"hidden": True}, {"access": "dark"}, {"access": "restricted"}, {"expires": NOW}])
def test_nothing_else_is_overcome(changes: dict[str, Any]) -> None:
    assert left_out(replace(ONE, **changes), rules("label")) != ""
    assert left_out(replace(ONE, **changes), rules("art3", art3=True)) != ""


def test_labels_come_with_their_sources() -> None:
    capture = replace(ONE, usage=says(search="allow"))
    assert as_json(capture)["labels"] == {
        "tdm": None, "ai-train": None, "ai-input": None, "search": {"value": "allow", "sources": ["header"]},
    }  # fmt: skip
    row = dict(zip(CODEBOOK, as_cells(capture), strict=True))
    assert (row["search"], row["search_sources"], row["tdm"]) == ("allow", "header", "")
    assert set(as_json(capture)) - {"labels"} == {name for name in CODEBOOK if name.split("_s")[0] not in (
        "tdm", "ai_train", "ai_input", "search")}  # fmt: skip


@given(st.text(max_size=40))
def test_no_title_is_a_formula_or_leaves_its_line(title: str) -> None:
    out = io.StringIO()
    csv.writer(out).writerow(as_cells(replace(ONE, title=title)))
    assert out.getvalue().count("\n") == 1
    (row,) = csv.reader(io.StringIO(out.getvalue()))
    found = row[list(CODEBOOK).index("title")]
    assert found.isprintable() and found.lstrip()[:1] not in tuple("=+-@\uff1d\uff0b\uff0d\uff20")
