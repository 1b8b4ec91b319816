"""`archiver replay` as a process: its errors in one line, and no pywb left behind whatever ends it."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.replay.conftest import command
from tests.replay.samples import dial, made, places, save
from tests.servers.process import listening

pytestmark = [pytest.mark.system, pytest.mark.replay, pytest.mark.needs("pywb")]


def wait_for(what: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in text.split()]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def started(out: Path, *more: str, **env: str) -> subprocess.Popen[str]:
    arguments = command(out, *more)
    return subprocess.Popen(
        arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **env}
    )


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("small")
    save(places(out), [made("/", b"here")])
    return out


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_pywb_ends_with_its_parent(small: Path, tmp_path: Path, how: signal.Signals) -> None:
    process = started(small, TMPDIR=str(tmp_path))
    assert process.stdout is not None
    line = process.stdout.readline()
    port = int(line.split(":")[3].split("/")[0])
    assert dial(port, "/main/id_/http://site.test/").body == b"here"
    (pywb,) = children(process.pid)
    process.send_signal(how)
    process.communicate(timeout=90)
    assert process.returncode == (-signal.SIGKILL if how is signal.SIGKILL else 0)
    wait_for(lambda: not alive(pywb))
    assert not listening(port)
    if how is not signal.SIGKILL:
        assert list(tmp_path.glob("archiver-replay-*")) == []


def test_a_visitor_who_is_still_reading_does_not_hold_up_the_end(tmp_path: Path) -> None:
    save(places(tmp_path, "big"), [made("/big", b"x" * (64 << 20))])
    process = started(tmp_path, "big")
    assert process.stdout is not None
    port = int(process.stdout.readline().split(":")[3].split("/")[0])
    with socket.create_connection(("127.0.0.1", port)) as reading:
        reading.sendall(
            f"GET /big/id_/http://site.test/big HTTP/1.1\r\nHost: big.replay.localhost:{port}\r\n\r\n".encode()
        )
        assert reading.recv(100).startswith(b"HTTP/1.1 200")
        process.terminate()
        process.communicate(timeout=60)
    assert process.returncode == 0


def test_a_signal_while_pywb_is_starting_ends_both(small: Path) -> None:
    process = started(small)
    wait_for(lambda: bool(children(process.pid)))
    (pywb,) = children(process.pid)
    process.terminate()
    out, _ = process.communicate(timeout=90)
    assert (process.returncode, out) == (0, "")
    wait_for(lambda: not alive(pywb))


def test_when_pywb_dies_the_command_says_so_and_ends(small: Path) -> None:
    process = started(small)
    assert process.stdout is not None
    process.stdout.readline()
    (pywb,) = children(process.pid)
    os.kill(pywb, signal.SIGKILL)
    _, errors = process.communicate(timeout=90)
    assert process.returncode == 1
    assert errors.splitlines()[-1].startswith("archiver: pywb ended by itself: ")


def fails(out: Path, *more: str, **env: str) -> tuple[int, str]:
    """(exit code, the one line on stderr)."""
    process = started(out, *more, **env)
    said, errors = process.communicate(timeout=90)
    assert said == "" and errors.count("\n") == 1, errors
    return process.returncode, errors.strip()


def test_a_port_that_is_taken(small: Path) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        code, line = fails(small, "--port", str(port))
    assert code == 2 and line.startswith(f"archiver: --port: {port} cannot be used (Address already in use)")


@pytest.mark.parametrize("port", ["70000", "-1", "web"])
def test_no_port(small: Path, port: str) -> None:
    code, line = fails(small, f"--port={port}")
    assert code == 2 and "--port" in line and port in line


def test_no_such_collection(small: Path) -> None:
    assert fails(small, "nothing") == (2, "archiver: no collection 'nothing'; there are: main")


def test_an_empty_folder(tmp_path: Path) -> None:
    code, line = fails(tmp_path)
    assert code == 2 and "nothing was archived in" in line


def test_no_pywb(small: Path) -> None:
    code, line = fails(small, ARCHIVER_PYWB="/nowhere/wayback")
    assert code == 1 and line.startswith("archiver: pywb is not installed; `make setup` installs it")


def test_a_pywb_that_does_not_start(small: Path, tmp_path: Path) -> None:
    broken = tmp_path / "wayback"
    broken.write_text("#!/bin/sh\necho first\necho 'ImportError: no module' >&2\nexit 3\n")
    broken.chmod(0o755)
    code, line = fails(small, ARCHIVER_PYWB=str(broken))
    assert code == 1
    assert line == "archiver: pywb did not start: ImportError: no module; try `make setup` again"
