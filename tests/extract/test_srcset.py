"""srcset, by the examples of the HTML standard and by breaking it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.extract import srcset


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a.png 1x, b.png 2x", ["a.png", "b.png"]),
        ("a.png, b.png", ["a.png", "b.png"]),
        ("  a.png\t100w 50h ,\n b.png 1.5x", ["a.png", "b.png"]),
        ("a,b 2x", ["a,b"]),
        ("a, , ,b 100w,", ["a", "b"]),
        ("a.png 1x,,", ["a.png"]),
        ("data:image/png;base64,AA== 1x, b", ["data:image/png;base64,AA==", "b"]),
        ("x.png 1x (foo, bar) , y", ["y"]),
        ("x.png 2q, y.png -1w, z.png 1e3x", ["z.png"]),
        ("", []),
        (" , ,", []),
    ],
)
def test_candidates(text: str, found: list[str]) -> None:
    assert list(srcset.parse(text)) == found


@given(st.text(st.sampled_from("ab ,()1x2w\t\n")))
def test_anything_is_a_srcset(text: str) -> None:
    for url in srcset.parse(text):
        assert url and url.split() == [url] and not url.endswith(",")


@pytest.mark.parametrize("text", ["a (" * 300_000, "," * 1_000_000, "a " * 500_000, "a ((" + "(" * 1_000_000])
def test_long_ones_take_linear_time(text: str) -> None:
    assert len(list(srcset.parse(text))) <= 1
