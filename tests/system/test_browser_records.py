"""What the browser lane leaves beside the exchanges, and what other tools make of the files."""

from __future__ import annotations

import json
import struct
import urllib.request
import zlib
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from cdxj_indexer.main import CDXJIndexer
from warcio.archiveiterator import ArchiveIterator
from warcio.checker import Checker

from archiver.cli.main import main
from archiver.warc.reader import Record, iter_records
from tests.servers.pages import Pages, page, serving
from tests.servers.pywb import make_collection, pywb
from tests.system.browsing import allowing, home, made, named
from tests.system.cli import archiver, collection, ledger_bodies, warcs
from tests.warc.wacz_package import Package

pytestmark = [pytest.mark.system, pytest.mark.browser, pytest.mark.needs("chromium", "consent")]

SOURCE = """<!doctype html><html><head><title>raw</title></head><body><div id=app></div><script>
document.title = "Facts";
document.getElementById("app").innerHTML = "<h1>Facts</h1><p>" + [navigator.language, innerWidth, innerHeight,
  Intl.DateTimeFormat().resolvedOptions().timeZone, navigator.webdriver, navigator.globalPrivacyControl].join(" ")
  + "</p><p>" + "Words that only a script writes. ".repeat(200).split(". ").join(".</p><p>") + "</p>";
fetch("/api/post", {method: "POST", body: "a=1", headers: {"Content-Type": "application/x-www-form-urlencoded"}});
</script></body></html>"""
CONFIG = """
seeds: [{url: "URL", scopeType: page}]
lane: browser
driver: pump
pdf: true
viewport: 800x600
lang: de-CH
timezone: Europe/Zurich
"""


@pytest.fixture(scope="module")
def archived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Pages]]:
    """By a config file, in a window of its own, with a PDF."""
    folder = tmp_path_factory.mktemp("records")
    with serving({"/": page(SOURCE), "/api/post": page("posted", "text/plain")}) as site:
        (folder / "config.yaml").write_text(CONFIG.replace("URL", site.url("/")))
        ran = archiver("crawl", "config.yaml", *allowing(site), cwd=folder, env=home(folder / "home"))
        assert ran.code == 0, ran.err
        yield folder, site


@pytest.fixture(scope="module")
def warc(archived: tuple[Path, Pages]) -> Path:
    (path,) = warcs(collection(archived[0]))
    return path


@pytest.fixture(scope="module")
def found(warc: Path) -> list[Record]:
    return list(iter_records(warc))


KINDS = {
    "view": ("resource", "image/png"),
    "fullPage": ("resource", "image/png"),
    "thumbnail": ("resource", "image/jpeg"),
    "pdf": ("resource", "application/pdf"),
    "dom": ("resource", "text/html; charset=utf-8"),
    "text": ("resource", "text/plain; charset=utf-8"),
    "pageinfo": ("resource", "application/json"),
    "consent": ("metadata", "application/warc-fields"),
}


@pytest.mark.parametrize("name", KINDS)
def test_each_record_stands_beside_its_page(archived: tuple[Path, Pages], found: list[Record], name: str) -> None:
    one, url = named(found, name), archived[1].url("/")
    (response,) = [record for record in found if record.headers.type == "response" and record.headers.target == url]
    assert (one.headers.type, one.headers.get("Content-Type")) == KINDS[name]
    assert one.headers.target == f"urn:{name}:{url}"
    assert one.headers.get("WARC-Concurrent-To") == f"<{response.headers.record_id}>"
    assert one.block and one.headers.get("WARC-Block-Digest")


@pytest.mark.parametrize("name", ["view", "fullPage", "thumbnail", "pdf", "dom", "text"])
def test_a_view_says_under_which_conditions_it_was_made(found: list[Record], name: str) -> None:
    about = orjson.loads(named(found, name).headers.get("WARC-JSON-Metadata") or "")
    assert about["viewport"] == [800, 600] and about["scale"] == 1.0
    assert (about["lang"], about["timezone"], about["missing"]) == ("de-CH", "Europe/Zurich", 0)
    assert about["at"].endswith("Z")


