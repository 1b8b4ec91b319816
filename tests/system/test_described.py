"""A collection explains itself: a copy of it is replayed and checked by its README.txt alone, where we are not."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Error, Frame, Page, sync_playwright

from archiver.cli.main import main
from archiver.store.freeing import free_local
from archiver.store.spool import SpoolJournal
from archiver.warc.reader import iter_records
from tests.needs import need
from tests.replay.samples import dial, replaying
from tests.servers.ports import free_port
from tests.servers.process import listening, serving
from tests.servers.pywb import make_collection, pywb
from tests.servers.raw import raw_server, respond
from tests.servers.seaweed import S3Server, client, seaweedfs
from tests.system.cli import archiver, collection

pytestmark = [pytest.mark.system, pytest.mark.replay, pytest.mark.needs("seaweedfs", "pywb", "curl", "jq", "openssl")]

PAGES = {
    "/": b"<!doctype html><title>Front</title><a href=/two>two</a><p>" + b"front words. " * 90,
    "/two": b"<!doctype html><title>Two</title><p>" + b"second words. " * 90,
    "/takedown": b"<!doctype html><title>Taken</title><p>" + b"hidden words. " * 90,
}
DARK = b"<title>Dark</title><p>kept, not shown"
LIFTED = b"<title>Lifted</title><p>for the reading room"


@dataclass(frozen=True, slots=True, kw_only=True)
class Archived:
    """A collection that was made with upload: `home` holds `crawls/`, the bucket the same below `path`."""

    home: Path
    store: S3Server
    origin: str
    env: dict[str, str]

    @property
    def folder(self) -> Path:
        return collection(self.home)

    def objects(self) -> dict[str, bytes]:
        """All of the bucket, read by somebody else than us."""
        s3 = client(self.store)
        keys = [one["Key"] for one in s3.list_objects_v2(Bucket="bucket").get("Contents", [])]
        return {key: s3.get_object(Bucket="bucket", Key=key)["Body"].read() for key in keys}


@pytest.fixture(scope="module")
def archived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archived]:
    answers = {path: respond(body) for path, body in PAGES.items()}
    answers["/dark"] = respond(DARK, headers="X-Robots-Tag: noarchive\r\n")
    answers["/lifted"] = respond(LIFTED)
    answers["/robots.txt"] = respond(b"User-agent: *\nDisallow: /lifted\n", content_type="text/plain")
    home = tmp_path_factory.mktemp("home")
    (home / ".config/archiver").mkdir(parents=True)
    settings = "title: Papers of the town\ndescription: What they wrote\noperator: City archive\n"
    (home / ".config/archiver/config.yaml").write_text(settings)
    with seaweedfs(tmp_path_factory.mktemp("weed")) as store, raw_server(answers) as server:
        client(store).create_bucket(Bucket="bucket")
        env = {**store.environment("bucket/town/"), "HOME": str(home)}
        allow = ("--allow-address", f"127.0.0.1:{server.port}", "--delay", "0")
        urls = [server.url(path) for path in (*PAGES, "/dark")]
        lift = ("--override", "robots", "--because", "order 12/26", "--by", "Ann Smith")
        for what in (urls, [server.url("/lifted"), *lift]):
            ran = archiver("save", *what, *allow, cwd=home, env=env)
            assert ran.code == 0, ran.err
        ran = archiver("hide", server.url("/takedown"), "--because", "asked to", cwd=home, env=env)
        assert ran.code == 0, ran.err
        yield Archived(home=home, store=store, origin=server.origin, env=env)


def put(objects: dict[str, bytes], prefix: str, folder: Path) -> Path:
    """A copy of a prefix, as `aws s3 sync` makes it."""
    for key, body in objects.items():
        if key.startswith(prefix):
            path = folder / key.removeprefix(prefix)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body)
    return folder


@pytest.fixture(scope="module")
def copy(archived: Archived, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What anybody may fetch of the bucket, where nothing of this package is."""
    # what the hiding wrote, and what grows and goes up once a minute at most
    ran = archiver("upload", cwd=archived.home, env=archived.env)
    assert ran.code == 0, ran.err
    return put(archived.objects(), "town/collections/main/", tmp_path_factory.mktemp("copy"))


_TOOLS = (
    "sh", "cat", "head", "ls", "cut", "tail", "wc", "sed", "paste", "awk", "mktemp", "mkdir", "rm", "xargs", "gzip",
    "curl", "sha256sum", "ln",
)  # fmt: skip


