"""RFC 9651 dictionaries."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.policy.structured import Token, parse_dictionary


@pytest.mark.parametrize(
    ("text", "members"),
    [
        ("", {}),
        ("  a=y \t,\tb=n ", {"a": Token("y"), "b": Token("n")}),
        ("a", {"a": "?1"}),
        ("a;x=1;y, b;z", {"a": "?1", "b": "?1"}),
        ("a=y;q=0.5; p", {"a": Token("y")}),
        ("a=1, a=n", {"a": Token("n")}),
        ("a=1.5, b=-3, c=?0, d=:aGk=:, e=@1659578233, f=%\"f%c3%bc\"", {
            "a": "1.5", "b": "-3", "c": "?0", "d": ":aGk=:", "e": "@1659578233", "f": '%"f%c3%bc"'}),
        (r'a="x\"y,z"', {"a": r'"x\"y,z"'}),
        ("a=(1 \"b\";c  d);e, f=()", {"a": None, "f": None}),
        ("*a.b-c_d=*x/y:z", {"*a.b-c_d": Token("*x/y:z")}),
    ],
)  # fmt: skip
def test_reads(text: str, members: dict[str, object]) -> None:
    assert parse_dictionary(text) == members


@pytest.mark.parametrize(
    "text",
    [
        "A=y", "a=y,", ",a=y", "a=y b=n", "a=", "a =y", "a= y", "1=y", "a=\"x", "a=\"\\x\"", "a=(1", "a=(1,2)",
        "a=(1;A)", "a=1.", "a=1.2345", "a=1234567890123456", "a=:a", "a=?2", "a=é", "a=y;", "a=y;A",
        "a=@1.5", 'a=%"x%C3"', 'a=%"x%c3"', "a=-",
    ],
)  # fmt: skip
def test_refuses_the_whole_field(text: str) -> None:
    assert parse_dictionary(text) is None


@given(st.text('abc=;,()"\\ ?:@%*1.\t-', max_size=40))
def test_any_text_gets_an_answer(text: str) -> None:
    found = parse_dictionary(text)
    assert found is None or all(key[0] in "abc*" for key in found)
