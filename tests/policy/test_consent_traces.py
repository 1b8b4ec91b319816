"""Libraries known by their addresses; rules of the engine by page and frame."""

from __future__ import annotations

import re
from typing import Any

import pytest

from archiver.policy.consent_traces import for_page, is_library, missing_libraries, nature_of, rules_for


@pytest.mark.parametrize(
    "url",
    [
        "https://cdn.cookielaw.org/scripttemplates/otSDKStub.js",
        "https://consent.cookiebot.com/uc.js",
        "https://a.test/js/klaro.js",
        "https://a.test/nm/vanilla-cookieconsent/dist/cookieconsent.umd.js?v=3",
        "https://sdk.privacy-center.org/x/loader.js",
        "https://a.test/wp-content/plugins/cookie-law-info/public.css",
        "https://a.test/orejime-standard-fr.js",
        "https://cmp.a.test/stub.js",
        "https://a.test/assets/gdpr.min.js",
    ],
)
def test_a_library(url: str) -> None:
    assert is_library(url)
    assert missing_libraries([url, url, "https://a.test/app.js"]) == [url]


@pytest.mark.parametrize(
    "url",
    [
        "https://a.test/app.js",
        "https://a.test/cookies.png",
        "https://a.test/recipes/cookie.html",
        "https://a.test/?next=klaro.js",
    ],
)
def test_no_library(url: str) -> None:
    assert not is_library(url)


def test_expressions_compile() -> None:
    for expression in for_page().values():
        re.compile(expression)


RULES: list[dict[str, Any]] = [
    {"name": "everywhere"},
    {"name": "site", "runContext": {"urlPattern": "^https://a\\.test/"}},
    {"name": "frame", "runContext": {"main": False, "frame": True}},
    {"name": "both", "runContext": {"main": True, "frame": True}},
    {"name": "cosmetic", "cosmetic": True},
    {"name": "odd", "runContext": {"urlPattern": "(?<bad"}},
]


def names(url: str, *, main: bool, cosmetic: bool = False) -> list[str]:
    return [str(rule["name"]) for rule in rules_for(RULES, url, main=main, cosmetic=cosmetic)]


def test_rules_by_page_and_frame() -> None:
    assert names("https://a.test/", main=True) == ["everywhere", "site", "both", "odd"]
    assert names("https://b.test/", main=True) == ["everywhere", "both", "odd"]
    assert names("https://b.test/", main=False) == ["frame", "both"]
    assert "cosmetic" in names("https://b.test/", main=True, cosmetic=True)


@pytest.mark.parametrize(
    ("steps", "nature"),
    [
        ([{"click": "#no"}], "acts"),
        ([{"hide": "#banner"}], "hides only"),
        ([{"if": {"exists": "#no"}, "then": [{"click": "#no"}], "else": [{"hide": "#banner"}]}], "may hide"),
        ([{"any": [{"waitForThenClick": "#no"}]}], "acts"),
    ],
)
def test_the_nature_of_a_rule(steps: list[dict[str, Any]], nature: str) -> None:
    assert nature_of({"optOut": steps}) == nature


def test_rules_in_code_act_and_cosmetic_ones_hide() -> None:
    assert nature_of(None) == "acts"
    assert nature_of({"cosmetic": True, "optOut": [{"click": "#x"}]}) == "hides only"
