"""The classes that words on the buttons of consent notices have, and how tables of them are written."""

from __future__ import annotations

from enum import StrEnum


class Word(StrEnum):
    REFUSE = "refuse"
    WITHOUT = "without"
    ONLY = "only"
    NEEDED = "needed"
    ACCEPT = "accept"
    ALL = "all"
    SAVE = "save"
    CHOSEN = "chosen"
    SETTINGS = "settings"
    FINE = "fine"
    CLOSE = "close"
    NO = "no"
    EXTRA = "extra"
    FILLER = "filler"


def words(**classes: str) -> dict[Word, tuple[str, ...]]:
    """`|` between words, which may be of several."""
    return {Word(name): tuple(word.strip() for word in text.split("|")) for name, text in classes.items()}
