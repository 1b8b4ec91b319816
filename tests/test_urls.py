"""URLs in their three forms, and seeds as users type them (bad inputs B-01 to B-12, B-19, B-25)."""

from __future__ import annotations

import can_ada
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from archiver import urls
from archiver.errors import UsageError
from archiver.model import Origin

URLISH = st.text(st.sampled_from("ab.%/?&=#:@47EefF2~Z ü\\[]\t|'0x\ud800"), max_size=40)
ANYTHING = st.one_of(
    st.text(max_size=60), URLISH, URLISH.map("http://h.example/".__add__), URLISH.map("https://".__add__)
)


@given(ANYTHING)
@example("http://h/%%37E")
@example("http://h/%4%31")
@example("http://1../")
@example("http://%31./?%7e#x")
def test_the_key_of_a_key_is_the_key(text: str) -> None:
    key = urls.canonical(text)
    assert urls.canonical(key) == key


@given(ANYTHING)
def test_the_key_does_not_depend_on_which_form_it_is_made_from(text: str) -> None:
    parsed = urls.parse(text)
    if parsed is not None:
        assert parsed.key == urls.canonical(parsed.url) == urls.canonical(text)
        assert urls.of(parsed.url) == parsed


@given(st.sampled_from(["http://h.example/a/b?c", "https://[::1]:8443/x/", "http://127.0.0.1:8000/"]), ANYTHING)
def test_joining_agrees_with_the_url_standard(base: str, href: str) -> None:
    ours = urls.join(base, href)
    try:
        theirs = can_ada.parse(base) + href.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    except ValueError:
        assert ours is None
        return
    theirs.username = theirs.password = theirs.hash = ""
    if ours is None:
        host = theirs.hostname
        assert theirs.protocol not in ("http:", "https:") or ".." in host or host.startswith(".")
    else:
        assert ours == theirs.href.partition("#")[0]


@given(ANYTHING)
def test_a_parsed_url_fits_a_request(text: str) -> None:
    parsed = urls.parse(text)
    if parsed is not None:
        target, host = urls.request_target(parsed.url), urls.host_header(parsed.url)
        assert target.startswith(b"/")
        assert f"{parsed.origin.scheme}://".encode() + host + target == parsed.url.encode()
        assert not any(char in target + host for char in b" \r\n\0#@"[:5])


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("HTTP://Exa%6Dple.COM:80/a/../b/%7euser/%2e%2E/c?x=1&y=%7e#f", "http://example.com/b/c?x=1&y=~"),
        ("https://user:pw@h.example.:443", "https://h.example/"),
        ("https://h.example.:8443/a./b", "https://h.example:8443/a./b"),
        ("http://bücher.example/ü", "http://xn--bcher-kva.example/%C3%BC"),
        ("http://xn--bcher-kva.example/%c3%bc", "http://xn--bcher-kva.example/%C3%BC"),
        ("http://h/a%2fb%0d%0a", "http://h/a%2Fb%0D%0A"),
        ("http://h/?b=2&a=1&b=1", "http://h/?b=2&a=1&b=1"),
        ("http://h//a//b/?", "http://h//a//b/?"),
        ("http://h/News", "http://h/News"),
        ("http://0177.1/", "http://127.0.0.1/"),
        ("http://[::FFFF:7f00:1]:80/", "http://[::ffff:7f00:1]/"),
        ("mailto:A@b", "mailto:A@b"),
    ],
)
def test_keys(url: str, key: str) -> None:
    assert urls.canonical(url) == key


def test_fragments_do_not_make_another_page() -> None:
    assert urls.parse("http://h/#a") == urls.parse("http://h/#b") == urls.parse("http://h")


@pytest.mark.parametrize(
    ("url", "origin", "shown"),
    [
        ("http://h.example./", Origin("http", "h.example", 80), "http://h.example"),
        ("https://h:8443/x:1", Origin("https", "h", 8443), "https://h:8443"),
        ("http://[::1]:8080/", Origin("http", "::1", 8080), "http://[::1]:8080"),
        ("https://h/", Origin("https", "h", 443), "https://h"),
    ],
)
def test_origins(url: str, origin: Origin, shown: str) -> None:
    assert urls.origin_of(url) == origin
    assert str(origin) == shown


@pytest.mark.parametrize("text", ["", "h.example", "/path", "http://h", "ftp://h/"])
def test_parts_of_something_that_is_no_serialised_url_are_an_error(text: str) -> None:
    for part in (urls.origin_of, urls.request_target, urls.host_header):
        with pytest.raises(ValueError, match="not a serialised"):
            part(text)


