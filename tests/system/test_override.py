"""Overrides and `--wait` by the command line on a real server: both verdicts, restricted, and the floor holds."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from archiver.cli.schemas import RESULT_SCHEMA
from archiver.warc.reader import iter_records
from tests.servers.raw import Answer, RawServer, Reply, Request, raw_server, respond
from tests.system.cli import Ran, archiver, collection, ledger_bodies, running, warcs

pytestmark = pytest.mark.system

RULES = respond(b"User-agent: *\nDisallow: /x\nDisallow: /no.png\n", content_type="text/plain")
WHO = ("--because", "court order 12/26", "--by", "Ann Smith")
SITE: dict[str, Reply] = {
    "/robots.txt": RULES,
    "/x": respond(b"<title>X</title><img src=/no.png><img src=/yes.png>"),
    "/moved": respond(b"", status="302 Found", headers="Location: /x\r\n"),
    "/ok": respond(b"<title>ok</title><img src=/no.png>"),
    "/x-dark": respond(b"<title>dark</title>", headers="X-Robots-Tag: noarchive\r\n"),
    "/x-legal": respond(b"gone", status="451 Unavailable"),
    "/x-busy": respond(b"busy", status="429 Slow", headers="Retry-After: 3600\r\n"),
    "/no.png": respond(b"no" * 700, content_type="image/png"),
    "/yes.png": respond(b"yes" * 700, content_type="image/png"),
}


@pytest.fixture
def server() -> Iterator[RawServer]:
    with raw_server(SITE) as running:
        yield running


def save(server: RawServer, cwd: Path, path: str, *what: str) -> dict[str, Any]:
    """The one object that is printed."""
    ran = saved(server, cwd, path, "--json", *what)
    (found,) = ran.objects
    jsonschema.validate(found, RESULT_SCHEMA)
    assert isinstance(found, dict)
    return {**found, "code": ran.code}


def saved(server: RawServer, cwd: Path, path: str, *more: str) -> Ran:
    allow = ("--allow-address", f"127.0.0.1:{server.port}", "--delay", "0")
    return archiver("save", server.url(path), *allow, *more, cwd=cwd)


def decisions(folder: Path, url: str) -> list[dict[str, Any]]:
    return [body for body in ledger_bodies(folder) if body["event"] == "decision" and body["url"] == url]


def responses(folder: Path, access: str) -> set[str]:
    records = (one for path in warcs(folder, access) for one in iter_records(path))
    return {one.headers.target or "" for one in records if one.headers.type in ("response", "revisit")}


def test_both_verdicts_stand_and_the_page_is_restricted(server: RawServer, tmp_path: Path) -> None:
    found = save(server, tmp_path, "/moved", "--override", "robots,requisites", *WHO)
    assert (found["status"], found["access"], found["code"]) == ("archived", "restricted", 0)
    assert found["override"] == {
        "what": ["requisites", "robots"], "because": WHO[1], "by": WHO[3], "needed": ["requisites", "robots"],
    }  # fmt: skip
    folder = collection(tmp_path)
    page, image = (decisions(folder, server.url(path)) for path in ("/x", "/no.png"))
    for (row,), what, line in ((page, "robots", 2), (image, "requisites", 3)):
        assert (row["verdict"], row["reason"]) == ("allow", "override")
        note = row["notes"]["override"]
        assert (note["what"], note["because"], note["by"]) == (what, WHO[1], WHO[3])
        assert (note["instead"]["verdict"], note["instead"]["reason"]) == ("refuse", "robotsTxt")
        assert note["instead"]["line"] == line and note["instead"]["rule"].startswith("Disallow: ")
        assert note["instead"]["evidence"] == row["evidence"]
    (hop,) = decisions(folder, server.url("/moved"))
    assert hop["reason"] == "allowed" and "override" not in hop["notes"], "robots.txt allows the first hop"
    assert [body["what"] for body in ledger_bodies(folder) if body["event"] == "override"] == ["robots", "requisites"]

    kept = {server.url(path) for path in ("/moved", "/x", "/no.png", "/yes.png")}
    assert responses(folder, "restricted") == kept, "the page as a whole"
    assert server.url("/robots.txt") in responses(folder, "archive")
    assert not kept & responses(folder, "archive")
    (run,) = (body for body in ledger_bodies(folder) if body["event"] == "run")
    assert run["override"] == {"what": ["requisites", "robots"], "because": WHO[1], "by": WHO[3]}
    info = next(iter_records(warcs(folder, "restricted")[0])).block.decode()
    assert "overrideBy: Ann Smith" in info and "robots: obey, but" in info

    assert archiver("verify", str(folder), cwd=tmp_path).code == 0
    why = archiver("why", server.url("/x"), cwd=tmp_path).out
    assert "refuse (robotsTxt), Disallow: /x, line 2" in why
    assert "Ann Smith lifted that for this one visit (--override robots): court order 12/26." in why


def test_an_override_of_requisites_alone_restricts_their_page(server: RawServer, tmp_path: Path) -> None:
    found = save(server, tmp_path, "/ok", "--override", "requisites", *WHO)
    assert (found["access"], found["decision"]["reason"]) == ("restricted", "allowed")
    assert responses(collection(tmp_path), "restricted") == {server.url("/ok"), server.url("/no.png")}


def test_one_that_is_not_needed_is_told_and_marks_nothing(server: RawServer, tmp_path: Path) -> None:
    found = save(server, tmp_path, "/ok", "--override", "robots", *WHO)
    assert (found["access"], found["decision"]["reason"]) == ("open", "allowed")
    assert found["override"]["needed"] == []
    folder = collection(tmp_path)
    assert [body for body in ledger_bodies(folder) if body["event"] == "override"] == []
    assert warcs(folder, "restricted") == []
    assert "Not needed: --override robots." in saved(server, tmp_path, "/ok", "--override", "robots", *WHO).out


def test_the_next_visit_is_refused_again(server: RawServer, tmp_path: Path) -> None:
    assert save(server, tmp_path, "/x", "--override", "robots", *WHO)["status"] == "archived"
    again = save(server, tmp_path, "/x")
    assert (again["status"], again["decision"]["reason"], again["code"]) == ("refused", "robotsTxt", 30)
    assert [path for path in server.paths() if path == "/x"] == ["/x"]
    ways = {way["way"]: way["command"] for way in again["ways"]}
    assert ways["override"].startswith(f"archiver save {server.url('/x')} --override robots --because")
    assert f"127.0.0.1:{server.port}" in ways["override"] and "wait" not in ways


def test_noarchive_stays_dark_and_451_stays_what_it_is(server: RawServer, tmp_path: Path) -> None:
    dark = save(server, tmp_path, "/x-dark", "--override", "robots", *WHO)
    assert (dark["status"], dark["access"]) == ("archived", "dark")
    legal = save(server, tmp_path, "/x-legal", "--override", "robots", *WHO)
    assert legal["http_status"] == 451
    assert server.paths().count("/x-legal") == 1


def test_a_host_that_wants_a_rest_gets_it(server: RawServer, tmp_path: Path) -> None:
    busy = save(server, tmp_path, "/x-busy", "--override", "robots", *WHO)
    assert busy["http_status"] == 429
    later = save(server, tmp_path, "/x", "--override", "robots,robots-unreachable,requisites", *WHO)
    assert (later["status"], later["decision"]["reason"], later["code"]) == ("deferred", "rateLimited", 32)
    assert "/x" not in server.paths()
    assert [way["way"] for way in later["ways"]] == ["wait", "contact", "byHand"]
    assert (
        "--override does not lift this: rateLimited." in saved(server, tmp_path, "/x", "--override", "robots", *WHO).out
    )


def test_a_private_address_stays_private(server: RawServer, tmp_path: Path) -> None:
    ran = archiver("save", server.url("/x"), "--json", "--override", "robots", *WHO, cwd=tmp_path)
    (found,) = ran.objects
    assert (found["status"], found["decision"]["reason"]) == ("refused", "privateAddress")
    assert server.paths() == [] and "override" not in [way["way"] for way in found["ways"]]


def test_a_robots_txt_that_fails_can_be_lifted_and_one_that_says_wait_cannot(tmp_path: Path) -> None:
    site = {**SITE, "/robots.txt": respond(b"", status="500 Oops")}
    with raw_server(site) as server:
        deferred = save(server, tmp_path, "/ok")
        assert (deferred["status"], deferred["decision"]["reason"]) == ("deferred", "robotsUnreachable")
        assert [way["way"] for way in deferred["ways"]] == ["wait", "contact", "override", "byHand"]
        assert save(server, tmp_path, "/ok", "--override", "robots", *WHO)["status"] == "deferred"
        found = save(server, tmp_path, "/ok", "--override", "robots-unreachable", *WHO)
        assert (found["status"], found["access"]) == ("archived", "restricted")
        assert found["completeness"]["matter"][0]["reason"] == "robotsUnreachable", "of requisites it lifts nothing"
    (row,) = [one for one in decisions(collection(tmp_path), server.url("/ok")) if one["verdict"] == "allow"]
    assert row["notes"]["override"]["instead"]["verdict"] == "defer"
    busy = {**SITE, "/robots.txt": respond(b"", status="503 Busy", headers="Retry-After: 600\r\n")}
    with raw_server(busy) as server:
        found = save(server, tmp_path, "/ok", "--override", "robots-unreachable", *WHO)
        assert (found["status"], found["decision"]["reason"]) == ("deferred", "rateLimited")
        assert server.paths() == ["/robots.txt"]


def recovering(failures: int) -> Reply:
    asked = iter(range(10_000))

    def reply(request: Request) -> Answer:
        if next(asked) < failures:
            return respond(b"", status="503 Busy", headers="Retry-After: 1\r\n")
        return respond(b"User-agent: *\nDisallow: /x", content_type="text/plain")

    return reply


def test_wait_asks_robots_again_and_fetches_once(tmp_path: Path) -> None:
    with raw_server({**SITE, "/robots.txt": recovering(2), "/y": respond(b"<title>y</title>")}) as server:
        ran = saved(server, tmp_path, "/y", "--wait", "60s")
        assert ran.code == 0, ran.err
        assert server.paths().count("/y") == 1 and server.paths().count("/robots.txt") == 3
    waits = [json.loads(line)["progress"]["waits"] for line in ran.err.splitlines() if "waits" in line]
    assert waits and all(one["url"] == server.url("/y") and one["until"].endswith("Z") for one in waits)
    folder = collection(tmp_path)
    assert [body["status"] for body in ledger_bodies(folder) if body["event"] == "visit"][-1] == "captured"
    assert archiver("verify", str(folder), cwd=tmp_path).code == 0


def test_wait_comes_back_for_what_a_redirect_led_to(tmp_path: Path) -> None:
    with raw_server({"/robots.txt": recovering(1), "/y": respond(b"<title>y</title>")}) as elsewhere:
        hop = respond(b"", status="302 Found", headers=f"Location: {elsewhere.url('/y')}\r\n")
        with raw_server({"/go": hop}) as server:
            allow = ("--allow-address", f"127.0.0.1:{elsewhere.port}")
            found = save(server, tmp_path, "/go", "--wait", "60s", *allow)
            assert (found["status"], found["title"]) == ("archived", "y")
            assert elsewhere.paths().count("/y") == 1


def test_a_wait_that_is_too_short_ends_as_deferred(tmp_path: Path) -> None:
    with raw_server({**SITE, "/robots.txt": respond(b"", status="500 Oops")}) as server:
        found = save(server, tmp_path, "/ok", "--wait", "1s")
        assert (found["status"], found["code"]) == ("deferred", 32)
        assert server.paths().count("/robots.txt") == 1


def test_a_signal_ends_the_wait_as_deferred(tmp_path: Path) -> None:
    with raw_server({**SITE, "/robots.txt": respond(b"", status="500 Oops")}) as server:
        allow = ("--allow-address", f"127.0.0.1:{server.port}")
        with running("save", server.url("/ok"), "--wait", "2h", *allow, cwd=tmp_path) as process:
            assert process.stderr is not None
            assert "waits" in process.stderr.readline()
            process.send_signal(signal.SIGINT)
            out, _ = process.communicate(timeout=60)
    assert process.returncode == 11
    assert "Deferred" in out and "robotsUnreachable" in out
    ends = [body for body in ledger_bodies(collection(tmp_path)) if body["event"] == "end"]
    assert ends[0]["stopped"] == "interrupted"
    assert archiver("verify", str(collection(tmp_path)), cwd=tmp_path).code == 0
