"""Header pairs and the Link field."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.policy.fields import Link, parse_links, values_of


def test_values_of_either_kind_of_pair() -> None:
    headers = [(b"X-A", b"caf\xe9"), ("x-a", "b"), (b"X-AB", b"no")]
    assert values_of(headers, "x-a") == ["caf\xe9", "b"]


@pytest.mark.parametrize(
    ("value", "links"),
    [
        ("", []),
        ("<a>", [Link("a", (), "")]),
        ('< a >; REL="Next  license" ; type="T/x; q=1"', [Link("a", ("next", "license"), "t/x")]),
        ("<a>;rel=x;rel=y, <b>; rel = z", [Link("a", ("x",), ""), Link("b", ("z",), "")]),
        (r'<a>; title="q\"<no>, \\"; rel=x, <b>', [Link("a", ("x",), ""), Link("b", (), "")]),
        ("<a,b;c>; flag; rel=x", [Link("a,b;c", ("x",), "")]),
        ("junk <a>; rel=x junk, <b>", [Link("a", ("x", "junk"), ""), Link("b", (), "")]),
        ('<a>; rel="x', [Link("a", ("x",), "")]),
        ('<a>; rel="x\\', [Link("a", ("x",), "")]),
        ("<a>;;=;rel=x", [Link("a", ("x",), "")]),
        ("<a", []),
        ("a>", []),
    ],
)
def test_links(value: str, links: list[Link]) -> None:
    assert parse_links(value) == links


@given(st.text('<>;,="\\ rel a', max_size=60))
def test_any_text_gets_an_answer(value: str) -> None:
    assert len(parse_links(value)) <= value.count("<")


def test_long_fields_are_read_once() -> None:
    assert parse_links("<" * 300_000) == []
    assert len(parse_links("<a>;" * 20_000)) == 1
    assert len(parse_links('<a>; x="' + '\\"' * 100_000)) == 1
