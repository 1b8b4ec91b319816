"""Retry-After (RFC 9110, 10.2.3): how long a server asks to be left alone. Parsed exactly; a policy caps it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from archiver.policy.fields import Header, values_of
from archiver.policy.httpdates import parse_http_date

_DIGITS = 18


def parse_retry_after(value: str, now: datetime) -> int | None:
    """Seconds from `now` (aware): `1*DIGIT` or an HTTP-date, a past date being 0. None for anything else."""
    text = value.strip(" \t")
    if text.isascii() and text.isdigit():
        return int(text) if len(text) <= _DIGITS else 10**_DIGITS
    moment = parse_http_date(text, now)
    return None if moment is None else max(0, -int((now - moment).total_seconds() // 1))


def retry_after(headers: Iterable[Header], now: datetime) -> int | None:
    """The same for a response; of several fields (an error of the server) the longest wait holds."""
    waits = [parse_retry_after(value, now) for value in values_of(headers, "retry-after")]
    return max((wait for wait in waits if wait is not None), default=None)
