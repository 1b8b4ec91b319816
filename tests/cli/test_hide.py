"""`hide` and `unhide`: rows with a name on them, lists, `why`, what is fetched, and real pywb in both views."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Verb
from tests.needs import need
from tests.replay.samples import dial, replaying
from tests.servers.raw import RawServer, raw_server, respond

SITE = {"/a": respond(b"<p>page a</p>"), "/b": respond(b"<p>page b</p>"), "/f/c": respond(b"<p>page c</p>")}


def saving(verb: Verb, server: RawServer, *paths: str) -> list[dict[str, object]]:
    allow = ["--allow-address", f"127.0.0.1:{server.port}", "--delay", "0"]
    said = verb("save", *map(server.url, paths), *allow, "--json")
    return [json.loads(line) for line in said.out.splitlines()]


def listed(verb: Verb, *more: str) -> list[str]:
    return [json.loads(line)["url"] for line in verb("list", "--format", "jsonl", *more).out.splitlines()]


def test_hidden_is_not_listed_not_fetched_and_why_says_who(verb: Verb) -> None:
    with raw_server(SITE) as server:
        saving(verb, server, "/a", "/b", "/f/c")
        prefix = server.url("/f/")
        said = verb("hide", f"{prefix}*", "--because", "the court said so")
        assert (said.code, said.out) == (0, f"Hidden: prefix {prefix}\n")
        assert listed(verb) == [server.url("/a"), server.url("/b")]
        assert listed(verb, "--hidden") == [server.url("/a"), server.url("/b"), server.url("/f/c")]
        assert "(hidden)" in verb("list", "--hidden").out
        why = verb("why", server.url("/f/c")).out
        assert "hidden" in why and "Hidden by" in why and "the court said so" in why

        (refused,) = saving(verb, server, "/f/c")
        decision = refused["decision"]
        assert isinstance(decision, dict)
        assert (refused["status"], decision["reason"]) == ("refused", "hidden")
        assert "the court said so" in decision["rule"] and prefix in decision["rule"]

        assert verb("unhide", f"{prefix}*").code == 0
        assert listed(verb)[-1] == server.url("/f/c")
        assert saving(verb, server, "/f/c")[0]["status"] == "archived"
    assert verb("verify", "crawls/collections/main").code == 0


def test_rows_name_the_actor(verb: Verb) -> None:
    with raw_server(SITE) as server:
        saving(verb, server, "/a")
        assert verb("hide", server.url("/a"), "--because", " asked to ", "--until", "2999-01-01").code == 0
        assert verb("unhide", server.url("/a"), "--because", "settled").code == 0
        rows = [
            json.loads(json.loads(line)["body"])
            for path in sorted(Path("crawls/collections/main/logs").glob("*.jsonl"))
            for line in path.read_text().splitlines()
        ]
        hide, unhide = (row for row in rows if row["event"] in ("hide", "unhide"))
        assert (hide["match"], hide["target"], hide["because"]) == ("url", server.url("/a"), "asked to")
        assert hide["until"] == "2999-01-01T00:00:00.000Z"
        assert hide["actor"]["name"] == unhide["actor"]["name"] != "" and hide["actor"]["through"] == "cli"
        assert unhide["because"] == "settled" and hide["job"] != unhide["job"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("hide", "https://example.org/"),
        ("hide", "https://example.org/", "--because", "  "),
        ("hide", "https://example.org/", "--because", "x", "--until", "soon"),
        ("hide", "https://example.org/", "--because", "x", "--until", "2020-01-01"),
        ("hide", "https://example.org/?a=*", "--because", "x"),
        ("hide", "ftp://example.org/", "--because", "x"),
        ("hide", "*", "--because", "x"),
        ("hide", "0" * 32, "--because", "x"),
        ("hide", "https://example.org/", "--because", "x", "--collection", "nothing"),
        ("unhide", "https://example.org/"),
        ("unhide", "https://example.org/*"),
    ],
)
def test_bad_input_is_one_line(verb: Verb, arguments: tuple[str, ...]) -> None:
    logs = Path("crawls/collections/main/logs")
    logs.mkdir(parents=True)
    said = verb(*arguments)
    assert said.code == 2 and said.out == "" and said.err.count("\n") == 1, said
    assert not list(logs.iterdir())


@pytest.mark.system
@pytest.mark.replay
@pytest.mark.needs("pywb")
@pytest.mark.parametrize("view", [pytest.param((), marks=pytest.mark.soak), ("--public",)], ids=["owner", "public"])
def test_replay_stops_and_comes_back_while_it_runs(verb: Verb, tmp_path: Path, view: tuple[str, ...]) -> None:
    os.environ["ARCHIVER_PYWB"] = str(need("pywb"))
    with raw_server(SITE) as server:
        capture = str(saving(verb, server, "/a", "/b", "/f/c")[0]["capture_id"])
        targets = (capture, server.url("/b"), server.url("/f/*"))
        command = [sys.executable, "-m", "archiver", "replay", "--port", "0", *view]

        def statuses(port: int) -> list[int]:
            return [dial(port, f"/main/mp_/{server.url(path)}").status for path in SITE]

        with replaying(command, tmp_path / "log") as (port, _):
            assert statuses(port) == [200, 200, 200]
            for target in targets:
                assert verb("hide", target, "--because", "asked to").code == 0
            assert statuses(port) == [404, 404, 404]
            index = dial(port, f"/main/cdx?url={server.url('/*')}").body.splitlines()
            paths = {line.split(b" ", 1)[0].rpartition(b")")[2] for line in index}
            assert b"/robots.txt" in paths and paths.isdisjoint(map(str.encode, SITE))
            for target in targets:
                assert verb("unhide", target).code == 0
            assert statuses(port) == [200, 200, 200]
        assert verb("hide", server.url("/a"), "--because", "asked to").code == 0
        with replaying(command, tmp_path / "log") as (port, _):
            assert statuses(port) == [404, 200, 200]
