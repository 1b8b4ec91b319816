"""Time, in one place: everything else asks here, so tests and fault schedules can move it."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol

import orjson


class Clock(Protocol):
    """Wall time for what is written down, monotonic time for what is waited for."""

    def now(self) -> datetime: ...
    def epoch(self) -> float: ...
    def monotonic(self) -> float: ...


class SystemClock:
    """The machine's clocks."""

    def now(self) -> datetime:
        """Aware UTC time."""
        return datetime.now(UTC)

    def epoch(self) -> float:
        """Seconds since 1970, UTC."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds that never run backwards; no meaning across processes."""
        return time.monotonic()


class ManualClock:
    """A clock that a test moves by hand. Ships, so that users of the ports can test against it too."""

    def __init__(self, start: float = 1_790_000_000.0) -> None:
        self._epoch = start
        self._monotonic = 1_000.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._epoch, UTC)

    def epoch(self) -> float:
        return self._epoch

    def monotonic(self) -> float:
        return self._monotonic

    def advance(self, seconds: float, *, wall: float | None = None) -> None:
        """Move both clocks by `seconds`; `wall` moves the wall clock by something else (an NTP step)."""
        self._monotonic += seconds
        self._epoch += seconds if wall is None else wall


SYSTEM = SystemClock()


def iso(moment: datetime) -> str:
    """`2026-11-23T12:00:00.123Z`: WARC-Date form with milliseconds (WARC 1.1, 5.4)."""
    text = orjson.dumps(moment, option=orjson.OPT_UTC_Z).decode()  # three times as fast as isoformat
    return f"{text[1:24]}Z" if moment.microsecond else f"{text[1:20]}.000Z"


def ts14(moment: datetime) -> str:
    """`20261123120000`: the CDXJ timestamp pywb sorts by."""
    return f"{moment:%Y%m%d%H%M%S}"


def ts17(moment: datetime) -> str:
    """`20261123120000123`: as `ts14` with milliseconds, for file names (WARC 1.1, Annex C)."""
    return f"{moment:%Y%m%d%H%M%S}{moment.microsecond // 1000:03d}"
