"""Runs pywb as a child process in its own environment."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from archiver.errors import UsageError

START_SECONDS = 60.0


def find_pywb(environ: Mapping[str, str]) -> Path | None:
    """`ARCHIVER_PYWB`, else `.venv-pywb` beside our own environment, else `wayback` on the PATH."""
    named = environ.get("ARCHIVER_PYWB")
    beside = Path(sys.prefix).parent / ".venv-pywb" / "bin" / "wayback"
    for candidate in (named, str(beside), shutil.which("wayback", path=environ.get("PATH"))):
        if candidate and os.access(candidate, os.X_OK):
            return Path(candidate)
    return None


@contextlib.asynccontextmanager
async def running(program: Path, config: Mapping[str, Any], environ: Mapping[str, str]) -> AsyncIterator[int]:
    """pywb on a free loopback port; yields the port, ends the process at exit.

    Raises UsageError with pywb's own last line when it does not come up within a minute.
    """
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="archiver-replay-") as folder:
        # JSON is YAML; pywb reads it as such.
        Path(folder, "config.yaml").write_text(json.dumps(config, indent=1), encoding="utf-8")
        log = Path(folder, "pywb.log")
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                str(program), "--bind", "127.0.0.1", "--port", str(port), "--directory", folder,
                stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output,
                env=_environment(environ),
            )  # fmt: skip
        try:
            await _wait(process, port, log)
            yield port
        finally:
            await _end(process)


def free_port() -> int:
    """A loopback port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _environment(environ: Mapping[str, str]) -> dict[str, str]:
    """What pywb needs and no more: in particular no proxy and no credentials."""
    return {name: environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in environ}


async def _wait(process: asyncio.subprocess.Process, port: int, log: Path) -> None:
    try:
        async with asyncio.timeout(START_SECONDS):
            while process.returncode is None:
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.close()
                    return
                await asyncio.sleep(0.1)
    except TimeoutError:
        pass
    said = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    raise UsageError(f"pywb did not start: {said[-1] if said else 'it said nothing'}; try `make setup` again")


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), 5)
    except TimeoutError:
        process.kill()
        await process.wait()