def pixels(png: bytes) -> tuple[int, int]:
    """Width and height of a PNG, after every checksum was looked at and the picture unpacked. Eight bits, RGB(A)."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    at, data, kinds = 8, b"", []
    while at < len(png):
        length, kind = struct.unpack(">I4s", png[at : at + 8])
        body = png[at + 8 : at + 8 + length]
        assert zlib.crc32(kind + body) == struct.unpack(">I", png[at + 8 + length : at + 12 + length])[0]
        kinds.append(kind)
        data += body if kind == b"IDAT" else b""
        at += 12 + length
    assert kinds[0] == b"IHDR" and kinds[-1] == b"IEND"
    width, height, depth, colour = struct.unpack(">IIBB", png[16:26])
    assert depth == 8 and len(zlib.decompress(data)) == height * (1 + width * {2: 3, 6: 4}[colour])
    return width, height


def test_pictures_and_pdf_are_whole(found: list[Record]) -> None:
    assert pixels(named(found, "view").block) == (800, 600)
    width, height = pixels(named(found, "fullPage").block)
    assert width == 800 and height > 600
    thumbnail, pdf = named(found, "thumbnail").block, named(found, "pdf").block
    assert thumbnail[:3] == b"\xff\xd8\xff" and thumbnail[-2:] == b"\xff\xd9"
    assert pdf[:5] == b"%PDF-" and b"%%EOF" in pdf[-32:]


def test_the_browser_claims_what_was_configured(archived: tuple[Path, Pages], found: list[Record]) -> None:
    """In the page and on the wire, in both lanes; it says that it is driven, and that nothing is to be sold."""
    text = named(found, "text").block.decode()
    assert "de-CH 800 600 Europe/Zurich true true" in text
    asked = archived[1].asked
    assert {(hit.header("accept-language"), hit.header("sec-gpc")) for hit in asked} == {
        (asked[0].header("accept-language"), "1")
    }
    assert (asked[0].header("accept-language") or "").startswith("de-CH")
    assert len({hit.header("user-agent") for hit in asked}) == 1


def test_page_information_and_pages(archived: tuple[Path, Pages]) -> None:
    folder, site = archived
    info = made(folder, "pageinfo")
    assert (info["title"], info["finalUrl"], info["failed"], info["gaps"]) == ("Facts", site.url("/"), "", [])
    assert info["urls"][site.url("/")] == {"type": "document", "status": 200, "mime": "text/html"}
    assert info["urls"][site.url("/api/post")]["status"] == 200
    assert set(info["views"]) >= {"view", "fullPage", "thumbnail", "dom", "text"}
    assert info["behaviors"]["scroll"]["whole"]
    lines = [json.loads(line) for line in (collection(folder) / "pages" / "pages.jsonl").read_text().splitlines()]
    (row,) = [line for line in lines if line.get("url") == site.url("/")]
    assert row["title"] == "Facts"


def test_consent_and_browser_are_told(archived: tuple[Path, Pages]) -> None:
    folder, _ = archived
    told = made(folder, "consent")
    assert (told["outcome"], told["policy"], told["webdriver"]) == ("absent", "reject", True)
    assert told["rules"]["package"] == "@duckduckgo/autoconsent" and len(told["rules"]["sha256"]) == 2
    rows = {row["event"]: row for row in ledger_bodies(collection(folder))}
    assert rows["lane"]["lane"] == "browser" and rows["consent"]["outcome"] == "absent"
    assert "version" in rows["browser"]


# --- other tools ------------------------------------------------------------------------------------------------------


def test_warcio_reads_every_record_and_finds_the_digests_right(warc: Path, found: list[Record]) -> None:
    with warc.open("rb") as file:
        theirs = [
            (record.rec_type, record.rec_headers.get_header("WARC-Record-ID"), record.raw_stream.read())
            for record in ArchiveIterator(file, no_record_parse=True)
        ]
    assert theirs == [(one.headers.type, f"<{one.headers.record_id}>", one.block) for one in found]
    checker = Checker(type("Command", (), {"inputs": [str(warc)], "verbose": False})())
    checker.process_all()
    assert checker.exit_value == 0


def test_cdxj_indexer_finds_what_our_index_finds(archived: tuple[Path, Pages], warc: Path, tmp_path: Path) -> None:
    """It lists what is made of a page too, under its `urn:`."""
    target = tmp_path / "theirs.cdxj"
    CDXJIndexer(str(target), [str(warc)], sort=True, post_append=True).process_all()
    lines = [line.split(" ", 2)[:2] for line in target.read_text().splitlines()]
    theirs = [line for line in lines if not line[0].startswith("urn:")]
    ours = (collection(archived[0]) / "indexes" / f"{warc.name}.cdxj").read_text().splitlines()
    assert [line.split(" ", 2)[:2] for line in ours] == theirs and len(theirs) >= 3


@pytest.mark.replay
@pytest.mark.needs("pywb")
def test_pywb_alone_shows_the_page(archived: tuple[Path, Pages], warc: Path, tmp_path: Path) -> None:
    """With an index of its own: nothing of ours is needed to read the file."""
    make_collection(tmp_path, "main", [warc])
    url = archived[1].url("/")
    with pywb(tmp_path) as address, urllib.request.urlopen(f"{address}/main/id_/{url}") as answer:
        assert answer.read() == SOURCE.encode()


@pytest.mark.usefixtures("capsys")
def test_a_wacz_of_the_capture_has_all_of_them(archived: tuple[Path, Pages], tmp_path: Path) -> None:
    folder, site = archived
    to = tmp_path / "made.wacz"
    assert main(["wacz", "--out", str(folder / "crawls"), "--url", site.url("/"), "--to", str(to)]) == 0
    package = Package.read(to)
    package.check()
    targets = {target for _, target, _ in package.records()}
    assert {f"urn:{name}:{site.url('/')}" for name in KINDS} <= targets
    assert {site.url("/"), site.url("/api/post"), site.url("/robots.txt")} <= targets
