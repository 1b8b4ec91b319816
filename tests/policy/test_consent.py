"""What buttons say, which texts are notices, what is pressed, what it came to."""

from __future__ import annotations

import itertools
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.policy import consent_notices
from archiver.policy.consent import (
    GUARDED,
    Act,
    Button,
    Course,
    Notice,
    Outcome,
    Policy,
    Toggle,
    accept_step,
    best,
    conclude,
    implied,
    is_notice,
    is_same,
    next_step,
    notice_json,
    notice_of,
    words_for_page,
)
from archiver.policy.consent_labels import Label, forbidden_labels, is_forbidden, label_of, normal
from archiver.policy.consent_state import Proof, Says
from archiver.policy.consent_words import LANGUAGES, PAY, Word

REFUSALS = {
    "en": (
        "Reject all",
        "Decline",
        "Only necessary cookies",
        "Continue without accepting",
        "Do not consent",
        "I decline",
        "Reject non-essential",
        "Continue with essential cookies",
        "Disagree and close",
        "Decline all apps",
    ),
    "de": (
        "Alle ablehnen",
        "Nur notwendige Cookies",
        "Nur essenzielle Cookies akzeptieren",
        "Weiter ohne Zustimmung",
        "Ablehnen",
    ),
    "fr": (
        "Tout refuser",
        "Continuer sans accepter",
        "Refuser les cookies optionnels",
        "Je refuse",
        "Interdire tous les cookies",
    ),
    "es": ("Rechazar todo", "Solo necesarias", "Continuar sin aceptar", "Rechazar"),
    "it": ("Rifiuta tutto", "Continua senza accettare", "Solo necessari", "Rifiuto"),
    "nl": ("Alles weigeren", "Alleen noodzakelijke cookies", "Weigeren"),
    "pl": ("Odrzuć wszystkie", "Tylko niezbędne", "Nie zgadzam się", "Odrzucam"),
    "pt": ("Rejeitar todos", "Apenas necessários", "Recusar", "Continuar sem aceitar"),
    "sv": ("Neka alla", "Endast nödvändiga", "Avvisa alla"),
    "da": ("Afvis alle", "Kun nødvendige", "Afvis"),
    "cs": ("Odmítnout vše", "Pouze nezbytné", "Nesouhlasím"),
    "ja": ("すべて拒否する", "拒否", "必須Cookieのみ", "同意しない"),
    "zh": ("全部拒绝", "仅接受必要的Cookie"),
    "ru": ("Отклонить все", "Только необходимые"),
}
CONSENTS = (
    "Accept all",
    "I agree",
    "OK",
    "Got it!",
    "Allow all cookies",
    "OK, accept all",
    "Alle akzeptieren",
    "Tout accepter",
    "Aceptar",
    "Accetta tutti",
    "Akkoord",
    "Akceptuję",
    "Aceitar todos",
    "Godkänn alla",
    "Accepter alle",
    "Souhlasím",
    "すべて同意する",
    "Accept all but analytics",
    "Accept essential and analytics",
    "Yes",
    "Continue",
    "Принять все",
)
NEVER = (
    "Reject and subscribe",
    "Refuser et s'abonner",
    "Ablehnen und abonnieren",
    "Subscribe for €2.99",
    "Functional",
    "Necessary",
    "Maybe later",
    "Withdraw consent",
    "Order now",
    "Sign me up",
    "Read more",
    "Cookie policy",
    "Accept or reject",
    "",
    "Do not reject",
    "I do not object",
    "x" * 200,
    "Ad-free for 3 EUR",
    "Enter your age",
)


@pytest.mark.parametrize("text", list(itertools.chain.from_iterable(REFUSALS.values())))
def test_a_refusal_is_read_in_many_languages(text: str) -> None:
    assert label_of(text) is Label.REJECT
    assert label_of(f"  {text.upper()}! ") is Label.REJECT


