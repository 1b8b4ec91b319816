"""WACZ end to end: what is in it and what is not, read by others: py-wacz, warcio, ReplayWeb.page in Chromium, pywb."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import jsonschema
import pytest
from playwright.sync_api import Error, Frame, Page, sync_playwright

from archiver.cli.main import main
from archiver.cli.schemas import RESULT_SCHEMA
from archiver.config import Places
from archiver.ledger.reader import verify_folder
from archiver.model import Access
from archiver.warc.reindex import build_index
from archiver.warc.verify import verify_file
from tests.needs import need
from tests.servers.authority import make_authority
from tests.servers.nginx import nginx
from tests.servers.pywb import pywb
from tests.servers.raw import RawServer, raw_server, respond
from tests.system.cli import archiver, collection, ledger_bodies, warcs
from tests.system.site import PNG, pages
from tests.warc.samples import page, streams, write_warc
from tests.warc.wacz_package import Package

pytestmark = pytest.mark.system

Pack = Callable[..., tuple[Package, str, str]]
Capsys = pytest.CaptureFixture[str]

TEXT = "words of a page, and more of them. " * 40
SHOWN = "rgb(1, 2, 3)"
SITE = {
    "/robots.txt": respond(b"User-agent: *\nDisallow: /no", content_type="text/plain"),
    "/a": respond(f"<title>A</title><link rel=stylesheet href=/s.css><img src=/no.png><p>{TEXT}".encode()),
    "/b": respond(b"<title>B</title><link rel=stylesheet href=/s.css><img src=/b.png><p>page b"),
    "/same": respond(f"<title>A</title><link rel=stylesheet href=/s.css><img src=/no.png><p>{TEXT}".encode()),
    "/dark": respond(b"<title>D</title><p>dark page", headers="X-Robots-Tag: noarchive\r\n"),
    "/secret": respond(b"<title>S</title><img src=/shared.png><p>to be hidden"),
    "/s.css": respond(b"p { color: rgb(1, 2, 3); background: url(/bg.png) }", content_type="text/css"),
    "/bg.png": respond(PNG, content_type="image/png"),
    "/b.png": respond(PNG + b"b", content_type="image/png"),
    "/shared.png": respond(PNG + b"s", content_type="image/png"),
}
PATHS = ("/a", "/b", "/same", "/dark", "/secret")


class Site:
    """A collection in `cwd`, saved in one run, and the results of that run by path."""

    def __init__(self, cwd: Path, server: RawServer) -> None:
        self.cwd = cwd
        self.url = server.url
        allow = ["--allow-address", f"127.0.0.1:{server.port}", "--delay", "0"]
        ran = archiver("save", *map(server.url, PATHS), *allow, "--json", "--wacz", cwd=cwd, env={"HOME": str(cwd)})
        assert ran.code == 0, ran.err
        self.err = ran.err
        self.saved = dict(zip(PATHS, ran.objects, strict=True))
        of_two = {path: self.saved[path]["records"][0]["type"] for path in ("/a", "/same")}
        self.original, self.revisit = sorted(of_two, key=of_two.__getitem__)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with raw_server(SITE) as server:
        made = Site(tmp_path_factory.mktemp("wacz"), server)
    return made


@pytest.fixture
def copy(site: Site, tmp_path: Path) -> Path:
    """A folder of one's own with the same collection."""
    shutil.copytree(site.cwd / "crawls", tmp_path / "crawls")
    return tmp_path


@pytest.fixture
def pack(tmp_path: Path, capsys: Capsys) -> Pack:
    """`archiver wacz` in this process: the package, checked, and what was printed on both streams."""

    def made(cwd: Path, *more: str) -> tuple[Package, str, str]:
        path = tmp_path / "made.wacz"
        code = main(["wacz", "--out", str(cwd / "crawls"), "--to", str(path), *more])
        out, err = capsys.readouterr()
        assert code == 0, err
        found = Package.read(path)
        found.check()
        return found, out, err

    return made


