"""Stored state in the forms that libraries use, read before and after."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.policy.consent_state import Says, State, proof_of, read, tc_purposes

TOKEN = base64.b64encode(
    b'{"user_id":"x","vendors":{"disabled":["google"]},"purposes":{"disabled":["select"]},"version":2}'
).decode()


def tc_string(purposes: int) -> str:
    """Core segment of version 2: 152 bits of other fields, then the purposes (IAB TCF v2)."""
    bits = (2 << 146) << 24 | purposes
    return base64.urlsafe_b64encode((bits << 16).to_bytes(24, "big")).decode().rstrip("=")


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("choice", "rejected", Says.REJECTED),
        ("bench", "accepted", Says.ACCEPTED),
        ("cookieconsent_status", "deny", Says.REJECTED),
        ("cookieconsent_status", "dismiss", Says.ACCEPTED),
        ("rcc", "false", Says.REJECTED),
        ("hasConsent", "true", Says.ACCEPTED),
        ("cc_cookie", '{"categories":["necessary"],"revision":0,"services":{"analytics":[]}}', Says.REJECTED),
        ("cc_cookie", '{"categories":["necessary","analytics","ads"]}', Says.ACCEPTED),
        ("tarteaucitron", "!svc=false", Says.REJECTED),
        ("tarteaucitron", "!one=true!two=true", Says.ACCEPTED),
        (
            "CookieConsent",
            "{stamp:'x',necessary:true,preferences:false,statistics:false,marketing:false,ver:1}",
            Says.REJECTED,
        ),
        ("OptanonConsent", "datestamp=Mon&groups=C0001:1,C0002:0,C0003:0&version=2", Says.REJECTED),
        ("OptanonConsent", "groups=C0001:1,C0002:1,C0003:1", Says.ACCEPTED),
        ("cookieyes-consent", "consentid:a,consent:no,action:yes,necessary:yes,analytics:no", Says.REJECTED),
        (
            "CookieControl",
            '{"necessaryCookies":[],"optionalCookies":{"analytics":"revoked"},"interactedWith":true}',
            Says.REJECTED,
        ),
        ("CookieScriptConsent", '{"action":"reject","categories":"[]"}', Says.REJECTED),
        ("klaro", '{"analytics":false,"session":true}', Says.REJECTED),
        ("klaro", '{"analytics":true,"ads":false}', Says.MIXED),
        ("klaro", "%7B%22ads%22%3Afalse%7D", Says.REJECTED),
        ("didomi_token", TOKEN, Says.REJECTED),
        ("cookies_preferences", '["technically_required"]', Says.REJECTED),
        ("cookieControlPrefs", "[]", Says.REJECTED),
        ("uc_settings", '{"services":[{"id":"a","status":true},{"id":"b","status":false}]}', Says.REJECTED),
        ("consentUUID", "aaaa-bbbb", Says.OPAQUE),
        ("cookieBanner_seen", "1", Says.OPAQUE),
        ("cookies_accepted_categories", "", Says.REJECTED),
        ("consent_token", "", Says.OPAQUE),
        ("basket", "", Says.NOTHING),
        ("sidebarOpen", "false", Says.NOTHING),
        ("visits", "3", Says.NOTHING),
        ("theme", "dark", Says.NOTHING),
        ("tcf", "useractioncomplete|", Says.REJECTED),
        ("tcf", "useractioncomplete|1,2", Says.ACCEPTED),
        ("tcf", "cmpuishown|1,2", Says.NOTHING),
        ("usp", "1YYN", Says.REJECTED),
        ("usp", "1YNN", Says.OPAQUE),
        ("euconsent-v2", tc_string(0), Says.REJECTED),
        ("anything", tc_string(0b101), Says.ACCEPTED),
    ],
)
def test_what_a_stored_value_says(name: str, value: str, says: Says) -> None:
    assert read(name, value)[0] is says


def test_a_category_of_unknown_name_left_on_counts_where_switches_were_used() -> None:
    value = '{"ads":false,"comfort":true}'
    assert read("cookie_prefs", value, sure=True)[0] is Says.REJECTED
    assert read("cookie_prefs", value, sure=False)[0] is Says.MIXED


@given(st.text(max_size=200), st.text(max_size=400))
def test_any_value_is_read(name: str, value: str) -> None:
    assert read(name, value)[0] in Says


@given(
    st.recursive(
        st.booleans() | st.text(max_size=8) | st.none() | st.integers(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=6), inner),
    )
)
def test_any_json_is_read(value: object) -> None:
    assert read("consent", json.dumps(value))[0] in Says


@given(st.integers(min_value=0, max_value=(1 << 24) - 1))
def test_purposes_of_a_transparency_string(purposes: int) -> None:
    assert tc_purposes(tc_string(purposes)) == bin(purposes).count("1")


@pytest.mark.parametrize("text", ["", "C", "Cookie", "CPé", "B" + "A" * 40])
def test_what_is_no_transparency_string(text: str) -> None:
    assert tc_purposes(text) is None


def state(**entries: str) -> State:
    return State(entries={f"http://a.test cookie:{name}": value for name, value in entries.items()})


def test_only_what_came_or_changed_counts() -> None:
    before, after = state(choice="rejected", x="1"), state(choice="rejected", x="2")
    assert proof_of(before, after).says is Says.NOTHING


def test_trackers_and_what_changes_by_itself_prove_nothing() -> None:
    after = state(_ga="GA1.1", consent_beat="77")
    noise = frozenset({"http://a.test cookie:consent_beat"})
    assert proof_of(state(), after, noise=noise).says is Says.NOTHING


def test_a_refusal_in_words_beside_a_flag() -> None:
    proof = proof_of(state(), state(_cookies_accepted="essential", cookies_offline="true"))
    assert proof.says is Says.REJECTED
    assert proof_of(state(), state(choice="essential", cookie_analytics="true")).says is Says.MIXED


def test_plain_words_and_flags_are_told_apart() -> None:
    assert proof_of(state(), state(consent="accepted")).plain
    assert not proof_of(state(), state(consent="true")).plain
    assert proof_of(state(), state(consent="true")).is_given
    both = proof_of(state(), state(consent="accepted", choice="rejected"))
    assert both.says is Says.MIXED and len(both.keys) == 2
