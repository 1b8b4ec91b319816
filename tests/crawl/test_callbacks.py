"""What a spider's callbacks see, and what becomes of what they yield: kept names and data, and real crawls."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scrapy import Request

from archiver.crawl.callbacks import Callbacks, Wanted, wanted_of
from archiver.crawl.spider import ArchiverSpider
from tests.crawl.processes import OWN, scrapy, write_spider
from tests.servers.raw import Answer, raw_server, respond
from tests.system.cli import check_collection, collection, ledger_bodies

JSON = st.recursive(st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(codec="utf-8")),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
                    max_leaves=8)  # fmt: skip


class OneSpider(ArchiverSpider):
    name = "one"

    def item(self, response: object) -> None:
        """Named by requests below."""

    def failed(self, failure: object) -> None:
        """Named by requests below."""


# -- what is kept


@given(st.dictionaries(st.text(min_size=1, max_size=8), JSON, max_size=4))
def test_what_is_kept_comes_back(tmp_path_factory: pytest.TempPathFactory, data: dict[str, Any]) -> None:
    spider = OneSpider()
    request = Request("http://a/", callback=spider.item, errback=spider.failed, cb_kwargs=data)
    wanted = wanted_of(request, spider)
    assert wanted is not None
    path = tmp_path_factory.mktemp("kept") / "callbacks.jsonl"
    Callbacks(path).keep("http://a/", wanted)
    again = Request("http://a/")
    found = Callbacks(path).of("http://a/")
    assert found is not None
    found.apply(again, spider)
    assert (again.callback, again.errback, again.cb_kwargs) == (spider.item, spider.failed, data)


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        ({"callback": print}, "callback must be a method"),
        ({"errback": lambda failure: None}, "errback must be a method"),
        ({"meta": {"key": print}}, "meta holds"),
        ({"meta": {"key": ("a", "b")}}, "meta would not come back"),
        ({"cb_kwargs": {"key": {1, 2}}}, "cb_kwargs holds"),
    ],
)
def test_what_cannot_outlive_the_process_is_refused_by_name(keywords: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        wanted_of(Request("http://a/", **keywords), OneSpider())


def test_a_plain_request_keeps_nothing() -> None:
    assert wanted_of(Request("http://a/", meta={"depth": 3}), OneSpider()) is None


def test_a_line_cut_by_a_kill_is_passed_over_and_the_next_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "callbacks.jsonl"
    Callbacks(path).keep("http://a/", Wanted(callback="item"))
    with path.open("ab") as file:
        file.write(b'{"key": "http://b/", "callb')
    Callbacks(path).keep("http://c/", Wanted(callback="failed"))
    found = Callbacks(path)
    assert len(found) == 2 and found.of("http://b/") is None
    assert found.of("http://c/") == Wanted(callback="failed")


# -- real crawls

SPIDER = """
from archiver.crawl.spider import ArchiverSpider
from scrapy import Request

class Own(ArchiverSpider):
    name = "own"
    custom_settings = {**ArchiverSpider.custom_settings, "ITEM_PIPELINES": {"own.Shout": 1},
                       "EXTENSIONS": {"scrapy.extensions.feedexport.FeedExporter": 0},
                       "FEEDS": {"items.jsonl": {"format": "jsonlines"}}}

    def parse(self, response, **kwargs):
        yield {"url": response.url, "kind": type(response).__name__, "flags": response.flags, "by": "parse",
               "status": response.status, "text": getattr(response, "text", "")[:30], "size": len(response.body),
               "lane": response.meta["archiver"].page.lane.value}
        if response.meta["depth"] == 0:
            for name in ("hidden", "refused", "elsewhere"):
                link = {"elsewhere": "http://127.0.0.2:9/x"}.get(name, response.urljoin("/" + name))
                yield Request(link, self.item, errback=self.failed, cb_kwargs={"word": name}, meta={"from": [1]})
            yield Request(response.urljoin("/form"), method="POST", body=b"q=1")
            yield Request(response.urljoin("/lambda"), callback=lambda response: None)

    def item(self, response, word):
        yield {"url": response.url, "by": "item", "word": word, "from": response.meta["from"],
               "depth": response.meta["depth"]}
        if word == "hidden":
            yield Request(response.urljoin("/deeper"), self.item, cb_kwargs={"word": "deeper"}, meta={"from": [2]})

    def failed(self, failure):
        yield {"by": "failed", "error": type(failure.value).__name__, "rule": failure.value.decision.rule}

