"""What the system lets a process have: told before anything is asked of a site, not in the middle of a record."""

from __future__ import annotations

import contextlib
import resource
import threading

from archiver.errors import LimitError

FILES = 40  # a run without a browser; each connection that is open at the same time takes one more
PLENTY = 65_536
THREADS = 24  # writer, databases, the helpers of the event loop, names being resolved


def check_limits() -> None:
    """Raise the soft limit of open files to what is allowed; LimitError where files or threads are too few."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = PLENTY if hard == resource.RLIM_INFINITY else min(PLENTY, hard)
    if 0 <= soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
    if 0 <= soft < FILES:  # negative: no limit
        raise LimitError(f"{soft} files may be open at a time, {FILES} are needed; raise the limit (ulimit -n)")
    missing = THREADS - _startable(THREADS)
    if missing:
        raise LimitError(
            f"{THREADS - missing} threads more may be started, {THREADS} are needed; raise the limit (ulimit -u, "
            f"TasksMax, pids.max{_short_of_addresses()})"
        )


def _short_of_addresses() -> str:
    """Each thread reserves a stack and a heap: a bound on addresses, unlike one on memory in use, is met first."""
    bound = resource.getrlimit(resource.RLIMIT_AS)[0]
    return "" if bound == resource.RLIM_INFINITY else f"; addresses are limited to {bound:,} bytes: ulimit -v"


def _startable(number: int) -> int:
    """How many threads can be started at once, up to `number`: only trying tells, limits are set in several places."""
    over = threading.Event()
    threads: list[threading.Thread] = []
    try:
        for _ in range(number):
            thread = threading.Thread(target=over.wait, daemon=True)
            thread.start()
            threads.append(thread)
    except RuntimeError:  # can't start new thread
        pass
    finally:
        over.set()
        for thread in threads:
            thread.join()
    return len(threads)
