"""What a server sent and what it was asked stand in the WARC byte for byte, however odd: http and https."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from archiver.config import for_save, from_environment
from archiver.model import Actor, Candidate, Kind
from archiver.urls import canonical, origin_of
from archiver.warc.reader import Record
from archiver.wiring.session import session
from tests.servers.authority import Authority, make_authority
from tests.servers.raw import Answer, raw_server, respond
from tests.system.cli import archiver, check_collection, collection, ledger_bodies, records, warcs
from tests.wire.awkward import BROKEN, CASES, Case

pytestmark = [pytest.mark.system, pytest.mark.needs("trustme")]

BY_GET = [case for case in [*CASES, *BROKEN] if case.method == "GET"]


def answer(case: Case) -> Answer:
    return Answer(parts=(case.sent,), keep=case.then == "keep")


def path_of(case: Case) -> str:
    return "/" + case.name.replace(" ", "-").replace(",", "")


def by_target(folder: Path, kind: str) -> dict[str, Record]:
    return {record.headers.target or "": record for record in records(folder) if record.headers.type == kind}


@pytest.mark.parametrize("secure", [False, True])
def test_awkward_answers_are_kept_to_the_byte(tmp_path: Path, secure: bool) -> None:
    authority = make_authority(tmp_path) if secure else None
    answers = {path_of(case): answer(case) for case in BY_GET} | {"/ok": respond(b"fine")}
    with raw_server(answers, tls=authority) as server:
        urls = [server.url(path_of(case)) for case in BY_GET]
        allow = ["--allow-address", f"127.0.0.1:{server.port}", "--delay", "0", "--json"]
        env = {"SSL_CERT_FILE": str(authority.ca_file)} if authority else {}
        ran = archiver("save", *urls, *allow, cwd=tmp_path, env=env)
    assert ran.code == 0, ran.err
    assert {one["url"]: one["status"] for one in ran.objects} == dict.fromkeys(urls, "archived")
    folder = collection(tmp_path)
    responses, requests = by_target(folder, "response"), by_target(folder, "request")
    differing = [case.name for case in BY_GET if responses[server.url(path_of(case))].block != case.sent]
    assert not differing
    raw = {server.url(request.path): request.raw for request in server.requests}
    assert set(requests) == set(raw) and all(requests[url].block == sent for url, sent in raw.items())
    assert {one["url"]: one["http_status"] for one in ran.objects if "redirect" not in one["url"]} == {
        server.url(path_of(case)): case.status for case in BY_GET if "redirect" not in case.name
    }
    outcomes = {row["url"]: row for row in ledger_bodies(folder) if row["event"] == "outcome"}
    for case in BY_GET:
        row = outcomes[server.url(path_of(case))]
        assert ("malformed" in row) == case.malformed, case.name
        assert row.get("truncated") == (case.truncated.value if case.truncated else None), case.name
        truncated = responses[row["url"]].headers.get("WARC-Truncated")
        assert truncated == (case.truncated.value if case.truncated else None)
    check_collection(folder)
    assert len(warcs(folder)) == 1
    if authority:
        chain = [record for record in records(folder) if record.headers.type == "resource"]
        assert len(chain) == 1, "the certificate chain stands there once"
        assert outcomes[urls[0]]["tls"]["version"].startswith("TLSv1.")


async def test_a_head_request_has_no_body(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No verb sends HEAD; spiders may. Through the session that the verbs use."""
    monkeypatch.chdir(tmp_path)
    (case,) = (case for case in CASES if case.method == "HEAD")
    with raw_server({"/": answer(case)}) as server:
        url = server.url("/")
        given = {"allowAddresses": [f"127.0.0.1:{server.port}"]}
        environ = dict(os.environ)
        config = for_save([url], given, environ)
        async with session(
            config, from_environment(environ), environ, Actor(name="t", through="cli"), saving=True
        ) as work:
            candidate = Candidate(url=url, key=canonical(url), origin=origin_of(url), kind=Kind.DOCUMENT, method="HEAD")
            fetched = await work.gate.fetch(candidate)
            await work.gate.record([fetched])
            await work.run.finish(stopped=None, counts={})
    assert by_target(collection(tmp_path), "response")[url].block == case.sent
    assert by_target(collection(tmp_path), "request")[url].block == server.requests[-1].raw


def test_a_certificate_that_nobody_vouches_for_fails_by_name(tmp_path: Path) -> None:
    authority: Authority = make_authority(tmp_path)
    with raw_server({"/": respond(b"secret")}, tls=authority) as server:
        ran = archiver("save", server.url("/"), "--allow-address", f"127.0.0.1:{server.port}", "--json", cwd=tmp_path)
    (one,) = ran.objects
    assert (ran.code, one["status"], one["decision"]["reason"]) == (32, "deferred", "robotsUnreachable")
    assert "certificate is not trusted" in one["decision"]["rule"]
    assert server.requests == []