class Shout:
    def process_item(self, item):
        item["piped"] = True
        return item
"""


def site() -> dict[str, Any]:
    # 2 MB that Python's punycode codec would take minutes for
    big = b"<title>b</title>" + b"a-" * (1 << 20)
    cut = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5000\r\n\r\n<p>cut"
    return {
        "/robots.txt": respond(b"User-agent: *\nDisallow: /refused\n", content_type="text/plain"),
        "/": respond("<title>ü</title><a href=/big>b</a><a href=/cut>c</a>".encode("latin-1"),
                     content_type="text/html; charset=latin1"),
        "/big": respond(big, content_type="text/html; charset=punycode"),
        "/cut": Answer(parts=(cut,)),
        "/hidden": respond(b"<p>hidden"),
        "/deeper": respond(b"<p>deeper"),
    }  # fmt: skip


@pytest.mark.system
def test_callbacks_get_pages_and_what_they_yield_is_visited_within_the_scope(tmp_path: Path) -> None:
    write_spider(tmp_path, SPIDER)
    with raw_server(site()) as server:
        given = ["-a", f"url={server.url('/')}", "-a", f"allowAddresses=127.0.0.1:{server.port}", "-a", "delay=0"]
        ran = scrapy("crawl", "own", *given, cwd=tmp_path, env=OWN)
        asked = server.paths()
    assert ran.code == 0, ran.err
    items = [json.loads(line) for line in (tmp_path / "items.jsonl").read_text().splitlines()]
    assert items and all(item["piped"] for item in items)
    pages = {item["url"].removeprefix(server.origin): item for item in items if "url" in item}
    assert pages["/"]["text"].startswith("<title>ü</title>") and pages["/"]["kind"] == "HtmlResponse"
    assert pages["/"]["lane"] == "http"
    assert pages["/big"]["size"] > 2 << 20
    assert "truncated:disconnect" in pages["/cut"]["flags"] and "dataloss" in pages["/cut"]["flags"]
    assert (pages["/hidden"]["by"], pages["/hidden"]["word"], pages["/hidden"]["from"]) == ("item", "hidden", [1])
    assert (pages["/deeper"]["word"], pages["/deeper"]["depth"]) == ("deeper", 2)
    assert [item["rule"] for item in items if item["by"] == "failed"] == ["Disallow: /refused"]
    assert "/refused" not in asked and "/form" not in asked and "/lambda" not in asked
    assert "method POST" in ran.err and "callback must be a method of the spider" in ran.err
    rows = ledger_bodies(collection(tmp_path))
    out = next(row for row in rows if row["event"] == "discovered" and row["url"] == "http://127.0.0.2:9/x")
    assert out["reason"] == "outOfScope" and out["via"] == server.url("/")
    deeper = next(row for row in rows if row["event"] == "decision" and row["url"] == server.url("/deeper"))
    assert deeper["via"] == server.url("/hidden") and deeper["path"] == "LL"
    check_collection(collection(tmp_path))
    assert not list((collection(tmp_path) / "state").glob("callbacks-*"))


INTERRUPTED = """
import os, signal
from archiver.crawl.spider import ArchiverSpider
from scrapy import Request

class Own(ArchiverSpider):
    name = "own"

    def parse(self, response, **kwargs):
        for number in range(6):
            yield Request(response.urljoin(f"/n{number}"), self.item, cb_kwargs={"number": number})

    def item(self, response, number):
        with open("seen", "a") as file:
            file.write(f"{number}\\n")
        if number == 1 and not os.path.exists("stopped"):
            open("stopped", "w").close()
            os.kill(os.getpid(), signal.SIGTERM)
