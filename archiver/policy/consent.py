"""What is done about a consent notice, as data: which button refuses, when nothing is pressed, what it came to.

Pure. A browser tells what it sees (`Notice`), this module says what to do (`Step`). It knows no button that gives
consent unless the policy is `accept`, which an operator chose for one site in writing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from archiver.policy import consent_notices as notices
from archiver.policy.consent_labels import LONGEST_LABEL, Label, label_of, normal
from archiver.policy.consent_state import NOTHING, Proof, Says

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
        notices.is_about(notices.POLICY_PAGE, about)
        or any(notices.is_about(notices.WITHDRAW, b.text) for b in notice.buttons)
    )


def _terms(text: str) -> bool:
    """Terms, rules, licences to agree to: not about cookies when they do not say so."""
    return (
        re.search(r"\b(terms|rules|licen[cs]e|exam|agb|nutzungsbedingungen|conditions|términos|termini)\b", text, re.I)
        is not None
    )


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


def is_same(one: str, other: str) -> bool:
    """Whether two texts are one notice seen twice: a switch flipped, or a part of it with its frame around."""
    words, others = set(normal(one).split()), set(normal(other).split())
    if one == other or not words or not others:
        return one == other
    return len(words & others) >= 0.85 * min(len(words), len(others))


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
        buttons=tuple(
            Button(id=b["id"], text=b["text"], leaves=bool(b.get("leaves"))) for b in told.get("buttons", ())
        ),
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
    proof: Proof = NOTHING
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
