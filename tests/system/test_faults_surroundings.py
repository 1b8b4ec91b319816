"""What happens around a run: its folder goes away, nobody reads its output, the clock jumps, the locale is another."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.servers.raw import RawServer
from tests.system.cli import archiver, check_collection, collection, ledger_bodies, running, warcs
from tests.system.invariant import Acknowledged, check_invariant, holdings, index_paths
from tests.system.site import asked, site

pytestmark = pytest.mark.system


def crawl(server: RawServer, *options: str) -> list[str]:
    allow = ["--allow-address", f"127.0.0.1:{server.port}", "--delay", "0", "--driver", "pump"]
    return ["crawl", "--url", server.url("/"), "--scope-type", "host", *allow, *options]


SOAK = pytest.mark.soak


@pytest.mark.parametrize("gone", ["archive", pytest.param("logs", marks=SOAK), pytest.param(".", marks=SOAK)])
def test_the_folder_is_removed_while_the_crawl_runs(tmp_path: Path, gone: str) -> None:
    """F-14: it stops asking, says which folder, and a later run begins in a new one."""
    first = threading.Event()
    with site(150, pause=0.02, slow=lambda: not first.is_set() and len(server.requests) > 40) as server:
        with running(*crawl(server), cwd=tmp_path) as process:
            deadline = time.monotonic() + 60
            while len(server.requests) < 20:
                assert process.poll() is None and time.monotonic() < deadline, "the crawl does not begin"
                time.sleep(0.01)
            # away at one moment: a file that is made while others are removed would keep its folder
            away = (collection(tmp_path) / gone).resolve().rename(tmp_path / "away")
            shutil.rmtree(away)
            _, err = process.communicate(timeout=100)
        first.set()
        assert process.returncode == 3, err
        assert "Traceback" not in err, err
        (line,) = (line for line in err.splitlines() if line.startswith("archiver: "))
        assert str(collection(tmp_path)) in line, line
        assert len(asked(server.requests)) < 300, "it went on asking"
        assert archiver(*crawl(server), cwd=tmp_path).code == 0
    check_collection(collection(tmp_path))


@pytest.mark.parametrize(
    "streams",
    [
        "| head -c 1",
        *(pytest.param(more, marks=SOAK) for more in (">/dev/full 2>/dev/full", ">&- 2>&-", "2>&1 | true")),
    ],
)
def test_nobody_reads_what_it_says(tmp_path: Path, streams: str) -> None:
    """F-54: the crawl is whole all the same. F-33: in UTC and in byte order, wherever and in whatever language."""
    with site(10) as server:
        words = " ".join(f"'{word}'" for word in [sys.executable, "-m", "archiver", *crawl(server)])
        env = {**os.environ, "TZ": "Pacific/Kiritimati", "LANG": "tr_TR.UTF-8"}
        subprocess.run(["sh", "-c", f"{words} {streams}"], cwd=tmp_path, env=env, timeout=100, check=False)
        check_invariant(collection(tmp_path), Acknowledged(), server)
    check_times_and_order(collection(tmp_path))


def check_times_and_order(folder: Path) -> None:
    """What is written down is UTC, what is sorted is sorted by bytes."""
    now = datetime.now(UTC)
    stamps = [f"{now - timedelta(minutes=5):%Y%m%d%H%M%S}", f"{now:%Y%m%d%H%M%S}"]
    for path in warcs(folder):
        assert stamps[0] < path.name.split("-")[1][:14] <= stamps[1]
    for path in index_paths(folder):
        lines = path.read_bytes().splitlines()
        assert lines == sorted(lines)
        assert all(stamps[0] < line.split()[1].decode() <= stamps[1] for line in lines)
    first = ledger_bodies(folder)[0]["t"]
    assert first.endswith("Z") and now - datetime.fromisoformat(first) < timedelta(minutes=5)


@SOAK
def test_the_locale_changes_nothing(tmp_path: Path) -> None:
    """F-33: the same keys, in the same order, with the same digests."""
    found = []
    with site(10) as server:
        for number, env in enumerate(({"LC_ALL": "C"}, {"LANG": "tr_TR.UTF-8", "TZ": "Pacific/Kiritimati"})):
            cwd = tmp_path / str(number)
            cwd.mkdir()
            assert archiver(*crawl(server), cwd=cwd, env={**env, "HOME": str(cwd)}).code == 0
            rows = [line.split(" ", 2) for path in index_paths(collection(cwd)) for line in path.open()]
            found.append([(key, json.loads(fields)["digest"]) for key, _, fields in rows])
    assert found[0] == found[1]


JUMP = """
import itertools
from datetime import timedelta
from archiver import clock
asked = itertools.count()
def ahead():
    return {by} if next(asked) > 200 else 0
real_now, real_epoch = clock.SystemClock.now, clock.SystemClock.epoch
clock.SystemClock.now = lambda self: real_now(self) + timedelta(seconds=ahead())
clock.SystemClock.epoch = lambda self: real_epoch(self) + ahead()
"""


@SOAK
@pytest.mark.parametrize("by", [365 * 86400, -3600], ids=["year-ahead", "hour-back"])
def test_the_clock_jumps_while_the_crawl_runs(tmp_path: Path, by: int) -> None:
    """F-30, F-31: nothing times out, nothing is asked for twice, names stay unique, the chain holds; and once more."""
    (tmp_path / "sitecustomize.py").write_text(JUMP.format(by=by))
    python_path = f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}"
    with site(40, pause=0.02) as server:
        ran = archiver(*crawl(server, "--json"), cwd=tmp_path, env={"PYTHONPATH": python_path})
        assert ran.code == 0, ran.err
        moments = [datetime.fromisoformat(row["t"]) for row in ledger_bodies(collection(tmp_path))]
        assert max(moments) - min(moments) > timedelta(minutes=50), "the clock did not jump"
        check_invariant(collection(tmp_path), Acknowledged(), server)
        before = holdings(collection(tmp_path), server)
        assert archiver(*crawl(server), cwd=tmp_path).code == 0
        assert holdings(collection(tmp_path), server) == before
    check_collection(collection(tmp_path))
