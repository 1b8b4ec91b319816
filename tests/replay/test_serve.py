"""`archiver replay` end to end: the command, real pywb, bytes compared."""

import gzip
import json
import subprocess
from pathlib import Path

import brotli
import pytest

from archiver.clock import SYSTEM
from archiver.ledger import hides
from archiver.model import Access, Actor, LedgerEntry
from archiver.wiring.describe import describe
from tests.needs import need
from tests.replay.conftest import command
from tests.replay.samples import (
    BIG,
    BROTLI,
    GZIPPED,
    PAGE,
    SITE,
    STAMP,
    dial,
    head,
    made,
    places,
    replaying,
    save,
    write,
)
from tests.servers.pywb import make_collection, pywb
from tests.warc.samples import document

pytestmark = [pytest.mark.system, pytest.mark.replay, pytest.mark.needs("pywb")]

CODINGS = "gzip, deflate, br"


def raw(path: str, stamp: str = STAMP) -> str:
    return f"/main/{stamp}id_/{path if '://' in path else SITE + path}"


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/", 200, PAGE),
        ("/restricted", 200, b"<p>for the reading room</p>"),
        ("/dark", 200, b"<p>kept, not shown</p>"),
        ("/chunked", 200, PAGE + b"!"),
        ("/big", 200, BIG),
        ("/untyped", 200, b"<p>no type"),
        ("/absent", 404, b"<p>no such page</p>"),
        ("/odd%2Fpath%3Fq/a%20b//c?x=%2F&y=z%20w", 200, b"<p>odd</p>"),
        ("http://xn--bcher-kva.test/%C3%BC", 200, b"<p>idn</p>"),
    ],
)
def test_raw_replay_gives_the_archived_bytes(owner: int, path: str, status: int, body: bytes) -> None:
    answer = dial(owner, raw(path), Accept_Encoding=CODINGS)
    assert (answer.status, answer.body) == (status, body)


@pytest.mark.parametrize(("path", "coding", "body"), [("/gzip", "gzip", GZIPPED), ("/br", "br", BROTLI)])
def test_content_codings_are_kept_for_who_takes_them(owner: int, path: str, coding: str, body: bytes) -> None:
    kept = dial(owner, raw(path), Accept_Encoding=CODINGS)
    assert (kept.one("Content-Encoding"), kept.body) == (coding, body)
    plain = dial(owner, raw(path))
    assert (plain.all("Content-Encoding"), plain.body) == ([], PAGE)
    assert {"gzip": gzip.decompress, "br": brotli.decompress}[coding](kept.body) == plain.body


def test_a_revisit_shows_the_bytes_of_the_first_visit(owner: int) -> None:
    answer = dial(owner, raw("/", "20261124120000"))
    assert (answer.status, answer.body) == (200, PAGE)
    assert answer.one("Memento-Datetime") == "Tue, 24 Nov 2026 12:00:00 GMT"


def test_memento_headers(owner: int) -> None:
    answer = dial(owner, raw("/"))
    assert answer.one("Memento-Datetime") == "Mon, 23 Nov 2026 12:00:00 GMT"
    (link,) = answer.all("Link")
    for relation in ("original", "timegate", "timemap", "memento"):
        assert f'rel="{relation}"' in link
    assert f"<http://main.replay.localhost:{owner}/main/" in link
    gate = dial(owner, f"/main/mp_/{SITE}/", Accept_Datetime="Mon, 23 Nov 2026 12:00:01 GMT")
    assert "mp_/" in gate.one("Content-Location") and STAMP in gate.one("Content-Location")


@pytest.mark.parametrize("modifier", ["id_", "mp_"])
def test_redirects_stay_on_the_origin(owner: int, modifier: str) -> None:
    base = f"http://main.replay.localhost:{owner}/main/{STAMP}{modifier}/"
    moved = dial(owner, f"/main/{STAMP}{modifier}/{SITE}/moved")
    assert (moved.status, moved.one("Location")) == (301, f"{base}{SITE}/")
    near = dial(owner, f"/main/{STAMP}{modifier}/{SITE}/moved-near")
    assert (near.status, near.one("Location")) == (302, f"{base}{SITE}/gzip?a=%2F")


