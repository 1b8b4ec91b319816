"""What style sheets load."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.extract import css


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a{background:url(a.png)}", [("a.png", "image")]),
        ("a{background:URL( 'a b.png' )}", [("a b.png", "image")]),
        ('@import "a.css";@IMPORT url(b.css) layer(x);', [("a.css", "stylesheet"), ("b.css", "stylesheet")]),
        ("@import url('c.css') supports(display: grid) screen; a{b:url(d)}", [("c.css", "stylesheet"), ("d", "image")]),
        (
            "@font-face{font-family:'F';src:local('F'),url(f.woff2) format('woff2'),url(f.eot?#iefix)}a{b:url(i)}",
            [("f.woff2", "font"), ("f.eot?#iefix", "font"), ("i", "image")],
        ),
        ("@namespace url(http://www.w3.org/1999/xhtml);@namespace svg 'http://s';a{b:url(i)}", [("i", "image")]),
        ("/* url(no.png) */a{b:url(yes.png)}/*", [("yes.png", "image")]),
        ('a{content:"url(no.png)";b:url(yes.png)}', [("yes.png", "image")]),
        (
            "a{b:image-set('a.avif' type('image/avif') 1x, url(b.png) 2x);content:'no'}",
            [("a.avif", "image"), ("b.png", "image")],
        ),
        (r"a{b:url(a\62 c\).png)}", [("abc).png", "image")]),
        (
            r'a{b:url("a\"b\000063 \
d")}',
            [('a"bcd', "image")],
        ),
        ("a{fill:url(#gradient);mask:url(m.svg#x)}", [("m.svg#x", "image")]),
        ("a{b:url()}c{d:url('')}", []),
        ("a{b:curl(x) my-url(y)}", []),
        ("a{b:url(bad 'x')}c{d:url(ok)}", [("ok", "image")]),
        ("a{b:url('line\nend)}c{d:url(ok)}", [("ok", "image")]),
        ("a{b:url(open", []),
        ("a{b:url('open", [("open", "image")]),
        ("nothing { here: at-all }", []),
    ],
)
def test_references(text: str, found: list[tuple[str, str]]) -> None:
    assert list(css.parse(text)) == found


PARTS = [*"ab\\\"'()/*@;{} \n#", "url(", "@import ", "image-set(", "@font-face{"]


@given(st.lists(st.sampled_from(PARTS)))
def test_anything_is_a_sheet(parts: list[str]) -> None:
    for reference, kind in css.parse("".join(parts)):
        assert reference.strip() == reference != ""
        assert kind in ("image", "font", "stylesheet")


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0\f\r"), min_size=1))
def test_an_escaped_reference_comes_back(name: str) -> None:
    escaped = "".join(f"\\{ord(char):x} " for char in name)
    expected = name.strip()
    found = [reference for reference, _ in css.parse(f"a{{b:url('{escaped}')}}")]
    assert found == ([expected] if expected and not expected.startswith("#") else [])


@pytest.mark.parametrize(
    "text",
    ["/*" * 500_000, "url(" * 300_000, "url(\\" * 200_000, ("url(" + " " * 2000) * 500, "url(" + "\\" * 1_000_001],
)
def test_hostile_sheets_take_linear_time(text: str) -> None:
    assert next(css.parse("a{b:url(a)}" + text)) == ("a", "image")
