"""Our keys against the `surt` package that pywb and cdxj-indexer use."""

from __future__ import annotations

import pytest
import surt as reference
from can_ada import parse
from hypothesis import given, settings
from hypothesis import strategies as st

from archiver.warc.surt import _any, _plain, surt

HEX32 = "0123456789abcdefABCDEF0123456789"
URLS = f"""
http://example.com http://example.com/ https://www.example.com/A/B/ http://www2.example.com/x http://www.www.com/
http://www123.com/ http://example.com:80/x https://example.com:443/x http://example.com:443/x http://example.com:8080/x
http://ex.com:0/ http://ex.com:/x http://ex.com/? http://ex.com/?a http://ex.com/?a= http://ex.com?x=1 http://ex.com/?&
http://ex.com/?b&a&c=3&B=1&&x http://ex.com/?q=a+b%20c&Q=%26 http://ex.com/a//b/../c/./d http://ex.com/../a http://ex.com////
http://ex.com/a/b/.. http://ex.com/a/b/. http://ex.com/%7Efoo/%2520x?y=%26z http://a_b.com/%25%32%35 http://ex.com/%00x
http://ex.com/%ff%fe http://ex.com/..%2f..%2fa http://ex.com/a%2fb%2F http://ex.com/a;b=c http://ex.com/x?y=a?b
http://ex.com/x?jsessionid={HEX32}&b=1 http://ex.com/?phpsessid={HEX32} http://ex.com/x?sid={HEX32}&sid={HEX32}&a=1
http://ex.com/x?CFID=1&CFTOKEN=2&z=1 http://ex.com/?ASPSESSIONIDABCDEFGH=ABCDEFGHIJKLMNOPQRSTUVWX&k=1
http://ex.com/(a(8kd3jdhf7ehrjdkslwofkhd2))/x.aspx http://ex.com/(8kd3jdhf7ehrjdkslwofkhd2)/x.aspx?q http://ex.com/(a)/b
http://xn--mnchen-3ya.de/ http://münchen.de/ü?ö=ß http://[::1]:8080/x http://[2001:db8::1]/ http://127.0.0.1:8090/a
http://3232235777/ http://user:pw@Example.COM/ http://ex.com./ http://..ex..com/ http://http://ex.com/
http:////ex.com/a http://ex.com/a#frag HTTPS://EX.com:443/ http://ex.com/a"<>b http://ex.com/a%20b%E2%82%AC
""".split()


@pytest.mark.parametrize("url", URLS)
def test_same_key_as_the_reference(url: str) -> None:
    assert surt(url) == reference.surt(url)


LABEL = st.from_regex(r"[a-z0-9]([a-z0-9\-]{0,8}[a-z0-9])?", fullmatch=True)
HOST = st.builds(
    lambda parts, tld: ".".join([*parts, tld]), st.lists(LABEL, min_size=1, max_size=4), st.just("example")
)
PART = st.text(st.sampled_from("abcXYZ019-._~!$&'()*+,;=:@/%?é€ {}|"), max_size=30)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(["http", "https"]), HOST, st.sampled_from(["", ":80", ":443", ":8080"]), PART, PART)
def test_same_key_for_any_browser_url(scheme: str, host: str, port: str, path: str, query: str) -> None:
    """Every URL that reaches us has been through a WHATWG parser first."""
    url = parse(f"{scheme}://{host}{port}/{path}?{query}").href
    url = url.partition("#")[0]
    assert surt(url) == reference.surt(url)


@given(st.text(max_size=60))
def test_never_raises(text: str) -> None:
    assert isinstance(surt("http://" + text), str)
    assert isinstance(surt(text), str)


def test_numeric_hosts_need_no_name_server() -> None:
    assert surt("http://1.2/") == "2,0,0,1)/"
    assert surt("http://1.2.3.999/") == "999,3,2,1)/"


def test_what_is_not_http_is_its_own_key() -> None:
    assert surt("urn:policy:http://x/") == "urn:policy:http://x/"
    assert surt("http://ex.com:port/") == "http://ex.com:port/"
    assert surt("http://ex.com:99999/") == "http://ex.com:99999/"


PIECES = st.sampled_from(
    ["a", "B", "/", "//", "/.", "/..", ".", "%41", "%", "?", "&", "=", "sid=", "c=1&b=2", "0" * 32, "jsessionid=", "(",
     ")", "~", "é", " ", "\n", "#", ":", "@", ";", "*", "!", "cfid=1", ".aspx", "-", "_", "+", "$", "'", "|"]
)  # fmt: skip
HOSTS = st.sampled_from(
    ["example.org", "www.example.org", "www2.example.org:80", "a.b:8080", "127.0.0.1", "1.2", "3232235777", "a..b", "-",
     "a:99999", ".", "EXAMPLE.org", "[::1]:80", "a:", "u@h", "", "xn--bcher-kva.example:443", "a:0"]
)  # fmt: skip


@settings(max_examples=500)
@given(st.sampled_from(["http", "https", "HTTP", "ftp"]), HOSTS, st.lists(PIECES, max_size=6))
def test_plain_urls_have_the_key_that_any_url_has(scheme: str, host: str, rest: list[str]) -> None:
    url = f"{scheme}://{host}{''.join(rest)}"
    assert _plain(url) in (None, _any(url))


def test_most_urls_are_plain() -> None:
    for url in ("http://example.org/", "https://www.example.org:8443/A/b.html?C=d", "http://127.0.0.1/x/?1"):
        assert _plain(url) is not None