def done(cwd: Path, verb: str, *arguments: str) -> None:
    assert main([verb, *arguments, "--out", str(cwd / "crawls")]) == 0


def test_the_public_gets_what_is_public(site: Site, pack: Pack) -> None:
    found, out, err = pack(site.cwd, "--json")
    told = json.loads(out)
    assert told["left_out"]["captures"] == {"dark": 1} and "1 dark" in err
    assert told["sha256"] == hashlib.sha256(Path(told["path"]).read_bytes()).hexdigest()
    assert {site.url(path) for path in ("/a", "/b", "/same", "/secret")} == {row["url"] for row in found.pages}
    assert site.url("/dark") not in found.urls and site.url("/a") in found.urls
    assert not any(b"dark page" in block for _, _, block in found.records())
    package = found.json("datapackage.json")
    assert package["scope"] == "public" and package["mainPageUrl"] == found.pages[0]["url"]
    left = found.json("reports/left-out.json")
    assert left["captures"] == {"dark": 1} and left["says"] in package["description"]
    (cut,) = left["files_cut"]
    assert cut["records_left_out"] == 1, "the copy of the ledger in the WARC, which tells of the dark page"
    check_chain(found, collection(site.cwd))


def test_the_owner_gets_all_of_it_byte_for_byte(site: Site, pack: Pack, tmp_path: Path) -> None:
    folder = collection(site.cwd)
    found, _, err = pack(site.cwd, "--owner")
    assert found.warcs == {path.name: path.read_bytes() for path in (*warcs(folder), *warcs(folder, "dark"))}
    assert {path.name: path.read_bytes() for path in folder.glob("logs/*.jsonl")} == {
        name.removeprefix("logs/"): data for name, data in found.files.items() if name.startswith("logs/")
    }
    assert {row["url"] for row in found.pages} == {site.url(path) for path in PATHS}
    assert found.json("datapackage.json")["scope"] == "owner" and err == ""
    assert (tmp_path / "made.wacz").stat().st_mode & 0o077 == 0


def test_of_what_is_hidden_nothing_of_ours_says_a_word(site: Site, copy: Path, pack: Pack) -> None:
    """Neither the page nor the decision about the image that was found on it, nor a row, nor the report."""
    done(copy, "hide", site.url("/secret"), "--because", "a court said so")
    found, _, _ = pack(copy)
    for kind, target, block in found.records():
        assert b"/secret" not in block and "/secret" not in target, (kind, target)
    for name, data in found.files.items():
        if not name.startswith("archive/"):
            assert b"secret" not in data and b"court" not in data, name
    assert site.url("/shared.png") in found.urls, "an image that pages may share"
    assert site.url("/secret") not in found.urls + [row["url"] for row in found.pages]
    assert found.json("reports/left-out.json")["captures"] == {"dark": 1, "hidden": 1}
    check_chain(found, collection(copy))
    done(copy, "unhide", site.url("/secret"))
    assert site.url("/secret") in pack(copy)[0].urls


def test_a_hidden_capture_goes_with_its_revisits(site: Site, copy: Path, pack: Pack) -> None:
    done(copy, "hide", site.saved[site.original]["capture_id"], "--because", "x")
    found, _, _ = pack(copy)
    assert not {site.url("/a"), site.url("/same")} & set(found.urls)
    assert site.url("/b") in found.urls
    assert not any(TEXT.encode() in block for _, _, block in found.records())
    arguments = ["--out", str(copy / "crawls"), "--to", str(copy / "no.wacz")]
    assert main(["wacz", "--url", site.url(site.revisit), *arguments]) == 2
    assert not (copy / "no.wacz").exists(), "its bytes are the hidden ones"


def test_the_owners_index_leaves_out_what_is_hidden(site: Site, copy: Path, pack: Pack) -> None:
    done(copy, "hide", site.url("/secret"), "--because", "x")
    found, _, _ = pack(copy, "--owner")
    assert site.url("/secret") not in found.urls + [row["url"] for row in found.pages]
    assert any(b"to be hidden" in block for _, _, block in found.records()), "it is a backup all the same"


