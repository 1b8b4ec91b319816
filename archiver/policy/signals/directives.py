"""The grammar of X-Robots-Tag and `<meta name=robots>` (Google, Bing, MDN; no RFC).

Robots-Tag, its proposed successor, is read as well.

A comma list of rules. In the header an item `name:` whose name takes no value sets whom the rest of its line is for.
Restrictions add up, over fields, elements and tokens; a permissive rule cancels nothing.
"""

from __future__ import annotations

from collections.abc import Container
from datetime import datetime
from typing import Any

from archiver.clock import iso
from archiver.policy.httpdates import parse_date

_SIMPLE = frozenset(
    {
        "noindex", "nofollow", "noarchive", "nocache", "nosnippet", "notranslate", "noimageindex", "indexifembedded",
        "noai", "noimageai", "noml",
    }
)  # fmt: skip
_PERMISSIVE = frozenset({"all", "index", "follow"})
_WORDS = _SIMPLE | _PERMISSIVE | {"none"}
_NUMBERED = frozenset({"max-snippet", "max-video-preview"})
_PREVIEW = ("none", "standard", "large")
_VALUED = _NUMBERED | {"max-image-preview", "unavailable_after"}
_GENERIC = frozenset({"", "*", "robots"})
_SPACE = " \t\r\n\f"
_DATE_COMMAS = 2  # Friday, June 25, 2030


class Directives:
    """The rules read so far; feed it lines, take the sum."""

    __slots__ = ("expires", "params", "rules", "unknown")

    def __init__(self) -> None:
        self.rules: set[str] = set()
        self.params: dict[str, int | str] = {}
        self.unknown: list[str] = []
        self.expires: datetime | None = None

    def read_header(self, line: str, agents: Container[str]) -> None:
        """One X-Robots-Tag field line. `agents`: our tokens in lower case."""
        items = line.split(",")
        ours = True
        at = 0
        while at < len(items):
            item = items[at].strip(_SPACE)
            name, colon, rest = item.partition(":")
            scope = name.strip(_SPACE).lower()
            if colon and scope not in _VALUED:
                ours = scope in _GENERIC or scope in agents
                item = rest.strip(_SPACE)
            at += self._item(item, items, at, ours)

    def read_meta(self, content: str) -> None:
        """The content of a matching meta element."""
        items = content.split(",")
        at = 0
        while at < len(items):
            at += self._item(items[at].strip(_SPACE), items, at, True)

    def read_robots_tag(self, line: str, agents: Container[str]) -> None:
        """One Robots-Tag field line (draft-illyes-repext-00, 2.1): `token=rules`, parted by semicolons, `*` if none."""
        for part in line.split(";"):
            token, equals, rules = part.partition("=")
            if not equals:
                self.read_meta(part)
            elif (name := token.strip(_SPACE).lower()) in _GENERIC or name in agents:
                self.read_meta(rules)

    def merge(self, other: Directives) -> None:
        """Add what another reader found; the stricter value of each rule holds."""
        self.rules |= other.rules
        self.unknown += other.unknown
        if other.expires is not None:
            self._expire(other.expires)
        for name, value in other.params.items():
            self._param(name, value)

    def as_dict(self) -> dict[str, Any]:
        """JSON-able, with only what was said."""
        found: dict[str, Any] = {"rules": sorted(self.rules)}
        if self.params:
            found["params"] = dict(self.params)
        if self.expires is not None:
            found["unavailable_after"] = iso(self.expires)
        if self.unknown:
            found["unknown"] = list(self.unknown)
        return found

    def _item(self, item: str, items: list[str], at: int, ours: bool) -> int:
        """Take one item; how many places of the list it used: a date may hold a comma."""
        name, colon, value = item.partition(":")
        key = name.strip(_SPACE).lower()
        if key == "unavailable_after" and colon:
            moment, used = _date(value, items, at)
            if ours and moment is not None:
                self._expire(moment)
            elif ours:
                self.unknown.append(item)
            return used
        if ours and item and not (self._valued(key, value) if colon else self._words(item)):
            self.unknown.append(item)
        return 1

    def _words(self, item: str) -> bool:
        # Rules parted by spaces are common, if undefined: read when every word is a rule.
        words = item.lower().split()
        if not _WORDS.issuperset(words):
            return False
        self.rules.update(_SIMPLE.intersection(words))
        if "none" in words:
            self.rules.update(("noindex", "nofollow"))
        return True

    def _valued(self, key: str, value: str) -> bool:
        text = value.strip(_SPACE)
        if key in _NUMBERED:
            digits = text.removeprefix("-")
            if not (digits.isascii() and digits.isdigit() and len(digits) <= 18):
                return False
            self._param(key, max(int(text), -1))
            return True
        if key == "max-image-preview" and text.lower() in _PREVIEW:
            self._param(key, text.lower())
            return True
        return False

    def _param(self, key: str, value: int | str) -> None:
        known = self.params.get(key)
        if known is None or _strictness(value) < _strictness(known):
            self.params[key] = value
        self.rules.add(key)

    def _expire(self, moment: datetime) -> None:
        self.rules.add("unavailable_after")
        self.expires = moment if self.expires is None else min(self.expires, moment)


def _strictness(value: int | str) -> float:
    if isinstance(value, str):
        return _PREVIEW.index(value)
    return float("inf") if value < 0 else value  # -1 = no limit


def _date(value: str, items: list[str], at: int) -> tuple[datetime | None, int]:
    """The date and how many items it took: the most that make one, for the clock may stand behind the last comma."""
    for more in range(min(_DATE_COMMAS, len(items) - at - 1), -1, -1):
        moment = parse_date(",".join([value, *items[at + 1 : at + 1 + more]]).strip(_SPACE))
        if moment is not None:
            return moment, 1 + more
    return None, 1
