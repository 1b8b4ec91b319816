"""Who holds a claim or a visit, and whether that process still lives."""

from __future__ import annotations

import itertools

from archiver.processes import has_ended, this_process

_numbers = itertools.count(1)


def me() -> str:
    """A process (`processes.this_process`) and a number, new each call."""
    return f"{this_process()}|{next(_numbers)}"


def is_gone(owner: str) -> bool:
    """True when that process has certainly ended. One of another pid namespace cannot be seen: its lease decides."""
    return has_ended(owner.rpartition("|")[0])
