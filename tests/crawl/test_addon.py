"""Add-on mode in a real foreign project: one line in its settings, and nothing goes around the gateway."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares import cookies
from scrapy.settings import Settings
from scrapy.spiders import Spider

from archiver.crawl.addon import IN_FLIGHT, ArchiverAddon
from archiver.crawl.settings import HANDLER, REPLACED
from archiver.errors import ConfigError
from archiver.warc.reader import iter_records
from tests.crawl.processes import scrapy, targets
from tests.needs import ROOT
from tests.servers.raw import NOT_FOUND, Answer, RawServer, Request, raw_server, respond
from tests.system.cli import Ran, collection, ledger_bodies

PROJECT = ROOT / "tests" / "data" / "foreign_project"
BUSY = respond(b"later", status="429 Too Many Requests", headers="Retry-After: 3600\r\n")


def project(settings: dict[str, Any] | None = None, **options: Any) -> tuple[Crawler, Settings]:
    """A crawler of a project with these settings, before its add-ons ran."""
    archiver = {"contact": "me@example.org", **options}
    crawler = Crawler(Spider, Settings({"ARCHIVER": archiver, **(settings or {})}))
    return crawler, crawler.settings


# -- settings


def test_every_way_past_the_gateway_is_closed_over_the_projects_own_settings() -> None:
    crawler, settings = project(
        {
            "ROBOTSTXT_OBEY": True,
            "DOWNLOAD_HANDLERS": {"http": "their.Handler", "gopher": "their.Gopher"},
            "DOWNLOAD_DELAY": 9,
            "DOWNLOADER_MIDDLEWARES": {REPLACED[0]: 77},
            "RETRY_HTTP_CODES": ["500", 429, 503],
            "CONCURRENT_REQUESTS": 2,
        }
    )
    ArchiverAddon(crawler).update_settings(settings)
    handlers = settings.getwithbase("DOWNLOAD_HANDLERS")
    assert {scheme for scheme, handler in handlers.items() if handler} == {"http", "https"}
    assert handlers["http"] == handlers["https"] == HANDLER
    assert settings.getlist("RETRY_HTTP_CODES") == [500]
    assert settings.getint("CONCURRENT_REQUESTS") == IN_FLIGHT and settings.getfloat("DOWNLOAD_DELAY") == 0
    for name in ("ROBOTSTXT_OBEY", "HTTPCACHE_ENABLED", "REMOTE_CONTROL_ENABLED", "TELNETCONSOLE_ENABLED"):
        assert not settings.getbool(name)


def test_the_projects_middlewares_stay_but_the_three_the_gateway_replaces() -> None:
    crawler, settings = project(
        {"DOWNLOADER_MIDDLEWARES": {"scrapy.downloadermiddlewares.stats.DownloaderStats": 10, REPLACED[0]: 77}}
    )
    ArchiverAddon(crawler).update_settings(settings)
    found = dict(settings.getdict("DOWNLOADER_MIDDLEWARES"))
    gone = {f"{one.__module__}.{one.__name__}" for one, order in found.items() if order is None}
    assert gone == set(REPLACED)
    assert found["scrapy.downloadermiddlewares.stats.DownloaderStats"] == 10


def test_the_public_suffix_list_is_not_fetched() -> None:
    """The guard of the test run fails this test if anything is looked up."""
    crawler, settings = project()
    ArchiverAddon(crawler).update_settings(settings)
    assert cookies._is_public_domain("co.uk") and cookies._is_public_domain("github.io")
    assert not cookies._is_public_domain("example.co.uk")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"contact": ""}, "contact"),
        ({"conect": "x"}, "unknown key"),
        ({"seeds": ["https://example.org/"]}, "spider's business"),
        ({"policy": "research"}, "legalBasis"),
        ({"override": "robots"}, "overrides are for one URL"),
    ],
)
def test_a_refused_option_is_named_before_anything_is_fetched(options: dict[str, Any], words: str) -> None:
    crawler, settings = project(**options)
    with pytest.raises(ConfigError, match=words):
        ArchiverAddon(crawler).update_settings(settings)


@pytest.mark.parametrize("name", ["ARCHIVER_OVERRIDE", "ARCHIVER_OVERRIDES", "ARCHIVER_OVERRIDE_BECAUSE"])
def test_no_setting_lifts_anything(name: str) -> None:
    crawler, settings = project({name: "robots"})
    with pytest.raises(ConfigError, match=f"setting {name}: overrides are for one URL"):
        ArchiverAddon(crawler).update_settings(settings)


def test_a_reactor_without_asyncio_is_refused() -> None:
    crawler, settings = project({"TWISTED_REACTOR": "twisted.internet.selectreactor.SelectReactor"})
    with pytest.raises(ConfigError, match="asyncio"):
        ArchiverAddon(crawler).update_settings(settings)


# -- the whole project


@dataclass(frozen=True)
class Tour:
    """What the project's spider was told, and what it left behind."""

    ran: Ran
    server: RawServer
    busy: RawServer
    folder: Path
    items: list[dict[str, Any]]

    def seen(self, path: str) -> dict[str, Any]:
        return next(item for item in self.items if item.get("path") == path)

    def failed(self, path: str) -> dict[str, Any]:
        return next(item for item in self.items if item.get("failed") == path)

    @property
    def collection(self) -> Path:
        return collection(self.folder)

    @property
    def kept(self) -> list[str]:
        """Responses of every access class: once the project's jar holds a cookie, all further ones are restricted."""
        return [*targets(self.collection / "archive"), *targets(self.collection / "restricted")]


