"""What a site wrote steers no terminal; streams that are closed, full or left by their reader change no outcome."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hostile.conftest import Save
from tests.servers.raw import Reply, raw_server, respond
from tests.system.cli import archiver, check_collection, collection

pytestmark = pytest.mark.system

ESCAPES = "\x1b]0;owned\x07\x1b[2J\u202e"
SITE: dict[str, Reply] = {
    "/robots.txt": respond(f"User-agent: *\nDisallow: /no{ESCAPES}\n".encode(), content_type="text/plain"),
    "/": respond(f"<title>{ESCAPES}\r\nForged line</title>".encode()),
    "/moved": b"HTTP/1.1 302 F\r\nConnection: close\r\nLocation: x:" + ESCAPES.encode() + b"\r\n\r\n",
    "/status": b"HTTP/1.1 " + ESCAPES.encode() + b"\r\n\r\n",
}  # fmt: skip
FORBIDDEN = "/no%1B]0;owned%07%1B[2J%E2%80%AE"


def is_plain(text: str) -> bool:
    return not any(char in text for char in "\x1b\x07\u202e\r")


@pytest.mark.parametrize(
    "env",
    [
        {"PYTHONIOENCODING": "ascii", "LC_ALL": "C"},
        pytest.param({"LC_ALL": "tr_TR.UTF-8"}, marks=pytest.mark.soak),
    ],
)
def test_no_escape_sequence_comes_through(save: Save, tmp_path: Path, env: dict[str, str]) -> None:
    with raw_server(SITE) as server:
        urls = [server.url(path) for path in ("/", "/moved", FORBIDDEN, "/status")]
        ran = save(*urls, port=server.port, options=(), env=env)
        told = save(*urls, port=server.port, env=env).objects
    assert ran.code == 9 and is_plain(ran.out) and is_plain(ran.err)
    assert [one["status"] for one in told] == ["archived", "archived", "refused", "failed"]
    for url in urls:
        why = archiver("why", url, cwd=tmp_path, env=env)
        assert why.code == 0 and is_plain(why.out)
    assert is_plain(archiver("list", cwd=tmp_path, env=env).out)
    for path in [*collection(tmp_path).glob("logs/*"), *collection(tmp_path).glob("*/*.cdxj")]:
        assert b"\x1b" not in path.read_bytes()


@pytest.mark.parametrize(
    ("tail", "code", "says"),
    [
        (">&-", 30, ""),
        ("2>&-", 30, ""),
        ("<&- >&- 2>&-", 30, ""),
        ("| true", 30, ""),
        ("2>/dev/full", 30, ""),
        (">/dev/full", 3, "No space left"),
    ],
)
def test_streams_as_they_may_be(save: Save, tmp_path: Path, tail: str, code: int, says: str) -> None:
    """The only URL is refused, so that an exit code of our own can be told from anything else's."""
    with raw_server(SITE) as server:
        own = f"--json --delay 0 --allow-address 127.0.0.1:{server.port}"
        line = f"set -o pipefail; {sys.executable} -m archiver save '{server.url(FORBIDDEN)}' {own} {tail}"
        ran = subprocess.run(
            ["bash", "-c", line], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
        )
    assert ran.returncode == code, ran.stderr
    assert says in ran.stderr and "Traceback" not in ran.stderr
    check_collection(collection(tmp_path))


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("blocking", [True, False])
def test_a_long_answer_arrives_whole(save: Save, tmp_path: Path, unbuffered: str, blocking: bool) -> None:
    """Unbuffered, or into a pipe that does not block, Python drops what one write(2) did not take."""
    page = respond(b"".join(b"<img src=/%d>" % number for number in range(2000)))
    reader, writer = os.pipe()
    os.set_blocking(writer, blocking)
    with raw_server({"/": page}) as server, open(reader, "rb") as whole:
        own = ("--json", "--delay", "0", "--allow-address", f"127.0.0.1:{server.port}")
        command = [sys.executable, "-m", "archiver", "save", server.url("/"), *own]
        env = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
        with subprocess.Popen(command, cwd=tmp_path, stdout=writer, stderr=subprocess.DEVNULL, env=env) as process:
            os.close(writer)
            told = json.loads(whole.read())
            assert process.wait(60) == 0
    assert len(told["completeness"]["matter"]) == 1700  # past the limit of 300
