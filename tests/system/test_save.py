"""`archiver save` end to end, on the demo site and on a byte-exact server."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest

from archiver.cli.schemas import RESULT_SCHEMA
from archiver.warc.reader import iter_records
from archiver.warc.verify import verify_file
from tests.servers.raw import raw_server, respond
from tests.system.cli import archiver, collection, ledger_bodies, warcs

pytestmark = pytest.mark.system


def test_the_demo_says_what_was_kept_refused_and_why(tmp_path: Path) -> None:
    ran = archiver("save", "--demo", cwd=tmp_path)
    assert ran.code == 0, ran.err
    assert "robotsTxt" in ran.out and "/private/chart.svg" in ran.out
    assert "dark: noarchive" in ran.out
    assert "archiver replay demo" in ran.out
    folder = collection(tmp_path, "demo")
    assert len(warcs(folder)) == 1 and len(warcs(folder, "dark")) == 1 and warcs(folder, "restricted") == []
    assert all(verify_file(path).ok for path in folder.rglob("*.warc.gz"))
    held = b"".join(record.block for path in folder.rglob("*.warc.gz") for record in iter_records(path))
    assert b"No robot should ever have read this line" not in held


def test_json_follows_the_published_schema(tmp_path: Path) -> None:
    pages = {
        "/": respond(b"<title>T</title><link rel=stylesheet href=/s.css><img src=/no.png>"),
        "/s.css": respond(b"body{}", content_type="text/css"),
        "/no.png": respond(b"", content_type="image/png", status="500 Oops"),
        "/robots.txt": respond(b"User-agent: *\nDisallow: /x", content_type="text/plain"),
    }
    with raw_server(pages) as server:
        urls = [server.url("/"), server.url("/x"), "http://127.0.0.1:9/"]
        allow = ["--allow-address", f"127.0.0.1:{server.port}"]
        ran = archiver("save", *urls, *allow, "--json", "--require", "complete", "--tag", "a", cwd=tmp_path)
    assert len(ran.objects) == 3, ran.err
    for one in ran.objects:
        jsonschema.validate(one, RESULT_SCHEMA)
    page, refused, private = ran.objects
    assert (page["status"], page["http_status"], page["title"]) == ("archived", 200, "T")
    assert page["completeness"]["verdict"] == "gaps" and page["completeness"]["kept"] == 1
    assert [gap["url"] for gap in page["completeness"]["matter"]] == [server.url("/no.png")]
    assert (refused["status"], refused["decision"]["reason"], refused["decision"]["line"]) == (
        "refused",
        "robotsTxt",
        2,
    )
    assert refused["decision"]["evidence"].startswith("urn:uuid:")
    assert (private["status"], private["decision"]["reason"]) == ("refused", "privateAddress")
    assert ran.code == 31
    assert all(body["tags"] == ["a"] for body in ledger_bodies(collection(tmp_path)))


def test_nothing_starts_without_a_contact_outside_loopback(tmp_path: Path) -> None:
    ran = archiver("save", "https://example.org/", cwd=tmp_path)
    assert ran.code == 2
    assert ran.err.count("\n") == 1 and "contact" in ran.err
    assert not (tmp_path / "crawls").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["save"], 2, "URL"),
        (["save", "ftp://example.org/"], 2, "ftp"),
        (["save", "http://user:secret@example.org/"], 2, "password"),
        (["save", "http://example.org/\nX"], 2, "U+000A"),
        (["save", "http://127.0.0.1/", "--collection", "../x"], 2, "collection"),
        (["save", "http://127.0.0.1/", "--delay", "abc"], 2, "--delay"),
        (["crawl", "missing.yaml"], 4, "missing.yaml"),
        (["verify", "nowhere"], 2, "nowhere"),
        (["list", "nothing"], 2, "nothing"),
    ],
)
def test_bad_input_is_one_line_and_a_documented_code(
    tmp_path: Path, arguments: list[str], code: int, word: str
) -> None:
    ran = archiver(*arguments, cwd=tmp_path)
    assert ran.code == code, ran.err
    lines = [line for line in ran.err.splitlines() if line]
    assert len(lines) == 1 and word in lines[0]
    assert "secret" not in ran.err
