"""Dates as sites write them: HTTP-date in its three forms (RFC 9110, 5.6.7), RFC 822 and 850, ISO 8601. UTC, aware.

Readers return None for what they cannot read; a wrong weekday is not held against a date.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}
_ZONES = {
    "": 0, "gmt": 0, "utc": 0, "ut": 0, "z": 0,
    "est": -5, "edt": -4, "cst": -6, "cdt": -5, "mst": -7, "mdt": -6, "pst": -8, "pdt": -7,
    "bst": 1, "cet": 1, "cest": 2, "eet": 2, "eest": 3, "wet": 0, "west": 1, "jst": 9,
}  # fmt: skip
_WEEKDAY = r"(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?,?\s{0,4})?"
_CLOCK = r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?"
_written = re.compile(
    _WEEKDAY + r"([0-9]{1,2})[ \-]([a-z]{3})[a-z]{0,6}[ \-]([0-9]{4}|[0-9]{2})"
    r"(?:,?\s{1,4}" + _CLOCK + r"\s{0,4}([a-z]{0,4}|(?:gmt|utc)?[+\-][0-9]{2}:?[0-9]{2}))?",
    re.IGNORECASE,
).fullmatch
_asctime = re.compile(
    r"(?:mon|tue|wed|thu|fri|sat|sun) ([a-z]{3}) {1,2}([0-9]{1,2}) " + _CLOCK + r" ([0-9]{4})", re.IGNORECASE
).fullmatch
_american = re.compile(
    _WEEKDAY + r"([a-z]{3})[a-z]{0,6}\.?\s([0-9]{1,2}),?\s{1,4}([0-9]{4})"
    r"(?:,?\s{1,4}" + _CLOCK + r"\s{0,4}([a-z]{0,4}))?",
    re.IGNORECASE,
).fullmatch
_iso = re.compile(
    r"([0-9]{4})(-?)([0-9]{2})\2([0-9]{2})(?:[T ]([0-9]{2})(?::?([0-9]{2})(?::?([0-9]{2})(?:[.,][0-9]{1,9})?)?)?"
    r"\s?([+\-][0-9]{2}(?::?[0-9]{2})?|[a-z]{0,4}))?",
    re.IGNORECASE,
).fullmatch
_offset = re.compile(r"([+\-])([0-9]{2}):?([0-9]{2})?").search


def parse_http_date(value: str, now: datetime | None = None) -> datetime | None:
    """An HTTP-date: `Mon, 23 Nov 2026 00:02:00 GMT`, `Monday, 23-Nov-26 00:02:00 GMT`, `Mon Nov 23 00:02:00 2026`."""
    text = value.strip(" \t")
    found = _written(text)
    if found is not None and (not found[4] or found[7].lower() not in ("gmt", "utc", "ut", "z")):
        return None
    return _from_written(found, now) if found is not None else _from_asctime(text)


def parse_date(value: str, now: datetime | None = None) -> datetime | None:
    """Any of the forms above, RFC 822 zones, ISO 8601 and `June 25, 2030`; no zone means UTC, no time midnight."""
    text = value.strip(" \t")
    found = _written(text)
    if found is not None:
        return _from_written(found, now)
    return _from_asctime(text) or _from_iso(text) or _from_american(text)


def _from_written(found: re.Match[str], now: datetime | None) -> datetime | None:
    year, month, day = int(found[3]), _MONTHS.get(found[2].lower(), 0), int(found[1])
    if len(found[3]) == 2:
        # RFC 9110, 5.6.7: two digits that seem more than 50 years ahead mean the past. Without a clock, the pivot of
        # RFC 2822, 4.3 decides.
        year += 2000 if now is not None or year < 50 else 1900
        if now is not None and (year, month, day) > (now.year + 50, now.month, now.day):
            year -= 100
    clock = (found[4] or "0", found[5] or "0", found[6] or "0")
    return _build((year, month, day), clock, _zone((found[7] or "").lower()))


def _from_asctime(text: str) -> datetime | None:
    found = _asctime(text)
    if found is None:
        return None
    return _build((int(found[6]), _MONTHS.get(found[1].lower(), 0), int(found[2])), found.group(3, 4, 5), timedelta())


def _from_iso(text: str) -> datetime | None:
    found = _iso(text)
    if found is None:
        return None
    clock = (found[5] or "0", found[6] or "0", found[7] or "0")
    return _build((int(found[1]), int(found[3]), int(found[4])), clock, _zone((found[8] or "").lower()))


def _from_american(text: str) -> datetime | None:
    found = _american(text)
    if found is None:
        return None
    clock = (found[4] or "0", found[5] or "0", found[6] or "0")
    date = (int(found[3]), _MONTHS.get(found[1].lower(), 0), int(found[2]))
    return _build(date, clock, _zone((found[7] or "").lower()))


def _zone(name: str) -> timedelta | None:
    found = _offset(name)
    if found is None:
        return timedelta(hours=_ZONES[name]) if name in _ZONES else None
    offset = timedelta(hours=int(found[2]), minutes=int(found[3] or 0))
    return -offset if found[1] == "-" else offset


def _build(date: tuple[int, int, int], clock: tuple[str | None, ...], offset: timedelta | None) -> datetime | None:
    if offset is None:
        return None
    hour, minute, second = (int(part or 0) for part in clock)
    try:  # a leap second counts as the second before it
        local = datetime(*date, hour, minute, min(second, 59) if second == 60 else second, tzinfo=timezone(offset))
        return local.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
