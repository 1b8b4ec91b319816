"""Killed while files go up (F-03, F-04): nothing is stored twice under two names, nothing is left out.

Before the nth flush of a thread: the journal of uploads is flushed when a file is listed, and when the store was seen
to hold it; the frontier, indexes and WARCs in between. Before the nth write of a thread: in the middle of a request,
or between two rows.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.raw import RawServer
from tests.servers.seaweed import S3Server, seaweedfs
from tests.system.cli import archiver, collection, ledger_bodies
from tests.system.invariant import Acknowledged, check_invariant
from tests.system.site import site
from tests.system.test_s3 import client, held, local

pytestmark = [pytest.mark.system, pytest.mark.needs("seaweedfs", "strace")]

STEPS = {"fdatasync": range(2, 14), "write": range(20, 260, 24), "unlink": range(1, 3)}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with seaweedfs(tmp_path_factory.mktemp("weed")) as server:
        client(server).create_bucket(Bucket="bucket")
        yield server


def command(server: RawServer, cwd: Path) -> list[str]:
    config = cwd / "crawl.yaml"
    config.write_text("rolloverSize: 30000\nscopeType: host\nstorage: {patience: 60}\n")
    allow = ["--allow-address", f"127.0.0.1:{server.port}", "--delay", "0", "--driver", "pump"]
    return ["crawl", str(config), "--url", server.url("/"), *allow]


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize("call", STEPS)
def test_killed_while_files_go_up(tmp_path: Path, store: S3Server, call: str) -> None:
    reached = 0
    for nth in STEPS[call]:
        prefix, told, torn = f"{call}-{nth}/", Acknowledged(), tmp_path / "torn"
        torn.mkdir()
        env = {**os.environ, **store.environment(f"bucket/{prefix}"), "HOME": str(torn)}
        with site(20) as server:
            arguments = command(server, torn)
            inject = ["-e", f"trace={call}", "-e", "signal=none", "-e", f"inject={call}:signal=KILL:when={nth}"]
            ran = subprocess.run(
                ["strace", "-f", "-qq", "-o", "/dev/null", *inject, sys.executable, "-m", "archiver", *arguments],
                cwd=torn, env=env, capture_output=True, text=True, timeout=100, check=False,
            )  # fmt: skip
            reached += ran.returncode in (-signal.SIGKILL, 128 + signal.SIGKILL)
            told.note(collection(torn))
            if ran.returncode != 0:
                again = archiver(*arguments, cwd=torn, env=env)
                assert again.code == 0, (again.out, again.err)
            check_invariant(collection(torn), told, server)
        # What grows goes up once a minute at most: at the end of the next run, or now.
        assert archiver("upload", cwd=torn, env=env).code == 0
        there = held(store, prefix)
        assert there == local(torn, prefix), f"{call} {nth}"
        stored = {row["uri"] for row in ledger_bodies(collection(torn)) if row["event"] == "stored"}
        assert {f"s3://bucket/{key}" for key in there if key.endswith((".warc.gz", ".warc.gz.cdxj"))} <= stored
        shutil.rmtree(torn)
    assert reached
