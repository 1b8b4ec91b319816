"""Signals: the first finishes what is in hand (exit 11), the second ends at once (exit 13)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Iterator

from archiver.engine.source import Stop

EXIT_FORCED = 13


@contextlib.contextmanager
def stopping(stop: Stop) -> Iterator[None]:
    """SIGINT and SIGTERM set `stop`; a second one ends the process. What was captured survives both."""
    loop = asyncio.get_running_loop()

    def on_signal() -> None:
        if stop.is_set:
            sys.stderr.write("archiver: ended at once; the next run salvages what was being written\n")
            sys.stderr.flush()
            os._exit(EXIT_FORCED)
        stop.set()
        sys.stderr.write("archiver: finishing what is in hand; once more to end at once\n")

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal)
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)
