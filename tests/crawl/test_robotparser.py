"""Our parser in a plain Scrapy project, asked by Scrapy's own RobotsTxtMiddleware."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from scrapy.crawler import Crawler
from scrapy.robotstxt import RobotParser
from scrapy.settings import Settings
from scrapy.spiders import Spider

from archiver.crawl.robotparser import MODE_SETTING, ArchiverRobotParser, product_tokens
from archiver.errors import ConfigError
from tests.conformance import robots as vectors
from tests.crawl.processes import scrapy
from tests.servers.raw import raw_server, respond

pytestmark = pytest.mark.system

HEADER = "Mozilla/5.0 (compatible; FooBot/1.0; +https://example.com/bot)"


def parser(body: bytes, **settings: Any) -> ArchiverRobotParser:
    return ArchiverRobotParser.from_crawler(Crawler(Spider, Settings(settings)), body)


@pytest.mark.parametrize(
    ("user_agent", "tokens"),
    [
        ("FooBot", ("FooBot",)),
        ("FooBot/2.1", ("FooBot",)),
        (HEADER, ("FooBot",)),
        ("Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; FooBot/1.0; +x) Chrome/1", ("FooBot",)),
        ("Scrapy/2.19.0 (+https://scrapy.org)", ("Scrapy",)),
        ("Foo2/1.0", ("Foo2", "Foo")),
        ("archive.org_bot", ("archive.org_bot", "archive")),
        ("Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0", ()),
        ("2Foo", ("2Foo",)),
        ("", ()),
        (" ;", ()),
    ],
    ids=[
        "token", "version", "compatible", "late-compatible", "product", "digit", "dot", "browser", "digit-first",
        "empty", "odd",
    ],
)  # fmt: skip
def test_a_header_yields_the_crawlers_name(user_agent: str, tokens: tuple[str, ...]) -> None:
    assert product_tokens(user_agent) == tokens


def test_it_is_a_scrapy_parser() -> None:
    found = parser(b"User-agent: FooBot\nCrawl-delay: 2.5\nDisallow: /x\n")
    assert isinstance(found, RobotParser)
    assert not found.allowed(b"http://h.test/x", HEADER.encode())
    assert found.allowed("http://h.test/y", HEADER)
    assert (found.crawl_delay(b"FooBot"), found.crawl_delay("other")) == (2.5, None)
    assert ArchiverRobotParser.from_crawler(None, b"\xff\xfe\x00").allowed("http://h.test/", "x")  # type: ignore[arg-type]
    assert found.allowed(b"http://h.test/\xff", b"\xff")


@pytest.mark.parametrize(
    ("mode", "lenient", "index"),
    [("rfc9309", True, False), ("google", False, True), ("both", False, False)],
    ids=["rfc9309", "google", "both"],
)
def test_the_mode_is_a_setting(mode: str, lenient: bool, index: bool) -> None:
    settings = {MODE_SETTING: mode}
    assert parser(b"useragent: *\ndissallow: /\n", **settings).allowed("http://h.test/", "a") is lenient
    assert parser(b"User-agent: *\nAllow: /d/index.html\nDisallow: /\n", **settings).allowed(
        "http://h.test/d/", "a"
    ) is index  # fmt: skip


def test_an_unknown_mode_stops_the_crawl_at_its_start() -> None:
    with pytest.raises(ConfigError, match="ARCHIVER_ROBOTS_MODE: one of rfc9309, google, both"):
        parser(b"", **{MODE_SETTING: "bing"})


SPIDER = """
import scrapy


class Plain(scrapy.Spider):
    name = "plain"
    custom_settings = {
        "ROBOTSTXT_OBEY": True,
        "ROBOTSTXT_PARSER": "archiver.crawl.robotparser.ArchiverRobotParser",
        "USER_AGENT": "Mozilla/5.0 (compatible; FooBot/1.0; +https://example.com/bot)",
        "TELNETCONSOLE_ENABLED": False,
        "CONCURRENT_REQUESTS": 1,  # Scrapy 2.19 lets requests that wait for one robots.txt together go unasked
    }

    async def start(self):
        for path in ("/open", "/hop", "/a%2Fb", "/a/b", "/shared"):
            yield scrapy.Request(self.origin + path, callback=self.parse)

    def parse(self, response):
        pass
"""
ROBOTS = (
    b"User-agent: Mozilla\nDisallow: /\n\n"
    b"User-agent: FooBot\nCrawl-delay: 0\nUser-agent: b\x0bDisallow: /open\nDisallow: /a/b\nDisallow: /shared\n"
    b"Disallow: /b\xfcr\nDisallow: /landing\n"
)


def test_scrapys_own_middleware_obeys_what_our_parser_reads(tmp_path: Path) -> None:
    (tmp_path / "plain.py").write_text(SPIDER)
    page = respond(b"<title>x</title>")
    hop = respond(b"", status="302 Found", headers="Location: /landing\r\n")
    answers = {path: page for path in ("/open", "/a%2Fb", "/a/b", "/shared", "/landing")}
    with raw_server({"/robots.txt": respond(ROBOTS), "/hop": hop, **answers}) as server:
        done = scrapy("runspider", "plain.py", "-a", f"origin={server.origin}", cwd=tmp_path)
        assert done.code == 0, done.err
        # `/a%2Fb` is not `/a/b`; a Crawl-delay ends no run of user-agent lines; the target of a redirect is asked too.
        assert sorted(server.paths()) == ["/a%2Fb", "/hop", "/open", "/robots.txt"]
    assert "'robotstxt/forbidden': 3" in done.err


@pytest.mark.parametrize("mode", ["rfc9309", "google"])
def test_all_vectors_through_scrapys_interface(mode: str) -> None:
    """With whole headers as Scrapy would send them: the token is found in them."""
    asked = 0
    for case in vectors.load():
        if case.get("contested") or mode not in vectors.MODES[case["standard"]]:
            continue
        found = parser(vectors.body(case), **{MODE_SETTING: mode})
        agent = case["user_agent"]
        if " " in agent and "product_token" not in case:
            continue  # `Foo Bar` is no token: Scrapy users cannot mean it
        assert found.allowed(vectors.text(case["url"]), agent) is case["expect_allowed"], case["id"]
        asked += 1
    assert asked > 200
