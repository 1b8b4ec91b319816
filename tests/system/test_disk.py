"""No room, no permission, no descriptors: one line, the documented code, and the same command goes on later."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.servers.raw import raw_server, respond
from tests.system.cli import Ran, archiver, check_collection, collection
from tests.system.invariant import Acknowledged, check_invariant
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


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[Path]:
    """A file system of its own, as small as the options say."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


FULL = {
    "in-a-record": ("size=2m", ""),  # one file that grows until nothing more fits
    "at-rollover": ("size=2m", "rolloverSize: 150000\n"),  # many, with indexes and ledger segments between them
    "no-inodes": ("size=100m,nr_inodes=55", "rolloverSize: 150000\n"),
    "in-the-first-moment": ("size=200k", ""),
}


@pytest.mark.needs("mount")
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name == "at-rollover" else pytest.mark.soak) for name in FULL]
)
def test_a_full_disk(tmp_path: Path, name: str) -> None:
    """F-10 to F-12: everything is on it, the host budget and other databases too. With more room it goes on."""
    options, config = FULL[name]
    told = Acknowledged()
    # 3 MB in all: the second run has no room either, though the file that the first one could not end is cut by then
    with site(70, size=60_000) as server, mounted(tmp_path / "small", options) as disk:
        (tmp_path / "c.yaml").write_text(f"scopeType: host\n{config}")
        allow = ["--allow-address", f"127.0.0.1:{server.port}", "--delay", "0", "--driver", "pump"]
        command = ["crawl", str(tmp_path / "c.yaml"), "--url", server.url("/"), *allow, "--out", str(disk / "crawls")]
        env = {"HOME": str(disk)}
        ended = archiver(*command, cwd=tmp_path, env=env)
        check_one_line(ended, disk)
        folder = disk / "crawls" / "collections" / "main"
        listed = archiver("list", "--out", str(disk / "crawls"), cwd=tmp_path, env=env)
        assert listed.code == 0 and "Traceback" not in listed.err, listed.err
        if (folder / "logs").exists():
            told.note(folder)
        check_one_line(archiver(*command, cwd=tmp_path, env=env), disk)  # as long as there is no room
        subprocess.run(["mount", "-o", "remount,size=200m,nr_inodes=10000", str(disk)], check=True)
        again = archiver(*command, cwd=tmp_path, env=env)
        assert again.code == 0, again.err
        check_invariant(folder, told, server)


def check_one_line(ran: Ran, disk: Path) -> None:
    """It says in one line where there is no room, how much there is, how much is needed."""
    assert ran.code == 3, (ran.code, ran.out, ran.err)
    assert "Traceback" not in ran.err, ran.err
    (line,) = (line for line in ran.err.splitlines() if line.startswith("archiver: "))
    assert str(disk) in line and "free" in line, line


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
    ran = subprocess.run([*powerless, *command], cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False)
    assert ran.returncode == 3, ran.stderr
    assert str(closed) in ran.stderr and "cannot be written" in ran.stderr and ran.stderr.count("\n") == 1
    assert list(closed.iterdir()) == []
