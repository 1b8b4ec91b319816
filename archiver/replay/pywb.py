"""Runs pywb as a child process in its own environment."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import socket
import sys
from collections import deque
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

from archiver.errors import ArchiverError
from archiver.replay.layout import Bucket
from archiver.replay.upstream import UpstreamFault, ask

START_SECONDS = 60.0
STOP_SECONDS = 5.0
_ATTEMPTS = 3

_SHIM = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)
if os.getppid() != int(sys.argv[1]):
    sys.exit("the parent is gone")
os.execv(sys.argv[2], sys.argv[2:])
"""
"""PR_SET_PDEATHSIG (prctl(2), kept across execve): the kernel ends pywb with us, even when we are killed. Set in the
child by a program of its own, as nothing but execve may run between fork and exec in a process with threads."""


def find_pywb(environ: Mapping[str, str]) -> Path | None:
    """`ARCHIVER_PYWB` and nothing else where it is set; else `.venv-pywb` beside our own environment, else the PATH."""
    named = environ.get("ARCHIVER_PYWB")
    if named:
        return Path(named).absolute() if os.access(named, os.X_OK) else None
    beside = Path(sys.prefix).parent / ".venv-pywb" / "bin" / "wayback"
    for candidate in (str(beside), shutil.which("wayback", path=environ.get("PATH"))):
        if candidate and os.access(candidate, os.X_OK):
            return Path(candidate).absolute()
    return None


class ReplayError(ArchiverError):
    """pywb is missing, did not start or ended by itself; carries its own last line."""


class Pywb:
    """A running pywb: its loopback port, and a wait for its end."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self.port = port
        self.process = process
        self._said: deque[str] = deque(maxlen=20)

    @property
    def last_line(self) -> str:
        """What it said last; an exception's text, when it failed."""
        return next((line for line in reversed(self._said) if line.strip()), "it said nothing")

    def was_beaten_to_its_port(self) -> bool:
        """Between our choice of the port and its bind, somebody else took it."""
        return any("Address already in use" in line for line in self._said)

    async def listen(self) -> None:
        """Read what it says until it ends: a pipe that nobody empties would stop it. The last lines are kept."""
        assert self.process.stdout is not None
        while line := await _line(self.process.stdout):
            self._said.append(line.decode("utf-8", "replace").rstrip())

    async def ended(self) -> NoReturn:
        """Waits until it ends by itself. Raises ReplayError."""
        await self.process.wait()
        raise ReplayError(f"pywb ended by itself: {self.last_line}")


@contextlib.asynccontextmanager
async def running(
    program: Path,
    config: Mapping[str, Any],
    environ: Mapping[str, str],
    folder: Path,
    bucket: Bucket | None = None,
) -> AsyncIterator[Pywb]:
    """pywb in `folder`, on a free loopback port, until the block ends; the kernel ends it when this process dies.

    To be used from the main thread. Raises ReplayError when it does not come up within a minute.
    """
    more = {} if bucket is None else _for_bucket(bucket, folder)
    # JSON is YAML; pywb reads it as such.
    (folder / "config.yaml").write_text(json.dumps(config, indent=1), encoding="utf-8")
    name = next(iter(config["collections"]))
    for attempt in range(_ATTEMPTS):
        pywb = await _start(program, {**_environment(environ, folder), **more}, folder)
        listening = asyncio.create_task(pywb.listen())  # noqa: TID251 - awaited below; a group would wrap our errors
        try:
            is_up = await _is_up(pywb, name)
            if is_up:
                yield pywb
                return
        finally:
            await _end(pywb.process)
            await listening
        if attempt + 1 == _ATTEMPTS or not pywb.was_beaten_to_its_port():
            raise ReplayError(f"pywb did not start: {pywb.last_line}; try `make setup` again")


async def _start(program: Path, environ: Mapping[str, str], folder: Path) -> Pywb:
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-S", "-c", _SHIM, str(os.getpid()),
        str(program), "--bind", "127.0.0.1", "--port", str(port), "--directory", str(folder),
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        env=environ, cwd=folder, start_new_session=True,
    )  # fmt: skip
    return Pywb(process, port)


def free_port() -> int:
    """A loopback port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _environment(environ: Mapping[str, str], folder: Path) -> dict[str, str]:
    """What pywb needs and no more: no proxy, no credentials, and a home without a ~/.netrc."""
    kept = {name: environ[name] for name in ("PATH", "LANG", "LC_ALL") if name in environ}
    return {**kept, "HOME": str(folder), "TMPDIR": str(folder), "PYTHONUNBUFFERED": "1"}


def _for_bucket(bucket: Bucket, folder: Path) -> dict[str, str]:
    """What pywb's S3 client is told: in its environment, where no other user sees it, and on no command line."""
    path = folder / "aws.config"
    path.write_text(bucket.aws_config, encoding="utf-8")
    nothing = {"AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_EC2_METADATA_DISABLED": "true"}
    return {**nothing, **bucket.environ, "AWS_CONFIG_FILE": str(path)}


async def _line(stream: asyncio.StreamReader) -> bytes:
    try:
        return await stream.readline()
    except ValueError:  # longer than the reader's limit: dropped
        return b"\n"


async def _is_up(pywb: Pywb, name: str) -> bool:
    """Whether it serves the collection; False when it ended, or took too long."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(START_SECONDS):
            while pywb.process.returncode is None:
                with contextlib.suppress(UpstreamFault):
                    async with ask(pywb.port, "GET", f"/{name}/".encode(), [("Host", "localhost")]) as answer:
                        if answer.status == 200:
                            return pywb.process.returncode is None
                await asyncio.sleep(0.05)
    return False


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), STOP_SECONDS)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
