"""Too few files or threads: told in one line before anything is asked of a site (F-47)."""

from __future__ import annotations

import resource
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from archiver.errors import LimitError
from archiver.wiring import limits

SHOW = "from archiver.wiring.limits import check_limits; check_limits(); import resource; " + (
    "print(*resource.getrlimit(resource.RLIMIT_NOFILE))"
)


def test_the_soft_limit_of_files_is_raised() -> None:
    command = ["prlimit", "--nofile=50:1000", sys.executable, "-c", SHOW]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == "1000 1000"


def test_too_few_files(tmp_path: Path) -> None:
    command = ["prlimit", "--nofile=30", sys.executable, "-m", "archiver", "save", "http://127.0.0.1:9/"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 3
    assert ran.stderr == "archiver: 30 files may be open at a time, 40 are needed; raise the limit (ulimit -n)\n"
    assert not (tmp_path / "crawls").exists()


def test_too_few_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    real, started = threading.Thread.start, 0

    def start(thread: threading.Thread) -> None:
        nonlocal started
        started += 1
        if started > 5:
            raise RuntimeError("can't start new thread")  # what CPython says of EAGAIN
        real(thread)

    before = threading.active_count()
    monkeypatch.setattr(threading.Thread, "start", start)
    with pytest.raises(LimitError, match="5 threads more may be started, 24 are needed"):
        limits.check_limits()
    assert threading.active_count() == before


def test_all_is_well_here() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        limits.check_limits()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_under_scrapy_it_is_one_line_too(tmp_path: Path) -> None:
    command = ["prlimit", "--nofile=30", sys.executable, "-m", "archiver", "crawl", "--url", "http://127.0.0.1:9/"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 3
    assert ran.stderr == "archiver: 30 files may be open at a time, 40 are needed; raise the limit (ulimit -n)\n"
