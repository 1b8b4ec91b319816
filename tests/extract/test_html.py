"""What a page links to, needs and says; and that no page makes us fail, wait or swell."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.extract import html
from archiver.extract.html import HtmlFacts, extract
from archiver.extract.page import MAX_LINKS, MAX_REQUISITES, Rel
from archiver.model import NO_ELEMENTS, Elements

BASE = "http://h.example/dir/page.html"


def facts(text: str | bytes, **more: str) -> HtmlFacts:
    return extract(text if isinstance(text, bytes) else text.encode(), base_url=BASE, **more)  # type: ignore[arg-type]


def links(text: str | bytes) -> list[str]:
    return [link.url.removeprefix("http://h.example/dir/") for link in facts(text).links]


def needs(text: str | bytes) -> list[tuple[str, str]]:
    return [(one.url.removeprefix("http://h.example/dir/"), one.type) for one in facts(text).requisites]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("<a href=x.html>", ["x.html"]),
        ("<a href=' x.html\n#part'>a</a><a href='x.html#other'>b</a>", ["x.html"]),
        ("<area href=x><a name=y><a href=''><a href='#top'><a href=' '>", ["x"]),
        ("<a href=javascript:x><a href=mailto:a@b><a href='http://[bad'><a href=data:,x><a href=ftp://h/>", []),
        ("<a href='?a=1&amp;b=2&copy=3'>", ["page.html?a=1&b=2&copy=3"]),
        ("<a href=//other.example/x>", ["http://other.example/x"]),
        ("<base href=/other/><a href=x>", ["http://h.example/other/x"]),
        ("<base target=_top><base href=/one/><base href=/two/><a href=x>", ["http://h.example/one/x"]),
        ("<base href=javascript:x><a href=x>", ["x"]),
        (
            "<link rel=next href=n><link rel='prev' href=p><link rel=dns-prefetch href=d><link rel=pingback href=q>",
            ["n", "p", "q"],
        ),
        ("<meta http-equiv=Refresh content='3; URL=r.html'>", ["r.html"]),
        ("<noscript><a href=n></noscript><template><a href=t></template>", ["n", "t"]),
        ("<form action=f method=post><button formaction=g></form>", []),
        ("<svg><a xlink:href=s></a></svg>", ["s"]),
        ("<a href='http://user:secret@other.example/'>", ["http://other.example/"]),
        ("<script>var a = '<a href=no>';</script><!-- <a href=no> --><textarea><a href=no></textarea>", []),
    ],
)
def test_links(text: str, found: list[str]) -> None:
    assert links(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("<img src=a srcset='b 1x, c 2x' lowsrc=d>", [("a", "image"), ("b", "image"), ("c", "image"), ("d", "image")]),
        ("<img src='data:image/gif;base64,AA' data-src=a data-srcset='b 2x'>", [("a", "image"), ("b", "image")]),
        ("<img data-src='{{ item.src }}' src=''>", []),
        (
            "<picture><source srcset='a 1x'></source><source src=b></source><img src=c></picture>",
            [("a", "image"), ("b", "image"), ("c", "image")],
        ),
        ("<script src=a.js></script><script type=module src=b.js></script>", [("a.js", "script"), ("b.js", "script")]),
        ("<link rel=stylesheet href=a.css><link rel='Alternate StyleSheet' href=b.css>",
         [("a.css", "stylesheet"), ("b.css", "stylesheet")]),
        ("<link rel='shortcut icon' href=a><link rel=apple-touch-icon href=b>", [("a", "image"), ("b", "image")]),
        ("<link rel=manifest href=m><link rel=modulepreload href=j>", [("m", "manifest"), ("j", "script")]),
        (
            "<link rel=preload as=font href=f><link rel=preload as=style href=s>"
            "<link rel=preload as=image imagesrcset='i 1x' href=k>",
            [("f", "font"), ("s", "stylesheet"), ("i", "image"), ("k", "image")],
        ),
        (
            "<video src=v poster=p><source src=w><track src=t></video><audio src=a></audio><bgsound src=b>",
            [("p", "image"), ("v", "media"), ("w", "media"), ("t", "texttrack"), ("a", "media"), ("b", "media")],
        ),
        ("<object data=o.svg></object><embed src=e>", [("o.svg", "object"), ("e", "object")]),
        ("<applet codebase=cb/ code=C.class archive='a.jar,b.jar'>",
         [("cb/C.class", "object"), ("cb/a.jar", "object"), ("cb/b.jar", "object")]),
        ("<input type=IMAGE src=a><input src=b>", [("a", "image")]),
        ("<body background=a><table background=b><tr><td BACKGROUND=c>",
         [("a", "image"), ("b", "image"), ("c", "image")]),
        ("<iframe src=f></iframe><frameset><frame src=g></frameset>", [("f", "frame"), ("g", "frame")]),
        ("<iframe srcdoc='&lt;img src=i&gt;&lt;iframe srcdoc=&quot;&lt;img src=j&gt;&quot;&gt;'></iframe>",
         [("i", "image")]),
        ("<svg><image xlink:href=i /><use href='s.svg#x'/><use href='#y'/></svg>",
         [("i", "image"), ("s.svg", "image")]),
        ("<style>@import 'a.css'; b{c:url(d.png)}</style><p style='background:url(e.png)'>",
         [("a.css", "stylesheet"), ("d.png", "image"), ("e.png", "image")]),
        ("<p STYLE='background:URL(e.png)'>", [("e.png", "image")]),
        ("<img src=a><img src=a><script src=a></script>", [("a", "image")]),
    ],
)  # fmt: skip
def test_requisites(text: str, found: list[tuple[str, str]]) -> None:
    assert needs(text) == found


def test_one_link_that_may_be_followed_is_enough() -> None:
    page = facts("<a rel='NoFollow ugc' href=a><a href=a><a href=b><a rel=nofollow href=b><a rel=nofollow href=c>")
    assert [link.rel for link in page.links] == [(), (), ("nofollow",)]


def test_what_a_page_says_about_itself() -> None:
    page = facts(
        "<html lang=de><head><title> A &amp;\n B </title>"
        "<meta name=Robots content=noarchive><meta name=robots content=x>"
        "<meta property='og:title' content=T><meta name=tdm-reservation content=1><meta name=empty>"
        "<link rel=canonical href=/c><link rel=license href=/l type='text/HTML'><link rel='icon' href=/i>"
        "<body><svg><title>no</title></svg>"
    )
    assert (page.title, page.lang, page.base) == ("A & B", "de", BASE)
    assert page.meta("robots") == ["noarchive", "x"]
    assert page.meta("tdm-reservation") == ["1"]
    assert ("og:title", "T") in page.metas and page.meta("empty") == []
    assert page.rels == (
        Rel("canonical", "http://h.example/c", ""),
        Rel("license", "http://h.example/l", "text/html"),
        Rel("icon", "http://h.example/i", ""),
    )


@pytest.mark.parametrize(
    ("content", "refresh"),
    [
        ("5", (5.0, BASE)),
        ("0;url=x", (0.0, "http://h.example/dir/x")),
        (" 1.5 ; URL = 'a b'junk", (1.5, "http://h.example/dir/a%20b")),
        ("2,/y", (2.0, "http://h.example/y")),
        ("0; url=javascript:x", (0.0, BASE)),
        (".", None),
        ("url=x", None),
        ("", None),
        ("9" * 400, (1e9, BASE)),
    ],
)
def test_meta_refresh(content: str, refresh: tuple[float, str] | None) -> None:
    assert facts(f'<meta http-equiv=refresh content="{content}">').meta_refresh == refresh


@pytest.mark.parametrize("codec", ["utf-8", "cp1252", "koi8-r", "cp932", "gb18030", "utf-16-le"])
def test_encodings(codec: str) -> None:
    name = {"cp1252": "Zürich", "koi8-r": "Москва", "cp932": "東京", "gb18030": "北京"}.get(codec, "Zürich")
    labels = {"cp1252": "latin1", "cp932": "shift_jis", "utf-16-le": "utf-16"}
    body = f"<title>{name}</title><a href='{name}'>".encode(codec)
    page = extract(body, base_url=BASE, charset_hint=labels.get(codec, codec))
    assert page.title == name
    assert page.links == facts(f"<a href='{name}'>".encode()).links


@pytest.mark.parametrize("hint", ["punycode", "utf-7", "no-such", "zlib", "\0", ""])
def test_labels_that_are_none_do_no_harm(hint: str) -> None:
    assert extract(b"<a href=x>+ADw-a href=y+AD4-", base_url=BASE, charset_hint=hint).links[0].url.endswith("/x")


@given(st.binary(max_size=300), st.sampled_from([BASE, "not a url", "mailto:x"]))
def test_any_bytes_are_a_page(body: bytes, base: str) -> None:
    for wrapped in (body, b"<a href='" + body + b"'><img srcset='" + body, b"<base href=" + body + b"><a href=x>"):
        page = extract(wrapped, base_url=base)
        assert all("#" not in link.url and link.url.startswith("http") for link in page.links)


def test_entities_are_not_expanded_and_files_not_read() -> None:
    bomb = "".join(f"<!ENTITY e{level} '{f'&e{level - 1};' * 10}'>" for level in range(1, 12))
    page = facts(
        f"<!DOCTYPE html [<!ENTITY x SYSTEM 'file:///etc/passwd'><!ENTITY e0 'e'>{bomb}]><title>&x;&e11;</title>"
    )
    assert len(page.title) < 1000 and "root:" not in page.title


def test_nothing_but_comments_is_an_empty_page() -> None:
    for body in (b"", b"  ", b"<!-- x -->", b"\0", b"\xff\xfe"):
        assert facts(body).links == ()


@pytest.mark.parametrize(
    "body",
    [
        b"<div>" * 20_000 + b"<a href=deep>",
        b"<b><i>" * 50_000 + b"<a href=deep>x</a>",
        b"<p " + b" ".join(b"a%d=1" % number for number in range(50_000)) + b"><a href=deep>",
        b"<p" + b"".join(b"/a%d" % number for number in range(50_000)) + b"><a href=deep>",
        b"<" * 2_000_000 + b"<a href=deep>",
        b"<!--" * 100_000 + b"--><a href=deep>",
        b"<img src='data:," + b"x" * 3_000_000 + b"'><a href=deep>",
        b"<p>\0<a href=deep>\0",
        b"<script>" + b"if(a<b)" * 100_000 + b"</script><a href=deep>",
    ],
)
def test_hostile_pages_still_give_their_link_in_bounded_time(body: bytes) -> None:
    assert links(body) == ["deep"]


@pytest.mark.parametrize(
    "body",
    [b"<a b=' " * 300_000, b"<a " * 500_000, b'<a "' * 500_000, b"<a href='x" * 200_000, b"<a x" * 200_000 + b'="'],
)
def test_pages_of_open_tags_end(body: bytes) -> None:
    assert len(facts(body).links) <= 2


def test_long_lists_are_cut_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    page = facts(b"".join(b"<a href=%d>" % number for number in range(MAX_LINKS + 1)))
    assert len(page.links) == MAX_LINKS and page.capped
    page = facts(b"".join(b"<img src=%d>" % number for number in range(MAX_REQUISITES + 1)))
    assert len(page.requisites) == MAX_REQUISITES and page.capped
    assert not facts(b"<a href=x>").capped
    monkeypatch.setattr(html, "MAX_ELEMENTS", 5000)
    page = facts(b"<a href=x>" + b"<p>" * html.TREE_UP_TO + b"<a href=y>")
    assert page.capped and len(page.links) == 1


def test_what_lies_behind_the_limit_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html, "MAX_BODY", 20)
    page = facts(b"<a href=one></a>    <a href=two></a>")
    assert [link.url for link in page.links] == ["http://h.example/dir/one"] and page.capped


PIECES = [
    "<a href=x>", "<a rel=nofollow href=y>", "</a>", "<img src=i srcset='j 2x'>", "<p style='a:url(s.png)'>", "</p>",
    "<title>T", "</title>", "<style>@import 'c.css';", "</style>", "<script src=k>", "</script>",
    "<meta name=robots content=none>", "<link rel=next href=n>", "<table background=g><tr><td>", "</table>", "text",
    "<picture>", "<source src=v>", "</picture>", "<video poster=w>", "<svg><title>S</title></svg>", "<!-- c -->",
    "<iframe srcdoc='&lt;img src=z&gt;'>", "</iframe>", "<html lang=de>", "<body background=h>", "&amp;", "<b>", "\0",
]  # fmt: skip


@given(st.sampled_from(["", "<base href=/b/>", "<base href='//c/'><base href=/b/>"]), st.lists(st.sampled_from(PIECES)))
def test_small_and_large_documents_are_read_alike(base: str, pieces: list[str]) -> None:
    text = base + "".join(pieces)
    small, large = facts(text), facts(text + " " * html.TREE_UP_TO)
    for name in ("title", "lang", "links", "rels", "metas", "base"):
        assert getattr(small, name) == getattr(large, name)
    assert {one.url for one in small.requisites} == {one.url for one in large.requisites}


@pytest.mark.parametrize("pad", [b"", b" " * 40_000])
def test_what_stands_behind_the_end_of_the_document_counts(pad: bytes) -> None:
    """Browsers show it, and a noarchive there is meant."""
    body = b"<html><body><a href=a></a></body></html>" + pad + b"<a href=b></a><meta name=robots content=noarchive>"
    facts = extract(body, base_url="http://h/")
    assert [link.url for link in facts.links] == ["http://h/a", "http://h/b"]
    assert facts.meta("robots") == ["noarchive"]


def test_every_link_element_is_a_link_but_those_that_name_a_host() -> None:
    hosts = b"<link rel=preconnect href=//c.test/><link rel=dns-prefetch href=//d.test/>"
    body = b"<link rev=made href=m><link href=n>" + hosts
    assert [link.url for link in extract(body, base_url="http://h/").links] == ["http://h/m", "http://h/n"]


SPEAKING = (
    "<meta name=' Robots ' content=noarchive><meta property=robots content=no><meta http-equiv=robots content=no>"
    "<template><meta name=robots content=no><template></template><link rel=license href=no></template>"
    "<link rel='License' href=l.xml type=application/rsl+xml><link rel=canonical href=/c>"
    "<body><a rel='license nofollow' href=/cc>CC</a><meta name=tdm-reservation content=1>"
    "<iframe srcdoc='<meta name=robots content=no><a rel=license href=no>x</a>'></iframe>"
)


@pytest.mark.parametrize("filler", ["", "<p>" + "x" * 70_000], ids=["tree", "events"])
def test_elements_that_speak_about_the_page_stand_as_written(filler: str) -> None:
    page = facts(SPEAKING + filler)
    assert page.elements == Elements(
        metas=(("robots", "noarchive"), ("tdm-reservation", "1")),
        licenses=(("License", "l.xml", "application/rsl+xml"), ("license nofollow", "/cc", "")),
    )


def test_a_document_too_deep_says_what_it_says_once() -> None:
    page = facts("<meta name=robots content=noarchive>" + "<b>" * 3_000 + "<a rel=license href=/l>l</a>")
    assert page.elements == Elements(metas=(("robots", "noarchive"),), licenses=(("license", "/l", ""),))


def test_most_pages_say_nothing() -> None:
    assert facts("<p>text<a href=/x>x</a>").elements is NO_ELEMENTS


def test_nofollow_after_a_comma() -> None:
    assert [link.rel for link in facts("<a rel='nofollow,ugc' href=a>").links] == [("nofollow", "ugc")]
