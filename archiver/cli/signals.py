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


class Signals:
    """Listens before there is a run to stop: `attach` hands over what came until then."""

    def __init__(self) -> None:
        self._stop: Stop | None = None
        self._came = False

    def attach(self, stop: Stop) -> None:
        self._stop = stop
        if self._came:
            stop.set()

    def on_signal(self) -> None:
        if self._came:
            _say("archiver: ended at once; the next run salvages what was being written")
            os._exit(EXIT_FORCED)
        self._came = True
        _say("archiver: finishing what is in hand; once more to end at once")
        if self._stop is not None:
            self._stop.set()


@contextlib.contextmanager
def stopping() -> Iterator[Signals]:
    """SIGINT and SIGTERM stop the attached run; a second one ends the process. What was captured survives both.

    To be entered first thing in the loop, and to be left when all is stored: outside of it a SIGINT cancels whatever
    is being done, be it the closing of a WARC.
    """
    loop, signals = asyncio.get_running_loop(), Signals()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, signals.on_signal)
    try:
        yield signals
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


def _say(line: str) -> None:
    with contextlib.suppress(OSError):
        sys.stderr.write(line + "\n")
        sys.stderr.flush()
