"""Sitemaps as sites write them, and as they write them to hurt."""

from __future__ import annotations

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.extract import listing
from archiver.extract.listing import Listed, Listing, moment
from archiver.extract.sitemap import read_sitemap

BASE = "http://site.test/maps/sitemap.xml"
NS = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'


def read(body: bytes | str) -> Listing:
    return read_sitemap(body.encode() if isinstance(body, str) else body, base_url=BASE)


def urls(body: bytes | str) -> list[str]:
    return [entry.url for entry in read(body).entries]


def urlset(*entries: str, attributes: str = NS) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?><urlset {attributes}>{"".join(entries)}</urlset>'


def entry(url: str, more: str = "") -> str:
    return f"<url><loc>{url}</loc>{more}</url>"


def test_pages_with_their_dates() -> None:
    found = read(urlset(entry("http://site.test/a?b=1&amp;c=2", "<lastmod> 2026-01-02 </lastmod>"), entry("/rel#part")))
    assert found == Listing(
        (Listed("http://site.test/a?b=1&c=2", "2026-01-02"), Listed("http://site.test/rel")), capped=False
    )


def test_an_index_lists_lists() -> None:
    body = f"<sitemapindex {NS}><sitemap><loc>s1.xml.gz</loc><lastmod>2026</lastmod></sitemap></sitemapindex>"
    assert read(body).entries == (Listed("http://site.test/maps/s1.xml.gz", "2026", "sitemap"),)


@pytest.mark.parametrize(
    "make",
    [
        lambda text: gzip.compress(text),
        lambda text: b"\xef\xbb\xbf" + text,
        lambda text: b"\n  " + text,
        lambda text: text.decode().replace("UTF-8", "UTF-16").encode("utf-16"),
        lambda text: text.decode().replace("UTF-8", "UTF-16").encode("utf-16-be"),
        lambda text: gzip.compress(text[:50]) + gzip.compress(b"") + gzip.compress(text[50:]),
        lambda text: text + b"\n<!-- made in 0.3 s --><script>behind the end</script>",
        lambda text: text.replace(NS.encode(), b""),
        lambda text: text.replace(b"urlset", b"s:urlset").replace(b"xmlns=", b"xmlns:s=").replace(b"url>", b"s:url>"),
        lambda text: text.replace(b"<urlset", b"<!-- <url><loc>http://no.test/</loc></url> --><urlset"),
    ],
    ids=[
        "gzip",
        "bom",
        "blanks",
        "utf16",
        "utf16-without-mark",
        "gzip-in-pieces",
        "junk-behind",
        "no-namespace",
        "prefix",
        "comment",
    ],
)
def test_however_it_is_packed(make: object) -> None:
    assert callable(make)
    assert urls(make(urlset(entry("http://site.test/a")).encode())) == ["http://site.test/a"]


def test_images_are_no_pages_and_alternates_are() -> None:
    image = "<image:image><image:loc>http://site.test/i.png</image:loc></image:image>"
    link = '<x:link rel="alternate" hreflang="de" href="http://site.test/de"/><x:link rel="canonical" href="/no"/>'
    names = f'{NS} xmlns:image="http://www.google.com/schemas/sitemap-image/1.1" xmlns:x="http://www.w3.org/1999/xhtml"'
    assert urls(urlset(entry("/a", image + link), attributes=names)) == ["http://site.test/a", "http://site.test/de"]


def test_plain_text_and_robots_txt() -> None:
    found = read(
        "\ufeffhttp://site.test/1\r\nno url\nhttps://site.test/2 3\nUser-agent: *\nSITEMAP : /s.xml\nftp://x/\n"
    )
    assert found.entries == (Listed("http://site.test/1"), Listed("http://site.test/s.xml", "", "sitemap"))


def test_lines_in_utf16() -> None:
    assert urls("http://site.test/1\nhttp://site.test/2".encode("utf-16")) == [
        "http://site.test/1",
        "http://site.test/2",
    ]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("/a?b=1&c=2", "/a?b=1&c=2"),
        ("/a?b=1&amp;c=2&d&e=3&", "/a?b=1&c=2&d&e=3&"),
        ("/a?b=1&#38;c&#x26;d", "/a?b=1&c&d"),
        ("<![CDATA[http://site.test/a?b=1&c=2&amp;d]]>", "/a?b=1&c=2&amp;d"),
    ],
    ids=["bare", "mixed", "numbers", "cdata"],
)
def test_ampersands_that_are_not_escaped_are_what_they_seem(written: str, meant: str) -> None:
    assert urls(urlset(entry(written), entry("/x"))) == [f"http://site.test{meant}", "http://site.test/x"]


def test_a_feed_may_stand_for_a_sitemap() -> None:
    assert urls("<rss><channel><item><link>/p</link></item></channel></rss>") == ["http://site.test/p"]


@pytest.mark.parametrize(
    "body", ["", "<html><body><a href=/x>", "{}", "<urlset/>", "<url><loc>/a</loc></url>", "\x00\x01", "<", "<?xml"]
)
def test_what_is_no_sitemap_holds_nothing(body: str) -> None:
    assert read(body) == Listing((), capped=body not in ("", "<urlset/>"))


