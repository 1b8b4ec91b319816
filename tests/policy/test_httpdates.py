"""Dates as sites write them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.clock import iso
from archiver.policy.httpdates import parse_date, parse_http_date

NOW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mon, 23 Nov 2026 00:02:00 GMT", "2026-11-23T00:02:00"),
        ("Monday, 23-Nov-26 00:02:00 GMT", "2026-11-23T00:02:00"),
        ("Mon Nov 23 00:02:00 2026", "2026-11-23T00:02:00"),
        ("Sun Nov  6 08:49:37 1994", "1994-11-06T08:49:37"),
        ("Sunday, 06-Nov-94 08:49:37 GMT", "1994-11-06T08:49:37"),
        ("Sat, 31 Dec 2016 23:59:60 GMT", "2016-12-31T23:59:59"),
        ("23 Nov 2026 00:02:00 GMT", "2026-11-23T00:02:00"),
        ("Monday, 23-Nov-76 00:00:00 GMT", "2076-11-23T00:00:00"),
        ("Wednesday, 24-Nov-76 00:00:00 GMT", "1976-11-24T00:00:00"),
        ("Mon, 23 Nov 2026 00:02:00 PST", None),
        ("Mon, 23 Nov 2026 00:02:00", None),
        ("Mon, 23 Nov 2026", None),
        ("Mon, 32 Nov 2026 00:02:00 GMT", None),
        ("Mon, 23 Foo 2026 00:02:00 GMT", None),
        ("Mon Foo 23 00:02:00 2026", None),
        ("2026-11-23T00:02:00Z", None),
        ("soon", None),
        ("", None),
    ],
)
def test_http_date(text: str, expected: str | None) -> None:
    found = parse_http_date(text, NOW)
    assert (found and f"{found:%Y-%m-%dT%H:%M:%S}") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("25 Jun 2010 15:00:00 PST", "2010-06-25T23:00:00.000Z"),
        ("25-Aug-2007 15:00:00 EST", "2007-08-25T20:00:00.000Z"),
        ("Fri, 25 Jun 2010 15:00:00 +0200", "2010-06-25T13:00:00.000Z"),
        ("Fri, 25 Jun 2010 15:00:00 -02:30", "2010-06-25T17:30:00.000Z"),
        ("25 Jun 2010 15:00 UTC", "2010-06-25T15:00:00.000Z"),
        ("25 June 2010", "2010-06-25T00:00:00.000Z"),
        ("25 Jun 99", "1999-06-25T00:00:00.000Z"),
        ("Friday, 25-Jun-10 15:00:00 UTC", "2010-06-25T15:00:00.000Z"),
        ("Fri Jun 25 15:00:00 2010", "2010-06-25T15:00:00.000Z"),
        ("2030-01-02", "2030-01-02T00:00:00.000Z"),
        ("2030-01-02T03:04", "2030-01-02T03:04:00.000Z"),
        ("2030-01-02 03:04:05", "2030-01-02T03:04:05.000Z"),
        ("2030-01-02T03:04:05.678Z", "2030-01-02T03:04:05.000Z"),
        ("2030-01-02t03:04:05+02:00", "2030-01-02T01:04:05.000Z"),
        ("2030-01-02T03:04:05-0230", "2030-01-02T05:34:05.000Z"),
        ("2030-01-02T03:04:05+02", "2030-01-02T01:04:05.000Z"),
        ("2030-01-02T03:04:05,5+02:00", "2030-01-02T01:04:05.000Z"),
        ("2030-01-02 03:04 PST", "2030-01-02T11:04:00.000Z"),
        ("20300102", "2030-01-02T00:00:00.000Z"),
        ("20300102T030405Z", "2030-01-02T03:04:05.000Z"),
        ("June 25, 2030", "2030-06-25T00:00:00.000Z"),
        ("Fri, Jun 25 2030 15:00:00 PST", "2030-06-25T23:00:00.000Z"),
        ("2030-0102", None),
        ("Foo 25 2030", None),
        ("2030-01-02 03:04 XYZ", None),
        ("2030-13-02", None),
        ("2030-01-02T25:00", None),
        ("0001-01-01T00:00:00+23:00", None),
        ("2030-01-02T03:04:05+99:00", None),
        ("25 Jun 2010 15:00:00 XYZ", None),
        ("tomorrow", None),
    ],
)
def test_date(text: str, expected: str | None) -> None:
    found = parse_date(text)
    assert (found and iso(found)) == expected


@given(st.datetimes(datetime(1970, 1, 1), datetime(2075, 1, 1)).map(lambda one: one.replace(microsecond=0, tzinfo=UTC)))
def test_all_three_http_forms_read_the_same(moment: datetime) -> None:
    forms = ("%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y")
    assert {parse_http_date(moment.strftime(form), moment) for form in forms} == {moment}
    assert parse_date(moment.isoformat()) == moment


@given(st.text(max_size=60))
def test_any_text_gets_an_answer(text: str) -> None:
    assert parse_date(text) is None or parse_date(text).tzinfo is UTC  # type: ignore[union-attr]
    parse_http_date(text, NOW)
