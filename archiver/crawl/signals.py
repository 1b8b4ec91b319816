"""The process's signals: the first finishes what is in hand (exit 11), the second ends at once (exit 13)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator

EXIT_FORCED = 13


@contextlib.contextmanager
def stopping(loop: asyncio.AbstractEventLoop, stop: Callable[[], None]) -> Iterator[None]:
    """SIGINT and SIGTERM call `stop`; a second one ends the process. What was captured survives both.

    Scrapy's own handlers would drop what a callback still has in hand at the second signal, and know no exit codes.
    """
    told = False

    def on_signal() -> None:
        nonlocal told
        if told:
            sys.stderr.write("archiver: ended at once; the next run salvages what was being written\n")
            sys.stderr.flush()
            os._exit(EXIT_FORCED)
        told = True
        stop()
        sys.stderr.write("archiver: finishing what is in hand; once more to end at once\n")

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal)
    try:
        yield
    finally:
        if not loop.is_closed():
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)