def test_archived_headers_survive_and_do_not_act(owner: int) -> None:
    answer = dial(owner, raw("/headers"))
    assert answer.one("X-Foo") == "bar" and answer.one("X-Utf") == "café" and answer.all("X-Two") == ["1", "2"]
    assert answer.one("X-Archive-Orig-Clear-Site-Data") == "*"
    assert answer.one("X-Archive-Orig-Content-Security-Policy") == "default-src *"
    for name in ("Set-Cookie", "Access-Control-Allow-Origin", "Refresh", "WWW-Authenticate", "Clear-Site-Data"):
        assert answer.all(name) == [], name
        assert len(answer.all(f"X-Archive-Orig-{name}")) == 1
    rewritten = dial(owner, f"/main/{STAMP}mp_/{SITE}/headers")
    assert rewritten.all("Set-Cookie") == [] and len(rewritten.all("Content-Security-Policy")) == 1


def test_ranges_and_head(owner: int) -> None:
    part = dial(owner, raw("/big"), Range="bytes=300-999")
    assert (part.status, part.body) == (206, BIG[300:1000])
    assert part.one("Content-Range") == f"bytes 300-999/{len(BIG)}"
    asked = dial(owner, raw("/big"), method="HEAD")
    assert (asked.status, asked.body, asked.one("Content-Length")) == (200, b"", str(len(BIG)))


def test_a_post_capture_answers_posts_and_never_hides_the_page(tmp_path: Path) -> None:
    where = places(tmp_path)
    post = b"POST /form HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\na=1"
    save(where, [made("/form", b"<p>empty form"), made("/form", b"<p>thanks</p>", request=post)])
    with replaying(command(tmp_path), tmp_path / "log") as (port, _):
        assert dial(port, raw("/form")).body == b"<p>empty form"


def test_what_was_refused_or_is_no_capture_is_not_found(owner: int) -> None:
    for target in (
        raw("http://refused.test/"),
        f"/main/{STAMP}mp_/http://refused.test/",
        f"/main/{STAMP}id_/urn:policy:http://refused.test/",
        f"/main/{STAMP}mp_/urn:policy:{SITE}/",
        f"/main/{STAMP}id_/urn:pageinfo:{SITE}/",
        f"/main/{STAMP}id_/file:///etc/passwd",
        raw(SITE + "/never"),
    ):
        answer = dial(owner, target)
        assert answer.status == 404, target
        assert b"verdict" not in answer.body
    assert dial(owner, "/main/cdx?url=urn:policy:*").body == b""


def test_nothing_is_fetched_live(owner: int) -> None:
    for target in ("/live/http://127.0.0.2/", "/main/record/http://127.0.0.2/", "/record/http://127.0.0.2/"):
        assert dial(owner, target).status == 404, target


def test_the_owners_banner_is_on_pywbs_pages(owner: int) -> None:
    for target in (f"/main/{STAMP}/{SITE}/", "/main/"):
        assert b"Owner&#x27;s view" in dial(owner, target).body, target
    assert b"Owner" not in dial(owner, f"/main/{STAMP}mp_/{SITE}/").body


def test_the_public_sees_open_captures_that_the_rules_allow(collections: Path, tmp_path: Path) -> None:
    rules = places(collections).root / "acl" / "access-rules.aclj"
    with replaying(command(collections, "--public"), tmp_path / "log") as (port, _):
        assert dial(port, raw("/")).status == 200
        assert dial(port, raw("/gzip")).status == 200
        for path in ("/dark", "/restricted"):
            assert dial(port, raw(path)).status == 404
            assert path.encode() not in dial(port, f"/main/cdx?url={SITE}/*").body
        assert b"Owner" not in dial(port, "/main/").body
        # A takedown while it runs; pywb's rules are sorted backwards.
        rules.parent.mkdir()
        rules.write_text('test,site)/gzip - {"access": "block", "url": "http://site.test/gzip"}\n')
        try:
            assert dial(port, raw("/gzip")).status == 451
            assert dial(port, raw("/gzip"), X_Pywb_ACL_User="staff").status == 451
            assert dial(port, raw("/")).status == 200
        finally:
            rules.unlink()
            rules.parent.rmdir()


