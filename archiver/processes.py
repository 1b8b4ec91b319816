"""Whether a process is there, asked of the system alone."""

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
