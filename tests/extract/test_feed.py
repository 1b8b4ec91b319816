"""Feeds of all kinds: the pages that they lead to, and their own next page."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.extract.feed import read_feed
from archiver.extract.listing import Listed, Listing

BASE = "http://site.test/blog/feed.xml"
ATOM = 'xmlns="http://www.w3.org/2005/Atom"'
RDF = 'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"'


def read(text: str) -> Listing:
    return read_feed(text.encode(), base_url=BASE)


def found(text: str) -> list[tuple[str, str]]:
    return [(entry.url, entry.kind) for entry in read(text).entries]


@pytest.mark.parametrize(
    "text",
    [
        "<rss version='0.91'><channel><link>/</link><item><title>t</title><link>/p</link></item></channel></rss>",
        "<rss version='2.0'><channel><item><link> http://site.test/p </link></item></channel></rss>",
        "<rss version='2.0'><channel><item><link><![CDATA[http://site.test/p]]></link></item></channel></rss>",
        "<rss version='2.0'><channel><item><guid>http://site.test/p</guid></item></channel></rss>",
        f"<rdf:RDF {RDF}><channel/><item rdf:about='x'><link>/p</link></item></rdf:RDF>",
        f"<feed {ATOM}><link href='/'/><link rel='self' href='/f'/><entry><link href='/p'/></entry></feed>",
        f"<feed {ATOM}><entry><link rel='alternate' href='/p'/><link rel='edit' href='/e'/></entry></feed>",
        f"<feed {ATOM} xml:base='http://site.test/'><entry><link href='p'/></entry></feed>",
        f"<feed {ATOM}><entry xml:base='http://site.test/x/'><link href='../p'/></entry></feed>",
        '{"version": "https://jsonfeed.org/version/1.1", "items": [{"id": "1", "url": "/p"}, {"id": "2"}, 7]}',
        "\ufeff<rss><channel><item><title>caf&eacute; &nbsp; &amp;</title><link>/p</link></item></channel></rss>",
    ],
    ids=["0.91", "2.0", "cdata", "guid", "1.0", "atom", "alternate", "base", "entry-base", "json", "entities"],
)  # fmt: skip
def test_the_entrys_page(text: str) -> None:
    assert found(text) == [("http://site.test/p", "")]


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("<rss><channel><item><link>/p</link><pubDate>Mon, 23 Nov 2026 10:00:00 GMT</pubDate></item></channel></rss>",
         "Mon, 23 Nov 2026 10:00:00 GMT"),
        (f"<feed {ATOM}><entry><link href='/p'/><published>2020</published><updated>2026</updated></entry></feed>",
         "2026"),
        ('{"items": [{"url": "/p", "date_published": "2026-01-01T00:00:00Z"}]}', "2026-01-01T00:00:00Z"),
    ],
    ids=["rss", "atom", "json"],
)  # fmt: skip
def test_the_entrys_date(text: str, date: str) -> None:
    assert read(text).entries == (Listed("http://site.test/p", date),)


@pytest.mark.parametrize(
    "text",
    [
        f"<feed {ATOM}><link rel='next' href='?page=2'/></feed>",
        f"<feed {ATOM}><link rel='prev-archive' href='?page=2'/></feed>",
        f"<rss xmlns:a='{ATOM[7:-1]}'><channel><a:link rel='next' href='?page=2'/></channel></rss>",
        '{"items": [], "next_url": "http://site.test/blog/feed.xml?page=2"}',
    ],
    ids=["next", "archive", "rss", "json"],
)
def test_the_feeds_next_page(text: str) -> None:
    assert found(text) == [("http://site.test/blog/feed.xml?page=2", "feed")]


def test_enclosures_comments_and_guids_that_are_no_links_are_no_pages() -> None:
    item = "<enclosure url='/m.mp3'/><comments>/c</comments><guid isPermaLink='false'>http://site.test/g</guid>"
    assert found(f"<rss><channel><item>{item}</item></channel></rss>") == []
    assert found(f"<feed {ATOM}><entry><link rel='enclosure' href='/m.mp3'/></entry></feed>") == []


@pytest.mark.parametrize("text", ["", "no feed", "<html><link rel=next href=/x>", "[]", "{", '{"items": "x"}', "<rss>"])
def test_what_is_no_feed_holds_nothing(text: str) -> None:
    assert read(text).entries == ()


def test_what_is_no_feed_at_all_is_told() -> None:
    assert read("plain words").capped and read("<html><p>404").capped and not read("<rss/>").capped


def test_an_address_with_bare_ampersands() -> None:
    assert found("<rss><channel><item><link>/?a=1&b=2</link></item></channel></rss>") == [
        ("http://site.test/?a=1&b=2", "")
    ]


def test_json_in_utf16() -> None:
    text = '{"items": [{"url": "/p"}]}'.encode("utf-16")
    assert [entry.url for entry in read_feed(text, base_url=BASE).entries] == ["http://site.test/p"]


@given(st.binary(max_size=300))
def test_nothing_is_raised_for_what_a_site_sends(body: bytes) -> None:
    for data in (body, b"<rss><item>" + body, b'{"items": [' + body):
        assert all(one.url.startswith(("http://", "https://")) for one in read_feed(data, base_url=BASE).entries)
