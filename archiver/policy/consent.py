"""What is done about a consent notice, as data: which button refuses, when nothing is pressed, what it came to.

Pure. A browser tells what it sees (`Notice`), this module says what to do (`Step`). It knows no button that gives
consent unless the policy is `accept`, which an operator chose for one site in writing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from typing import Any

from archiver.policy import consent_notices as notices
from archiver.policy.consent_state import Proof, Says
from archiver.policy.consent_words import LANGUAGES, PAY, PHRASES, Word

LONGEST_LABEL = 80
LONGEST_NOTICE = 6_000
LONGEST_PAGE = 1_500
"""Characters of text: beyond this a whole page is a page, not a notice that stands before one."""


class Policy(StrEnum):
    REJECT = "reject"
    LEAVE = "leave"
    HIDE = "hide"
    ACCEPT = "accept"


class Outcome(StrEnum):
    """What became of a notice. Every `urn:consent:` record and every consent row has one of these."""

    ABSENT = "absent"
    REJECTED = "rejected"
    UNVERIFIED = "rejected-unverified"
    ACCEPTED = "accepted"
    IMPLIED = "accepted-implied"
    HIDDEN = "hidden"
    LEFT = "left"
    NO_REJECT = "no-reject-option"
    NOT_LOADED = "not-loaded"
    FAILED = "failed"
    LOOP = "loop"


GUARDED = frozenset({Outcome.NO_REJECT, Outcome.LEFT, Outcome.FAILED, Outcome.UNVERIFIED, Outcome.HIDDEN, Outcome.LOOP})
"""Outcomes after which a notice may still be standing: stored state is compared after each behaviour."""


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


# --- labels -----------------------------------------------------------------------------------------------------------


def normal(text: str) -> str:
    """Lower case, letters and digits, single blanks: `Reject All!` and `reject all` are one phrase."""
    text = unicodedata.normalize("NFKC", text).lower()
    return " ".join("".join(one if one.isalnum() or unicodedata.category(one)[0] == "M" else " " for one in text).split())


@lru_cache(maxsize=4_096)
def label_of(text: str) -> Label:
    """A phrase is understood when every word of it is known; what is not understood is `OTHER` and never pressed."""
    if not text or len(text) > LONGEST_LABEL:
        return Label.OTHER
    if notices.is_about(PAY, text):
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
    Word.FINE, Word.ACCEPT, Word.SETTINGS, Word.CLOSE, Word.SAVE, Word.CHOSEN, Word.NO, Word.ALL, Word.EXTRA, Word.WITHOUT,
    Word.ONLY, Word.NEEDED, Word.REFUSE, Word.FILLER,
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


# --- notices ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """Something to press. `leaves`: a link to another document."""

    id: int
    text: str
    leaves: bool = False

    @property
    def label(self) -> Label:
        return label_of(self.text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Toggle:
    """A switch of a category. `on` and not `fixed` = giving consent by being left as it is."""

    id: int
    text: str = ""
    on: bool = False
    fixed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A part of a page that may be a consent notice.

    `place`: `overlay` (above the page), `flow` (among its content), `page` (all of a short page). `asks`: it has a
    field to type into. `layer` 2 = came up after settings were opened.
    """

    id: int
    frame: int = 0
    text: str = ""
    place: str = "overlay"
    layer: int = 1
    asks: bool = False
    about: str = ""
    buttons: tuple[Button, ...] = ()
    toggles: tuple[Toggle, ...] = ()

    def of(self, *labels: Label) -> list[Button]:
        return [button for button in self.buttons if button.label in labels]


