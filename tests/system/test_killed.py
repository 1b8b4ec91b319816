"""SIGKILL at random instants of a crawl, then the same command again: nothing lost, nothing asked for twice."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import pytest

from tests.servers.raw import NOT_FOUND, Answer, RawServer
from tests.system.cli import archiver, collection, ledger_bodies, running, warcs
from tests.system.invariant import Acknowledged, check_invariant, fates_by_path, holdings, listed_by_path
from tests.system.site import asked, site

pytestmark = pytest.mark.system

PAGES = 50


def crawl(server: RawServer, driver: str, config: Path) -> list[str]:
    allow = ["--allow-address", f"127.0.0.1:{server.port}", "--delay", "0"]
    return ["crawl", str(config), "--url", server.url("/"), "--driver", driver, *allow]


def configured(tmp_path: Path) -> Path:
    path = tmp_path / "crawl.yaml"
    path.write_text("rolloverSize: 60000\nscopeType: host\n")
    return path


FREE = 1 << 30
STATEMENT = "/.well-known/tdmrep.json"


def disturbed(server: RawServer, limit: list[int], command: list[str], cwd: Path, wait: int, pause: float) -> bool:
    """Run until `wait` requests more have come and a moment passed, then kill; whether it still ran.

    The site gives no bodies beyond `limit` requests: the run cannot come to its end in that moment.
    """
    target = len(server.requests) + wait
    limit[0] = target + 12
    with running(*command, cwd=cwd, env={"HOME": str(cwd)}) as process:
        deadline = time.monotonic() + 100
        while process.poll() is None and len(server.requests) < target:
            assert time.monotonic() < deadline, "the crawl stands still"
            time.sleep(0.002)
        time.sleep(pause)
        if process.poll() is not None:
            assert process.returncode == 0, process.communicate()[1]
            return False
        process.kill()
        process.wait()
    limit[0] = FREE
    return True


def outcome(folder: Path, server: RawServer) -> tuple[object, ...]:
    return holdings(folder, server), fates_by_path(folder, server), listed_by_path(folder, server)


def kills(tmp_path: Path, driver: str, times: int, seed: int, pages: int) -> None:
    """The same crawl twice, one of them killed again and again: afterwards nothing tells them apart."""
    print(f"seed {seed}")
    rng = random.Random(seed)
    config = configured(tmp_path)
    whole, torn = tmp_path / "whole", tmp_path / "torn"
    whole.mkdir()
    torn.mkdir()
    told = Acknowledged()
    with site(pages) as server:
        ran = archiver(*crawl(server, "pump", config), cwd=whole, env={"HOME": str(whole)})
        assert ran.code == 0, ran.err
        wanted = set(asked(server.requests))
        assert len(wanted) > 2 * pages and "/p5" not in wanted
        expected = outcome(collection(whole), server)
    limit = [FREE]
    with site(pages, pause=0.004, held=lambda: len(server.requests) > limit[0]) as server:
        command = crawl(server, driver, config)
        for number in range(times):
            wait = rng.randrange(1, max(2, 2 * pages // times))
            if not disturbed(server, limit, command, torn, wait, rng.uniform(0, 0.05)):
                assert number, "it ended before it was killed"
                break  # a crawl that came to its end is not gone on with: the same command begins anew
            told.note(collection(torn))
        else:
            ran = archiver(*command, cwd=torn, env={"HOME": str(torn)})
            assert ran.code == 0, ran.err
        assert set(asked(server.requests)) == wanted
        settled = len(server.requests)
        assert archiver("verify", str(collection(torn)), cwd=torn).code == 0
        assert len(server.requests) == settled
        check_invariant(collection(torn), told, server)
        for found, wished in zip(outcome(collection(torn), server), expected, strict=True):
            assert found == wished
    stored = {row["file"] for row in ledger_bodies(collection(torn)) if row["event"] == "stored"}
    assert {path.name for path in warcs(collection(torn))} <= stored, "each file is stored by some run"


@pytest.mark.parametrize("driver", ["pump"])
def test_killed_three_times(tmp_path: Path, driver: str) -> None:
    kills(tmp_path, driver, 3, int(os.environ.get("SEED", 0)) or random.randrange(1, 1 << 30), PAGES)


def test_killed_under_scrapy(tmp_path: Path) -> None:
    kills(tmp_path, "scrapy", 1, int(os.environ.get("SEED", 0)) or random.randrange(1, 1 << 30), PAGES)


def test_killed_while_a_statement_is_asked_for(tmp_path: Path) -> None:
    """What says how a site may be used is asked for when its page's visit is told of: once more, and nothing else."""
    told, holding = Acknowledged(), [True]
    with site(5) as server:
        server.answers[STATEMENT] = Answer(parts=(b"", NOT_FOUND), held=lambda: holding[0])
        command = crawl(server, "pump", configured(tmp_path))
        with running(*command, cwd=tmp_path) as process:
            deadline = time.monotonic() + 100
            while STATEMENT not in server.paths() or not visited(tmp_path, server.url("/")):
                assert process.poll() is None and time.monotonic() < deadline, "it is not asked for"
                time.sleep(0.01)
            process.kill()
        holding[0] = False
        told.note(collection(tmp_path))
        assert archiver(*command, cwd=tmp_path).code == 0
        assert asked(server.requests)[STATEMENT] == 2
        check_invariant(collection(tmp_path), told, server)


def visited(cwd: Path, url: str) -> bool:
    return any(row["event"] == "visit" and row["url"] == url for row in ledger_bodies(collection(cwd)))


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_killed_fifty_times(tmp_path: Path) -> None:
    kills(tmp_path, "pump", 50, int(os.environ.get("SEED", 0)) or random.randrange(1, 1 << 30), 500)
