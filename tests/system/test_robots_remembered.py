"""A robots.txt remembered from job to job: asked about, copied into each WARC that rests on it, shared by processes."""

from __future__ import annotations

from pathlib import Path

import pytest

from archiver.cli.main import main
from archiver.warc.fields import field_value
from archiver.warc.reader import Record
from tests.servers.raw import Answer, Request, raw_server, respond
from tests.system.cli import check_collection, collection, ledger_bodies, running, warcs
from tests.system.cli import records as records_of
from tests.system.robots_case import PAGE, Save, Saved, allowed, asked, robots, save

pytestmark = pytest.mark.system
__all__ = ["save"]

RULES = b"User-agent: *\nDisallow: /private\n"
FULL = robots(RULES, headers='ETag: "v1"\r\n')
SAME = respond(b"", status="304 Not Modified", headers='ETag: "v1"\r\nCache-Control: max-age=60\r\n')
DOWN = respond(b"", status="503 Busy")


def knowing(request: Request) -> bytes | Answer:
    """A server that remembers what it sent."""
    return SAME if request.header("If-None-Match") == '"v1"' else FULL


def about_robots(saved: Saved) -> list[Record]:
    found = records_of(saved.folder)
    return [
        one for one in found if (one.headers.target or "").endswith("/robots.txt") and one.headers.type != "request"
    ]


def kinds(saved: Saved) -> list[tuple[str, str]]:
    return [(one.headers.type, (one.headers.target or "").partition("http")[0]) for one in about_robots(saved)]


COPIED = [("response", ""), ("metadata", "urn:policy:"), ("conversion", "urn:robots:"), ("metadata", "urn:robots:")]


@pytest.mark.parametrize("later", [SAME, DOWN], ids=["not modified", "unreachable"])
def test_each_warc_holds_the_copy_that_its_job_rests_on(
    save: Save, later: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = {"/robots.txt": knowing, "/page": PAGE, "/private": PAGE}
    with raw_server(answers) as server:
        first = save(server.url("/page"), servers=[server])
        server.answers["/robots.txt"] = later
        second = save(server.url("/private"), servers=[server])
    assert asked(server) == ["/robots.txt", "/page", "/robots.txt"]
    assert kinds(first) == COPIED[:2]
    assert kinds(second) == COPIED
    original, (answer, _, copy, about) = first.one["decision"]["evidence"], about_robots(second)
    assert (second.code, second.one["decision"]["evidence"]) == (30, copy.headers.record_id)
    assert copy.block == RULES
    assert copy.headers.get("WARC-Refers-To") == f"<{original}>"
    fetched, copied = (one.headers.get("WARC-Date") or "" for one in (about_robots(first)[0], copy))
    assert fetched <= copied < (answer.headers.get("WARC-Date") or "")
    assert f'"original":"{original}"' in (field_value(about.block, "robots") or "")
    note = second.robots_note(server.url("/private"))
    assert note["copy"]["original"] == original
    assert note["copy"]["answer"] == answer.headers.record_id
    assert note["state"] == ("fresh" if later is SAME else "stale-ok")
    capsys.readouterr()
    assert main(["why", server.url("/private"), "--collection", second.folder.name]) == 0
    said = capsys.readouterr().out
    assert f"Evidence: record {copy.headers.record_id}, in {warcs(second.folder)[0].name} at offset" in said


def test_processes_at_once_share_what_they_know(tmp_path: Path) -> None:
    names = ("one", "two")
    with raw_server({"/robots.txt": knowing, "/page": PAGE}) as server:
        for _ in range(2):
            arguments = ("save", server.url("/page"), "--delay", "0", *allowed(server), "--collection")
            with running(*arguments, names[0], cwd=tmp_path) as one, running(*arguments, names[1], cwd=tmp_path) as two:
                assert [process.wait(60) for process in (one, two)] == [0, 0]
    tags = [request.header("If-None-Match") for request in server.requests if request.path == "/robots.txt"]
    assert len(tags) == 4 and tags[2:] == ['"v1"', '"v1"']
    for name in names:
        folder = collection(tmp_path, name)
        check_collection(folder)
        copies = [row for row in ledger_bodies(folder) if row["event"] == "robotsCopy"]
        assert [row["record"]["record_id"] for row in copies] == [
            one.headers.record_id for one in records_of(folder) if one.headers.type == "conversion"
        ]
        assert copies
