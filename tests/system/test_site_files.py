"""Files in which sites say how their pages may be used, by the command line on real servers: when and how often."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.servers.raw import Answer, RawServer, raw_server, respond
from tests.system.cli import archiver, check_collection, collection, ledger_bodies, records

pytestmark = pytest.mark.system

TDMREP = "/.well-known/tdmrep.json"
PAGES = {
    "/": respond(b"<title>T</title><link rel=stylesheet href=/s.css><a href=/b>b</a><a href=/c>c</a>"),
    "/s.css": respond(b"body{}", content_type="text/css"),
    "/b": respond(b"<title>B</title>"),
    "/c": respond(b"<title>C</title>"),
    TDMREP: respond(b'[{"location": "/", "tdm-reservation": 1}]', content_type="application/json"),
}
LICENCE = b"""<rsl xmlns="https://rslstandard.org/rsl"><content url="/"><license>
<prohibits type="usage">ai-train</prohibits></license></content></rsl>"""


def allowing(*servers: RawServer) -> list[str]:
    allow = [word for server in servers for word in ("--allow-address", f"127.0.0.1:{server.port}")]
    return [*allow, "--delay", "0"]


def equation(folder: Path, cwd: Path) -> dict[str, int]:
    """The counts of the newest job's report."""
    import json

    assert archiver("report", cwd=cwd).code == 0
    newest = max((folder / "reports").glob("report-*.json"), key=lambda path: path.stat().st_mtime_ns)
    counts: dict[str, int] = json.loads(newest.read_text("utf-8"))["counts"]
    return counts


@pytest.mark.parametrize("driver", ["pump", "scrapy"])
def test_a_crawl_asks_once_after_the_seeds_page_and_a_second_job_not_at_all(tmp_path: Path, driver: str) -> None:
    with raw_server(PAGES) as server:
        crawl = ["crawl", "--url", server.url("/"), *allowing(server), "--driver", driver]
        ran = archiver(*crawl, cwd=tmp_path)
        assert ran.code == 0, ran.err
        assert server.paths()[:4] == ["/robots.txt", "/", "/s.css", TDMREP]
        assert sorted(server.paths()[4:]) == ["/b", "/c"]
        folder = collection(tmp_path)
        counts = equation(folder, tmp_path)
        assert [counts[name] for name in ("discovered", "fetched", "refused", "failed", "pending")] == [6, 6, 0, 0, 0]
        assert archiver(*crawl, cwd=tmp_path).code == 0
        assert server.paths().count(TDMREP) == 1 and server.paths().count("/b") == 2
    check_collection(folder)
    wanted = {"WARC-Target-URI": server.url(TDMREP), "WARC-Type": "response"}
    (kept,) = [
        record.headers.get("WARC-Record-ID") or ""
        for record in records(folder)
        if all(record.headers.get(name) == value for name, value in wanted.items())
    ]
    rows = ledger_bodies(folder)
    said = [row for row in rows if row["event"] == "signals"]
    assert [row["remembered"] for row in said] == [False, True]
    assert said[0]["record_id"] == said[1]["original"] == kept.strip("<>")
    copied = [record for record in records(folder) if record.headers.get("WARC-Type") == "conversion"]
    copies = {record.headers.get("WARC-Record-ID"): record for record in copied}
    copy = copies[f"<{said[1]['record_id']}>"]
    assert copy.headers.get("WARC-Refers-To") == kept and copy.headers.target.endswith(TDMREP)
    assert [row["url"] for row in rows if row["event"] == "labels"] == [server.url("/")]
    second = [row for row in rows if row["event"] == "visit"][3:]
    assert len(second) == 3 and all(row["usage"]["tdm"]["value"] == "disallow" for row in second)


def test_a_licence_on_another_origin_asks_its_robots_txt_first(tmp_path: Path) -> None:
    with raw_server({"/rsl.xml": respond(LICENCE, content_type="application/rsl+xml")}) as other:
        robots = f"User-agent: *\nDisallow: /x\n\nLicense: {other.url('/rsl.xml')}\n".encode()
        with raw_server(PAGES | {"/robots.txt": respond(robots, content_type="text/plain")}) as server:
            assert archiver("save", server.url("/"), *allowing(server, other), cwd=tmp_path).code == 0
        assert other.paths() == ["/robots.txt", "/rsl.xml"]
        assert min(request.at for request in other.requests) > max(request.at for request in server.requests)
    folder = collection(tmp_path)
    check_collection(folder)
    (late,) = [row for row in ledger_bodies(folder) if row["event"] == "labels"]
    assert {name: label["value"] for name, label in late["usage"].items()} == {
        "tdm": "disallow",
        "ai-train": "disallow",
    }