@pytest.mark.parametrize("url", ["javascript:alert(1)", "ftp://site.test/", "", "  ", "http://", "x" * 5000, "data:,x"])
def test_what_is_no_address_is_passed_over(url: str) -> None:
    assert urls(urlset(entry(url), entry("/ok"))) == ["http://site.test/ok"]


def test_a_name_is_taken_once() -> None:
    assert urls(urlset(*(entry("/same") for _ in range(5)))) == ["http://site.test/same"]


# --- to hurt ----------------------------------------------------------------------------------------------------------


def test_no_entity_is_expanded_and_no_file_read() -> None:
    types = (
        '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd"><!ENTITY t "http://evil.test/"><!ENTITY % p SYSTEM "x">]>'
    )
    body = urlset(entry("&f;"), entry("&t;"), entry("http://site.test/&t;"), entry("/ok")).replace(
        "<urlset", types + "<urlset"
    )
    assert urls(body) == ["http://site.test/ok"]


def test_billions_of_laughs_end_early() -> None:
    laughs = "".join(f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 10}">' for i in range(9))
    body = f'<!DOCTYPE x [<!ENTITY a "ha">{laughs}]><urlset><url n="&j;"><loc>&j;</loc></url></urlset>'
    assert read(body) == Listing((), capped=True)


def test_a_bomb_is_inflated_to_the_bound_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "MAX_BYTES", 1 << 16)
    assert read(gzip.compress(bytes(30 << 20))) == Listing((), capped=True)
    many = urlset(*(entry(f"/{number}") for number in range(4000)))
    found = read(gzip.compress(many.encode()))
    assert found.capped and 0 < len(found.entries) < 4000


def test_a_cut_list_of_lines_loses_its_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "MAX_BYTES", 35)
    assert read("http://site.test/1\nhttp://site.test/234") == Listing((Listed("http://site.test/1"),), capped=True)


def test_a_lie_about_packing() -> None:
    packed = gzip.compress(urlset(entry("/a"), entry("/b")).encode())
    assert read(packed[:-9]).capped
    assert read(packed[:10] + b"garbage") == Listing((), capped=True)
    assert urls(urlset(entry("/a"))) == ["http://site.test/a"]  # named .gz and not packed: the bytes decide


@pytest.mark.parametrize("end", ["<url>", "<url><loc>/b", "<url><loc>/b</loc>", "</ur"])
def test_a_cut_document_says_so_and_half_an_address_is_none(end: str) -> None:
    found = read(f"<urlset>{entry('/a')}{entry('/c')}{end}")
    assert found.capped and {one.url for one in found.entries} <= {"http://site.test/a", "http://site.test/c"}
    assert found.entries[:1] == (Listed("http://site.test/a"),)


def test_nesting_and_elements_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read("<urlset>" + "<url>" * 100_000).capped
    monkeypatch.setattr(listing, "MAX_ELEMENTS", 1000)
    assert read("<urlset><x>" + "<y/>" * 5000 + "</x>" + entry("/a") + "</urlset>") == Listing((), capped=True)


@pytest.mark.parametrize(
    ("bound", "body"),
    [
        ("MAX_REFERENCES", "<urlset>" + "&x;" * 1001 + entry("/a") + "</urlset>"),
        ("MAX_PIECE", "<urlset><url " + " ".join(f"a{number}=''" for number in range(999)) + "/></urlset>"),
        ("MAX_ELEMENTS", "\n" * 1001 + "http://site.test/a"),
    ],
    ids=["references", "attributes", "lines"],
)
def test_what_no_event_tells_of_is_bounded(monkeypatch: pytest.MonkeyPatch, bound: str, body: str) -> None:
    whole = read(body)
    monkeypatch.setattr(listing, bound, 1000)
    assert not whole.capped and read(body) == Listing((), capped=True)


def test_entries_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "MAX_ENTRIES", 3)
    found = read(urlset(*(entry(f"/{number}") for number in range(5))))
    assert len(found.entries) == 3 and found.capped
    assert read("".join(f"http://site.test/{number}\n" for number in range(5))).capped
    assert not read(urlset(*(entry(f"/{number}") for number in range(2)))).capped


@given(st.binary(max_size=300))
def test_nothing_is_raised_for_what_a_site_sends(body: bytes) -> None:
    for data in (body, b"<urlset>" + body, b"\x1f\x8b\x08" + body, b"\xff\xfe" + body):
        assert all(one.url.startswith(("http://", "https://")) for one in read(data).entries)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026", "2026-01-01T00:00:00+00:00"),
        ("2026-11", "2026-11-01T00:00:00+00:00"),
        ("2026-11-23", "2026-11-23T00:00:00+00:00"),
        ("2026-11-23T12:00:00+02:00", "2026-11-23T10:00:00+00:00"),
        ("2026-11-23T12:00Z", "2026-11-23T12:00:00+00:00"),
        ("Mon, 23 Nov 2026 10:00:00 GMT", "2026-11-23T10:00:00+00:00"),
        ("yesterday", None),
        ("2026-13", None),
        ("", None),
        ("9999999-01-01", None),
    ],
)
def test_dates(text: str, expected: str | None) -> None:
    found = moment(text)
    assert (found.isoformat() if found else None) == expected