def test_one_capture_brings_what_another_page_had_fetched(site: Site) -> None:
    found = Package.read(Path(site.saved["/b"]["wacz"]))
    found.check()
    wanted = {"/b", "/b.png", "/s.css", "/bg.png", "/robots.txt"}
    asked_once = site.url("/.well-known/tdmrep.json")  # on account of the page that came first
    assert set(found.urls) - {asked_once} == {site.url(path) for path in wanted}
    assert [row["url"] for row in found.pages] == [site.url("/b")]
    for path in ("/a", "/same"):  # one of the three pages had fetched what all of them need
        assert {site.url("/s.css"), site.url("/bg.png")} <= set(Package.read(Path(site.saved[path]["wacz"])).urls)
    kinds = {(kind, target.partition("http")[0]) for kind, target, _ in found.records()}
    assert {("warcinfo", ""), ("request", ""), ("response", ""), ("metadata", "urn:policy:")} == kinds
    rows = [json.loads(json.loads(line)["body"] or "{}") for line in rows_of(found)]
    assert {row["url"] for row in rows if "url" in row} >= {site.url("/b"), site.url("/b.png")}
    assert site.url("/secret") not in {row.get("url") for row in rows}
    assert found.json("datapackage.json")["capture"]["id"] == site.saved["/b"]["capture_id"]
    check_chain(found, collection(site.cwd))


def test_one_capture_brings_the_original_of_a_revisit(site: Site) -> None:
    found = Package.read(Path(site.saved[site.revisit]["wacz"]))
    found.check()
    kinds = {fields["url"]: found.record(fields).rec_type for _, _, fields in found.lines}
    assert (kinds[site.url(site.revisit)], kinds[site.url(site.original)]) == ("revisit", "response")
    assert f"urn:policy:{site.url('/no.png')}" in {target for _, target, _ in found.records()}, "why it has a gap"


def test_a_dark_capture_is_the_owners(site: Site, pack: Pack, tmp_path: Path, capsys: Capsys) -> None:
    assert "wacz" not in site.saved["/dark"] and "noarchive" in site.err
    url = site.url("/dark")
    code = main(["wacz", "--out", str(site.cwd / "crawls"), "--url", url, "--to", str(tmp_path / "no.wacz")])
    assert code == 2 and "--owner" in capsys.readouterr().err and not (tmp_path / "no.wacz").exists()
    found, _, _ = pack(site.cwd, "--url", url, "--owner")
    assert url in found.urls


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--capture", "abc"], "32 hex digits"),
        (["--capture", "0" * 32], "no capture 0"),
        (["--url", "http://nobody.test/"], "no capture of http://nobody.test/"),
        (["--to", "made.zip"], "does not end in .wacz"),
        (["--to", "none/made.wacz"], "its folder is not there"),
        (["--url", "x", "--capture", "y"], "not allowed with"),
    ],
    ids=["no id", "unknown id", "unknown url", "name", "folder", "both"],
)
def test_bad_arguments_are_told(site: Site, capsys: Capsys, arguments: list[str], said: str) -> None:
    assert main(["wacz", "--out", str(site.cwd / "crawls"), *arguments]) == 2
    assert said in capsys.readouterr().err


def test_a_warc_that_is_not_here_is_named(copy: Path, site: Site, capsys: Capsys, tmp_path: Path) -> None:
    """A package without it would look whole."""
    (path,) = warcs(collection(copy))
    path.unlink()
    for more in ([], ["--capture", site.saved["/b"]["capture_id"]]):
        assert main(["wacz", "--out", str(copy / "crawls"), "--to", str(tmp_path / "made.wacz"), *more]) == 1
        assert path.name in capsys.readouterr().err and not (tmp_path / "made.wacz").exists()


def test_the_results_follow_the_schema(site: Site) -> None:
    for one in site.saved.values():
        jsonschema.validate(one, RESULT_SCHEMA)


