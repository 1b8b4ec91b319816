"""SIGKILL at the very step: before the nth rename, fsync, unlink ... of a process, as strace counts them.

What is killed there is the real command; every rename, flush, cut and removal of a run has its number, so that no step
is left to chance: between data and name (`.open`), index and name, ledger row and frontier, salvage half done.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.servers.raw import RawServer
from tests.system.cli import archiver, collection
from tests.system.invariant import Acknowledged, check_invariant, fates_by_path, holdings, listed_by_path
from tests.system.site import site

pytestmark = [pytest.mark.system, pytest.mark.needs("strace")]

PAGES = 12


@dataclass(frozen=True, slots=True)
class Step:
    """Before the `nth` call of `call` in one thread."""

    call: str
    nth: int

    def __str__(self) -> str:
        return f"{self.call}-{self.nth}"


def command(server: RawServer, cwd: Path) -> list[str]:
    config = cwd / "crawl.yaml"
    config.write_text("rolloverSize: 20000\nscopeType: host\n")
    allow = ["--allow-address", f"127.0.0.1:{server.port}", "--delay", "0", "--driver", "pump"]
    return ["crawl", str(config), "--url", server.url("/"), *allow]


def traced(call: str, fault: str, arguments: list[str], cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run under strace, which does something to the process at certain calls."""
    options = [
        "-f",
        "-qq",
        "-e",
        f"trace={call}",
        "-e",
        "signal=none",
        "-o",
        "/dev/null",
        "-e",
        f"inject={call}:{fault}",
    ]
    return subprocess.run(
        ["strace", *options, sys.executable, "-m", "archiver", *arguments],
        cwd=cwd, env={**os.environ, "HOME": str(cwd)}, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=100, check=False,
    )  # fmt: skip


def killed(step: Step, arguments: list[str], cwd: Path) -> bool:
    """Whether the process was killed at that step (it may end before it gets there)."""
    ran = traced(step.call, f"signal=KILL:when={step.nth}", arguments, cwd)
    assert "Traceback" not in ran.stderr, ran.stderr
    assert ran.returncode in (0, -signal.SIGKILL, 128 + signal.SIGKILL), (ran.returncode, ran.stderr)
    return ran.returncode != 0


@dataclass(slots=True)
class Story:
    """A crawl that is killed again and again, beside one that was not."""

    server: RawServer
    torn: Path
    holdings: dict[str, frozenset[str]]
    fates: dict[str, str]
    listed: dict[str, str]
    told: Acknowledged = field(default_factory=Acknowledged)
    over: bool = False

    def kill(self, step: Step) -> bool:
        """Whether the run got to that step; one that did not came to its end."""
        self.over = not killed(step, command(self.server, self.torn), self.torn)
        self.told.note(collection(self.torn))
        return not self.over

    def end(self) -> None:
        """One run more, then the invariant, and the same URLs and payloads as without any kill."""
        if not self.over:
            ran = archiver(*command(self.server, self.torn), cwd=self.torn, env={"HOME": str(self.torn)})
            assert ran.code == 0, ran.err
        check_invariant(collection(self.torn), self.told, self.server)
        assert holdings(collection(self.torn), self.server) == self.holdings
        assert fates_by_path(collection(self.torn), self.server) == self.fates
        assert listed_by_path(collection(self.torn), self.server) == self.listed


@contextmanager
def stories(tmp_path: Path) -> Iterator[Callable[[str], Story]]:
    """`begin(name)`: a story in a folder of its own; what it is compared with is crawled once."""
    with site(PAGES) as server:
        whole = tmp_path / "whole"
        whole.mkdir()
        assert archiver(*command(server, whole), cwd=whole, env={"HOME": str(whole)}).code == 0
        whole = collection(whole)
        found, fates, listed = holdings(whole, server), fates_by_path(whole, server), listed_by_path(whole, server)

        def begin(name: str) -> Story:
            server.requests.clear()
            torn = tmp_path / name
            torn.mkdir()
            return Story(server=server, torn=torn, holdings=found, fates=fates, listed=listed)

        yield begin


def test_killed_at_one_step_after_the_other(tmp_path: Path) -> None:
    """F-02, F-05: between index and name, then in the salvage of that."""
    with stories(tmp_path) as begin:
        story = begin("torn")
        assert story.kill(Step("rename", 2))
        assert len(list(collection(story.torn).rglob("*.open"))) == 1
        assert len(list(collection(story.torn).rglob("*.cdxj"))) == 1
        assert story.kill(Step("rename", 1))
        story.end()


FAILURES = [
    ("fsync", "EIO"), ("pwrite64", "ENOSPC"), ("rename", "EACCES"), ("fdatasync", "EIO"), ("ftruncate", "EIO"),
]  # fmt: skip


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize(("call", "error"), FAILURES)
def test_a_call_fails_from_some_moment_on(tmp_path: Path, call: str, error: str) -> None:
    """A dying disk: one line, exit 3 (or all was done by then), and the same command goes on when it is mended."""
    failed = 0
    with stories(tmp_path) as begin:
        for nth in (1, 2, 3, 5, 8, 13):
            story = begin(str(nth))
            ran = traced(call, f"error={error}:when={nth}+", command(story.server, story.torn), story.torn)
            assert ran.returncode in (0, 3), ran.stderr
            assert "Traceback" not in ran.stderr, ran.stderr
            failed += ran.returncode == 3
            if (collection(story.torn) / "logs").exists():
                story.told.note(collection(story.torn))
            story.end()
            shutil.rmtree(story.torn)
    assert failed


SWEEPS = {
    "rename": range(1, 9), "unlink": range(1, 6), "ftruncate": range(1, 9), "fsync": range(1, 25),
    "fdatasync": range(1, 12), "pwrite64": range(1, 60, 4), "write": range(1, 400, 9),
}  # fmt: skip
"""Calls that change a disk, and which of them in a thread's life."""


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize("call", SWEEPS)
def test_killed_at_every_step(tmp_path: Path, call: str) -> None:
    """Each step alone, and each again in the run that takes up what the first kill left."""
    reached = 0
    with stories(tmp_path) as begin:
        for nth in SWEEPS[call]:
            story = begin(str(nth))
            if not story.kill(Step(call, nth)):
                break
            reached += 1
            story.kill(Step(call, nth // 2 + 1))
            story.end()
            shutil.rmtree(story.torn)
    assert reached > 1
