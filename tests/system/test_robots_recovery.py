"""What a robots.txt means from run to run: recovery, rest, copies that stay in force, each origin by itself."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.servers.raw import RawServer, Reply, Request, raw_server, respond
from tests.system.robots_case import PAGE, Save, Saved, asked, in_turn, robots, save

pytestmark = pytest.mark.system
__all__ = ["save"]

RULES, ALLOW = b"User-agent: *\nDisallow: /page\n", b"User-agent: *\nAllow: /\n"
DAY = 86_400


def down(status: str = "500 Oops", headers: str = "") -> bytes:
    return respond(b"", status=status, headers=headers)


def site(*replies: Reply, **more: Reply) -> dict[str, Reply]:
    return {"/robots.txt": in_turn(*replies), "/page": PAGE, "/free": PAGE, **more}


def end(saved: Saved) -> tuple[str, str, int]:
    return saved.one["status"], saved.one["decision"]["reason"], saved.code


def is_shown_here(saved: Saved, server: RawServer) -> bool:
    """Whether what the decision cites is a record about this robots.txt in this job's WARC."""
    target = saved.record(saved.one["decision"]["evidence"]).headers.target or ""
    return target.endswith(server.url("/robots.txt"))


def state(statement: str, *values: object) -> None:
    """Edit what earlier runs remembered of robots.txt."""
    folder = Path(os.environ["HOME"], ".local", "state", "archiver")
    with closing(sqlite3.connect(folder / "robots.sqlite")) as db, db:
        assert db.execute(statement, values).rowcount > 0


# --- recovery ---


def test_a_run_after_the_outage_fetches(save: Save) -> None:
    with raw_server(site(down(), robots(ALLOW))) as server:
        first, second = (save(server.url("/page"), servers=[server]) for _ in range(2))
    assert end(first) == ("deferred", "robotsUnreachable", 32)
    assert end(second) == ("archived", "allowed", 0)
    assert asked(server) == ["/robots.txt", "/robots.txt", "/page"]
    assert is_shown_here(first, server) and is_shown_here(second, server)


@pytest.mark.parametrize("status", ["429 Slow", "503 Busy"])
def test_nobody_asks_before_the_time_that_the_site_named(save: Save, status: str) -> None:
    with raw_server(site(down(status, "Retry-After: 7200\r\n"), robots(ALLOW))) as server:
        now = time.time()
        first, second = (save(server.url("/page"), servers=[server]) for _ in range(2))
    assert end(first) == end(second) == ("deferred", "robotsUnreachable", 32)
    assert asked(server) == ["/robots.txt"]
    for saved in (first, second):
        told = saved.one["decision"]["not_before"]
        assert time.strptime(told[:19], "%Y-%m-%dT%H:%M:%S") >= time.gmtime(now + 7190), told
        assert is_shown_here(saved, server)


def test_once_that_time_is_over_the_site_is_asked_again(save: Save) -> None:
    with raw_server(site(down("503 Busy", "Retry-After: 2\r\n"), robots(ALLOW))) as server:
        saved = save(server.url("/page"), servers=[server])
        while saved.code == 32:
            time.sleep(0.5)
            saved = save(server.url("/page"), servers=[server])
    assert end(saved) == ("archived", "allowed", 0)
    assert asked(server) == ["/robots.txt", "/robots.txt", "/page"]
    assert server.requests[1].at - server.requests[0].at >= 2.0


@pytest.mark.parametrize(
    ("before", "after"), [("archived", "refused"), ("refused", "archived")], ids=["stricter", "looser"]
)
def test_new_rules_hold_from_the_next_run_on(save: Save, before: str, after: str) -> None:
    body = {"archived": ALLOW, "refused": RULES}
    with raw_server(site(robots(body[before]), robots(body[after]))) as server:
        told = [save(server.url("/page"), servers=[server]) for _ in range(2)]
    assert [one.one["status"] for one in told] == [before, after]
    assert all(is_shown_here(one, server) for one in told)