"""


@pytest.mark.system
def test_callbacks_outlive_an_interruption(tmp_path: Path) -> None:
    write_spider(tmp_path, INTERRUPTED)
    with raw_server({"/": respond(b"<p>x"), **{f"/n{number}": respond(b"<p>x") for number in range(6)}}) as server:
        given = ["-a", f"url={server.url('/')}", "-a", f"allowAddresses=127.0.0.1:{server.port}", "-a", "delay=0"]
        given += ["-a", "concurrency=1"]
        assert scrapy("crawl", "own", *given, cwd=tmp_path, env=OWN).code == 11
        assert len((tmp_path / "seen").read_text().split()) < 6
        again = scrapy("crawl", "own", *given, cwd=tmp_path, env=OWN)
        assert again.code == 0, again.err
        assert server.paths().count("/") == 1
    assert sorted((tmp_path / "seen").read_text().split()) == list("012345")


TOO_MUCH = """
from archiver.crawl.spider import ArchiverSpider
from scrapy.exceptions import CloseSpider

class Own(ArchiverSpider):
    name = "own"

    def parse(self, response, **kwargs):
        if response.meta["depth"]:
            raise CloseSpider("enough")
"""


@pytest.mark.system
def test_a_spider_that_closes_itself_can_go_on_later(tmp_path: Path) -> None:
    write_spider(tmp_path, TOO_MUCH)
    links = "".join(f"<a href=/n{number}>x</a>" for number in range(30))
    pages = {f"/n{number}": respond(b"<p>x") for number in range(30)}
    with raw_server({"/": respond(links.encode()), **pages}) as server:
        given = ["-a", f"url={server.url('/')}", "-a", f"allowAddresses=127.0.0.1:{server.port}", "-a", "delay=0"]
        given += ["-a", "concurrency=2"]
        runs = 0
        while len(set(server.paths()) - {"/robots.txt", "/.well-known/tdmrep.json"}) < 31:
            ran = scrapy("crawl", "own", *given, cwd=tmp_path, env=OWN)
            assert "Traceback" not in ran.err
            runs += 1
            assert runs < 30
            if runs == 2:
                (tmp_path / "own.py").write_text(TOO_MUCH.replace("if response", "if False and response"))
        paths = [path for path in server.paths() if path != "/robots.txt"]
        assert len(paths) == len(set(paths)) == 32  # tdmrep.json among them
    assert runs == 3
    check_collection(collection(tmp_path))


READING = """
from archiver.crawl.spider import ArchiverSpider

class Own(ArchiverSpider):
    name = "own"

    def parse(self, response, **kwargs):
        with open("seen", "ab") as file:
            file.write(response.url.encode() + b" " + response.body[:9] + b"\\n")
"""


@pytest.mark.system
def test_a_challenge_is_no_page_for_a_callback(tmp_path: Path) -> None:
    """It answers 200 and is kept; the spider is not given it as an article, and the crawl says that it failed."""
    write_spider(tmp_path, READING)
    wall = b'<title>x</title><div id="anubis_challenge"></div><a href=/trap>x</a>'
    page = b"<p>" + b"words " * 200 + b"<a href=/wall>x</a>"
    with raw_server({"/": respond(page), "/wall": respond(wall)}) as server:
        given = ["-a", f"url={server.url('/')}", "-a", f"allowAddresses=127.0.0.1:{server.port}", "-a", "delay=0"]
        ran = scrapy("crawl", "own", *given, cwd=tmp_path, env=OWN)
        assert "/wall" in server.paths() and "/trap" not in server.paths()
        assert (tmp_path / "seen").read_bytes() == server.url("/").encode() + b" <p>words \n"
    assert "botblock:anubis" in ran.err and "1 captured, 1 failed" in ran.out
    check_collection(collection(tmp_path))
