"""Scrapy and the pump are two drivers of one gateway and one frontier: what they leave behind is the same."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.servers.raw import RawServer
from tests.system.cli import archiver, check_collection, collection, ledger_bodies, records
from tests.system.site import answer, site

pytestmark = pytest.mark.system

COMPARED = {
    "seed": ("url",),
    "decision": ("url", "verdict", "reason", "rule", "line", "kind", "via", "path"),
    "outcome": ("url", "status", "http_status", "payload_digest", "access", "reason", "revisit"),
    "discovered": ("url", "verdict", "reason", "rule", "via", "path"),
    "visit": ("url", "status", "reason", "http_status", "final_url", "title", "access", "fetched", "discovered"),
    "end": ("stopped", "counts", "frontier"),
}


def crawled(server: RawServer, folder: Path, driver: str, concurrency: int) -> Path:
    """The collection of a crawl with a state of its own: robots.txt is asked by each."""
    folder.mkdir()
    given = ["--url", server.url("/"), "--allow-address", f"127.0.0.1:{server.port}", "--delay", "0"]
    env = {"XDG_STATE_HOME": str(folder / "state")}
    ran = archiver("crawl", *given, "--driver", driver, "--concurrency", str(concurrency), cwd=folder, env=env)
    assert ran.code == 0, ran.err
    check_collection(collection(folder))
    return collection(folder)


def payloads(folder: Path) -> dict[str, str | None]:
    """URL -> payload digest of what was captured."""
    heads = [record.headers for record in records(folder)]
    return {str(one.target): one.get("WARC-Payload-Digest") for one in heads if one.type in ("response", "revisit")}


def rows(folder: Path) -> dict[str, Counter[str]]:
    """What each kind of row says, without times, places and identifiers."""
    found: dict[str, Counter[str]] = {event: Counter() for event in COMPARED}
    for row in ledger_bodies(folder):
        if row["event"] in COMPARED:
            found[row["event"]][repr([_plain(row.get(name)) for name in COMPARED[row["event"]]])] += 1
    return found


def _plain(value: Any) -> Any:
    return sorted(value.items()) if isinstance(value, dict) else value


def test_one_visit_at_a_time_every_row_is_the_same(tmp_path: Path) -> None:
    with site(24) as server:
        server.answers["/p9"] = answer(b"<title>out</title><a href=http://elsewhere.example/>x</a>")
        pump = crawled(server, tmp_path / "pump", "pump", 1)
        asked = sorted(server.paths())
        server.requests.clear()
        scrapy = crawled(server, tmp_path / "scrapy", "scrapy", 1)
        assert sorted(server.paths()) == asked
    assert len(payloads(pump)) > 50
    assert payloads(scrapy) == payloads(pump)
    ours, theirs = rows(scrapy), rows(pump)
    for event in COMPARED:
        assert ours[event] == theirs[event], event
        assert ours[event], event


def test_many_visits_at_a_time_the_captures_are_the_same(tmp_path: Path) -> None:
    """Which visit fetches a shared image, or follows a redirect, depends on who comes first; what is kept does not."""
    with site(24, pause=0.01) as server:
        pump = crawled(server, tmp_path / "pump", "pump", 8)
        scrapy = crawled(server, tmp_path / "scrapy", "scrapy", 8)
    assert payloads(scrapy) == payloads(pump)
    refused = [Counter(row["url"] for row in ledger_bodies(one) if row.get("reason") == "robotsTxt" and
                       row["event"] == "decision") for one in (pump, scrapy)]  # fmt: skip
    assert set(refused[0]) == set(refused[1]) == {server.url("/p5")}