@pytest.mark.parametrize("text", [*CONSENTS, *NEVER])
def test_what_gives_consent_costs_money_or_is_not_understood_is_no_refusal(text: str) -> None:
    assert label_of(text) not in {Label.REJECT, Label.WEAK_REJECT, Label.SAVE}


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Manage preferences", Label.SETTINGS),
        ("Einstellungen oder ablehnen", Label.SETTINGS),
        ("Let me choose", Label.SETTINGS),
        ("Personnaliser", Label.SETTINGS),
        ("設定", Label.SETTINGS),
        ("Confirm My Choices", Label.SAVE),
        ("Accept current selection", Label.SAVE),
        ("Auswahl erlauben", Label.SAVE),
        ("Enregistrer mes choix", Label.SAVE),
        ("No thanks", Label.WEAK_REJECT),
        ("Nein, danke", Label.WEAK_REJECT),
        ("×", Label.CLOSE),
        ("Close", Label.CLOSE),
        ("Accept and buy", Label.PAY),
        ("Do Not Sell My Personal Information", Label.SETTINGS),
        ("★", Label.OTHER),
    ],
)
def test_other_labels(text: str, label: Label) -> None:
    assert label_of(text) is label


@given(st.text(max_size=90))
def test_any_text_has_a_label(text: str) -> None:
    assert label_of(text) in Label
    assert normal(normal(text)) == normal(text)


@given(
    st.sampled_from([word for lang in LANGUAGES.values() for word in lang.get(Word.REFUSE, ())]),
    st.text("abcdefgh", min_size=4),
)
def test_a_refusal_with_a_word_that_nobody_knows_is_not_pressed(refusal: str, extra: str) -> None:
    unknown = f"{extra}qx"
    assert label_of(f"{refusal} {unknown}") in {Label.OTHER, Label.PAY}


def test_whatever_a_rule_may_not_press_is_a_plain_yes() -> None:
    labels = forbidden_labels()
    assert {"accept all", "ok", "alle akzeptieren", "tout accepter", "同意する"} <= set(labels)
    assert not [text for text in labels if label_of(text) in {Label.REJECT, Label.SAVE, Label.SETTINGS}]
    assert is_forbidden("Accept all") and is_forbidden("Subscribe") and not is_forbidden("Reject all")
    assert not is_forbidden("Accept all", accepting=True) and is_forbidden("Subscribe", accepting=True)


def test_expressions_are_readable_in_javascript() -> None:
    found: dict[str, Any] = words_for_page()
    for expression in (found["words"], PAY, *vars(consent_notices).values()):
        if isinstance(expression, str) and "|" in expression:
            re.compile(expression)
            assert "(?<" not in expression and "(?P" not in expression


# --- notices ---


def notice(text: str, *labels: str, **changes: Any) -> Notice:
    buttons = tuple(Button(id=at, text=label) for at, label in enumerate(labels, 1))
    return Notice(**({"id": 100, "text": f"{text} {' '.join(labels)}", "buttons": buttons} | changes))


COOKIES = "We use cookies to analyse traffic and personalise ads."


@pytest.mark.parametrize(
    "one",
    [
        notice(COOKIES, "Accept all", "Reject all"),
        notice(COOKIES, "OK"),
        notice(COOKIES, "×"),
        notice(COOKIES, "Accept all", place="flow"),
        notice(
            "We and our partners use cookies. Read for free with ads, or subscribe for €2.99 a month.",
            "Subscribe for €2.99",
            "Accept and continue for free",
        ),
        notice("Wir verwenden Cookies, um Inhalte zu personalisieren.", "Alle akzeptieren", "Ablehnen"),
        notice("当サイトではCookieを使用しています。", "すべて同意する", "すべて拒否する"),
        notice("We'd like to use your personal information for: Analytics.", "Accept", "Decline", "Configure"),
        notice("Nous collectons vos informations personnelles.", "Accepter", "Refuser", "Configurer", place="flow"),
        notice("Hi! Could we please enable some additional services?", "I decline", "That's ok"),
        notice("Confirm", "Save", layer=2),
    ],
    ids=lambda one: one.text[:24],
)
def test_a_notice_is_known_by_words_buttons_and_place(one: Notice) -> None:
    assert is_notice(one)


