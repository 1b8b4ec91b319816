"""The processes of one Chromium, told from everybody else's, and ended without mistake (proc(5), pidfd_open(2)).

Playwright starts Chromium as the leader of a session of its own, and whatever Chromium starts stays in it, orphans too.
The kernel gives a session's number to no other process as long as one of its members lives.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Found:
    """One line of /proc/PID/stat; `born` in clock ticks since boot tells it from a later process of the same number."""

    pid: int
    state: str
    parent: int
    session: int
    born: int


def look_at(pid: int) -> Found | None:
    """None when there is no such process."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
        return Found(pid, fields[0], int(fields[1]), int(fields[3]), int(fields[19]))
    except (OSError, IndexError, ValueError):
        return None


def everyone() -> Iterator[Found]:
    """All processes that can be seen; those that ended and wait to be reaped left out."""
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            found = look_at(int(entry))
            if found is not None and found.state not in "ZX":
                yield found


def command(pid: int) -> bytes:
    """Its arguments, each ended by a zero byte; empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def below(root: int) -> list[Found]:
    """The descendants of a process."""
    all_of_them = list(everyone())
    found: list[Found] = []
    waiting = [root]
    while waiting:
        parent = waiting.pop()
        children = [one for one in all_of_them if one.parent == parent]
        found += children
        waiting += [one.pid for one in children]
    return found


class Tree:
    """A session that one of our descendants leads. Empty once, it stays empty: its number may be somebody else's."""

    def __init__(self, leader: Found) -> None:
        self.session = leader.session
        self._born = leader.born
        self._over = False

    @classmethod
    def marked(cls, mark: bytes) -> Tree | None:
        """The session of the descendant of ours that has `mark` in its command line."""
        marked = next((one for one in below(os.getpid()) if mark in command(one.pid)), None)
        if marked is None or marked.session == os.getsid(0):
            return None
        leader = look_at(marked.session)
        return cls(leader if leader is not None else marked)

    def members(self) -> list[Found]:
        if self._over:
            return []
        leader = look_at(self.session)
        if leader is not None and leader.born != self._born:
            self._over = True
            return []
        found = [one for one in everyone() if one.session == self.session]
        self._over = not found
        return found

    def kill(self) -> int:
        """SIGKILL to every member; how many there were."""
        members = self.members()
        for one in members:
            kill(one)
        return len(members)

    def larger_than(self, size: int) -> list[Found]:
        """Renderers with more than `size` bytes resident."""
        return [
            one for one in self.members() if b"--type=renderer" in command(one.pid) and _resident(one.pid) > size
        ]  # fmt: skip


def kill(one: Found) -> None:
    """Only the very process that was found: the number is held by a descriptor while it is compared again."""
    with contextlib.suppress(OSError):
        held = os.pidfd_open(one.pid)
        try:
            now = look_at(one.pid)
            if now is not None and now.born == one.born:
                signal.pidfd_send_signal(held, signal.SIGKILL)
        finally:
            os.close(held)


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]) * _PAGE
    except (OSError, IndexError, ValueError):
        return 0