def site() -> dict[str, Any]:
    flaky = iter([respond(b"oops", status="500 Oops"), respond(b"<p>well")])

    def hop(to: str) -> bytes:
        return respond(b"", status="302 Found", headers=f"Location: {to}\r\n")

    def form(request: Request) -> bytes | Answer:
        return respond(b"<p>" + request.raw.partition(b"\r\n\r\n")[2])

    return {
        "/robots.txt": respond(b"User-agent: *\nDisallow: /private\n", content_type="text/plain"),
        "/": respond(b"<p>tea</p>", content_type="text/html; charset=punycode"),
        "/form": form,
        "/account": respond(b"<p>mine", headers="Set-Cookie: seen=1; Domain=co.uk\r\n"),
        "/hop": hop("/hop2"),
        "/hop2": hop("/landed"),
        "/landed": respond(b"<p>landed"),
        "/local": hop("file:///etc/passwd"),
        "/login": hop("/private/area"),
        "/flaky": lambda request: next(flaky),
        "/gone": Answer(parts=(b"",), abort=True),
        "/files/a.pdf": respond(b"%PDF-a", content_type="application/pdf"),
    }


@pytest.fixture(scope="module", params=["reactor", "no reactor"])
def tour(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The project's crawl, once with Twisted's asyncio reactor and once without any."""
    folder = tmp_path_factory.mktemp("foreign")
    shutil.copytree(PROJECT, folder, dirs_exist_ok=True)
    enabled = "True" if request.param == "reactor" else "False"
    with raw_server(site()) as server, raw_server({"/busy": BUSY, "/robots.txt": NOT_FOUND}) as busy:
        server.answers["/busy"] = respond(b"", status="302 Found", headers=f"Location: {busy.url('/busy')}\r\n")
        env = {"SHOP_ADDRESS": "127.0.0.1:*", "HOME": str(folder)}
        arguments = ("crawl", "tour", "-a", f"url={server.url('/')}", "-s", f"TWISTED_REACTOR_ENABLED={enabled}")
        ran = scrapy(*arguments, cwd=folder, env=env)
        items = [json.loads(line) for line in (folder / "items.jsonl").read_text().splitlines()]
        yield Tour(ran=ran, server=server, busy=busy, folder=folder, items=items)


@pytest.mark.system
class TestTour:
    def test_it_ends_well(self, tour: Tour) -> None:
        assert tour.ran.code == 0, tour.ran.err
        assert "reason=finished" in tour.ran.err and "Traceback" not in tour.ran.err

    def test_robots_is_asked_once_and_obeyed(self, tour: Tour) -> None:
        assert tour.server.paths().count("/robots.txt") == 1
        assert not [path for path in tour.server.paths() if path.startswith("/private")]
        refused = tour.failed("/private".removeprefix("/"))
        assert (refused["error"], refused["verdict"], refused["reason"]) == ("ArchiverRefused", "refuse", "robotsTxt")

    def test_its_own_dupe_filter_middleware_and_meta_are_at_work(self, tour: Tour) -> None:
        assert re.search(r"shop new=\d+ seen=1 ", tour.ran.err)
        assert tour.server.paths().count("/") == 1
        page = tour.seen("")
        assert page["text"] == "<P>TEA</P>" and page["kind"] == "HtmlResponse" and "stamped" in page["flags"]
        assert all(one.header("x-shop") == "1" for one in tour.server.requests if one.path != "/robots.txt")

    def test_a_post_is_sent_and_recorded_with_its_body(self, tour: Tour) -> None:
        assert tour.seen("form")["text"] == "<p>q=tea"
        blocks = [
            record.block
            for path in (tour.collection / "archive").glob("*.warc.gz")
            for record in iter_records(path)
            if record.headers.type == "request" and (record.headers.target or "").endswith("/form")
        ]
        assert len(blocks) == 1 and blocks[0].endswith(b"\r\n\r\nq=tea") and blocks[0].startswith(b"POST /form ")

    def test_redirects_are_the_projects_and_each_hop_is_admitted_and_recorded(self, tour: Tour) -> None:
        assert tour.seen("landed")["redirects"] == 2
        assert [tour.server.url(path) in tour.kept for path in ("/hop", "/hop2", "/landed")] == [True] * 3
        asked = [row["url"] for row in ledger_bodies(tour.collection) if row["event"] == "decision"]
        assert {tour.server.url(path) for path in ("/hop", "/hop2", "/landed")} <= set(asked)

    def test_a_redirect_to_a_refused_page_ends_there(self, tour: Tour) -> None:
        assert tour.failed("private/area")["reason"] == "robotsTxt"

    def test_a_redirect_to_a_file_finds_nobody(self, tour: Tour) -> None:
        assert not any("root:" in item.get("text", "") for item in tour.items)
        assert tour.server.url("/local") in tour.kept

    def test_handlers_for_other_schemes_are_gone(self, tour: Tour) -> None:
        assert tour.failed("gopher://127.0.0.1/")["error"] in ("NotSupported", "UnsupportedURLSchemeError")

    def test_cookies_make_a_capture_restricted_and_are_cut_from_the_record(self, tour: Tour) -> None:
        sent = next(one for one in tour.server.requests if one.path == "/account")
        assert sent.header("cookie") == "session=s3cret"
        assert tour.server.url("/account") in targets(tour.collection / "restricted")
        assert tour.server.url("/account") not in targets(tour.collection / "archive")
        for path in tour.collection.rglob("*.warc.gz"):
            assert not any(b"s3cret" in record.block for record in iter_records(path))
        assert not any(b"s3cret" in path.read_bytes() for path in (tour.collection / "logs").glob("*"))

    def test_a_429_is_not_retried_and_its_host_rests(self, tour: Tour) -> None:
        assert tour.busy.paths().count("/busy") == 1
        assert tour.server.paths().count("/busy") == 1

    def test_other_faults_are_retried_as_the_project_says(self, tour: Tour) -> None:
        assert tour.server.paths().count("/flaky") == 2 and tour.seen("flaky")["retries"] == 1
        assert tour.failed("gone")["error"] == "DownloadFailedError"

    def test_the_files_pipeline_goes_through_the_gateway(self, tour: Tour) -> None:
        files = [path.read_bytes() for path in (tour.folder / "files").rglob("*.pdf")]
        assert files == [b"%PDF-a"]
        assert tour.server.url("/files/a.pdf") in tour.kept
        rows = [row for row in ledger_bodies(tour.collection) if row.get("url") == tour.server.url("/private/b.pdf")]
        assert rows and rows[0]["reason"] == "robotsTxt"


@pytest.mark.system
def test_a_folder_that_cannot_be_written_ends_the_crawl_and_says_so(tmp_path: Path) -> None:
    shutil.copytree(PROJECT, tmp_path, dirs_exist_ok=True)
    (tmp_path / "crawls").write_text("in the way")
    with raw_server(site()) as server:
        env = {"SHOP_ADDRESS": f"127.0.0.1:{server.port}", "HOME": str(tmp_path)}
        ran = scrapy("crawl", "tour", "-a", f"url={server.url('/')}", cwd=tmp_path, env=env)
        assert server.paths() == []
    assert "reason=fault" in ran.err and "archiver: the crawl was ended: " in ran.err