class Act(StrEnum):
    REJECT = "reject"
    SETTINGS = "settings"
    SAVE = "save"
    ACCEPT = "accept"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One press. `toggles` are switched off before it. `sure` False: the refusal was put together from switches."""

    act: Act
    button: Button
    toggles: tuple[Toggle, ...] = ()
    sure: bool = True


def is_notice(notice: Notice) -> bool:
    """Whether this asks for consent to cookies or the like: words, buttons and place have to agree."""
    text = notice.text
    if notice.layer == 2:
        return bool(notice.of(Label.REJECT, Label.SAVE))
    if not notice.buttons or _is_something_else(notice):
        return False
    answers = notice.of(Label.ACCEPT, Label.REJECT, Label.FINE, Label.SAVE)
    if notice.place == "overlay":
        answers += notice.of(Label.SETTINGS, Label.CLOSE)
    if notice.place != "flow" and notices.is_about(notices.WALL, text):
        answers += notice.of(Label.PAY)
    if not answers:
        return False
    if notices.is_about(notices.COOKIES, text):
        return notices.is_about(notices.USES, text)
    plain = {button.label for button in notice.of(Label.ACCEPT, Label.REJECT, Label.SETTINGS, Label.FINE, Label.SAVE)}
    enough = {Label.ACCEPT, Label.REJECT, Label.SETTINGS} <= plain if notice.place == "flow" else len(plain) >= 2
    return enough and notices.is_about(notices.DATA, text) and not _terms(text)


def _is_something_else(notice: Notice) -> bool:
    """Age gates, newsletters, sign-up forms, pages about cookies."""
    text = notice.text
    if notices.is_about(notices.AGE, text):
        return True
    if notice.asks and not notice.of(Label.REJECT, Label.ACCEPT):
        return True
    if notices.is_about(notices.NEWSLETTER, text) and (notice.asks or not notice.of(Label.REJECT, Label.ACCEPT)):
        return True
    about = f"{notice.about} {text[:80]}"
    return notice.place != "overlay" and (
        notices.is_about(notices.POLICY_PAGE, about) or any(notices.is_about(notices.WITHDRAW, b.text) for b in notice.buttons)
    )


def _terms(text: str) -> bool:
    """Terms, rules, licences to agree to: not about cookies when they do not say so."""
    return re.search(r"\b(terms|rules|licen[cs]e|exam|agb|nutzungsbedingungen|conditions|términos|termini)\b", text, re.I) is not None


def next_step(notice: Notice, *, opened: bool = False) -> Step | None:
    """How to refuse here, None = there is no way. `opened`: the settings were looked into already."""
    for reject in notice.of(Label.REJECT):
        if not reject.leaves:
            return Step(act=Act.REJECT, button=reject)
    weak = [one for one in notice.of(Label.WEAK_REJECT) if not one.leaves]
    if weak and notice.of(Label.ACCEPT) and notices.is_about(notices.COOKIES, notice.text):
        return Step(act=Act.REJECT, button=weak[0])
    saves = [one for one in notice.of(Label.SAVE) if not one.leaves]
    if saves and (notice.toggles or notice.layer == 2):
        on = tuple(toggle for toggle in notice.toggles if toggle.on and not toggle.fixed)
        return Step(act=Act.SAVE, button=saves[0], toggles=on, sure=False)
    settings = [one for one in notice.of(Label.SETTINGS) if not one.leaves]
    if settings and not opened:
        return Step(act=Act.SETTINGS, button=settings[0])
    return None


def accept_step(notice: Notice) -> Step | None:
    """Only where the policy of this site is `accept`."""
    for button in notice.of(Label.ACCEPT) or notice.of(Label.FINE):
        if not button.leaves:
            return Step(act=Act.ACCEPT, button=button)
    return None


def best(found: Iterable[Notice], *, opened: bool) -> tuple[Notice, Step] | None:
    """The notice to act on: a refusal in sight before one that has to be put together, that before settings."""
    rank = {Act.REJECT: 0, Act.SAVE: 1, Act.SETTINGS: 2, Act.ACCEPT: 3}
    steps = [(notice, step) for notice in found if (step := next_step(notice, opened=opened)) is not None]
    return min(steps, key=lambda pair: (rank[pair[1].act], -pair[0].layer), default=None)


def is_forbidden(text: str, *, accepting: bool = False) -> bool:
    """Whether a rule's press of a button with this label is stopped: it would give consent, or pay."""
    label = label_of(text)
    return label is Label.PAY or (label in {Label.ACCEPT, Label.FINE, Label.CLOSE} and not accepting)


