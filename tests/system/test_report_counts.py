"""discovered = fetched + refused + failed + pending, URL by URL, against what a small site is known to hold."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.servers.raw import Answer, RawServer, Reply, raw_server
from tests.system.cli import archiver, collection, ended, ledger_bodies, running
from tests.system.site import PNG, answer, site

pytestmark = pytest.mark.system

OUT, GONE = "http://elsewhere.example/", "http://gone.example/x"
DRIVERS = ["pump", "scrapy"]


def found(location: str) -> Answer:
    return answer(b"", status="302 Found", headers=f"Location: {location}\r\n")


def page(*links: str, needs: tuple[str, ...] = ()) -> Answer:
    body = "<!doctype html><title>t</title>" + "".join(f"<a href='{link}'>x</a>" for link in links)
    return answer((body + "".join(f"<img src='{image}'>" for image in needs)).encode())


def story() -> dict[str, Reply]:
    """Redirects in and out of scope, shared and refused requisites, repeated links, failing URLs, a circle."""
    return {
        "/robots.txt": answer(b"User-agent: *\nDisallow: /no\n", "text/plain"),
        "/": page(
            "/a", "/b", "/a", "/moved", "/away", "/no/page", "/dead", "/missing", "/circle", OUT, "mailto:a@b.example",
            needs=("/one.png", "/no/two.png", "/hop.png", "/dead.png", "http://127.0.0.2:9/far.png"),
        ),
        "/a": page("/", "/b", "/c", "/a", OUT, needs=("/one.png", "/no/two.png")),
        "/b": page("/a", "/moved", needs=("/one.png", "/three.png")),
        "/c": page("/a"),
        "/moved": found("/c?again"),
        "/c?again": page("/a"),
        "/away": found(GONE),
        "/circle": found("/circle"),
        "/dead": Answer(parts=(), abort=True),
        "/dead.png": Answer(parts=(), abort=True),
        "/one.png": answer(PNG, "image/png"),
        "/three.png": answer(PNG + b"3", "image/png"),
        "/hop.png": found("/four.png"),
        "/four.png": answer(PNG + b"4", "image/png"),
    }  # fmt: skip


FATES = {
    "fetched": {
        "/robots.txt", "/", "/a", "/b", "/c", "/moved", "/c?again", "/away", "/circle", "/missing", "/one.png",
        "/three.png", "/hop.png", "/four.png",
    },
    "refused": {"/no/page", "/no/two.png", "http://127.0.0.2:9/far.png", OUT, GONE},
    "failed": {"/dead", "/dead.png"},
    "pending": set(),
}  # fmt: skip


def crawl(server: RawServer, driver: str, *more: str) -> list[str]:
    allow = ("--allow-address", f"127.0.0.1:{server.port}", "--delay", "0")
    return ["crawl", "--url", server.url("/"), "--scope-type", "host", "--driver", driver, *allow, *more]


def reported(cwd: Path) -> tuple[dict[str, Any], dict[str, set[str]], list[dict[str, str]]]:
    """The newest job's JSON, its URLs by state, and the lines of the list. The count holds, or this fails."""
    ran = archiver("report", cwd=cwd)
    assert ran.code == 0, ran.out + ran.err
    reports = collection(cwd) / "reports"
    newest = max(reports.glob("report-*.json"), key=lambda path: path.stat().st_mtime_ns)
    data: dict[str, Any] = json.loads(newest.read_text("utf-8"))
    with (reports / f"urls-{data['job'][:8]}.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == len({line["url"] for line in lines})
    fates: dict[str, set[str]] = {state: set() for state in FATES}
    for line in lines:
        if "/.well-known/" not in line["url"]:  # whether a site is asked for such files is another's affair
            fates[line["state"]].add(line["url"])
    counted = Counter(line["state"] for line in lines)
    assert data["counts"] == {"discovered": len(lines), **{state: counted[state] for state in FATES}}
    assert data["faults"] == [] and data["rows"] > len(lines)
    return data, fates, lines


def absolute(server: RawServer, paths: set[str]) -> set[str]:
    return {server.url(path) if path.startswith("/") else path for path in paths}


@pytest.mark.parametrize("driver", DRIVERS)
def test_every_url_of_a_site_has_the_fate_it_had(tmp_path: Path, driver: str) -> None:
    with raw_server(story()) as server:
        assert archiver(*crawl(server, driver), cwd=tmp_path).code == 0
        data, fates, lines = reported(tmp_path)
        assert fates == {state: absolute(server, paths) for state, paths in FATES.items()}
        reasons = {line["url"]: line["reason"] for line in lines}
        assert reasons[server.url("/no/two.png")] == reasons[server.url("/no/page")] == "robotsTxt"
        assert reasons[OUT] == reasons[GONE] == "outOfScope"
        asked = Counter(server.paths())
        for line in lines:  # a kept connection that is reset is tried once more by the client itself: one request
            path = line["url"].removeprefix(server.origin)
            assert int(line["asked"]) == asked[path] or (path in ("/dead", "/dead.png") and asked[path]), path
        assert asked["/one.png"] == 1, "shared by three pages"
    visits = [body for body in ledger_bodies(collection(tmp_path)) if body["event"] == "visit"]
    links = {"/": 9, "/a": 5, "/b": 2, "/c": 1}  # each page's distinct ones
    counted = {body["url"].removeprefix(server.origin): body["discovered"] + body["repeats"] for body in visits}
    assert {path: counted[path] for path in links} == links
    assert data["repeats"] == sum(body["repeats"] for body in visits) > 5


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_page_limit_leaves_the_rest_pending(tmp_path: Path, driver: str) -> None:
    with raw_server(story()) as server:
        archiver(*crawl(server, driver, "--limit", "1"), cwd=tmp_path)
        _, fates, lines = reported(tmp_path)
        everything = absolute(server, set().union(*FATES.values()))
        assert set().union(*fates.values()) <= everything
        waiting = absolute(server, {"/a", "/b", "/moved", "/away", "/no/page", "/dead", "/missing", "/circle"})
        assert fates["pending"] == waiting
        assert {line["reason"] for line in lines if line["state"] == "pending"} == {"pageLimit"}


def stopped(
    server: RawServer, limit: list[int], command: list[str], cwd: Path, how: signal.Signals, after: int
) -> None:
    """Stopped once `after` requests came. Until then the site gives no bodies beyond `limit` requests."""
    limit[0] = after + 8
    with running(*command, cwd=cwd) as process:
        deadline = time.monotonic() + 100
        while len(server.requests) < after:
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.002)
        process.send_signal(how)
        limit[0] = 1 << 30
        try:
            ended(process)
        except subprocess.TimeoutExpired:
            pytest.fail("it does not stop")


