"""RFC 9111 as far as robots.txt needs it: how long a copy is fresh, how to ask if it still holds, what a 304 changes.

Headers are pairs as they came (see `policy.fields`); names in any case.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from archiver.policy.fields import Header, as_text, values_of
from archiver.policy.httpdates import parse_http_date

MAX_AGE = 86_400.0
"""Seconds a copy is used without asking again (RFC 9309, 2.4)."""

Headers = Sequence[tuple[bytes, bytes]]

_entity_tag = re.compile(rb'(?:W/)?"[\x21\x23-\x7e\x80-\xff]{0,1000}"').fullmatch
_NOT_UPDATED = frozenset(
    {
        "connection", "content-encoding", "content-length", "content-range", "content-type", "keep-alive",
        "proxy-authenticate", "proxy-authentication-info", "proxy-authorization", "proxy-connection", "te",
        "trailer", "transfer-encoding", "upgrade",
    }
)  # fmt: skip
_OF_THE_MOMENT = frozenset({"age", "date"})


def freshness(headers: Sequence[Header], received: datetime | None = None) -> float:
    """Seconds a robots.txt stays fresh from its Date on: Cache-Control, else Expires (RFC 9111, 4.2.1); at most 24 h.

    `received` (aware) stands in for a Date that is missing or unreadable. Nothing said = 24 h (RFC 9309, 2.4).
    """
    stated = _stated(headers, received)
    return MAX_AGE if stated is None else min(stated, MAX_AGE)


def remaining(headers: Sequence[Header], received: datetime) -> float:
    """Seconds from `received` on for which an answer is fresh: what it had spent in other caches counts (4.2.3).

    Where the site states no lifetime, 24 hours begin when we got it.
    """
    stated = _stated(headers, received)
    return MAX_AGE if stated is None else min(max(0.0, stated - age(headers, received)), MAX_AGE)


def age(headers: Sequence[Header], received: datetime) -> float:
    """Seconds since the origin server made or confirmed the answer, the larger of Age and now - Date (4.2.3)."""
    first = next(iter(values_of(headers, "age")), "").partition(",")[0].strip()
    told = float(first[:18]) if first.isascii() and first.isdigit() else 0.0
    date = _date(headers, received)
    return max(told, (received - date).total_seconds() if date is not None else 0.0)


def may_be_kept(headers: Sequence[Header]) -> bool:
    """Whether a copy may outlive the job: not after `no-store` (5.2.2.5)."""
    return "no-store" not in _directives(headers)


def validators(headers: Headers) -> tuple[tuple[bytes, bytes], ...]:
    """The request fields that ask whether a copy with these headers still holds (4.3.1); none without a usable one."""
    found = []
    tag = _first(headers, b"etag")
    if tag is not None and _entity_tag(tag):
        found.append((b"If-None-Match", tag))
    modified = _first(headers, b"last-modified")
    if modified is not None and parse_http_date(as_text(modified)) is not None:
        found.append((b"If-Modified-Since", modified))
    return tuple(found)


def validates(stored: Headers, answer: Headers) -> bool:
    """Whether a 304 speaks of the copy with the `stored` headers: an entity tag in it must be that copy's (4.3.4)."""
    told = _first(answer, b"etag")
    return told is None or _opaque(told) == _opaque(_first(stored, b"etag") or b"")


def freshened(stored: Headers, answer: Headers) -> tuple[tuple[bytes, bytes], ...]:
    """The stored headers after a 304: each field that it names replaces the stored ones (3.2, 4.3.4).

    What describes the connection or the body's form stays; Age and Date are always those of the 304.
    """
    named = {part.strip().lower() for line in values_of(answer, "connection") for part in line.split(",")}
    excluded = _NOT_UPDATED | named
    new = tuple((name, value) for name, value in answer if as_text(name).lower() not in excluded)
    replaced = {as_text(name).lower() for name, _ in new} | _OF_THE_MOMENT
    return (*((name, value) for name, value in stored if as_text(name).lower() not in replaced), *new)


def _stated(headers: Sequence[Header], received: datetime | None) -> float | None:
    """The lifetime that the site states; None = it states none. What cannot be read means stale (4.2.1, 5.3)."""
    directives = _directives(headers)
    if "no-store" in directives or "no-cache" in directives:
        return 0.0
    if "max-age" in directives:
        return min(map(_seconds, directives["max-age"]))
    expires = values_of(headers, "expires")
    if not expires:
        return None
    date = _date(headers, received)
    until = parse_http_date(expires[0], date)
    return 0.0 if until is None or date is None else max(0.0, (until - date).total_seconds())


def _directives(headers: Sequence[Header]) -> dict[str, list[str]]:
    """Cache-Control by name, in lower case, with all arguments that were given. `no-cache="field"` is another name."""
    found: dict[str, list[str]] = {}
    for line in values_of(headers, "cache-control"):
        for part in line.split(","):
            name, equals, argument = part.strip().lower().partition("=")
            name = f"{name}=" if equals and name in ("no-cache", "private") else name
            found.setdefault(name, []).append(argument.strip('" '))
    return found


def _seconds(text: str) -> float:
    return float(text[:18]) if text.isascii() and text.isdigit() else 0.0


def _date(headers: Sequence[Header], received: datetime | None) -> datetime | None:
    dates = values_of(headers, "date")
    return (parse_http_date(dates[0], received) if dates else None) or received


def _first(headers: Headers, name: bytes) -> bytes | None:
    return next((value.strip() for key, value in headers if key.lower() == name), None)


def _opaque(tag: bytes) -> bytes:
    return tag.removeprefix(b"W/")
