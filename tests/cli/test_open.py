"""`open`: what an override fetched, and nothing beside it, is shown by real pywb to the public."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from archiver.ledger.opens import opened
from tests.cli.conftest import Verb
from tests.needs import need
from tests.replay.samples import dial, replaying
from tests.servers.raw import RawServer, raw_server, respond

SITE = {
    "/robots.txt": respond(b"User-agent: *\nDisallow: /x", content_type="text/plain"),
    "/x": respond(b"<p>page x</p><img src=/i.png>"),
    "/x2": respond(b"<p>page x2</p>"),
    "/x-dark": respond(b"<p>dark</p>", headers="X-Robots-Tag: noarchive\r\n"),
    "/ok": respond(b"<p>ok</p>"),
    "/i.png": respond(b"image" * 500, content_type="image/png"),
}
WHO = ("--because", "court order", "--by", "Ann Smith")


@pytest.fixture
def server() -> Iterator[RawServer]:
    with raw_server(SITE) as running:
        yield running


def save(verb: Verb, server: RawServer, path: str, *what: str) -> dict[str, Any]:
    allow = ("--allow-address", f"127.0.0.1:{server.port}", "--delay", "0")
    said = verb("save", server.url(path), *allow, "--json", *what)
    found = json.loads(said.out)
    assert isinstance(found, dict), said
    return found


def lifted(verb: Verb, server: RawServer, path: str) -> dict[str, Any]:
    found = save(verb, server, path, "--override", "robots", *WHO)
    assert found["status"] == "archived"
    return found


def test_a_row_names_who_opened_what(verb: Verb, server: RawServer) -> None:
    capture = lifted(verb, server, "/x")["capture_id"]
    said = verb("open", capture, "--because", "the order was lifted", "--by", "Bob")
    assert said.code == 0 and capture in said.out and "2 records" in said.out, said
    (one,) = opened(Path("crawls/collections/main/logs"))
    assert (one.target, one.url, one.because, one.by) == (capture, server.url("/x"), "the order was lifted", "Bob")
    (file,) = one.records
    assert Path("crawls/collections/main/restricted", file).exists(), "nothing was moved"
    assert "Opened to the public by Bob" in verb("why", server.url("/x")).out
    assert "Open already" in verb("open", server.url("/x"), "--because", "again").out
    assert len(opened(Path("crawls/collections/main/logs"))) == 1
    assert verb("verify", "crawls/collections/main").code == 0


def test_the_list_marks_what_was_opened(verb: Verb, server: RawServer) -> None:
    capture = lifted(verb, server, "/x")["capture_id"]
    before = verb("list").out
    verb("open", capture, "--because", "settled")
    assert "[restricted]" in before and "(opened)" not in before
    assert "[restricted]  (opened)" in verb("list").out
    (row,) = map(json.loads, verb("list", "--format", "jsonl").out.splitlines())
    assert (row["access"], row["opened"]) == ("restricted", True)


@pytest.mark.parametrize(
    ("path", "words"),
    [("/ok", "open as it is"), ("/x-dark", "kept dark"), ("/nothing", "no capture of")],
)
def test_what_no_override_restricted_is_not_opened(verb: Verb, server: RawServer, path: str, words: str) -> None:
    save(verb, server, "/ok")
    lifted(verb, server, "/x-dark")
    said = verb("open", server.url(path), "--because", "because")
    assert said.code == 2 and words in said.err
    assert opened(Path("crawls/collections/main/logs")) == ()


@pytest.mark.parametrize("arguments", [("--because", " "), ("--because", "x", "--by", " "), ()])
def test_somebody_and_a_reason_are_needed(verb: Verb, server: RawServer, arguments: tuple[str, ...]) -> None:
    lifted(verb, server, "/x")
    said = verb("open", server.url("/x"), *arguments)
    assert said.code == 2 and said.err.count("\n") == 1


def test_an_unknown_capture_is_told(verb: Verb, server: RawServer) -> None:
    lifted(verb, server, "/x")
    said = verb("open", "0" * 32, "--because", "x")
    assert said.code == 2 and "no capture" in said.err


@pytest.mark.system
@pytest.mark.replay
@pytest.mark.needs("pywb")
def test_the_public_sees_that_capture_and_nothing_else(verb: Verb, server: RawServer, tmp_path: Path) -> None:
    os.environ["ARCHIVER_PYWB"] = str(need("pywb"))
    first = lifted(verb, server, "/x")["capture_id"]
    lifted(verb, server, "/x2")
    paths = ("/x", "/i.png", "/x2")
    command = [sys.executable, "-m", "archiver", "replay", "--port", "0", "--public"]

    def statuses(port: int) -> list[int]:
        return [dial(port, f"/main/mp_/{server.url(path)}").status for path in paths]

    with replaying(command, tmp_path / "log") as (port, _):
        assert statuses(port) == [404, 404, 404]
        assert verb("open", first, "--because", "settled").code == 0
        assert statuses(port) == [200, 200, 404], "the page with what it is made of, while replay runs"
        assert b"page x<" in dial(port, f"/main/mp_/{server.url('/x')}").body
        index = dial(port, f"/main/cdx?url={server.url('/*')}").body
        assert b")/x " in index and b")/x2 " not in index
        assert verb("hide", first, "--because", "asked to").code == 0
        assert statuses(port)[0] == 404, "hide closes it again"
    with replaying(command, tmp_path / "log2") as (port, _):
        assert statuses(port)[0] == 404
        assert verb("unhide", first).code == 0
        assert statuses(port) == [200, 200, 404]
