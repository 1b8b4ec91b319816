"""Every signal grammar on random octets, and what hostile fields cost, in steps, at n and at 2n."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archiver.policy.fields import parse_links
from archiver.policy.httpdates import parse_date, parse_http_date
from archiver.policy.preferences import CATEGORIES, Usage, combine_usage, read_content_signals, read_content_usage
from archiver.policy.retry_after import parse_retry_after
from archiver.policy.robots import parse
from archiver.policy.signals import page_signals
from archiver.policy.signals.directives import Directives
from archiver.policy.signals.rsl import parse_rsl, rsl_labels
from archiver.policy.signals.tdmrep import read_json
from archiver.policy.structured import Token, parse_dictionary
from tests.policy.steps import steps

NOW = datetime(2026, 11, 23, tzinfo=UTC)
URL = "https://h.test/a"
NAMES = ("X-Robots-Tag", "Content-Usage", "TDM-Reservation", "tdm-policy", "Link", "Cache-Control", "Robots-Tag",
         "Memento-Datetime", "Content-Type")  # fmt: skip
words = st.sampled_from(
    [
        "noindex", "NoArchive", "none", "unavailable_after", "max-snippet", "foobot", "otherbot", ":", ": ", ",", ", ",
        ";", "=", "=y", "=n", "train-ai", "search", "Train-AI", "(", ")", "?1", '"', "\\", "<", ">", "</l>",
        'rel="license"', 'type="application/rsl+xml"', "private", "no-store", "1", "0", "-1", "2030-01-02",
        "Wed, 02 Jan 2030 00:00:00 GMT", " ", "\t", "é", "\x00", "*", "%", "@", "1.5",
    ]
)  # fmt: skip
values = st.one_of(st.lists(words, max_size=14).map("".join), st.text(max_size=40))


@settings(max_examples=300)
@given(
    st.lists(st.tuples(st.sampled_from(NAMES), values), max_size=4),
    st.lists(
        st.tuples(st.sampled_from(["robots", "FooBot", "tdm-reservation", "tdm-policy", "x"]), values), max_size=3
    ),
    values,
    st.booleans(),
)
def test_any_page_gets_its_signals(
    fields: list[tuple[str, str]], metas: list[tuple[str, str]], line: str, as_bytes: bool
) -> None:
    headers: Any = fields
    if as_bytes:
        headers = [(name.encode(), value.encode("latin-1", "replace")) for name, value in fields]
    robots = parse(f"User-agent: *\nContent-Usage: {line}\nContent-Signal: {line}\nLicense: {line}\n".encode())
    found = page_signals(
        headers=headers, meta=metas, links=[("license", line, line)], agents=("FooBot",), url=URL, robots=robots
    )
    json.dumps([one.as_dict() for one in found.signals] + [found.usage_json])
    assert ("unavailable_after" in found.rules) == (found.expires is not None)
    assert found.tdm_reservation == 1 or found.tdm_policy is None


@given(
    st.dictionaries(st.sampled_from(["train-ai", "search", "x", "a*", "b-1"]), st.sampled_from(["y", "n", "z", "?1"]))
)
def test_a_dictionary_that_is_written_reads_back(members: dict[str, str]) -> None:
    text = ", ".join(f"{key}={value};p=1" for key, value in members.items())
    assert parse_dictionary(text) == {key: value if value == "?1" else Token(value) for key, value in members.items()}
    usage = read_content_usage(text)
    assert usage is not None
    again = ", ".join(
        f"{key}={'y' if value is Usage.ALLOW else 'n'}" for key, value in usage.items() if value != "unknown"
    )
    assert read_content_usage(again) == usage


@given(st.lists(st.dictionaries(st.sampled_from(CATEGORIES), st.sampled_from(list(Usage))), max_size=4))
def test_combining_is_the_same_in_any_order_and_twice(statements: list[dict[str, Usage]]) -> None:
    once = combine_usage(statements)
    assert combine_usage(reversed(statements)) == combine_usage([once, *statements]) == once


@given(st.lists(values, max_size=4))
def test_more_lines_of_a_site_only_restrict(lines: list[str]) -> None:
    """X-Robots-Tag: no line takes back what another said."""
    sums = []
    for count in range(len(lines) + 1):
        reader = Directives()
        for line in lines[:count]:
            reader.read_header(line, {"foobot"})
        sums.append(frozenset(reader.rules))
    assert all(fewer <= more for fewer, more in pairwise(sums))


def header(line: str) -> None:
    Directives().read_header(line, {"foobot"})


GRAMMARS: dict[str, tuple[Callable[[Any], Any], Callable[[int], Any]]] = {
    "rules": (header, lambda n: "noindex, " * n),
    "scopes": (header, lambda n: "a: noindex, foobot: nofollow, " * n),
    "colons": (header, lambda n: ":" * n + "," * n),
    "words": (header, lambda n: "noindex " * n),
    "dates": (header, lambda n: "unavailable_after: Fri, " * n),
    "date-commas": (header, lambda n: "unavailable_after: Fri," + "1," * n),
    "long-date": (header, lambda n: "unavailable_after: " + "1" * n + ", 2, 3"),
    "meta": (lambda text: Directives().read_meta(text), lambda n: "max-snippet: 1, x:" * n),
    "members": (parse_dictionary, lambda n: "a=y;b;c=(1 2), " * n + "z"),
    "parameters": (parse_dictionary, lambda n: "a" + ";b=1" * n),
    "inner-list": (parse_dictionary, lambda n: "a=(" + '"x" ' * n),
    "string": (parse_dictionary, lambda n: 'a="' + "\\\\" * n),
    "display-string": (parse_dictionary, lambda n: 'a=%"' + "%c3%bc" * n + '"'),
    "octet-string": (parse_dictionary, lambda n: "a=:" + "A" * n),
    "signals": (lambda text: read_content_signals([text]), lambda n: "search=yes, x=y; " * n),
    "equals": (lambda text: read_content_signals([text]), lambda n: "=" * n),
    "links": (parse_links, lambda n: '<a>; rel="license"; title="b", ' * n),
    "open-links": (parse_links, lambda n: "<" * n),
    "link-parameters": (parse_links, lambda n: "<a>" + '; x="\\"' * n),
    "link-blanks": (parse_links, lambda n: "<a>;" + " ;" * n),
    "blank-date": (parse_date, lambda n: "Fri" + " " * n + "1 Jan 2030"),
    "http-date": (parse_http_date, lambda n: "1 Jan 2030 " * n),
    "digits": (lambda text: parse_retry_after(text, NOW), lambda n: "9" * n),
    "tdm-entries": (lambda text: read_json(text, URL), lambda n: json.dumps([{"location": "/*x" * 9 + "$"}] * n)),
    "tdm-location": (lambda text: read_json(text, URL), lambda n: json.dumps([{"location": "/" + "*a" * n}])),
    "tdm-depth": (lambda text: read_json(text, URL), lambda n: "[" * n),
    "rsl": (
        lambda xml: rsl_labels(parse_rsl(xml) or (), URL),
        lambda n: (
            b'<rsl xmlns="https://rslstandard.org/rsl">'
            + b'<content url="/a"><license><permits type="usage">search</permits></license></content>' * n
            + b"</rsl>"
        ),
    ),
    "rsl-depth": (parse_rsl, lambda n: b'<rsl xmlns="https://rslstandard.org/rsl">' + b"<content>" * n),
    "rsl-nested": (
        parse_rsl,
        lambda n: (
            b'<rsl xmlns="https://rslstandard.org/rsl">' + (b"<content>" * 60 + b"</content>" * 60) * n + b"</rsl>"
        ),
    ),
}


@pytest.mark.parametrize("name", GRAMMARS)
def test_twice_the_text_is_twice_the_work(name: str) -> None:
    work, text = GRAMMARS[name]
    work(text(2))  # what is compiled or imported once
    small, large = (steps(partial(work, text(n))) for n in (300, 600))
    assert large <= 2.3 * small + 300


@pytest.mark.parametrize("name", GRAMMARS)
def test_very_long_text_is_read(name: str) -> None:
    """Anything quadratic would run into the suite's time limit."""
    work, text = GRAMMARS[name]
    work(text(20_000))