def notice_of(told: Mapping[str, Any], *, frame: int = 0) -> Notice:
    """From what the page's look tells; missing fields are as empty."""
    return Notice(
        id=int(told["id"]),
        frame=frame,
        text=str(told.get("text", "")),
        place=str(told.get("place", "overlay")),
        layer=int(told.get("layer", 1)),
        asks=bool(told.get("asks")),
        about=str(told.get("about", "")),
        buttons=tuple(Button(id=b["id"], text=b["text"], leaves=bool(b.get("leaves"))) for b in told.get("buttons", ())),
        toggles=tuple(
            Toggle(id=t["id"], text=t.get("text", ""), on=bool(t.get("on")), fixed=bool(t.get("fixed")))
            for t in told.get("toggles", ())
        ),
    )


def notice_json(notice: Notice) -> dict[str, Any]:
    """As it stands in the record: its text and its buttons with what each would say."""
    return {
        "frame": notice.frame,
        "place": notice.place,
        "layer": notice.layer,
        "text": notice.text[:1_000],
        "wall": notices.is_about(notices.WALL, notice.text),
        "buttons": [{"text": button.text, "label": button.label.value} for button in notice.buttons[:20]],
        "toggles": [{"text": t.text[:80], "on": t.on, "fixed": t.fixed} for t in notice.toggles[:40]],
    }


def words_for_page() -> dict[str, Any]:
    """What the look in the page needs to find candidates: it finds, and decides nothing."""
    return {
        "words": f"{notices.COOKIES}|{notices.DATA}",
        "label": LONGEST_LABEL,
        "notice": LONGEST_NOTICE,
        "page": LONGEST_PAGE,
    }


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


# --- what it came to --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How it went. `standing`: the notice that was answered is still there; `others`: another one is."""

    policy: Policy
    seen: bool = False
    refused: bool = False
    accepted: bool = False
    hidden: bool = False
    stuck: bool = False
    looped: bool = False
    standing: bool = False
    others: bool = False
    proof: Proof = Proof(says=Says.NOTHING)
    missing: Sequence[str] = ()


def conclude(course: Course) -> Outcome:
    """One word for a page. `rejected` needs stored state that says so, and nothing that says otherwise."""
    if course.looped:
        return Outcome.LOOP
    if not course.seen:
        return Outcome.NOT_LOADED if course.missing else Outcome.ABSENT
    if course.policy is Policy.LEAVE:
        return Outcome.LEFT
    if course.policy is Policy.HIDE:
        return Outcome.HIDDEN if course.hidden else Outcome.FAILED
    if course.policy is Policy.ACCEPT:
        given = course.accepted and course.proof.says is not Says.REJECTED
        return Outcome.ACCEPTED if given else Outcome.FAILED
    return _of_refusal(course) if course.refused else _of_none(course)


def _of_none(course: Course) -> Outcome:
    if course.proof.is_given:
        return Outcome.IMPLIED
    return Outcome.FAILED if course.stuck else Outcome.NO_REJECT


def _of_refusal(course: Course) -> Outcome:
    says = course.proof.says
    if says is Says.ACCEPTED and course.proof.plain:
        return Outcome.IMPLIED
    if course.others:
        return Outcome.NO_REJECT
    if says is Says.REJECTED or (says is Says.OPAQUE and not course.standing):
        return Outcome.REJECTED
    return Outcome.FAILED if course.standing and says is Says.NOTHING else Outcome.UNVERIFIED


def implied(proof: Proof, *, standing: bool) -> bool:
    """Whether a behaviour was taken for consent: stored state reads as given, or it changed and the notice went."""
    return proof.is_given or proof.says is Says.MIXED or (proof.says is Says.OPAQUE and not standing)
