"""CPU time of a command and of everything it started."""

from __future__ import annotations

import os
import re
import resource
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

LIMIT_SECONDS = 300.0
_LOOK_SECONDS = 0.02
_HIGH_WATER = re.compile(r"^VmHWM:\s+([0-9]+) kB$", re.MULTILINE)


class CommandFailed(Exception):
    """The command's exit code is not one it should have; the message carries the end of its output."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """`cpu`: user + system seconds of the process and of the children it waited for; `rss`: its own peak, in MB."""

    cpu: float
    wall: float
    rss: float

    def __add__(self, other: Usage) -> Usage:
        """One command after the other."""
        return Usage(cpu=self.cpu + other.cpu, wall=self.wall + other.wall, rss=max(self.rss, other.rss))


def run(
    command: Sequence[str | Path], *, cwd: Path, env: Mapping[str, str], log: Path, codes: Sequence[int] = (0,)
) -> Usage:
    """Raises CommandFailed when it ends with none of `codes`, or not within `LIMIT_SECONDS`."""
    started = time.perf_counter()
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    status, used, rss = _wait(process.pid, started + LIMIT_SECONDS)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in codes:
        tail = log.read_bytes()[-3000:].decode("utf-8", "replace")
        raise CommandFailed(f"{' '.join(map(str, command))}\nended with {process.returncode}:\n{tail}")
    return Usage(cpu=used.ru_utime + used.ru_stime, wall=time.perf_counter() - started, rss=rss)


def _wait(pid: int, deadline: float) -> tuple[int, resource.struct_rusage, float]:
    """Wait status, usage, peak MB. Past the deadline its group is killed.

    The peak is asked of /proc: ru_maxrss begins with what this process had when it started the other one.
    """
    peak = 0.0
    while True:
        done, status, used = os.wait4(pid, os.WNOHANG)
        if done:
            return status, used, peak
        peak = max(peak, _peak(pid))
        if time.perf_counter() > deadline:
            os.killpg(pid, signal.SIGKILL)
        time.sleep(_LOOK_SECONDS)


def _peak(pid: int) -> float:
    """VmHWM in MB; 0 once the process has ended."""
    try:
        found = _HIGH_WATER.search(Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0.0
    return int(found[1]) / 1024 if found else 0.0
