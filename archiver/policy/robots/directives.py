"""The values of the records that are no access rules: pace, opening hours, sitemaps, clean-param. All de facto.

Each reader returns None for a value it cannot take, never an exception: a broken line counts as absent.
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass

_decimal = re.compile(r"[0-9]+(\.[0-9]*)?|\.[0-9]+").fullmatch
_rate = re.compile(r"([0-9]{1,18})[ \t]*/[ \t]*([0-9]{1,18})[ \t]*([smhd]?)(?:[ \t]+(.*))?", re.IGNORECASE).fullmatch
_window = re.compile(r"([0-9]{2}):?([0-9]{2})(?:[ \t]*-[ \t]*|[ \t]+)([0-9]{2}):?([0-9]{2})").fullmatch
_absolute = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://[^/?#\s].*").fullmatch
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}
_DAY = 24 * 60


@dataclass(frozen=True, slots=True)
class Window:
    """A span of the day in minutes UTC, `[start, end)`; `end` before `start` wraps midnight, equal means all day."""

    start: int
    end: int

    def contains(self, minute: int) -> bool:
        if self.start == self.end:
            return True
        if self.start < self.end:
            return self.start <= minute < self.end
        return minute >= self.start or minute < self.end

    @property
    def minutes(self) -> int:
        return (self.end - self.start) % _DAY or _DAY

    @property
    def clock(self) -> tuple[str, str]:
        """As `("18:20", "19:40")`."""
        return f"{self.start // 60:02}:{self.start % 60:02}", f"{self.end // 60:02}:{self.end % 60:02}"


@dataclass(frozen=True, slots=True)
class RequestRate:
    """At most `requests` per `seconds`, inside `window` only where one is given."""

    requests: int
    seconds: int
    window: Window | None = None

    @property
    def delay(self) -> float:
        """The same as seconds between two request starts."""
        return self.seconds / self.requests


@dataclass(frozen=True, slots=True)
class CleanParam:
    """Yandex: query parameters that do not change the page, below a path prefix (None = everywhere). A hint only."""

    params: tuple[str, ...]
    path: str | None


def read_delay(value: str) -> float | None:
    """Seconds, a non-negative decimal with a point. Finite: a delay too long for a float stays too long to wait for."""
    return min(float(value), sys.float_info.max) if _decimal(value) else None


def read_rate(value: str) -> RequestRate | None:
    """`n/period[s|m|h|d] [HHMM-HHMM]`. A broken window leaves the rate in force all day, the stricter reading."""
    found = _rate(value)
    if found is None:
        return None
    requests, seconds = int(found[1]), int(found[2]) * _SECONDS[found[3].lower()]
    if not requests or not seconds:
        return None
    return RequestRate(requests, seconds, read_window(found[4].strip()) if found[4] else None)


def read_window(value: str) -> Window | None:
    """`HHMM-HHMM` or `HHMM HHMM`, UTC; `2400` ends a day."""
    found = _window(value)
    if found is None:
        return None
    hours, minutes = (int(found[1]), int(found[3])), (int(found[2]), int(found[4]))
    start, end = hours[0] * 60 + minutes[0], hours[1] * 60 + minutes[1]
    if max(minutes) > 59 or start >= _DAY or end > _DAY:
        return None
    return Window(start, end)


def read_clean_param(value: str) -> CleanParam | None:
    """`p1[&p2...] [path-prefix]`."""
    params, _, path = value.replace("\t", " ").partition(" ")
    names = tuple(name for name in params.split("&") if name)
    return CleanParam(names, path.strip() or None) if names else None


def is_absolute(url: str) -> bool:
    """Whether a Sitemap or License value names scheme and host, as both definitions ask."""
    return _absolute(url) is not None
