"""Page signals: the vectors, each grammar's corners, and the one call that reads a response."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.policy.retry_after import parse_retry_after, retry_after
from archiver.policy.robots import parse
from archiver.policy.signals import (
    NO_SIGNALS,
    STATUS_ACTIONS,
    Directives,
    LinkTag,
    MetaTag,
    PageSignals,
    Tdm,
    Usage,
    may_follow,
    page_signals,
    resolve,
    status_action,
)
from archiver.policy.signals.tdmrep import read_file, read_json, read_reservation, read_values
from tests.conformance import signals as vectors

FILE = Path(__file__).parents[1] / "data/conformance/signal_vectors.json"
CASES = [
    case for case in json.loads(FILE.read_bytes())["cases"] if not case.get("contested") and not case.get("informative")
]
NOW = datetime(2026, 11, 23, tzinfo=UTC)
ME = ("FooBot",)
URL = "https://h.test/a"


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["id"]))
def test_vector(case: dict[str, Any]) -> None:
    got = vectors.answer(case)
    assert {key: vectors.comparable(key, value, got) for key, value in case["expect"].items()} == case["expect"]


def header(*lines: str) -> dict[str, Any]:
    found = Directives()
    for line in lines:
        found.read_header(line, {"foobot"})
    return found.as_dict()


def meta(content: str) -> dict[str, Any]:
    found = Directives()
    found.read_meta(content)
    return found.as_dict()


@pytest.mark.parametrize(
    ("lines", "rules"),
    [
        (("otherbot: noindex, nofollow",), []),
        (("otherbot: noindex, FOOBOT : nofollow, noarchive",), ["noarchive", "nofollow"]),
        (("noindex, otherbot: nofollow",), ["noindex"]),
        (("otherbot: noindex", "nofollow"), ["nofollow"]),
        (("*: noindex", "robots: nofollow"), ["nofollow", "noindex"]),
        (("foobot:noindex,,\t nofollow ,",), ["nofollow", "noindex"]),
        (("foobot: none",), ["nofollow", "noindex"]),
        (("foobot:", "noindex"), ["noindex"]),
        (("noindex nofollow, all",), ["nofollow", "noindex"]),
        (("otherbot: unavailable_after: Fri, 25 Jun 2010 15:00:00 GMT, noindex",), []),
        ((":noindex",), ["noindex"]),
        (("",), []),
    ],
)
def test_scope_in_the_header(lines: tuple[str, ...], rules: list[str]) -> None:
    assert header(*lines) == {"rules": rules}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("max-snippet:-1, max-snippet: 20, max-snippet: 50", {"rules": ["max-snippet"], "params": {"max-snippet": 20}}),
        ("max-video-preview:-7", {"rules": ["max-video-preview"], "params": {"max-video-preview": -1}}),
        (
            "max-image-preview:Large,max-image-preview:none",
            {"rules": ["max-image-preview"], "params": {"max-image-preview": "none"}},
        ),
        ("max-snippet: many", {"rules": [], "unknown": ["max-snippet: many"]}),
        ("max-image-preview: huge", {"rules": [], "unknown": ["max-image-preview: huge"]}),
        ("max-snippet", {"rules": [], "unknown": ["max-snippet"]}),
        ("unavailable_after", {"rules": [], "unknown": ["unavailable_after"]}),
        (
            "unavailable_after: Friday, June 25, 2010 15:00:00 GMT, noindex",
            {"rules": ["noindex", "unavailable_after"], "unavailable_after": "2010-06-25T15:00:00.000Z"},
        ),
        (
            "unavailable_after: 2030-01-02T03:04:05,5+02:00, noarchive",
            {"rules": ["noarchive", "unavailable_after"], "unavailable_after": "2030-01-02T01:04:05.000Z"},
        ),
        (
            "unavailable_after: 25 Jun 2010, noarchive",
            {"rules": ["noarchive", "unavailable_after"], "unavailable_after": "2010-06-25T00:00:00.000Z"},
        ),
        ("unavailable_after: soon, noindex", {"rules": ["noindex"], "unknown": ["unavailable_after: soon"]}),
        (
            "unavailable_after: 2031-01-01, unavailable_after: Wed, 02 Jan 2030 00:00:00 GMT",
            {"rules": ["unavailable_after"], "unavailable_after": "2030-01-02T00:00:00.000Z"},
        ),
        ("foobot: noindex", {"rules": [], "unknown": ["foobot: noindex"]}),
        ("noindex; nofollow", {"rules": [], "unknown": ["noindex; nofollow"]}),
    ],
)
def test_values_and_unknown_rules(content: str, expected: dict[str, Any]) -> None:
    assert meta(content) == expected


@given(st.text("noindex,: \t-unavailable_after:max-snippet:FooBot,1;é", max_size=80))
def test_any_directive_text_gets_an_answer(text: str) -> None:
    assert set(header(text)["rules"]) <= {
        "noindex", "nofollow", "noarchive", "nocache", "nosnippet", "notranslate", "noimageindex", "indexifembedded",
        "noai", "noimageai", "noml", "max-snippet", "max-video-preview", "max-image-preview", "unavailable_after",
    }  # fmt: skip
    meta(text)


def test_a_line_of_colons_is_read_once() -> None:
    assert header("a:" * 200_000) == {"rules": []}
    assert header("unavailable_after: x," * 20_000)["rules"] == []


def read(headers: Any = (), **rest: Any) -> PageSignals:
    return page_signals(headers=headers, agents=ME, url=URL, **rest)


def test_most_pages_say_nothing_and_get_the_same_answer() -> None:
    robots = parse(b"User-agent: *\nCrawl-delay: 3\nSitemap: https://h.test/s\n")
    headers = [(b"Date", b"x"), (b"cache-control", b"max-age=3"), (b"link", b"</a.css>; rel=preload; as=style")]
    metas = [("viewport", "width=1"), ("googlebot", "noindex"), ("", "")]
    links = [("stylesheet", "/a.css", ""), LinkTag("icon", "/i.ico")]
    assert read(headers, meta=metas, links=links, robots=robots) is NO_SIGNALS
    assert not (NO_SIGNALS.noarchive or NO_SIGNALS.nofollow or NO_SIGNALS.noindex)
    assert {one["value"] for one in NO_SIGNALS.usage_json.values()} == {"unknown"}


def test_all_carriers_add_up_and_leave_evidence() -> None:
    robots = parse(
        b"User-agent: *\nContent-Usage: train-ai=n\nContent-Signal: ai-input=no, search=yes\n"
        b"License: https://l.test/r.xml\nLicense: /no\nAllow: /\n"
    )
    found = read(
        [
            (b"X-Robots-Tag", b"noindex, unavailable_after: 2030-01-02"),
            (b"content-usage", b"search=y"),
            (b"Content-Usage", b"train-ai=y"),
            ("TDM-Reservation", "1"),
            ("Robots-Tag", "noindex"),
            ("Cache-Control", "max-age=0, private, no-store"),
            ("Memento-Datetime", "Mon, 23 Nov 2026 00:00:00 GMT"),
            ("Link", '</lic>; rel="license", <https://l.test/h>; rel="x LICENSE"; type="application/rsl+xml;a=b"'),
        ],
        meta=[MetaTag(" ROBOTS", "noarchive, noai, frob"), ("foobot", "nofollow"), ("tdm-policy", " https://p.test/ ")],
        links=[("License", "rel.xml", "Application/RSL+XML"), ("license", "", "")],
        robots=robots,
    )
    assert found.rules == {"noindex", "unavailable_after", "noarchive", "noai", "nofollow"}
    assert found.noarchive
    assert found.nofollow
    assert found.noindex
    assert found.unknown == ("frob",)
    assert found.expires == datetime(2030, 1, 2, tzinfo=UTC)
    assert (found.tdm_reservation, found.tdm_policy) == (1, "https://p.test/")
    assert found.licenses == ("https://l.test/r.xml", "https://l.test/h", "https://h.test/rel.xml")
    assert found.license_links == ("https://h.test/lic", "https://h.test/a")
    assert found.flags == {"cache-no-store", "cache-private", "memento"}
    assert {name: label.value.value for name, label in found.usage.items()} == {
        "ai-train": "disallow", "ai-input": "disallow", "search": "allow", "tdm": "disallow",
    }  # fmt: skip
    assert found.usage["ai-train"].sources == ("meta robots noai", "robots.txt content-usage")
    kinds = {(one.kind, one.carrier) for one in found.signals}
    assert kinds >= {("x-robots-tag", "header"), ("meta robots", "meta"), ("robots-tag", "header"), ("license", "link")}
    assert orjson.loads(orjson.dumps([one.as_dict() for one in found.signals]))[0]["parsed"]["rules"] == [
        "noindex", "unavailable_after",
    ]  # fmt: skip


def test_a_preference_that_does_not_parse_is_kept_raw() -> None:
    found = read([("Content-Usage", "Train-AI=n")])
    assert found.usage["ai-train"].value is Usage.UNKNOWN
    assert [(one.raw, one.parsed) for one in found.signals] == [("Train-AI=n", None)]


def test_noimageai_speaks_of_images() -> None:
    rule = ("X-Robots-Tag", "noimageai")
    assert read([rule, ("Content-Type", "text/html")]).usage["ai-train"].value is Usage.UNKNOWN
    assert read([rule, ("Content-Type", "Image/PNG")]).usage["ai-train"].value is Usage.DISALLOW


def test_robots_usage_is_silent_where_the_page_may_not_be_fetched() -> None:
    found = read(robots=parse(b"User-agent: *\nDisallow: /\nContent-Usage: train-ai=n\n"))
    assert found.usage["ai-train"].value is Usage.UNKNOWN
    assert found.signals[0].parsed is None


def test_strict_keeps_a_reservation_that_a_later_carrier_lifts() -> None:
    file = read_file([{"location": "/", "tdm-reservation": 1, "tdm-policy": "https://p.test/"}], URL)
    lifted = {"headers": [("tdm-reservation", "0"), ("tdm-policy", "https://q.test/")], "tdm_file": file}
    strict, loose = read(**lifted), read(**lifted, strict=False)
    assert (strict.tdm_reservation, strict.tdm_policy) == (1, "https://p.test/")
    assert strict.usage["tdm"].sources == ("tdmrep.json tdm-reservation",)
    assert (loose.tdm_reservation, loose.tdm_policy) == (0, None)
    assert loose.usage["tdm"].value is Usage.ALLOW


def test_tdm_absence_resets_nothing() -> None:
    assert resolve([Tdm(1, "p"), Tdm(None, "q"), Tdm()]) == Tdm(1, "q")
    assert resolve([Tdm(0, None), Tdm(1, None)]) == Tdm(1, None)
    assert resolve([Tdm(error="not-an-array"), Tdm(0)]) == Tdm(0, None, "not-an-array")
    assert read_values(["yes", "0", "1"], ["", " p "]) == Tdm(1, "p")


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1, 1), (0, 0), ("1", 1), (" 0 ", 0), (True, None), (2, None), ("yes", None), (None, None), ([1], None), (1.0, 1)],
)
def test_reservation_values(value: Any, expected: int | None) -> None:
    assert read_reservation(value) == expected


def test_tdmrep_takes_the_first_entry_that_matches() -> None:
    entries = [
        "junk",
        {"location": 3, "tdm-reservation": 1},
        {"location": "a", "tdm-reservation": 1},
        {"location": "/img/*.jpg$", "tdm-reservation": 0, "tdm-policy": 7},
        {"location": "/img/", "tdm-reservation": 1, "tdm-policy": "p"},
    ]
    assert read_file(entries, "https://h.test/img/x.jpg") == Tdm(0, None)
    assert read_file(entries, "https://h.test/img/x.jpg?1") == Tdm(1, "p")
    assert read_file(entries, "https://h.test/") == Tdm()
    assert read_file([{"location": "/", "tdm-reservation": 1, "tdm-policy": " "}], URL) == Tdm(1)
    assert read_json(b'{"tdm": []}', URL).error == "not-an-array"
    assert read_json(b"\xff[", URL).error == "not-json"
    assert read_json("[" * 100_000, URL).error == "not-json"
    assert read_json('[{"location": "/", "tdm-reservation": 1}]', URL) == Tdm(1)


@pytest.mark.parametrize(
    ("rel", "expected"),
    [
        (None, True), ("", True), ("ugc sponsored", True), ("NoFollow", False), ("a\nnofollow", False),
        ("nofollow,ugc", False), ("nofollownot", True),
    ],
)  # fmt: skip
def test_links_that_may_be_followed(rel: str | None, expected: bool) -> None:
    assert may_follow(rel) is expected
    assert may_follow(rel, page_nofollow=True) is False


def test_license_targets_that_are_no_url_are_left_out() -> None:
    links = [("license", "http://[bad", ""), ("license", "mailto:x@h.test", ""), ("unlicensed", "/x", "")]
    assert read(links=links).license_links == ()


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120), ("0", 0), (" 30\t", 30), ("9" * 5000, 10**18), ("٣", None), ("-5", None), ("1.5", None),
        ("", None), ("Mon, 23 Nov 2026 00:02:00 GMT", 120), ("Mon Nov 23 00:02:00 2026", 120),
        ("Sun, 22 Nov 2026 00:00:00 GMT", 0), ("soon", None),
    ],
)  # fmt: skip
def test_retry_after(value: str, seconds: int | None) -> None:
    assert parse_retry_after(value, NOW) == seconds


def test_retry_after_never_ends_early() -> None:
    later = NOW.replace(microsecond=300_000)
    assert parse_retry_after("Mon, 23 Nov 2026 00:02:00 GMT", later) == 120
    assert retry_after([(b"Retry-After", b"5"), ("retry-after", "x"), ("Retry-After", "9")], NOW) == 9
    assert retry_after([], NOW) is None


def test_status_actions() -> None:
    assert all(row.store and row.why for row in STATUS_ACTIONS.values())
    assert status_action(200).action == "none"
    assert status_action(418).action == "do-not-retry"
    assert status_action(500).action == "retry"
    assert status_action(200, [(b"Memento-Datetime", b"x")]).store is False
    assert status_action(451, [("Memento-Datetime", "x")]).replay == "show-status"