@pytest.mark.parametrize(
    "one",
    [
        notice("Are you over 18 years old? We use cookies to remember your answer.", "Yes", "No"),
        notice(
            "Join our newsletter. By continuing you agree to our use of cookies.", "Sign me up", "No thanks", asks=True
        ),
        notice("Get our newsletter and cookies", "No thanks"),
        notice("Please read and accept the exam rules, and our privacy policy.", "I accept", "I decline"),
        notice("3 suggested edits to this document", "Accept all", "Reject all"),
        notice("Our website sells cookies: we use cookies and cream in every box!", "Order now", "No thanks"),
        notice(COOKIES, "Withdraw consent", "Accept all cookies", place="flow"),
        notice(COOKIES, "Accept all", place="flow", about="/cookie-policy Cookie policy"),
        notice(COOKIES, "Cookie settings", place="flow"),
        notice(COOKIES, "Another page"),
        notice(COOKIES),
        notice("Your privacy matters.", "Accept"),
        notice("Anything", "Close", layer=2),
    ],
    ids=lambda one: one.text[:24],
)
def test_what_only_looks_like_one_is_left_alone(one: Notice) -> None:
    assert not is_notice(one)


def test_a_refusal_in_sight_comes_first() -> None:
    step = next_step(notice(COOKIES, "Settings", "Accept all", "Reject all"))
    assert step is not None and step.act is Act.REJECT and step.button.text == "Reject all" and step.sure


def test_a_link_to_another_document_is_not_pressed() -> None:
    one = notice(COOKIES, "OK")
    away = Button(id=9, text="Reject all", leaves=True)
    assert next_step(Notice(id=1, text=COOKIES, buttons=(*one.buttons, away))) is None


def test_no_thanks_is_a_refusal_only_beside_consent_to_cookies() -> None:
    step = next_step(notice(COOKIES, "Accept", "No thanks"))
    assert step is not None and step.button.text == "No thanks"
    assert next_step(notice("Join our club", "Accept", "No thanks")) is None


def test_switches_that_are_on_are_turned_off_before_saving() -> None:
    toggles = (Toggle(id=1, on=True, fixed=True), Toggle(id=2, on=True), Toggle(id=3))
    step = next_step(notice(COOKIES, "Accept all", "Save settings", toggles=toggles))
    assert step is not None and step.act is Act.SAVE and [toggle.id for toggle in step.toggles] == [2] and not step.sure


def test_settings_are_opened_once_and_only_where_nothing_refuses() -> None:
    one = notice(COOKIES, "Accept all", "Manage options")
    step = next_step(one)
    assert step is not None and step.act is Act.SETTINGS
    assert next_step(one, opened=True) is None
    assert next_step(notice(COOKIES, "Accept all", "Save")) is None, "nothing to be saved in the first layer"


def test_consent_is_given_by_another_function_alone() -> None:
    step = accept_step(notice(COOKIES, "OK", "Accept all"))
    assert step is not None and step.act is Act.ACCEPT and step.button.text == "Accept all"
    assert accept_step(notice(COOKIES, "Reject all")) is None


@given(st.lists(st.sampled_from([*CONSENTS, *NEVER, "Close", "×", "Pay"]), max_size=6))
def test_no_step_ever_presses_a_yes(labels: list[str]) -> None:
    step = next_step(notice(COOKIES, *labels))
    assert step is None or step.act is Act.SETTINGS


def test_the_best_of_several_notices() -> None:
    first, second = notice(COOKIES, "Manage options", id=1), notice(COOKIES, "Reject all", id=2)
    found = best([first, second], opened=False)
    assert found is not None and found[0].id == 2
    assert best([notice(COOKIES, "OK")], opened=False) is None


def test_one_notice_seen_twice() -> None:
    panel = "Cookies management panel. Preference for all services. My analytics disallowed. Deny all. Allow all"
    assert is_same(panel, panel.replace("disallowed", "not allowed")) and is_same(COOKIES, f"News {COOKIES} OK")
    assert not is_same(COOKIES, "This website uses cookies. Decline Accept") and not is_same("", COOKIES)


