"""What a server is told about us: the same words on every request of every driver, and none besides."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from archiver import __version__
from tests.servers.raw import RawServer, Request, raw_server, respond
from tests.system.cli import archiver

pytestmark = pytest.mark.system

ACCEPTS = (
    ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
    ("Accept-Encoding", "gzip, deflate, br"),
    ("Connection", "keep-alive"),
)
CONTACTS = {
    "mailbox": ("bot@example.org", "mailto:bot@example.org", (("From", "bot@example.org"),)),
    "page": ("https://example.org/bot", "https://example.org/bot", ()),
}
TEMPTING = (
    'Set-Cookie: id=1; Path=/\r\nReferrer-Policy: unsafe-url\r\nAccept-CH: Sec-CH-UA, DPR\r\nETag: "x"\r\n'
    "Last-Modified: Mon, 23 Nov 2026 00:00:00 GMT\r\nVary: *\r\n"
)
DRIVEN = {
    "save": ("save", "{}"),
    "pump": ("crawl", "--url", "{}", "--driver", "pump"),
    "scrapy": ("crawl", "--url", "{}"),
}


def page(body: str, content_type: str = "text/html") -> bytes:
    return respond(body.encode(), content_type=content_type, headers=TEMPTING)


@contextmanager
def two_sites() -> Iterator[tuple[RawServer, RawServer]]:
    """A site whose pages hold things of another host, and that host; both try to be remembered."""
    with raw_server({}) as other, raw_server({}) as site:
        far = other.origin.replace("127.0.0.1", "localhost")
        robots = respond(b"User-agent: *\nDisallow: /no\n", content_type="text/plain", headers=TEMPTING)
        site.answers = {
            "/robots.txt": robots,
            "/": page(
                "<title>a</title><link rel=stylesheet href=/s.css><img src=/i.png><script src=/j.js></script>"
                f"<img src='{far}/far.png?token=secret'><img src=/hop.png><a href=/b?session=secret>b</a>"
            ),
            "/b?session=secret": page("<title>b</title><img src=/i.png><img src=/k.png>"),
            "/s.css": page("body { background: url(/bg.png) }", "text/css"),
            "/hop.png": respond(b"", status="302 Found", headers=f"Location: {far}/landed.png\r\n{TEMPTING}"),
            **{f"/{name}.png": page(name, "image/png") for name in ("i", "k", "bg")},
            "/j.js": page("1", "text/javascript"),
        }
        other.answers = {
            "/robots.txt": robots,
            "/far.png?token=secret": page("x", "image/png"),
            "/landed.png": page("y", "image/png"),
        }
        yield site, other


def head(request: Request) -> tuple[tuple[str, str], ...]:
    """The fields of a request in order, as sent."""
    lines = request.raw.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    assert lines[0] == f"GET {request.path} HTTP/1.1"
    return tuple((name, value.strip()) for name, _, value in (line.partition(":") for line in lines[1:]))


@pytest.mark.parametrize("contact", CONTACTS)
@pytest.mark.parametrize("driver", DRIVEN)
def test_each_request_says_the_same_and_nothing_else(tmp_path: Path, driver: str, contact: str) -> None:
    given, uri, sender = CONTACTS[contact]
    who = f"Mozilla/5.0 (compatible; PoliteArchiver/{__version__}; +{uri})"
    expected = (("User-Agent", who), *sender, ("Sec-GPC", "1"), *ACCEPTS)
    with two_sites() as (site, other):
        allowed = [word for one in (site, other) for word in ("--allow-address", f"127.0.0.1:{one.port}")]
        verb = [word.format(site.url("/")) for word in DRIVEN[driver]]
        ran = archiver(*verb, *allowed, "--delay", "0", "--lane", "http", "--contact", given, cwd=tmp_path)
        assert ran.code == 0, ran.err
        for one in (site, other):
            for request in one.requests:
                host, *rest = head(request)
                assert host == ("Host", f"{'127.0.0.1' if one is site else 'localhost'}:{one.port}")
                assert tuple(rest) == expected, request.path
    asked = {"/robots.txt", "/", "/s.css", "/bg.png", "/i.png", "/j.js", "/hop.png"}
    assert set(site.paths()) >= asked | ({"/b?session=secret", "/k.png"} if driver != "save" else set())
    assert set(other.paths()) >= {"/robots.txt", "/far.png?token=secret", "/landed.png"}