class Elsewhere:
    """A shell with pywb, jq, openssl and the usual small tools, and without this package."""

    def __init__(self, folder: Path, home: Path) -> None:
        self.folder = folder
        self.port = free_port()
        tools = home / "bin"
        tools.mkdir(parents=True)
        for name in _TOOLS:
            (tools / name).symlink_to(Path(str(shutil.which(name))))
        for name in ("jq", "openssl"):
            (tools / name).symlink_to(need(name))
        (home / "pywb").symlink_to(need("pywb").parents[1])
        self.env = {"PATH": str(tools), "HOME": str(home), "LANG": "C.UTF-8"}
        self.commands = self._commands()

    def _commands(self) -> list[str]:
        """README.txt's, in its order; pywb's port is a free one here."""
        text = (self.folder / "README.txt").read_text("utf-8").replace(":8090", f":{self.port}")
        text = text.replace("--port 8090", f"--port {self.port}")
        return [line.removeprefix("    $ ") for line in text.splitlines() if line.startswith("    $ ")]

    def command(self, begins: str) -> str:
        return next(one for one in self.commands if one.startswith(begins))

    def run(self, command: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            ["sh", "-c", command], cwd=self.folder, env=self.env, capture_output=True, check=False, timeout=60
        )

    def said(self, begins: str) -> bytes:
        done = self.run(self.command(begins))
        assert (done.returncode, done.stderr) == (0, b""), done
        return done.stdout


@pytest.fixture
def elsewhere(copy: Path, tmp_path: Path) -> Elsewhere:
    return Elsewhere(copy, tmp_path / "home")


def test_the_copy_is_checked_by_its_readme_alone(elsewhere: Elsewhere) -> None:
    python = str(need("pywb").with_name("python"))
    done = elsewhere.run(f"{python} -c 'import archiver'")
    assert b"No module named 'archiver'" in done.stderr
    assert elsewhere.said("sha256sum") == b"every file is as it was closed\n"
    assert elsewhere.said("gzip") == b"every archive file unpacks\n"
    segments = sorted(path.name for path in (elsewhere.folder / "logs").iterdir())
    lines = elsewhere.said("sh check-ledger.sh").decode().splitlines()
    assert [re.fullmatch(r"OK  logs/(\S+): \d+ rows, last hash [0-9a-f]{64}", line) for line in lines].count(None) == 0
    assert [line.split(":")[0].removeprefix("OK  logs/") for line in lines] == segments
    heads = dict(line.split() for line in elsewhere.said("jq -r '.ledger.heads").decode().splitlines())
    last = {line.split("/")[1].split(":")[0]: line.rsplit(" ", 1)[1] for line in lines}
    assert heads and heads.items() <= last.items()
    leaf, found = (elsewhere.run(one).stdout.split()[0] for one in elsewhere.commands if one.startswith("head -qn 1"))
    assert leaf == found
    decided = [json.loads(line) for line in elsewhere.said("cat logs").splitlines()]
    assert {reason for _, reason in decided} >= {"allowed", "override"}


