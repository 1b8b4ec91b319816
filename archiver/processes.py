"""Which process is meant, and whether it is there, asked of the system alone."""

from __future__ import annotations

import os


def answers(pid: int) -> bool:
    """Whether a process of that number runs on this machine, ours or not: signal 0 (kill(2)) reaches it or may not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def boot() -> str:
    """What names the run of the system whose monotonic clock we read; empty where the system does not say."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return f"{file.read().strip()}/{os.readlink('/proc/self/ns/time')}"
    except OSError:
        return ""


def this_process() -> str:
    """`boot|pid namespace|pid|start`: unlike a bare pid never another process's name."""
    pid = os.getpid()
    return f"{boot()}|{_namespace()}|{pid}|{_started(pid)}"


def has_ended(process: str) -> bool:
    """True when that process (`this_process`) has certainly ended. One of another pid namespace cannot be seen."""
    home, namespace, pid, started = process.split("|")
    if home != boot():
        return True
    if namespace != _namespace():
        return False
    return _started(int(pid)) != started


def _namespace() -> str:
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""


def _started(pid: int) -> str:
    """Clock ticks after boot at which a process started (proc(5), field 22); empty when there is none, or a zombie."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return "alive" if answers(pid) else ""  # a system without /proc
    return "" if fields[0] in ("Z", "X") else fields[19]
