"""Header fields as they come: pairs of bytes from the wire, or of text; and the Link header (RFC 8288)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_quoted = re.compile(r'"((?:[^"\\]|\\.)*)(?:"|\\?$)', re.DOTALL).match
_unescape = re.compile(r"\\(.)", re.DOTALL).sub

Header = tuple[bytes, bytes] | tuple[str, str]


def as_text(value: bytes | str) -> str:
    """Octets one by one (ISO 8859-1), so that nothing is lost or refused; text as it is."""
    return value.decode("latin-1") if isinstance(value, bytes) else value


def values_of(headers: Iterable[Header], name: str) -> list[str]:
    """The values of a field, line by line, in order. `name` in lower case."""
    return [as_text(value) for key, value in headers if as_text(key).lower() == name]


@dataclass(frozen=True, slots=True)
class Link:
    """One link of a Link field: its target as written, lower-case relation types, media type without parameters."""

    target: str
    rel: tuple[str, ...]
    type: str


def parse_links(value: str) -> list[Link]:
    """The links of one Link field line; what cannot be read ends the reading, what was read counts."""
    links: list[Link] = []
    at = 0
    while True:
        start = value.find("<", at)
        end = value.find(">", start)
        if start < 0 or end < 0:
            return links
        params, at = _params(value, end + 1)
        links.append(
            Link(
                value[start + 1 : end].strip(),
                tuple(params.get("rel", "").lower().split()),
                params.get("type", "").partition(";")[0].strip().lower(),
            )
        )


def _params(value: str, at: int) -> tuple[dict[str, str], int]:
    """Parameters up to the comma that ends the link; the first of a repeated name counts (RFC 8288, 3.3)."""
    params: dict[str, str] = {}
    while at < len(value):
        at = _skip(value, at, " \t")
        if value[at : at + 1] != ";":
            comma = value.find(",", at)
            return params, len(value) if comma < 0 else comma + 1
        name_end = _until(value, at + 1, ";,=")
        name = value[at + 1 : name_end].strip().lower()
        content, at = _param_value(value, name_end)
        if name:
            params.setdefault(name, content)
    return params, at


def _param_value(value: str, at: int) -> tuple[str, int]:
    if value[at : at + 1] != "=":
        return "", at
    at = _skip(value, at + 1, " \t")
    quoted = _quoted(value, at)
    if quoted is not None:
        return _unescape(r"\1", quoted[1]), quoted.end()
    end = _until(value, at, ";,")
    return value[at:end].strip(), end


def _skip(value: str, at: int, chars: str) -> int:
    while at < len(value) and value[at] in chars:
        at += 1
    return at


def _until(value: str, at: int, stops: str) -> int:
    while at < len(value) and value[at] not in stops:
        at += 1
    return at
