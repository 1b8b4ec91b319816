"""A child process that serves: started, waited for, stopped by its process id."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path


class ServerFailed(AssertionError):
    """The server ended or did not answer in time; the message carries the end of its log."""


@contextmanager
def serving(
    command: Sequence[str | os.PathLike[str]],
    *,
    ready: Callable[[], bool],
    log: Path,
    env: Mapping[str, str] | None = None,
    within: float = 60.0,
    grace: float = 5.0,
) -> Iterator[subprocess.Popen[bytes]]:
    """Runs `command` until the block ends: SIGTERM, then SIGKILL after `grace` seconds, to its own process group.

    `env` is added to this process's environment; output goes to `log`; raises ServerFailed when `ready` does not
    become true `within` seconds.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {})},
            start_new_session=True,
        )
        try:
            _wait(process, ready, log, within)
            yield process
        finally:
            stop(process, grace=grace)


def stop(process: subprocess.Popen[bytes], *, grace: float) -> None:
    """Ends the group that `process` leads, and waits for the process itself."""
    for signal_number, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, 60.0)):
        try:
            os.killpg(process.pid, signal_number)
        except ProcessLookupError:
            break
        try:
            process.wait(patience)
        except subprocess.TimeoutExpired:
            continue
    process.wait(60)


def _wait(process: subprocess.Popen[bytes], ready: Callable[[], bool], log: Path, within: float) -> None:
    deadline = time.monotonic() + within
    while not ready():
        if process.poll() is not None:
            raise ServerFailed(f"{process.args!r} ended with {process.returncode}:\n{_tail(log)}")
        if time.monotonic() > deadline:
            raise ServerFailed(f"{process.args!r} did not answer within {within} s:\n{_tail(log)}")
        time.sleep(0.02)


def _tail(log: Path) -> str:
    return log.read_bytes()[-4000:].decode("utf-8", "replace")


def listening(port: int) -> bool:
    """Whether something accepts connections on that loopback port."""
    with socket.socket() as sock:
        sock.settimeout(1)
        return sock.connect_ex(("127.0.0.1", port)) == 0
