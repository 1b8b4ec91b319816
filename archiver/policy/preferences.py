"""What a site prefers to be done with its content: Content-Usage and Content-Signal values, and how several combine.

Content-Usage: draft-ietf-aipref-vocab-07, a structured dictionary. Content-Signal: the lines Cloudflare writes into
robots.txt. Neither says anything about access.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from archiver.policy.structured import Token, parse_dictionary


class Usage(StrEnum):
    """A preference about one kind of use."""

    ALLOW = "allow"
    DISALLOW = "disallow"
    UNKNOWN = "unknown"


CATEGORIES = ("train-ai", "search")
"""The categories of aipref-vocab-07; other keys, older drafts' among them, mean nothing here."""

NO_PREFERENCE: Mapping[str, Usage] = dict.fromkeys(CATEGORIES, Usage.UNKNOWN)
_VALUES = {Token("y"): Usage.ALLOW, Token("n"): Usage.DISALLOW}
_SEPARATORS = str.maketrans({",": " ", ";": " ", "=": " = "})


def combine(values: Iterable[Usage]) -> Usage:
    """Any disallow wins, else any allow, else unknown (aipref-vocab-07, 5.1)."""
    seen = set(values)
    if Usage.DISALLOW in seen:
        return Usage.DISALLOW
    return Usage.ALLOW if Usage.ALLOW in seen else Usage.UNKNOWN


def combine_usage(statements: Iterable[Mapping[str, Usage]]) -> dict[str, Usage]:
    """The same for each category of several statements."""
    held = list(statements)
    return {name: combine(one.get(name, Usage.UNKNOWN) for one in held) for name in CATEGORIES}


def read_content_usage(value: str) -> dict[str, Usage] | None:
    """The preferences of one Content-Usage field or rule; None where it does not parse (all unknown then).

    Several field lines are one field: join them with `, ` first (RFC 9651, 4.2).
    """
    members = parse_dictionary(value)
    if members is None:
        return None
    known = ((name, members.get(name)) for name in CATEGORIES)
    return {name: _VALUES.get(one, Usage.UNKNOWN) if isinstance(one, Token) else Usage.UNKNOWN for name, one in known}


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentSignal:
    """`yes` = True, `no` = False, not said = None. `extra` holds other keys as written."""

    search: bool | None = None
    ai_input: bool | None = None
    ai_train: bool | None = None
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def labels(self) -> dict[str, bool | None]:
        return {"search": self.search, "ai-input": self.ai_input, "ai-train": self.ai_train}


def read_content_signals(lines: Iterable[str]) -> ContentSignal:
    """All Content-Signal values of a group together; where they contradict each other, `no` holds."""
    said: dict[str, bool] = {}
    extra: dict[str, str] = {}
    for line in lines:
        words = line.translate(_SEPARATORS).split()
        for name, equals, value in zip(words, words[1:], words[2:]):
            key, answer = name.lower(), value.lower()
            if equals != "=":
                continue
            if key not in ("search", "ai-input", "ai-train"):
                extra[key] = value
            elif answer in ("yes", "no"):
                said[key] = said.get(key, True) and answer == "yes"
    return ContentSignal(
        search=said.get("search"), ai_input=said.get("ai-input"), ai_train=said.get("ai-train"), extra=extra
    )
