"""RFC 9651 structured fields, as far as preference signals need them: the dictionary.

A field either parses as a whole or counts as absent (RFC 9651, 4.2). One pass, never raises.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

_key = re.compile(r"[a-z*][a-z0-9_\-.*]*").match
_token = re.compile(r"[A-Za-z*][A-Za-z0-9!#$%&'*+\-.^_`|~:/]*").match
_number = re.compile(r"-?(?:[0-9]{1,12}\.[0-9]{1,3}|[0-9]{1,15})(?![0-9.])").match
_string = re.compile(r'"(?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\])*"').match
_bytes = re.compile(r":[A-Za-z0-9+/=]*:").match
_boolean = re.compile(r"\?[01]").match
_date = re.compile(r"@-?[0-9]{1,15}(?![0-9.])").match
_display = re.compile(r'%"(?:[\x20-\x21\x23-\x24\x26-\x7e]|%[0-9a-f]{2})*"').match
_BARE = (_string, _number, _bytes, _boolean, _date, _display)
_comma = re.compile(r"[ \t]*,[ \t]*").match


@dataclass(frozen=True, slots=True)
class Token:
    """A bare word, to be told from the string of the same letters."""

    text: str


Member = Token | str | None
"""A token, the source text of any other item, or None for a list in parentheses."""


class _Malformed(Exception):
    pass


def parse_dictionary(value: str) -> dict[str, Member] | None:
    """The members by key, the last of a repeated key winning; None where the field does not parse. Parameters are
    read over: no preference uses them. A bare key is the boolean true, `?1`.
    """
    text = value.strip(" \t")
    members: dict[str, Member] = {}
    at = 0
    try:
        while at < len(text):
            at, key = _read(_key, text, at)
            member: Member = "?1"
            if text.startswith("=", at):
                at, member = _value(text, at + 1)
            at = _parameters(text, at)
            members.pop(key, None)
            members[key] = member
            if at == len(text):
                break
            at, _ = _read(_comma, text, at)
            if at == len(text):
                raise _Malformed  # a trailing comma
    except _Malformed:
        return None
    return members


def _read(pattern: Callable[[str, int], re.Match[str] | None], text: str, at: int) -> tuple[int, str]:
    found = pattern(text, at)
    if found is None:
        raise _Malformed
    return found.end(), found.group()


def _value(text: str, at: int) -> tuple[int, Member]:
    if text.startswith("(", at):
        return _inner_list(text, at + 1), None
    return _item(text, at)


def _item(text: str, at: int) -> tuple[int, Member]:
    found = _token(text, at)
    if found is not None:
        return found.end(), Token(found.group())
    for kind in _BARE:
        found = kind(text, at)
        if found is not None:
            if kind is _display and not _is_utf8(found.group()):
                break
            return found.end(), found.group()
    raise _Malformed


def _is_utf8(display: str) -> bool:
    try:
        unquote_to_bytes(display).decode()
    except UnicodeDecodeError:
        return False
    return True


def _inner_list(text: str, at: int) -> int:
    while True:
        while text.startswith(" ", at):
            at += 1
        if text.startswith(")", at):
            return at + 1
        at, _ = _item(text, at)
        at = _parameters(text, at)
        if not text.startswith((" ", ")"), at):
            raise _Malformed


def _parameters(text: str, at: int) -> int:
    while text.startswith(";", at):
        at += 1
        while text.startswith(" ", at):
            at += 1
        at, _ = _read(_key, text, at)
        if text.startswith("=", at):
            at, _ = _item(text, at + 1)
    return at