def test_py_wacz_finds_nothing_wrong(site: Site, pack: Pack, tmp_path: Path) -> None:
    pack(site.cwd)
    both = [str(tmp_path / "made.wacz"), site.saved["/b"]["wacz"]]
    code = "import sys; from wacz.main import main; sys.exit(max(main(['validate', '-f', f]) for f in sys.argv[1:]))"
    ran = subprocess.run([sys.executable, "-c", code, *both], capture_output=True, text=True, check=False)
    assert ran.returncode == 0 and ran.stdout.count("Validation succeeded") == 2, ran.stdout + ran.stderr


def test_a_crawl_packs_its_collection(tmp_path: Path, pack: Pack) -> None:
    """In several WARCs: the chain and robots.txt of a late capture lie in an early one."""
    authority = make_authority(tmp_path)
    with raw_server(pages(6), tls=authority) as server:
        config = tmp_path / "c.yaml"
        config.write_text(
            f"seeds: [{server.url('/')}]\nscopeType: host\nrolloverSize: 20000\ndelay: 0\ngenerateWACZ: true\n"
            f"title: All of it\ndriver: pump\nallowAddresses: ['127.0.0.1:{server.port}']\n"
        )
        ran = archiver("crawl", str(config), cwd=tmp_path, env={"SSL_CERT_FILE": str(authority.ca_file)})
        assert ran.code == 0, ran.err
    found = Package.read(collection(tmp_path) / "main.wacz")
    found.check()
    assert found.json("datapackage.json")["title"] == "All of it" and len(found.warcs) > 2
    assert found.warcs == {path.name: path.read_bytes() for path in warcs(collection(tmp_path))}
    extra = found.files["pages/extraPages.jsonl"].splitlines()
    assert len(found.pages) == len(extra) and found.pages[0]["url"] == server.url("/")
    listed = {row["url"] for row in found.pages}
    whole = [row for _, _, row in found.lines if row["url"] in listed and row["status"] == "200"]
    first, *_, (late, url) = sorted((row["filename"], row["url"]) for row in whole)
    assert first[0] < late
    one, _, _ = pack(tmp_path, "--url", url)
    targets = {target for _, target, _ in one.records()}
    assert any(target.startswith("urn:certificates:") for target in targets)
    assert {url, server.url("/robots.txt"), server.url("/s.css"), server.url("/t.css")} <= targets
    assert 1 < len(one.warcs) <= len(found.warcs) and len(one.lines) < len(found.lines)


# --- viewers ----------------------------------------------------------------------------------------------------------


@pytest.mark.browser
@pytest.mark.needs("chromium", "nginx", "replaywebpage")
def test_it_opens_in_replayweb_page(site: Site, tmp_path: Path, need: Callable[[str], Path]) -> None:
    """A revisit, whose body, style and background lie in records that other visits made."""
    root, url = tmp_path / "root", site.url(site.revisit)
    (root / "replay").mkdir(parents=True)
    for name in ("index.html", "ui.js", "sw.js"):  # the page itself too: its worker may come a moment late
        shutil.copy(need("replaywebpage").with_name(name), root / "replay")
    shutil.copy(site.saved[site.revisit]["wacz"], root / "x.wacz")
    element = f'<replay-web-page source="/x.wacz" url="{url}" replayBase="/replay/"></replay-web-page>'
    (root / "index.html").write_text(f'<!doctype html><script src="/replay/ui.js"></script>{element}')
    with nginx(root, tmp_path / "work") as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(need("chromium")), args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(f"{server.url}/index.html")
        frame = archived_frame(page, url)
        assert TEXT.strip() in frame.inner_text("p")
        assert frame.evaluate("getComputedStyle(document.querySelector('p')).color") == SHOWN
        browser.close()


def archived_frame(page: Page, url: str) -> Frame:
    """The frame in which the archived page stands, once it has text."""
    for _ in range(600):
        for frame in page.frames:
            try:
                if frame.url.endswith(f"mp_/{url}") and frame.locator("p").count():
                    return frame
            except Error:  # it is being replaced
                continue
        page.wait_for_timeout(100)
    raise AssertionError(f"no frame shows {url}: {[frame.url for frame in page.frames]}")


