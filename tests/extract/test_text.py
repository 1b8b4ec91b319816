"""Signs that a page needs a browser, and the traps beside each sign."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.extract.html import extract
from archiver.extract.text import MAX_TEXT, TextFacts, tells, text_facts
from archiver.policy.lane import signs


def facts(text: str) -> TextFacts:
    body = text.encode()
    return text_facts(body, extract(body, base_url="http://h/"))


def test_visible_text_is_what_a_reader_sees() -> None:
    found = facts(
        "<title>no</title><style>no</style><script>no()</script><noscript>no</noscript><template>no</template>"
        "<p>one  <b>two</b>\n three</p><!-- no --><pre>four</pre>"
    )
    assert found.visible == len("one two three") + len("four")
    assert found.scripts == 1
    assert 0 < found.ratio < 0.3


@pytest.mark.parametrize(
    ("text", "placeholders"),
    [
        ("<title>{{ page.title }}</title>", ("{{ page.title }}",)),
        ("<p>Hello <%= name %> and ${user.name}</p>", ("<%= name %>", "${user.name}")),
        ("<pre>{{ x }}</pre><code>${y}</code><textarea>{{ z }}</textarea>", ()),
        ("<script>`${a}`</script><p>plain</p>", ()),
        ("<p>" + "{{" * 50_000, ()),
    ],
)
def test_template_expressions_left_in_the_text(text: str, placeholders: tuple[str, ...]) -> None:
    assert facts(text).placeholders == placeholders


@pytest.mark.parametrize(
    ("text", "root"),
    [
        ("<div id=root></div><script src=a.js></script>", "root"),
        ("<div id=__next> \n</div>", "__next"),
        ("<app-root></app-root>", "app-root"),
        ("<div id=root><p>server-rendered</p></div>", None),
        ("<div id=app>text</div>", None),
        ("<div id=other></div>", None),
    ],
)
def test_application_roots_count_when_empty(text: str, root: str | None) -> None:
    assert facts(text).empty_root == root


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ("<noscript>Please enable JavaScript to read on.</noscript>", True),
        ("<noscript><p>This app needs <b>JS</b></p></noscript>", True),
        ("<noscript><iframe src='https://tags.example/ns.html?id=javascript'></iframe></noscript>", False),
        ("<p>JavaScript</p>", False),
    ],
)
def test_noscript_counts_when_it_asks(text: str, asks: bool) -> None:
    assert facts(text).noscript_asks is asks


@pytest.mark.parametrize(
    ("text", "moves"),
    [
        ("<script>window.location.href = '/x'</script>", True),
        ("<script>location.replace('/x')</script>", True),
        ("<script>if (location == '/x') y()</script>", False),
        ("<script>location = '/x'</script>" + "<p>long text</p>" * 1000, False),
    ],
)
def test_redirects_by_script_count_on_short_pages(text: str, moves: bool) -> None:
    assert facts(text).script_moves is moves


def test_empty_and_deep_pages() -> None:
    assert facts("") == TextFacts()
    assert facts("<b>" * 1500 + "deep").visible == 4
    assert facts("<i>" * 50_000 + "deep").scripts == 0
    assert facts("x" * (MAX_TEXT + 10)).visible <= MAX_TEXT


_PARTS = st.sampled_from(
    ["<p>", "</p>", "text ", "{{ a }}", "&#123;{b}}", "&#x7B;&#x7b; c }}", "<%= d %>", "&lt;%= e %>", "&#37;=", "${f}",
     "&#36;{g}", "<div id=root>", '<div ID="app">', "</div>", "<app-root>", "</app-root>", "<SCRIPT src=x>",
     "</script>", "<noscript>JavaScript", "</noscript>", "<title>", "</title>", "<i id='__NEXT'>",
     "</i>", "&#39;", "<b id=other>"]
)  # fmt: skip


@given(st.lists(_PARTS, max_size=8).map("".join))
def test_what_holds_a_sign_tells(text: str) -> None:
    assert tells(text.encode()) or not signs(facts(text))


@pytest.mark.parametrize(
    "text", ["<p>plain &amp; simple &#39;text&#39;</p><a id=top>", "<style>p { color: red }</style>"]
)
def test_most_documents_without_scripts_tell_nothing(text: str) -> None:
    assert not tells(text.encode())


def test_what_is_not_made_of_ascii_may_tell() -> None:
    assert tells("<script>".encode("utf-16"))
