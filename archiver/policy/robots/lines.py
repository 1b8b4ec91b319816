"""From the bytes of a robots.txt to its records: (line number, kind, value), in either dialect.

RFC 9309, 2.2: lines end at CR, LF or CRLF only; `#` starts a comment; SP and HTAB around name and value mean nothing.
The `google` dialect forgives more: partial byte order marks, missing colons, misspelt names, over-long lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum

from archiver.policy.robots.pattern import Mode

MAX_BYTES = 512_000
"""How much of a robots.txt is read, in octets after content decoding (RFC 9309, 2.5 asks for at least 500 KiB)."""

_BOM = b"\xef\xbb\xbf"
_GOOGLE_LINE = 2083 * 8 - 1
_ASCII_SPACE = " \t\v\f\r\n"
_undecodable = re.compile("[\udc80-\udcff]").search
_two_words = re.compile(r"([^ \t]+)[ \t]+([^ \t]+)").fullmatch


class Kind(Enum):
    """The records that are known; all others are skipped."""

    USER_AGENT = "user-agent"
    ALLOW = "allow"
    DISALLOW = "disallow"
    CRAWL_DELAY = "crawl-delay"
    REQUEST_RATE = "request-rate"
    VISIT_TIME = "visit-time"
    CONTENT_USAGE = "content-usage"
    CONTENT_SIGNAL = "content-signal"
    SITEMAP = "sitemap"
    LICENSE = "license"
    HOST = "host"
    CLEAN_PARAM = "clean-param"


Record = tuple[int, Kind, str]

# `site-map` is a spelling of Google's that carries no access rule, so both dialects take it.
_BOUNDS = frozenset({Kind.USER_AGENT, Kind.ALLOW, Kind.DISALLOW})
_NAMES = {kind.value: kind for kind in Kind} | {"site-map": Kind.SITEMAP}
_GOOGLE_PREFIXES = (
    (("user-agent", "useragent", "user agent"), Kind.USER_AGENT),
    (("allow",), Kind.ALLOW),
    (("disallow", "dissallow", "dissalow", "disalow", "diasllow", "disallaw"), Kind.DISALLOW),
    (("sitemap", "site-map"), Kind.SITEMAP),
)


def cut(data: bytes) -> tuple[bytes, bool]:
    """The part that is parsed, and whether something was left: at most `MAX_BYTES`, up to the last full line."""
    if len(data) <= MAX_BYTES:
        return data, False
    head = data[:MAX_BYTES]
    end = max(head.rfind(b"\n"), head.rfind(b"\r"))
    return head[: end + 1], True


def records(data: bytes, mode: Mode) -> Iterator[Record]:
    """The known records in file order. Octets that are no UTF-8 arrive as lone surrogates (PEP 383)."""
    google = mode == "google"
    text = _text(data, google)
    dirty = not google and _undecodable(text) is not None
    space = _ASCII_SPACE if google else " \t"
    kinds: dict[str, Kind | None] = {"": None}
    for number, line in enumerate(text.split("\n"), 1):
        if google:
            line = _google_line(line)
        if "#" in line:
            line = line[: line.index("#")]
        name, colon, value = line.partition(":")
        if not colon:
            if not google or (words := _two_words(line.strip(space))) is None:
                continue
            name, value = words.groups()
        try:
            kind = kinds[name]
        except KeyError:
            kind = kinds[name] = _kind(name.strip(space).lower(), google)
        if kind is None:
            continue
        value = value.strip(space)
        if not dirty or not _undecodable(value):
            yield number, kind, value
        elif kind in _BOUNDS:
            # A value that cannot be read is dropped, never guessed at (RFC 9309, 2.2.2). Its line still bounds groups:
            # a rule ends the run of user-agent lines before it, a user-agent line begins one and names nobody.
            yield number, kind, ""


def _text(data: bytes, google: bool) -> str:
    """All of it with LF between lines."""
    text = _without_bom(data, google).decode("utf-8", "surrogateescape")
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _without_bom(data: bytes, google: bool) -> bytes:
    if data.startswith(_BOM):
        return data[3:]
    if google:  # a byte order mark that lost its tail
        return data[2:] if data.startswith(_BOM[:2]) else data[1:] if data.startswith(_BOM[:1]) else data
    return data


def _kind(name: str, google: bool) -> Kind | None:
    if google:
        for prefixes, kind in _GOOGLE_PREFIXES:
            if name.startswith(prefixes):
                return kind
    return _NAMES.get(name)


def _google_line(line: str) -> str:
    """What Google's matcher sees of a line: its first 16,663 octets, up to a NUL."""
    if len(line) * 4 > _GOOGLE_LINE:  # only then can it be longer in octets
        line = line.encode("utf-8", "surrogateescape")[:_GOOGLE_LINE].decode("utf-8", "surrogateescape")
    return line[: line.index("\0")] if "\0" in line else line