def test_rules_that_appear_during_a_job_hold_when_what_was_known_is_old(
    save: Save, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("archiver.wire.robots_learn.MIN_LIFE", 0.5)
    gone = respond(b"", status="404 Not Found", headers="Cache-Control: max-age=0\r\n")
    with raw_server(site(robots(RULES))) as server:
        server.answers["/robots.txt"] = lambda _: robots(RULES) if "/free" in server.paths() else gone
        saved = save(server.url("/free"), server.url("/page"), servers=[server], options=("--delay", "1.5"))
    assert [one["status"] for one in saved.told] == ["archived", "refused"]
    before, after = asked(server)[:-2], asked(server)[-2:]
    assert after == ["/free", "/robots.txt"] and set(before) == {"/robots.txt"}
    evidence = [saved.record(one["decision"]["evidence"]) for one in saved.told]
    assert [one.block.split(b" ", 2)[1] for one in evidence] == [b"404", b"200"]


# --- a copy stays in force ---


def test_an_outage_leaves_the_last_rules_in_force(save: Save) -> None:
    """Stated as what it is, with the copy in the second job's own WARC (RFC 9309, 2.4)."""
    with raw_server(site(robots(RULES), down())) as server:
        first = save(server.url("/page"), servers=[server])
        refused = save(server.url("/page"), servers=[server])
        fetched = save(server.url("/free"), servers=[server])
    assert end(first) == end(refused) == ("refused", "robotsTxt", 30)
    assert end(fetched) == ("archived", "allowed", 0)
    assert refused.one["decision"]["line"] == 2
    for saved, path in ((refused, "/page"), (fetched, "/free")):
        note = saved.robots_note(server.url(path))
        assert (note["state"], note["status"]) == ("stale-ok", 500) and note["copy"]["fetchedAt"]
        assert saved.record(saved.one["decision"]["evidence"]).block.endswith(RULES)
        assert is_shown_here(saved, server)
        assert saved.record(note["copy"]["answer"]).block.startswith(b"HTTP/1.1 500")
    assert asked(server).count("/robots.txt") == 3 and "/page" not in asked(server)


def test_a_copy_that_allows_does_not_wake_a_host_that_rests(save: Save) -> None:
    with raw_server(site(robots(ALLOW), down("503 Busy", "Retry-After: 7200\r\n"))) as server:
        first = save(server.url("/free"), servers=[server])
        later = save(server.url("/page"), servers=[server])
    assert first.code == 0 and later.code == 32
    assert end(later)[:2] == ("deferred", "rateLimited")
    assert "/page" not in asked(server)


def test_a_copy_of_more_than_thirty_days_is_no_answer(save: Save) -> None:
    with raw_server(site(robots(ALLOW), down())) as server:
        save(server.url("/free"), servers=[server])
        state("UPDATE robots SET fetched_at = fetched_at - ?, validated_at = validated_at - ?", 31 * DAY, 31 * DAY)
        saved = save(server.url("/page"), servers=[server])
    assert end(saved) == ("deferred", "robotsUnreachable", 32)
    assert "/page" not in asked(server) and is_shown_here(saved, server)


def test_a_copy_that_still_holds_is_not_sent_again(save: Save) -> None:
    def conditional(request: Request) -> bytes:
        if request.header("if-none-match") == '"1"':
            return b'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\nConnection: close\r\n\r\n'
        return robots(RULES, headers='ETag: "1"\r\n')

    with raw_server(site(conditional)) as server:
        first, second = (save(server.url("/page"), servers=[server]) for _ in range(2))
    assert end(first) == end(second) == ("refused", "robotsTxt", 30)
    assert [request.header("if-none-match") for request in server.requests] == [None, '"1"']
    assert second.record(second.one["decision"]["evidence"]).block.endswith(RULES)
    assert is_shown_here(second, server)


# --- a long outage ---


@pytest.mark.parametrize(("days", "status"), [(29, "deferred"), (31, "archived")])
def test_thirty_days_without_an_answer_are_no_rules(save: Save, days: int, status: str) -> None:
    """RFC 9309, 2.3.1.4; the row says since when, and the record what was answered last."""
    with raw_server(site(down())) as server:
        assert save(server.url("/page"), servers=[server]).code == 32
        state("UPDATE robots SET unreachable_since = unreachable_since - ?", days * DAY)
        saved = save(server.url("/page"), servers=[server])
    assert saved.one["status"] == status
    assert ("/page" in asked(server)) == (status == "archived")
    note = saved.robots_note(server.url("/page"))
    assert note["unreachableSince"] < saved.one["started_at"][:10]
    if status == "archived":
        assert note["basis"].startswith("undefined>30d: RFC 9309 2.3.1.4")
    assert is_shown_here(saved, server)


def test_an_answer_ends_the_outage(save: Save) -> None:
    with raw_server(site(down(), robots(RULES), down())) as server:
        save(server.url("/page"), servers=[server])
        state("UPDATE robots SET unreachable_since = unreachable_since - ?", 40 * DAY)
        told = [end(save(server.url("/page"), servers=[server])) for _ in range(2)]
    assert told == [("refused", "robotsTxt", 30)] * 2
    assert "/page" not in asked(server)


# --- each URL asks its own origin ---


@pytest.mark.parametrize(
    ("rules", "status"), [(robots(RULES), "refused"), (down(), "deferred"), (robots(ALLOW), "archived")],
    ids=["refused", "unreachable", "allowed"],
)  # fmt: skip
def test_a_page_that_redirects_is_bound_by_where_it_leads(save: Save, rules: Reply, status: str) -> None:
    with raw_server(site(rules)) as there:
        moved = respond(b"", status="302 Found", headers=f"Location: {there.url('/page')}\r\n")
        with raw_server({"/robots.txt": robots(ALLOW), "/go": moved}) as here:
            saved = save(here.url("/go"), servers=[here, there])
    assert (saved.one["status"], saved.code) == (status, {"archived": 0, "refused": 30, "deferred": 32}[status])
    assert asked(here) == ["/robots.txt", "/go"]
    assert asked(there) == ["/robots.txt", "/page"][: 1 + (status == "archived")]
    hop = saved.rows(there.url("/page"), "decision")[-1]
    assert (saved.record(hop["evidence"]).headers.target or "").endswith(there.url("/robots.txt"))


def test_a_hop_of_the_same_origin_is_asked_too(save: Save) -> None:
    moved = respond(b"", status="302 Found", headers="Location: /page\r\n")
    with raw_server(site(robots(RULES), **{"/go": moved})) as server:
        saved = save(server.url("/go"), servers=[server])
    assert end(saved) == ("refused", "robotsTxt", 30)
    assert asked(server) == ["/robots.txt", "/go"]


def test_requisites_and_icons_ask_where_they_lie(save: Save) -> None:
    files: dict[str, Reply] = {
        path: respond(b"x", content_type="image/png") for path in ("/i.png", "/page.png", "/icon")
    }
    with (
        raw_server({"/robots.txt": robots(RULES), **files}) as strict,
        raw_server({"/robots.txt": down(), **files}) as silent,
        raw_server({"/robots.txt": robots(b"User-agent: *\nDisallow: /icon\n"), **files}) as other,
    ):
        html = "".join(
            f"<img src={one.url(path)}>" for one in (strict, silent, other) for path in ("/i.png", "/page.png")
        )
        html += f"<link rel=icon href={other.url('/icon')}><link rel=icon href={strict.url('/icon')}>"
        with raw_server({"/robots.txt": robots(ALLOW), "/": respond(html.encode())}) as here:
            saved = save(here.url("/"), servers=[here, strict, silent, other])
    assert (saved.one["status"], saved.code) == ("archived", 0)
    assert sorted(asked(strict)) == ["/i.png", "/icon", "/robots.txt"] and asked(strict)[0] == "/robots.txt"
    assert asked(silent) == ["/robots.txt"]
    assert sorted(asked(other)) == ["/i.png", "/page.png", "/robots.txt"] and asked(other)[0] == "/robots.txt"
    gaps = {gap["url"]: gap["reason"] for gap in saved.one["completeness"]["matter"]}
    assert gaps == {
        strict.url("/page.png"): "robotsTxt",
        silent.url("/i.png"): "robotsUnreachable",
        silent.url("/page.png"): "robotsUnreachable",
        other.url("/icon"): "robotsTxt",
    }
    for one in (strict, silent, other):
        row = saved.rows(one.url("/page.png"), "decision")[-1]
        assert (saved.record(row["evidence"]).headers.target or "").endswith(one.url("/robots.txt"))