@pytest.mark.needs("pywb")
def test_it_opens_in_pywb(site: Site, tmp_path: Path) -> None:
    manager = need("pywb").with_name("wb-manager")
    for command in (["init", "w"], ["add", "w", site.saved[site.revisit]["wacz"], "--unpack-wacz"]):
        ran = subprocess.run([manager, *command], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stdout + ran.stderr
    with pywb(tmp_path) as origin:
        for path, text in ((site.revisit, TEXT.strip().encode()), ("/s.css", SHOWN.encode())):
            with urllib.request.urlopen(f"{origin}/w/2026id_/{site.url(path)}", timeout=20) as answer:
                assert text in answer.read()


# --- helpers ----------------------------------------------------------------------------------------------------------


def rows_of(found: Package) -> list[bytes]:
    return [
        line for name, data in sorted(found.files.items()) if name.startswith("logs/") for line in data.splitlines()
    ]


def check_chain(found: Package, folder: Path) -> None:
    """Segments verify to the same heads as the collection's own, and WARCs and index verify by themselves."""
    own = {one.path.name: one.chain.last for one in verify_folder(folder / "logs").segments}
    made = sorted(json.dumps(fields) for _, _, fields in found.lines)
    again: list[str] = []
    with TemporaryDirectory() as work:  # not below tmp_path, where rows are held to the schema of bodies
        for name, data in found.files.items():
            path = Path(work, name)
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(data)
        for one in verify_folder(Path(work, "logs")).segments:
            assert one.chain.ok and one.chain.last == own[one.path.name] and one.chain.erased > 0
        for path in Path(work, "archive").iterdir():
            assert verify_file(path).ok
            again += [json.dumps(json.loads(line.split(b" ", 2)[2])) for line in build_index(path).splitlines()]
    assert made == sorted(again)
    assert all(body for body in ledger_bodies(folder)), "the collection's own rows are whole"


@pytest.mark.soak
def test_memory_does_not_grow_with_what_is_packed(tmp_path: Path) -> None:
    """A WARC that needs ZIP64, 250 small ones, and one with 40,000 records that is gone through for a hidden URL."""
    places = Places(out=tmp_path / "crawls", name="main", hosts=tmp_path / "hosts")
    places.create()
    made = streams(places.root, rollover_size=10**12)
    for number in range(20_000):
        made.write([page(number, size=2000)])
    made.roll()
    small = write_warc(tmp_path / "small", page(0))
    line = build_index(small)
    for number in range(250):
        name = f"ARCH-20261123120000000-{number:05d}-other-host.warc.gz"
        shutil.copy(small, places.warcs(Access.OPEN) / name)
        (places.indexes() / f"{name}.cdxj").write_bytes(line.replace(small.name.encode(), name.encode()))
    large = places.warcs(Access.OPEN) / "ARCH-20261123120000000-00000-large-host.warc.gz"
    shutil.copy(small, large)
    os.truncate(large, 2_200_000_000)  # a hole: it takes room in the package alone
    assert archiver("hide", "http://example.org/page-7", "--because", "x", cwd=tmp_path).code == 0
    code = "import sys, resource; from archiver.cli.main import main; code = main(sys.argv[1:]); "
    code += "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr); sys.exit(code)"
    arguments = ["wacz", "--out", str(places.out), "--owner", "--to", str(tmp_path / "made.wacz")]
    ran = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert int(ran.stderr.split()[-1]) < 150_000, "kB"
    with zipfile.ZipFile(tmp_path / "made.wacz") as archive:
        assert archive.getinfo(f"archive/{large.name}").file_size == 2_200_000_000
    (tmp_path / "made.wacz").unlink()
    large.unlink()
    arguments.remove("--owner")
    ran = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert int(ran.stderr.split()[-1]) < 150_000, "kB"
    found = Package.read(tmp_path / "made.wacz")
    assert len(found.lines) == 20_000 - 1 + 250 and "http://example.org/page-7" not in found.urls
