"""No room, no permission, no descriptors: one line, the documented code, and the same command goes on later."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.raw import raw_server, respond
from tests.system.cli import archiver, check_collection, collection
from tests.system.site import asked, site

pytestmark = pytest.mark.system


def crawl(port: int, *options: str) -> list[str]:
    allow = ["--allow-address", f"127.0.0.1:{port}", "--delay", "0", "--driver", "pump"]
    return ["crawl", "--url", f"http://127.0.0.1:{port}/", "--scope-type", "host", *allow, *options]


def limited(arguments: list[str], cwd: Path, limit: int, value: int) -> subprocess.CompletedProcess[str]:
    """A run under a resource limit."""
    name = {resource.RLIMIT_FSIZE: "fsize", resource.RLIMIT_NOFILE: "nofile"}[limit]
    command = ["prlimit", f"--{name}={value}", sys.executable, "-m", "archiver", *arguments]
    return subprocess.run(
        command, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=100, check=False
    )


def test_a_file_size_limit_ends_the_crawl_and_it_goes_on_without(tmp_path: Path) -> None:
    with site(40, size=60_000) as server:
        ended = limited(crawl(server.port), tmp_path, resource.RLIMIT_FSIZE, 700_000)
        assert ended.returncode == 3, ended.stderr
        (line,) = (line for line in ended.stderr.splitlines() if line.startswith("archiver: "))
        assert str(collection(tmp_path)) in line and "free" in line, line
        assert "Traceback" not in ended.stderr
        before = set(asked(server.requests))
        again = archiver(*crawl(server.port), cwd=tmp_path)
        assert again.code == 0, again.err
        after = asked(server.requests)
    assert before < set(after)
    check_collection(collection(tmp_path))


@pytest.mark.parametrize("size", [400_000, 6_000_000])
def test_a_record_that_does_not_fit_is_named_with_what_it_needs(tmp_path: Path, size: int) -> None:
    """The larger body does not even fit where it is spooled."""
    with raw_server({"/": respond(os.urandom(size), content_type="application/octet-stream")}) as server:
        arguments = ["save", server.url("/"), "--allow-address", f"127.0.0.1:{server.port}", "--delay", "0"]
        ended = limited(arguments, tmp_path, resource.RLIMIT_FSIZE, 300_000)
        assert ended.returncode == 3, ended.stderr
        (line,) = ended.stderr.splitlines()
        assert line.startswith("archiver: ") and str(collection(tmp_path)) in line, line
        assert "free" in line and "need" in line, line
        assert archiver(*arguments, cwd=tmp_path).code == 0
    check_collection(collection(tmp_path))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 3 MB."""
    if os.geteuid() != 0:
        pytest.skip("a file system of its own needs root; the file size limit covers the same path")
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)]
    mounted = subprocess.run(mount, capture_output=True, check=False)
    if mounted.returncode != 0:
        pytest.skip(f"this root may not mount: {mounted.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.soak
def test_a_full_disk(small_disk: Path, tmp_path: Path) -> None:
    with site(60, size=60_000) as server:
        out = ["--out", str(small_disk / "crawls")]
        ended = archiver(*crawl(server.port, *out), cwd=tmp_path)
        assert ended.code in (3, 16), ended.err
        assert "Traceback" not in ended.err
        subprocess.run(["mount", "-o", "remount,size=100m", str(small_disk)], check=True)
        again = archiver(*crawl(server.port, *out), cwd=tmp_path)
        assert again.code == 0, again.err
    check_collection(small_disk / "crawls" / "collections" / "main")


def test_few_descriptors(tmp_path: Path) -> None:
    with site(40) as server:
        ended = limited(crawl(server.port), tmp_path, resource.RLIMIT_NOFILE, 40)
        assert "Traceback" not in ended.stderr, ended.stderr
        assert ended.returncode in (0, 1, 3, 9), ended.stderr
        again = archiver(*crawl(server.port), cwd=tmp_path)
        assert again.code in (0, 9), again.err
    check_collection(collection(tmp_path))


def test_a_folder_that_may_not_be_written(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o555)
    # root without the right to write everywhere, or whoever we are
    powerless = ["setpriv", "--bounding-set", "-dac_override"] if os.geteuid() == 0 else []
    command = [sys.executable, "-m", "archiver", "save", "http://127.0.0.1:9/", "--out", str(closed / "crawls")]
    ran = subprocess.run([*powerless, *command], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 3, ran.stderr
    assert str(closed) in ran.stderr and "cannot be written" in ran.stderr and ran.stderr.count("\n") == 1
    assert list(closed.iterdir()) == []