@pytest.mark.parametrize(
    ("how", "driver"),
    [
        pytest.param(signal.SIGINT, "pump", id="interrupted-pump"),
        pytest.param(signal.SIGKILL, "scrapy", id="killed-scrapy"),
        pytest.param(signal.SIGINT, "scrapy", id="interrupted-scrapy", marks=pytest.mark.soak),
        pytest.param(signal.SIGKILL, "pump", id="killed-pump", marks=pytest.mark.soak),
    ],
)
def test_stopped_and_gone_on_with(tmp_path: Path, driver: str, how: signal.Signals) -> None:
    """After the stop all that was seen is told, nothing more; after the second run the fates are those of one run."""
    limit = [1 << 30]
    with site(40, pause=0.004, held=lambda: len(server.requests) > limit[0]) as server:
        whole, torn = tmp_path / "whole", tmp_path / "torn"
        whole.mkdir()
        assert archiver(*crawl(server, "pump"), cwd=whole).code == 0
        _, wanted, _ = reported(whole)
        torn.mkdir()
        stopped(server, limit, crawl(server, driver), torn, how, len(server.requests) + 30)
        _, fates, _ = reported(torn)
        assert fates["pending"], "the links of the pages that were visited wait"
        assert set().union(*fates.values()) < set().union(*wanted.values())
        assert archiver(*crawl(server, driver), cwd=torn).code == 0
        _, fates, _ = reported(torn)
    assert fates == wanted


@pytest.mark.parametrize("driver", DRIVERS)
def test_a_server_that_dies_midway(tmp_path: Path, driver: str) -> None:
    """What it named and never gave is failed or pending; nothing vanishes. The operator stops the run in the end."""
    dead: list[bool] = []
    slow = site(40, pause=0.01, held=lambda: not dead and len(server.requests) > 32)
    with slow as server, running(*crawl(server, driver), cwd=tmp_path) as process:
        deadline = time.monotonic() + 100
        while len(server.requests) < 25:
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.002)
        served = {path for path in server.paths() if "/.well-known/" not in path}
        server.answers |= {path: Answer(parts=(), abort=True) for path in server.answers}
        dead.append(True)
        died = len(server.requests)
        while process.poll() is None and len(server.requests) < died + 10 and time.monotonic() < deadline:
            time.sleep(0.01)
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            ended(process)
    _, fates, _ = reported(tmp_path)
    everything = {url.removeprefix(server.origin) for urls in fates.values() for url in urls}
    assert served <= everything
    assert fates["failed"] | fates["pending"]
    assert len(fates["fetched"]) >= 10
