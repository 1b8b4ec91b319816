"""Sitemaps and feeds crawled from a real server: by configuration with both drivers, and by the spiders."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.servers.raw import RawServer, raw_server, respond
from tests.system.cli import archiver, check_collection, collection, ledger_bodies

pytestmark = pytest.mark.system

SCRAPY = Path(sys.executable).with_name("scrapy")
NS = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'


def sitemap(*rows: tuple[str, str], kind: str = "url") -> bytes:
    root = "urlset" if kind == "url" else "sitemapindex"
    body = "".join(f"<{kind}><loc>{url}</loc><lastmod>{date}</lastmod></{kind}>" for url, date in rows)
    return f"<?xml version='1.0'?><{root} {NS}>{body}</{root}>".encode()


def site(server: RawServer) -> None:
    """An index that names itself, a packed sitemap, one with the wrong type, a bomb; pages that link further."""
    u = server.url
    laughs = "".join(f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 10}">' for i in range(9))
    bomb = f'<!DOCTYPE x [<!ENTITY a "ha">{laughs}]><urlset><url><loc>&j;</loc></url></urlset>'.encode()
    names = [(u(path), "") for path in ("/index.xml", "/s1.xml.gz", "/s2", "/bomb.xml", "/gone.xml")]
    first = sitemap((u("/a"), "2026-01-01"), (u("/old"), "2001-01-01"), (u("/refused"), ""), ("/rel", ""))
    robots = f"User-agent: *\nDisallow: /refused\nSitemap: {u('/index.xml')}\n".encode()
    feed = b"<rss><channel><a:link xmlns:a='http://www.w3.org/2005/Atom' rel='next' href='/feed?2'/>"
    server.answers |= {
        "/robots.txt": respond(robots, content_type="text/plain"),
        "/index.xml": respond(sitemap(*names, kind="sitemap"), content_type="application/xml"),
        "/s1.xml.gz": respond(gzip.compress(first), content_type="application/octet-stream"),
        "/s2": respond(sitemap((u("/b"), ""), ("http://elsewhere.test/", "")), content_type="text/html"),
        "/bomb.xml": respond(bomb, content_type="text/xml"),
        "/feed": respond(feed + b"<item><link>/a</link></item></channel></rss>", content_type="text/xml"),
        "/feed?2": respond(b"<rss><channel><item><link>/b</link></item></channel></rss>", content_type="text/xml"),
        "/a": respond(b"<p>a<a href=/linked>further</a>"),
    }
    server.answers |= {path: respond(path.encode()) for path in ("/", "/b", "/old", "/rel", "/linked", "/refused")}


LISTS = {"/index.xml", "/s1.xml.gz", "/s2", "/bomb.xml", "/gone.xml"}


@pytest.fixture(scope="module")
def server() -> Iterator[RawServer]:
    with raw_server({}) as running:
        site(running)
        yield running


def rows(folder: Path, event: str) -> dict[str, dict[str, Any]]:
    return {body["url"]: body for body in ledger_bodies(folder) if body["event"] == event and body.get("url")}


def test_a_seeds_sitemaps_by_configuration(server: RawServer, tmp_path: Path) -> None:
    """By the pump; the spiders below go through the same code by Scrapy."""
    config = {
        "seeds": [{"url": server.url("/"), "useSitemap": True, "depth": 0}], "delay": 0, "driver": "pump",
        "allowAddresses": [f"127.0.0.1:{server.port}"], "sitemapFromDate": "2020-01-01",
    }  # fmt: skip
    (tmp_path / "c.yaml").write_text(json.dumps(config))
    server.requests.clear()
    ran = archiver("crawl", "c.yaml", cwd=tmp_path)
    assert ran.code == 0, ran.err
    asked = set(server.paths()) - {"/robots.txt", "/.well-known/tdmrep.json"}
    assert asked == {"/", "/a", "/b", "/rel"} | LISTS
    assert len(server.paths()) == len(set(server.paths()))
    folder = collection(tmp_path)
    check_collection(folder)
    found = rows(folder, "discovered")
    index = found[server.url("/index.xml")]
    assert (index["via"], index["path"]) == (server.url("/robots.txt"), "M")
    page = found[server.url("/a")]
    assert (page["via"], page["path"], page["lastmod"]) == (server.url("/s1.xml.gz"), "MMM", "2026-01-01")
    assert found[server.url("/old")]["reason"] == "outOfScope" and "lastmod" in found[server.url("/old")]["rule"]
    assert found["http://elsewhere.test/"]["reason"] == "outOfScope"
    assert found[server.url("/linked")]["reason"] == "depthLimit"
    assert rows(folder, "decision")[server.url("/refused")]["reason"] == "robotsTxt"
    assert rows(folder, "outcome")[server.url("/s2")]["kind"] == "sitemap"
    pages = (folder / "pages/pages.jsonl").read_text()
    assert server.url("/a") in pages and "xml" not in pages


def scrapy(name: str, server: RawServer, path: str, folder: Path, *more: str) -> set[str]:
    """What a spider asked for."""
    given = [f"url={server.url(path)}", f"allowAddresses=127.0.0.1:{server.port}", "delay=0", *more]
    arguments = [part for one in given for part in ("-a", one)]
    server.requests.clear()
    ran = subprocess.run(
        [SCRAPY, "crawl", name, *arguments], cwd=folder, capture_output=True, text=True, timeout=100, check=False,
        env={**os.environ, "SCRAPY_SETTINGS_MODULE": "archiver.crawl.project"},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    return set(server.paths()) - {"/robots.txt", "/.well-known/tdmrep.json"}


def test_the_spider_sitemap_begins_at_a_robots_txt_too(server: RawServer, tmp_path: Path) -> None:
    asked = scrapy("sitemap", server, "/robots.txt", tmp_path, "since=2020-01-01")
    assert asked == {"/a", "/b", "/rel"} | LISTS
    check_collection(collection(tmp_path))


def test_the_spider_feed_goes_from_page_to_page_of_the_feed(server: RawServer, tmp_path: Path) -> None:
    assert scrapy("feed", server, "/feed", tmp_path) == {"/feed", "/feed?2", "/a", "/b"}
    assert rows(collection(tmp_path), "discovered")[server.url("/b")]["via"] == server.url("/feed?2")


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_a_million_urls(tmp_path: Path) -> None:
    """Twenty full sitemaps; every URL has its row, and the frontier takes them with flat memory."""
    with raw_server({}) as big:
        big.answers["/robots.txt"] = respond(b"", content_type="text/plain")
        names = [big.url(f"/{number}.xml") for number in range(20)]
        big.answers["/index.xml"] = respond(sitemap(*((name, "") for name in names), kind="sitemap"))
        for number in range(20):
            listed = [(big.url(f"/p/{number}/{one}"), "") for one in range(50_000)]
            big.answers[f"/{number}.xml"] = respond(sitemap(*listed), content_type="text/xml")
        config = {
            "seeds": [{"url": big.url("/index.xml"), "seedType": "sitemap", "scopeType": "host", "depth": 0}],
            "delay": 0, "driver": "pump", "allowAddresses": [f"127.0.0.1:{big.port}"], "pageLimit": 25,
        }  # fmt: skip
        (tmp_path / "c.yaml").write_text(json.dumps(config))
        assert archiver("crawl", "c.yaml", cwd=tmp_path, seconds=1500).code == 0
    rows = (collection(tmp_path) / "logs").glob("ledger-*.jsonl")
    found = sum(b'\\"event\\":\\"discovered\\"' in line for path in rows for line in path.open("rb"))
    assert found == 1_000_020
