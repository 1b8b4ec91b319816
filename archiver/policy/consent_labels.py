"""What a button of a consent notice would say if it were pressed. Pure; the words are data, in `consent_words`."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Mapping
from enum import StrEnum
from functools import cache, lru_cache

from archiver.policy.consent_notices import is_about
from archiver.policy.consent_words import LANGUAGES, PAY, PHRASES, Word

LONGEST_LABEL = 80


class Label(StrEnum):
    """What pressing a button would say."""

    REJECT = "reject"
    WEAK_REJECT = "weak-reject"
    ACCEPT = "accept"
    SAVE = "save"
    SETTINGS = "settings"
    FINE = "fine"
    CLOSE = "close"
    PAY = "pay"
    OTHER = "other"


def normal(text: str) -> str:
    """Lower case, letters and digits, single blanks: `Reject All!` and `reject all` are one phrase."""
    text = unicodedata.normalize("NFKC", text).lower()
    return " ".join(
        "".join(one if one.isalnum() or unicodedata.category(one)[0] == "M" else " " for one in text).split()
    )


@lru_cache(maxsize=4_096)
def label_of(text: str) -> Label:
    """A phrase is understood when every word of it is known; what is not understood is `OTHER` and never pressed."""
    if not text or len(text) > LONGEST_LABEL:
        return Label.OTHER
    if is_about(PAY, text):
        return Label.PAY
    phrase = normal(text)
    if not phrase:
        return Label.CLOSE if text.strip() in {"×", "✕", "✖", "✗", "╳", "⨯", "⨉"} else Label.OTHER
    for word, phrases in PHRASES.items():
        if phrase.replace(" ", "") in phrases or phrase in phrases:
            return _MEANING[word]
    words = _parse(phrase)
    return Label.OTHER if words is None else _meaning(words)


def _parse(phrase: str) -> frozenset[Word] | None:
    """The classes of its words, longest phrases first; None when there is a word that nobody knows."""
    vocabulary, longest = _vocabulary()
    parts, found, at = phrase.split(), set(), 0
    while at < len(parts):
        for size in range(min(longest, len(parts) - at), 0, -1):
            word = vocabulary.get(" ".join(parts[at : at + size]))
            if word is not None:
                found.add(word)
                at += size
                break
        else:
            return None
    return frozenset(found)


_MEANING = {
    Word.REFUSE: Label.REJECT,
    Word.ACCEPT: Label.ACCEPT,
    Word.SETTINGS: Label.SETTINGS,
    Word.SAVE: Label.SAVE,
    Word.FINE: Label.FINE,
    Word.CLOSE: Label.CLOSE,
}

# First line that fits. `-` before a class: must not be there.
_GRAMMAR: tuple[tuple[str, Label], ...] = (
    ("refuse -settings -accept", Label.REJECT),
    ("refuse settings", Label.SETTINGS),
    ("refuse", Label.OTHER),
    ("without accept -settings", Label.REJECT),
    ("without", Label.OTHER),
    ("only needed -all -extra", Label.REJECT),
    ("accept needed -all -settings -extra", Label.REJECT),
    ("accept all", Label.ACCEPT),
    ("chosen accept", Label.SAVE),
    ("save -accept", Label.SAVE),
    ("accept -settings", Label.ACCEPT),
    ("settings -accept", Label.SETTINGS),
    ("fine needed -all -extra -accept", Label.REJECT),
    ("no -fine", Label.WEAK_REJECT),
    ("fine", Label.FINE),
    ("close", Label.CLOSE),
    ("chosen", Label.OTHER),
)


def _meaning(words: frozenset[Word]) -> Label:
    for line, label in _GRAMMAR:
        if all((name[1:] not in words) if name[0] == "-" else (name in words) for name in line.split()):
            return label
    return Label.OTHER


# A word of two classes gets the one that presses less.
_CAUTIOUS = (
    Word.FINE, Word.ACCEPT, Word.SETTINGS, Word.CLOSE, Word.SAVE, Word.CHOSEN, Word.NO, Word.ALL, Word.EXTRA,
    Word.WITHOUT, Word.ONLY, Word.NEEDED, Word.REFUSE, Word.FILLER,
)  # fmt: skip


@cache
def _vocabulary() -> tuple[Mapping[str, Word], int]:
    """Every word and phrase with its class, and how many words the longest has."""
    found: dict[str, Word] = {}
    for language in LANGUAGES.values():
        for word, phrases in language.items():
            for phrase in phrases:
                key = normal(phrase)
                if key not in found or _CAUTIOUS.index(word) < _CAUTIOUS.index(found[key]):
                    found[key] = word
    return found, max(phrase.count(" ") + 1 for phrase in found)


def is_forbidden(text: str, *, accepting: bool = False) -> bool:
    """Whether a rule's press of a button with this label is stopped: it would give consent, or pay."""
    label = label_of(text)
    return label is Label.PAY or (label in {Label.ACCEPT, Label.FINE, Label.CLOSE} and not accepting)


@cache
def forbidden_labels() -> tuple[str, ...]:
    """Labels, as `normal` gives them, at which a rule's press is stopped: every plain way to say yes."""
    found: set[str] = set()
    for language in LANGUAGES.values():
        yes = [*language.get(Word.ACCEPT, ()), *language.get(Word.FINE, ())]
        every = ("", *language.get(Word.ALL, ()))
        for word in yes:
            for all_of in every:
                for phrase in (f"{word} {all_of}", f"{all_of} {word}"):
                    found |= {normal(phrase + tail) for tail in ("", " cookies", " and close", " cookies and close")}
                    found.add(normal("i " + phrase))
    found |= PHRASES[Word.ACCEPT] | PHRASES[Word.FINE]
    return tuple(sorted(phrase for phrase in found if label_of(phrase) in {Label.ACCEPT, Label.FINE, Label.OTHER}))


@cache
def wording_hash() -> str:
    """Which words were known: 16 hex digits over all of them."""
    lines = [
        f"{language} {word} {'|'.join(sorted(phrases))}"
        for language, words in (*LANGUAGES.items(), ("", PHRASES)) for word, phrases in words.items()
    ]  # fmt: skip
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()[:16]