@pytest.mark.parametrize("what", ["archive/*.warc.gz", "logs/*.jsonl", "indexes/*.cdxj", "indexes/merged/0.cdxj"])
def test_a_changed_byte_and_a_lost_file_show(copy: Path, tmp_path: Path, what: str) -> None:
    damaged = shutil.copytree(copy, tmp_path / "damaged")
    victim = sorted(damaged.glob(what))[0]
    content = bytearray(victim.read_bytes())
    content[len(content) // 2] ^= 1
    victim.write_bytes(content)
    where = Elsewhere(damaged, tmp_path / "home")
    name = victim.relative_to(damaged).as_posix()
    assert f"{name}: FAILED".encode() in where.run(where.command("sha256sum")).stdout
    if what.startswith("logs"):
        done = where.run(where.command("sh check-ledger.sh"))
        assert (done.returncode, done.stdout.count(b"BAD ")) == (1, 1)
        assert f"BAD {name}: ".encode() in done.stdout
    victim.unlink()
    assert f"{name}: FAILED open or read".encode() in where.run(where.command("sha256sum")).stdout


def test_the_copy_is_replayed_by_its_readme_alone(elsewhere: Elsewhere, archived: Archived, tmp_path: Path) -> None:
    serve = f"cd {elsewhere.folder} && exec {elsewhere.command('~/pywb/bin/wayback')}"
    ready = lambda: listening(elsewhere.port)  # noqa: E731 -- a name for the argument below
    with serving(["sh", "-c", serve], ready=ready, log=tmp_path / "wayback.log", env=elsewhere.env):
        assert elsewhere.said("curl") in (PAGES["/"], PAGES["/two"])
        shown = {path: get(elsewhere.port, f"/main/2026id_/{archived.origin}{path}") for path in PAGES}
        assert shown == {"/": PAGES["/"], "/two": PAGES["/two"], "/takedown": 404}
        for path in ("/dark", "/lifted"):
            assert get(elsewhere.port, f"/main/2026id_/{archived.origin}{path}") == 404
        listed = get(elsewhere.port, f"/main/cdx?url={archived.origin}/*&output=json")
    assert isinstance(listed, bytes)
    urls = {json.loads(line)["url"].removeprefix(archived.origin) for line in listed.splitlines()}
    assert {"/", "/two"} <= urls and not urls & {"/takedown", "/dark", "/lifted"}


@pytest.mark.soak
@pytest.mark.browser
@pytest.mark.needs("chromium", "replaywebpage")
def test_the_copy_opens_in_replayweb_page_by_its_readme(
    elsewhere: Elsewhere, archived: Archived, tmp_path: Path
) -> None:
    """As if npm had brought the package, which is the same one here."""
    package = Path(elsewhere.env["HOME"], "rwp", "package")
    package.mkdir(parents=True)
    for name in ("index.html", "ui.js", "sw.js"):
        shutil.copy(need("replaywebpage").with_name(name), package)
    link, serve = elsewhere.command("ln "), elsewhere.command("python3 -m http.server")
    assert elsewhere.run(link).returncode == 0
    port = free_port()
    text = (elsewhere.folder / "README.txt").read_text("utf-8").replace("8091", str(port))
    (address,) = (line.strip() for line in text.splitlines() if line.startswith("    http://"))
    env = {**elsewhere.env, "PATH": os.environ["PATH"]}
    command = ["sh", "-c", f"exec {serve.replace('8091', str(port))}"]
    with (
        serving(command, ready=lambda: listening(port), log=tmp_path / "http.log", env=env),
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=str(need("chromium")), args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(address)
        row = page.locator("a", has_text=f"{archived.origin}/two")
        row.wait_for(timeout=60_000)
        row.click()
        frame = archived_frame(page, f"{archived.origin}/two")
        assert "second words." in frame.inner_text("p")
        browser.close()


def archived_frame(page: Page, url: str) -> Frame:
    """The frame in which the archived page stands, once it has text."""
    for _ in range(600):
        for frame in page.frames:
            with suppress(Error):  # it is being replaced
                if frame.url.endswith(f"mp_/{url}") and frame.locator("p").count():
                    return frame
        page.wait_for_timeout(100)
    raise AssertionError(f"no frame shows {url}: {[frame.url for frame in page.frames]}")


def get(port: int, target: str) -> bytes | int:
    """A body, or the status of a refusal."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{target}", timeout=60) as answer:
            body: bytes = answer.read()
            return body
    except urllib.error.HTTPError as error:
        return error.code


def test_the_bucket_holds_the_collections_words_and_keeps_private_what_is(archived: Archived, copy: Path) -> None:
    objects = archived.objects()
    public = [key for key in objects if key.startswith("town/collections/")]
    assert not [key for key in public if "/restricted/" in key or "/dark/" in key]
    assert [key for key in objects if key.startswith("town/private/collections/main/dark/") and key.endswith(".gz")]
    for body in (DARK, LIFTED):
        assert not [key for key in public if body in objects[key]]
    said = json.loads((copy / "collection.json").read_bytes())
    assert (said["title"], said["description"]) == ("Papers of the town", "What they wrote")
    assert (said["operator"], said["jobs"]["runs"]) == ("City archive", 2)
    assert (said["files"]["dark"]["warcs"], said["files"]["restricted"]["warcs"]) == (1, 1)
    assert said["counts"]["fetched"] == 5
    assert (copy / "README.txt").read_text().startswith("main: Papers of the town\n")
    listed = (copy / "pages" / "pages.jsonl").read_bytes().splitlines()
    assert json.loads(listed[0])["title"] == "Papers of the town"
    info = next(iter(iter_records(min((copy / "archive").glob("*.gz")))))
    assert b"\r\ndescription: What they wrote\r\n" in b"\r\n" + info.block
    private = put(objects, "town/private/collections/main/dark/", copy.parent / "dark-copy")
    done = subprocess.run(
        ["sha256sum", "-c", "--quiet", "manifest-sha256.txt"], cwd=private, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.soak
def test_archive_added_to_pywb_by_hand_publishes_nothing_private(
    copy: Path, archived: Archived, tmp_path: Path
) -> None:
    make_collection(tmp_path, "mine", sorted((copy / "archive").glob("*.warc.gz")))
    with pywb(tmp_path) as root:
        port = int(root.rsplit(":", 1)[1])
        assert get(port, f"/mine/2026id_/{archived.origin}/") == PAGES["/"]
        for path in ("/dark", "/lifted"):
            assert get(port, f"/mine/2026id_/{archived.origin}{path}") == 404
        listed = get(port, f"/mine/cdx?url={archived.origin}/*&output=json")
    assert isinstance(listed, bytes)
    assert b"/two" in listed and b"/dark" not in listed and b"/lifted" not in listed


@pytest.fixture
def reader(
    archived: Archived, copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., AbstractContextManager[tuple[int, str]]]:
    """`archiver replay --from-store` where no `crawls/` is; a home of its own, the store in the environment."""
    for name, value in archived.env.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("ARCHIVER_PYWB", str(need("pywb")))
    monkeypatch.chdir(tmp_path)

    def start(*options: str) -> AbstractContextManager[tuple[int, str]]:
        command = [sys.executable, "-m", "archiver", "replay", "--from-store", "--port", "0", *options]
        return replaying(command, tmp_path / "replay.log")

    return start


def test_replay_straight_from_the_bucket(
    reader: Callable[..., AbstractContextManager[tuple[int, str]]], archived: Archived, tmp_path: Path
) -> None:
    with reader() as (port, address):
        assert address.startswith("http://main.replay.localhost:")
        for path, body in {**PAGES, "/dark": DARK, "/lifted": LIFTED}.items():
            answer = dial(port, f"/main/2026id_/{archived.origin}{path}")
            hidden = path == "/takedown"
            assert (answer.status, answer.body) == ((404, answer.body) if hidden else (200, body)), path
        told = command_lines()
        assert told and not [line for line in told if archived.store.secret_key in line]
    assert not list(tmp_path.rglob("*.warc.gz")), "the WARCs stay where they are"


@pytest.mark.soak
def test_the_public_sees_its_part_of_the_bucket(
    reader: Callable[..., AbstractContextManager[tuple[int, str]]], archived: Archived
) -> None:
    with reader("--public") as (port, _):
        shown = {path: dial(port, f"/main/2026id_/{archived.origin}{path}").status for path in (*PAGES, "/dark")}
        assert shown == {"/": 200, "/two": 200, "/takedown": 404, "/dark": 404}
        assert dial(port, f"/main/2026id_/{archived.origin}/lifted").status == 404


def command_lines() -> list[str]:
    """Of every replay and pywb that runs here, as any user of the machine sees them."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            line = path.read_bytes().decode("utf-8", "replace")
            if "wayback" in line or "--from-store" in line:
                found.append(line)
    return found


def test_what_the_store_gives_is_compared_with_the_manifest(
    reader: object, archived: Archived, capsys: pytest.CaptureFixture[str]
) -> None:
    s3 = client(archived.store)
    key = next(key for key in archived.objects() if key.startswith("town/collections/main/indexes/A"))
    whole = s3.get_object(Bucket="bucket", Key=key)["Body"].read()
    s3.put_object(Bucket="bucket", Key=key, Body=whole.replace(b"front", b"wrong").replace(b"200", b"201"))
    try:
        code = main(["replay", "--from-store", "--port", "0"])
    finally:
        s3.put_object(Bucket="bucket", Key=key, Body=whole)
    assert code == 22
    assert "other bytes than the collection's manifest names" in capsys.readouterr().err


def test_a_collection_that_is_not_in_the_store(reader: object, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", "other", "--from-store"]) == 2
    assert "no collection 'other' in the store" in capsys.readouterr().err


def test_no_store_is_configured(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", "--from-store"]) == 2
    assert "--from-store: no bucket is configured" in capsys.readouterr().err


@pytest.mark.soak
def test_a_local_copy_that_was_given_up_is_read_in_the_bucket(
    archived: Archived, copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`keepLocal: false`: plain `archiver replay` of the same folder, before and after. Last, as it deletes."""
    for name, value in {**archived.env, "ARCHIVER_PYWB": str(need("pywb"))}.items():
        monkeypatch.setenv(name, value)
    database = archived.folder / "state" / "uploads.sqlite"
    with closing(sqlite3.connect(database)) as db:
        (place,) = db.execute("SELECT place FROM files WHERE uri IS NOT NULL").fetchone()
    journal = SpoolJournal(database, archived.home / "crawls", place=place)
    assert free_local(journal) > 0
    journal.close()
    assert not list(archived.folder.rglob("*.warc.gz"))
    command = [sys.executable, "-m", "archiver", "replay", "--port", "0", "--out", str(archived.home / "crawls")]
    with replaying(command, tmp_path / "replay.log") as (port, _):
        for path, body in {"/": PAGES["/"], "/dark": DARK, "/lifted": LIFTED}.items():
            answer = dial(port, f"/main/2026id_/{archived.origin}{path}")
            assert (answer.status, answer.body) == (200, body), path
        assert dial(port, f"/main/2026id_/{archived.origin}/takedown").status == 404
