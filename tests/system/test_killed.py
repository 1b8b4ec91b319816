"""SIGKILL at random instants of a crawl, then the same command again: nothing lost, nothing asked for twice."""

from __future__ import annotations

import json
import os
import random
import time
from pathlib import Path
from typing import Any

import pytest

from tests.servers.raw import RawServer
from tests.system.cli import archiver, check_collection, collection, ledger_bodies, running, warcs, whole_lines
from tests.system.site import asked, site

pytestmark = pytest.mark.system

PAGES = 70


def crawl(server: RawServer, driver: str, config: Path) -> list[str]:
    allow = ["--allow-address", f"127.0.0.1:{server.port}", "--delay", "0"]
    return ["crawl", str(config), "--url", server.url("/"), "--driver", driver, *allow]


def configured(tmp_path: Path) -> Path:
    path = tmp_path / "crawl.yaml"
    path.write_text("rolloverSize: 60000\nscopeType: host\n")
    return path


def disturbed(server: RawServer, command: list[str], cwd: Path, wait: int, pause: float) -> bool:
    """Run until `wait` requests more have come and a moment passed, then kill; whether it still ran."""
    target = len(server.requests) + wait
    with running(*command, cwd=cwd) as process:
        deadline = time.monotonic() + 30
        while process.poll() is None and len(server.requests) < target:
            assert time.monotonic() < deadline, "the crawl stands still"
            time.sleep(0.002)
        time.sleep(pause)
        if process.poll() is not None:
            return False
        process.kill()
    return True


def runs(folder: Path) -> list[list[dict[str, Any]]]:
    """The ledger rows by process: its number ends the names of its files."""
    found: dict[str, list[dict[str, Any]]] = {}
    for path in sorted((folder / "logs").glob("ledger-*.jsonl")):
        rows = [json.loads(json.loads(row)["body"]) for row in whole_lines(path)]
        found.setdefault(path.stem.rpartition("-")[2], []).extend(rows)
    return list(found.values())


def again(server: RawServer, folder: Path) -> None:
    """Every path asked for k times: k - 1 of these stood in visits whose process died before they were complete."""
    count = asked(server.requests)
    unfinished: dict[str, int] = {}
    for rows in runs(folder):
        ended = {row["url"] for row in rows if row["event"] == "visit"}
        for row in rows:
            if row["event"] == "decision" and row["verdict"] == "allow" and row["kind"] != "robots":
                visit = row["initiator"] or row["url"]
                if visit not in ended:
                    path = row["url"].removeprefix(server.origin)
                    unfinished[path] = unfinished.get(path, 0) + 1
    twice = {path: number for path, number in count.items() if number > 1 + unfinished.get(path, 0)}
    assert not twice, f"asked for again though their visit was complete: {twice}"


def kills(tmp_path: Path, driver: str, times: int, seed: int, pages: int) -> None:
    print(f"seed {seed}")
    rng = random.Random(seed)
    config = configured(tmp_path)
    with site(pages) as server:
        whole = tmp_path / "whole"
        whole.mkdir()
        ran = archiver(*crawl(server, "pump", config), cwd=whole)
        assert ran.code == 0, ran.err
        wanted = set(asked(server.requests))
    assert len(wanted) > 2 * pages and "/p5" not in wanted
    torn = tmp_path / "torn"
    torn.mkdir()
    with site(pages, pause=0.004) as server:
        command = crawl(server, driver, config)
        for number in range(times):
            wait = rng.randrange(1, 2 * pages // times)
            if not disturbed(server, command, torn, wait, rng.uniform(0, 0.05)):
                assert number, "it ended before it was killed"
                break  # a crawl that came to its end is not gone on with: the same command begins anew
        else:
            ran = archiver(*command, cwd=torn)
            assert ran.code == 0, ran.err
        assert set(asked(server.requests)) == wanted
        again(server, collection(torn))
        settled = len(server.requests)
        assert archiver("verify", str(collection(torn)), cwd=torn).code == 0
        assert len(server.requests) == settled
    check_collection(collection(torn))
    stored = {row["file"] for row in ledger_bodies(collection(torn)) if row["event"] == "stored"}
    assert {path.name for path in warcs(collection(torn))} <= stored, "each file is stored by some run"
    lines = [line for index in collection(torn).rglob("*.gz.cdxj") for line in index.read_text().splitlines()]
    assert wanted <= {json.loads(line.split(" ", 2)[2])["url"].removeprefix(server.origin) for line in lines}


@pytest.mark.parametrize("driver", ["pump"])
def test_killed_three_times(tmp_path: Path, driver: str) -> None:
    kills(tmp_path, driver, 3, int(os.environ.get("SEED", 0)) or random.randrange(1, 1 << 30), PAGES)


def test_killed_under_scrapy(tmp_path: Path) -> None:
    kills(tmp_path, "scrapy", 1, int(os.environ.get("SEED", 0)) or random.randrange(1, 1 << 30), PAGES)


@pytest.mark.soak
@pytest.mark.parametrize("number", range(3))
def test_killed_ten_times(tmp_path: Path, number: int) -> None:
    kills(tmp_path, "pump", 10, (int(os.environ.get("SEED", 0)) or random.randrange(1, 1 << 30)) + number, 250)