async def test_new_captures_are_seen_while_it_runs(tmp_path: Path) -> None:
    where = places(tmp_path)
    await write(where, [made("/first", b"first")])
    with replaying(command(tmp_path), tmp_path / "log") as (port, _):
        assert dial(port, raw("/first")).body == b"first"
        for number, access in enumerate((Access.OPEN, Access.DARK, Access.OPEN)):
            assert dial(port, raw(f"/{number}")).status == 404
            await write(where, [made(f"/{number}", b"new", access=access)])
            assert dial(port, raw(f"/{number}")).body == b"new"


def test_a_collection_may_have_any_name(tmp_path: Path) -> None:
    for name in ("static", "a_b"):
        save(places(tmp_path, name), [made("/", b"here")])
        with replaying(command(tmp_path, name), tmp_path / "log") as (port, address):
            host = address.split("/")[2]
            assert dial(port, f"/{name}/id_/{SITE}/", host=host).body == b"here"
            assert b"wombat" in dial(port, "/_pywb/wombat.js", host=host).body


def test_archive_added_to_pywb_by_hand_publishes_open_captures_only(tmp_path: Path) -> None:
    where = places(tmp_path)
    private = [made("/r", b"<p>r", access=Access.RESTRICTED), made("/d", b"<p>d", access=Access.DARK)]
    policy = document(type="metadata", target="urn:policy:http://refused.test/", payload=b"{}")
    save(where, [made("/"), *private, policy])
    folder = tmp_path / "plain"
    folder.mkdir()
    make_collection(folder, "web", list(where.warcs(Access.OPEN).glob("*.warc.gz")))
    (index,) = (folder / "collections" / "web" / "indexes").iterdir()
    lines = index.read_text().splitlines()
    assert [json.loads(line.split(" ", 2)[2])["url"] for line in lines] == [SITE + "/"]
    with pywb(folder) as origin:
        port = int(origin.rsplit(":", 1)[1])
        for target, status in (
            (f"/web/id_/{SITE}/", 200),
            (f"/web/id_/{SITE}/r", 404),
            (f"/web/id_/{SITE}/d", 404),
            ("/web/id_/http://refused.test/", 404),
            ("/web/mp_/urn:policy:http://refused.test/", 404),
        ):
            assert dial(port, target, host="localhost").status == status, target


def test_plain_pywb_reads_the_collection_folder_as_the_handbook_says(tmp_path: Path) -> None:
    """docs/archivist/replay.md, "With plain pywb": started in the folder, where `config.yaml` is."""
    where = places(tmp_path).create()
    save(where)
    describe(where, SYSTEM)
    with pywb(where.root) as origin:
        port = int(origin.rsplit(":", 1)[1])
        assert dial(port, raw("/chunked"), host="localhost").body == PAGE + b"!"
        assert dial(port, raw("/dark"), host="localhost").status == 404
        data = {"match": "url", "target": f"{SITE}/chunked", "because": "asked to"}
        hides.write(where.logs, SYSTEM, Actor(name="Ann"), [LedgerEntry(event="hide", url=SITE, data=data)])
        describe(where, SYSTEM)
        assert dial(port, raw("/chunked"), host="localhost").status == 404, "without a restart"
        assert dial(port, raw("/gzip"), host="localhost").status == 200


def test_an_interim_head_never_becomes_the_answer(tmp_path: Path) -> None:
    """pywb takes the first head of a record for the answer; browsers would wait for ever after a 103."""
    hints = head("103 Early Hints", kind="", Link="</a.css>; rel=preload")
    save(places(tmp_path), [made("/early", b"<p>after hints</p>", interim=hints), made("/")])
    with replaying(command(tmp_path), tmp_path / "log") as (port, _):
        answer = dial(port, raw("/early"))
        assert (answer.status, answer.body) == (200, b"<p>after hints</p>") or (
            answer.status == 502 and b"an answer that is not final (103)" in answer.body
        )
        assert dial(port, raw("/")).body == PAGE


def test_pywb_reads_what_warcio_reads(owner: int) -> None:
    """Sanity of the sample itself: the collection's own index lists each http(s) capture once."""
    lines = dial(owner, f"/main/cdx?url={SITE}/*&fl=url,status").body.decode().splitlines()
    assert len(lines) == len(set(lines)) and len(lines) >= 14
    done = subprocess.run([need("pywb"), "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("pywb ")
