"""Who holds a claim or a visit, and whether that process still lives."""

from __future__ import annotations

import itertools
import os

from archiver.frontier.timeline import boot
from archiver.processes import answers

_numbers = itertools.count(1)


def me() -> str:
    """`boot|pid namespace|pid|start|number`: unlike a bare pid never another process's name, and new each call."""
    pid = os.getpid()
    return f"{boot()}|{_namespace()}|{pid}|{_started(pid)}|{next(_numbers)}"


def is_gone(owner: str) -> bool:
    """True when that process has certainly ended. One of another pid namespace cannot be seen: its lease decides."""
    home, namespace, pid, started, _ = owner.split("|")
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
