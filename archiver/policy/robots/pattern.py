"""One robots.txt path pattern: how it and a URL are brought to one spelling, and how they are compared.

Two dialects. `rfc9309` normalises both sides (RFC 9309, 2.2.2); `google` leaves the URL as it is and only escapes the
rule, as Google's own matcher does. Everything here is linear in its input: no backtracking, whatever a site writes.
"""

from __future__ import annotations

import re
from typing import Literal

Mode = Literal["rfc9309", "google"]

# What both sides keep as it is: unreserved, the reserved set without `*`, `$` and `#`, and a `%` that starts no escape.
_SAFE = r"A-Za-z0-9\-._~:/?\[\]@!&'()+,;=%"
_PLAIN = r"[A-Za-z0-9\-._~:/?\[\]@!&'()+,;=]*"
_is_plain = re.compile(_PLAIN).fullmatch
# The common shapes in one step: an http(s) URL whose path needs no recoding; one whose path is taken as it is.
_plain_url = re.compile(rf"https?://[^/?#;]*(/{_PLAIN})").fullmatch
_any_url = re.compile(r"https?://[^/?#;]*(/[^#]*)").match
_url_units = re.compile(rf"%[0-9A-Fa-f]{{2}}|[^{_SAFE}]").sub
_rule_units = re.compile(rf"%[0-9A-Fa-f]{{2}}|[^{_SAFE}*$]").sub
_google_units = re.compile(r"%[0-9A-Fa-f]{2}|[^\x00-\x7f]").sub
_path_start = re.compile(r"[/?;#]").search
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
# str.find takes time in proportion to both lengths together, but for needles from 100 characters in texts below 30,000
# (CPython searches those without its two-way algorithm): such a text is made longer.
_LONG_PIECE = 100
_LONG_TARGET = 30_000
_FILLER = "\0" * _LONG_TARGET


def _percent(octets: bytes) -> str:
    return "".join(f"%{octet:02X}" for octet in octets)


def _recode(unit: re.Match[str]) -> str:
    """Decode escaped unreserved characters, raise hex to upper case, escape what a URI may not hold (RFC 3986, 2)."""
    text = unit.group()
    if len(text) == 3:
        char = chr(int(text[1:], 16))
        return char if char in _UNRESERVED else text.upper()
    return _percent(text.encode("utf-8", "surrogatepass"))


def _google_recode(unit: re.Match[str]) -> str:
    text = unit.group()
    return text.upper() if len(text) == 3 else _percent(text.encode("utf-8", "surrogateescape"))


def path_and_query(url: str) -> str:
    """What rules are compared with: path, parameters and query as they stand, without fragment, at least `/`."""
    found = _any_url(url)
    return found[1] if found is not None else _path_of_odd_url(url)


def _path_of_odd_url(url: str) -> str:
    """The same for URLs without path or scheme, read the way Google's matcher reads them."""
    if url.startswith(("http://", "https://")):
        start = 7 if url[4] == ":" else 8
    else:
        start = 2 if url.startswith("//") else 0
        scheme = url.find("://", start)
        first = _path_start(url, start)
        if scheme >= 0 and (first is None or first.start() > scheme):
            start = scheme + 3
    found = _path_start(url, start)
    if found is None or found.group() == "#":
        return "/"
    begin = found.start()
    end = url.find("#", begin)
    path = url[begin:] if end < 0 else url[begin:end]
    return path if path[0] == "/" else "/" + path


def rfc_target(url: str) -> str:
    """The normalised path and query. A literal `*` or `$` becomes its escape, so rules can name it (2.2.3)."""
    found = _plain_url(url)
    if found is not None:
        return found[1]
    target = path_and_query(url)
    return target if _is_plain(target) else _url_units(_recode, target)


class Pattern:
    """A compiled path pattern. `octets` is its weight in the longest-match comparison, `*` and `$` counted."""

    __slots__ = ("anchored", "head", "last", "middle", "octets", "wild")

    def __init__(self, text: str, mode: Mode) -> None:
        self.last = ""
        self.middle: tuple[str, ...] = ()
        if _is_plain(text):  # most rules: nothing to recode, nothing special
            self.head, self.octets = text, len(text)
            self.anchored = self.wild = False
            return
        self.anchored = text.endswith("$")
        if mode == "google":
            text = _google_units(_google_recode, text)
            self.octets = len(text)
            body = text[:-1] if self.anchored else text
        else:
            text = _rule_units(_recode, text)
            self.octets = len(text)
            body = (text[:-1] if self.anchored else text).replace("$", "%24")
        self.head, star, rest = body.partition("*")
        self.wild = bool(star)
        pieces = rest.split("*") if star else []
        # An anchored pattern compares its last piece with the end; any other piece only has to occur in order.
        if pieces and self.anchored:
            self.last = pieces.pop()
        self.middle = tuple(piece for piece in pieces if piece)

    def matches(self, target: str) -> bool:
        """Whether the pattern covers `target`, normalised for the same mode. Leftmost finds suffice, none is undone."""
        if not target.startswith(self.head):
            return False
        if not self.wild:
            return not self.anchored or len(target) == len(self.head)
        at = len(self.head)
        for piece in self.middle:
            at = target.find(piece, at) if len(piece) < _LONG_PIECE else _find_long(target, piece, at)
            if at < 0:
                return False
            at += len(piece)
        return not self.anchored or (len(target) - len(self.last) >= at and target.endswith(self.last))


def _find_long(target: str, piece: str, start: int) -> int:
    """`target.find(piece, start)`, linear whatever the two hold. No piece has a NUL: none can reach into the filler."""
    return (target if len(target) - start >= _LONG_TARGET else target + _FILLER).find(piece, start)