@pytest.mark.parametrize(
    "href", ["javascript:alert(1)", "data:,x", "mailto:a@b", "http://", "http://xn--a/", "//a../", "//./"]
)
def test_what_is_no_page_does_not_join(href: str) -> None:
    assert urls.join("http://h/", href) is None


def test_links_do_not_bring_passwords_along() -> None:
    assert urls.join("http://h/", "//user:secret@other/x@y") == "http://other/x@y"
    assert urls.join("http://user:secret@h/a", "b") == "http://h/b"


def test_a_base_that_is_no_web_address_does_not_move_links() -> None:
    for href in (None, "javascript:1", "http://"):
        base = urls.base_of("http://h/a/", href)
        assert base is not None
        assert urls.resolve(base, "b") == "http://h/a/b"
    moved = urls.base_of("http://h/a/", "//other/c/")
    assert moved is not None
    assert urls.resolve(moved, "b") == "http://other/c/b"


def test_length_limits() -> None:
    assert urls.join("http://h/", "a" * 2049) is not None
    assert urls.join("http://h/", "a" * urls.MAX_URL) is None
    assert urls.join("http://h/", "ü" * 20_000) is None
    assert urls.parse("http://h/" + "a" * 2_000_000) is None


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://h.example/a%0d%0ab", "http://h.example/a%0d%0ab"),
        ("example.com", "https://example.com/"),
        (" example.com/a#b ", "https://example.com/a"),
        ("//example.com/a", "https://example.com/a"),
        ("localhost:8000/x", "https://localhost:8000/x"),
        ("[::1]:8000/", "https://[::1]:8000/"),
        ("HTTP://Example.COM:80", "http://example.com/"),
        ("http://bücher.example/", "http://xn--bcher-kva.example/"),
        ("http://h/a?b=c\\d", "http://h/a?b=c\\d"),
        ("http://localhost./", "http://localhost./"),
        ("http://2130706433/", "http://127.0.0.1/"),
        ("http://h:22/", "http://h:22/"),
        ("http://a_b.example/", "http://a_b.example/"),
        ("http://h/" + "a" * 2049, "http://h/" + "a" * 2049),
    ],
)
def test_seeds_that_are_understood(text: str, url: str) -> None:
    assert urls.seed_url(text) == url


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ("http://h/a\r\nHost: x", "control character U\\+000D"),
        ("http://h/a\tb", "control character U\\+0009"),
        ("http://h/a\0", "control character U\\+0000"),
        ("http://h/\x1b[31m", "control character U\\+001B"),
        ("http://h/\u202egpj.exe", "control character U\\+202E"),
        ("http://h/\ud800", "control character U\\+D800"),
        ("", "empty"),
        ("   ", "empty"),
        ("http://", "not a valid URL"),
        ("http:///path", "no host"),
        ("http:path", "no host"),
        ("/etc/passwd", "no host"),
        ("http://./", "not a valid URL"),
        ("http://h/ http://i/", "one URL at a time"),
        ("http://h\\@evil/", "backslash"),
        ("http://h:0/", "port 0"),
        ("http://h:65536/", "1 to 65535"),
        ("http://h:-1/", "1 to 65535"),
        ("http://xn--a/", "host name"),
        (f"http://{'a' * 64}.example/", "too long for DNS"),
        (f"http://{'a.' * 140}example/", "too long for DNS"),
        ("http://h/" + "a" * 65_536, "longer than"),
        ("http://h/" + "ü" * 20_000, "longer than"),
    ],
)
def test_seeds_that_are_refused_by_name(text: str, fix: str) -> None:
    with pytest.raises(UsageError, match=fix) as refusal:
        urls.seed_url(text)
    assert len(str(refusal.value)) < 400
    assert not any(ord(char) < 32 or char in "\u202e\ud800" for char in str(refusal.value))


@pytest.mark.parametrize(
    "text",
    [
        "file:///etc/passwd",
        "ftp://h/",
        "data:,x",
        "javascript:alert(1)",
        "s3://bucket/key",
        "chrome://gpu",
        "view-source:http://h/",
        "mailto:a@b.example",
        "tel:112",
    ],
)
def test_schemes_that_are_not_the_webs(text: str) -> None:
    with pytest.raises(UsageError, match="not supported; use http"):
        urls.seed_url(text)


@pytest.mark.parametrize("text", ["http://user:secret@h/", "user:secret@h/", "ftp://user:secret@h/", "//u:secret@h/"])
def test_passwords_are_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(UsageError) as refusal:
        urls.seed_url(text)
    assert "secret" not in str(refusal.value)


@given(ANYTHING)
def test_a_seed_is_understood_or_refused(text: str) -> None:
    try:
        url = urls.seed_url(text)
    except UsageError:
        return
    assert urls.seed_url(url) == url
    assert not urls.has_credentials(url)