def test_a_licence_at_a_private_address_is_not_dialled(tmp_path: Path) -> None:
    with raw_server({}) as other:
        robots = f"License: {other.url('/rsl.xml')}\n".encode()
        with raw_server(PAGES | {"/robots.txt": respond(robots, content_type="text/plain")}) as server:
            ran = archiver("save", server.url("/"), *allowing(server), "--require", "complete", cwd=tmp_path)
        assert ran.code == 0, ran.err
        assert other.requests == []
    rows = ledger_bodies(collection(tmp_path))
    (refused,) = [row for row in rows if row["event"] == "decision" and row["url"] == other.url("/rsl.xml")]
    assert (refused["verdict"], refused["reason"], refused["kind"]) == ("refuse", "privateAddress", "signals")


@pytest.mark.parametrize(
    "answer",
    [
        respond(b"", status="500 Oops"),
        respond(b"x" * 5_000_000),
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\nConnection: close\r\n\r\n[",
        Answer(parts=(b"",), abort=True),
        b"no http",
    ],
    ids=["500", "large", "cut", "reset", "garbage"],
)
def test_a_file_that_goes_wrong_is_told_and_changes_nothing_else(tmp_path: Path, answer: bytes | Answer) -> None:
    with raw_server(PAGES | {TDMREP: answer}) as server:
        ran = archiver("save", server.url("/"), *allowing(server), "--json", "--require", "complete", cwd=tmp_path)
        assert ran.code == 0, ran.err
        assert server.paths() == ["/robots.txt", "/", "/s.css", TDMREP]
    (page,) = ran.objects
    assert page["status"] == "archived" and page["completeness"]["verdict"] == "complete"
    check_collection(collection(tmp_path))
    (said,) = [row for row in ledger_bodies(collection(tmp_path)) if row["event"] == "signals"]
    assert said["state"] in ("failed", "unreadable") and said["error"]


def test_a_declared_delay_binds(tmp_path: Path) -> None:
    robots = respond(b"User-agent: *\nCrawl-delay: 1\n", content_type="text/plain")
    with raw_server({"/": PAGES["/b"], TDMREP: PAGES[TDMREP], "/robots.txt": robots}) as server:
        assert archiver("save", server.url("/"), *allowing(server), cwd=tmp_path).code == 0
        page, file = (request.at for request in server.requests if request.path in ("/", TDMREP))
    assert file - page >= 1.0


def test_what_signals_fetch_lists_is_asked_for_too(tmp_path: Path) -> None:
    with raw_server(PAGES | {"/llms.txt": respond(b"# Site", content_type="text/plain")}) as server:
        config = tmp_path / "crawl.yaml"
        config.write_text(
            f"seeds: [{server.url('/b')}]\nscopeType: page\ndriver: pump\ndelay: 0\n"
            f"allowAddresses: ['127.0.0.1:{server.port}']\nsignals: {{fetch: [/llms.txt, /.well-known/gpc.json]}}\n"
        )
        assert archiver("crawl", str(config), cwd=tmp_path).code == 0
        assert server.paths() == ["/robots.txt", "/b", TDMREP, "/llms.txt", "/.well-known/gpc.json"]
    said = {row["url"]: row["state"] for row in ledger_bodies(collection(tmp_path)) if row["event"] == "signals"}
    assert list(said.values()) == ["found", "found", "absent"]


@pytest.mark.parametrize(
    "path", ["llms.txt", "//evil.test/x", "/a?b", "/a#b", "/a b", "/../x", "/robots.txt", "/x\u00e9", "/"]
)
def test_paths_are_checked_when_the_file_is_read(tmp_path: Path, path: str) -> None:
    config = tmp_path / "crawl.yaml"
    config.write_text(f'seeds: ["http://127.0.0.1:9/"]\nsignals:\n  fetch: ["{path}"]\n', "utf-8")
    ran = archiver("crawl", str(config), cwd=tmp_path)
    assert ran.code == 4 and "signals.fetch" in ran.err and ran.err.count("\n") == 1
