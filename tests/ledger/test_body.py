"""The text of a row: who, what, when first; the entry's data behind; nothing hostile stops it."""

from collections import UserDict
from datetime import UTC, datetime
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.clock import iso
from archiver.ledger.body import RESERVED, Stamp
from archiver.model import Actor, Labels, LedgerEntry, Reason

NOW = datetime(2026, 11, 23, 12, 0, 0, 123_000, tzinfo=UTC)
STAMP = Stamp(job="j", actor=Actor(name="Änn", through="api:x"), labels=Labels(note="n", case="c", tags=("t",)))


def told(data: dict[str, Any], url: str | None = None) -> dict[str, Any]:
    body = orjson.loads(STAMP.body(LedgerEntry(event="end", url=url, data=data), NOW))
    assert isinstance(body, dict)
    return body


def test_each_row_says_who_did_what_when_and_for_what() -> None:
    assert told({"a": 1}, "https://example.org/") == {
        "t": "2026-11-23T12:00:00.123Z",
        "event": "end",
        "url": "https://example.org/",
        "job": "j",
        "actor": {"name": "Änn", "through": "api:x"},
        "note": "n",
        "case": "c",
        "tags": ["t"],
        "tenant": "main",
        "a": 1,
    }
    assert "url" not in told({})


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_data_cannot_say_who_did_what(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        told({name: "somebody else"})


@given(st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2199, 1, 1)))
def test_times_are_as_the_clock_writes_them(moment: datetime) -> None:
    moment = moment.replace(tzinfo=UTC)
    for each in (moment, moment.replace(microsecond=999_999), moment.replace(microsecond=0)):
        assert orjson.loads(STAMP.body(LedgerEntry(event="end"), each))["t"] == iso(each)


def test_values_of_python_become_values_of_json() -> None:
    data = {
        "at": NOW,
        "map": MappingProxyType({"k": 1}),
        "set": frozenset({"b", "a"}),
        "path": PurePosixPath("/x"),
        "reason": Reason.TRAP,
        "pair": (1, 2),
    }
    expected = {
        "at": "2026-11-23T12:00:00.123Z",
        "map": {"k": 1},
        "set": ["a", "b"],
        "path": "/x",
        "reason": "trap",
        "pair": [1, 2],
    }
    body = told(data)
    assert {name: body[name] for name in expected} == expected


def test_hostile_text_and_numbers_are_written_all_the_same() -> None:
    body = told({"title": "a\udc80b", "deep": [{"\ud800": "x"}], "size": 1 << 70, "yes": True, "low": -(1 << 63)})
    assert body["title"] == "a\ufffdb"
    assert body["deep"] == [{"\ufffd": "x"}]
    assert body["size"] == str(1 << 70)
    assert body["yes"] is True
    assert body["low"] == -(1 << 63)


def test_what_is_no_data_is_refused() -> None:
    with pytest.raises(TypeError, match="not JSON"):
        told({"x": object()})


def test_any_mapping_will_do_as_data() -> None:
    entry = LedgerEntry(event="end", data=UserDict({"k": "v"}))
    assert orjson.loads(STAMP.body(entry, NOW))["k"] == "v"