def test_a_notice_goes_out_and_in() -> None:
    told = {
        "id": 3,
        "text": COOKIES,
        "place": "flow",
        "buttons": [{"id": 4, "text": "Reject all"}],
        "toggles": [{"id": 5, "text": "Ads", "on": True}],
    }
    one = notice_of(told, frame=2)
    assert (one.id, one.frame, one.place, one.toggles[0].on) == (3, 2, "flow", True)
    assert notice_json(one)["buttons"] == [{"text": "Reject all", "label": "reject"}]


# --- what it came to ---

REJECTED, ACCEPTED = Proof(says=Says.REJECTED), Proof(says=Says.ACCEPTED)
PLAINLY = Proof(says=Says.ACCEPTED, plain=True)
OPAQUE, NOTHING, MIXED = (Proof(says=says) for says in (Says.OPAQUE, Says.NOTHING, Says.MIXED))


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({"seen": False}, Outcome.ABSENT),
        ({"seen": False, "missing": ["https://a.test/klaro.js"]}, Outcome.NOT_LOADED),
        ({"refused": True, "proof": REJECTED}, Outcome.REJECTED),
        ({"refused": True, "proof": OPAQUE}, Outcome.REJECTED),
        ({"refused": True, "proof": OPAQUE, "standing": True}, Outcome.UNVERIFIED),
        ({"refused": True, "proof": NOTHING}, Outcome.UNVERIFIED),
        ({"refused": True, "proof": NOTHING, "standing": True}, Outcome.FAILED),
        ({"refused": True, "proof": MIXED}, Outcome.UNVERIFIED),
        ({"refused": True, "proof": ACCEPTED}, Outcome.UNVERIFIED),
        ({"refused": True, "proof": PLAINLY}, Outcome.IMPLIED),
        ({"refused": True, "proof": REJECTED, "others": True}, Outcome.NO_REJECT),
        ({"refused": True, "proof": REJECTED, "looped": True}, Outcome.LOOP),
        ({}, Outcome.NO_REJECT),
        ({"proof": ACCEPTED}, Outcome.IMPLIED),
        ({"stuck": True}, Outcome.FAILED),
        ({"policy": Policy.LEAVE}, Outcome.LEFT),
        ({"policy": Policy.HIDE, "hidden": True}, Outcome.HIDDEN),
        ({"policy": Policy.HIDE}, Outcome.FAILED),
        ({"policy": Policy.ACCEPT, "accepted": True, "proof": ACCEPTED}, Outcome.ACCEPTED),
        ({"policy": Policy.ACCEPT, "accepted": True, "proof": REJECTED}, Outcome.FAILED),
        ({"policy": Policy.ACCEPT}, Outcome.FAILED),
    ],
)
def test_one_word_for_a_page(changes: dict[str, Any], outcome: Outcome) -> None:
    assert conclude(Course(**({"policy": Policy.REJECT, "seen": True} | changes))) is outcome


@given(
    st.builds(
        Course,
        policy=st.sampled_from(Policy),
        seen=st.booleans(),
        refused=st.booleans(),
        accepted=st.booleans(),
        standing=st.booleans(),
        others=st.booleans(),
        proof=st.builds(Proof, says=st.sampled_from(Says), plain=st.booleans()),
    )
)
def test_rejected_is_claimed_with_proof_alone_and_accepted_under_its_policy_alone(course: Course) -> None:
    outcome = conclude(course)
    if outcome is Outcome.REJECTED:
        assert course.refused and course.proof.says in {Says.REJECTED, Says.OPAQUE}
    if outcome is Outcome.ACCEPTED:
        assert course.policy is Policy.ACCEPT
    if course.policy is Policy.LEAVE and course.seen:
        assert outcome is Outcome.LEFT


def test_a_behaviour_that_was_taken_for_consent() -> None:
    assert implied(ACCEPTED, standing=True) and implied(OPAQUE, standing=False) and implied(MIXED, standing=True)
    assert (
        not implied(OPAQUE, standing=True)
        and not implied(REJECTED, standing=False)
        and not implied(NOTHING, standing=False)
    )
    assert {Outcome.NO_REJECT, Outcome.LEFT, Outcome.FAILED} <= GUARDED
