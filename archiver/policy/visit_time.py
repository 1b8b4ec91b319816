"""The hours of the day in which a site lets itself be visited (robots.txt Visit-time): arithmetic only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from archiver.model import Objection, Reason, Verdict

DAY = 86_400.0
_MINUTES = 1440


def window_wait(windows: Sequence[tuple[int, int]], epoch: float) -> float:
    """Seconds until one of the daily windows is open; 0 = open now, or none declared.

    Windows are minutes of the UTC day, start to end, end exclusive. An end that is not after its start wraps midnight;
    equal ends mean the whole day.
    """
    if not windows:
        return 0.0
    second = epoch % DAY
    waits = []
    for start, end in windows:
        since = (second - start * 60.0) % DAY
        if since < _length(start, end) * 60.0:
            return 0.0
        waits.append(DAY - since)
    return min(waits)


def outside_hours(windows: Sequence[tuple[int, int]], epoch: float, evidence: str | None) -> Objection | None:
    """The deferral of whatever would be asked for outside the windows; None when one is open, or none declared."""
    wait = window_wait(windows, epoch)
    if not wait:
        return None
    start, end = windows[0]
    return Objection(
        verdict=Verdict.DEFER,
        reason=Reason.VISIT_TIME,
        rule=f"Visit-time: {start // 60:02}{start % 60:02}-{end // 60:02}{end % 60:02}",
        evidence=evidence,
        not_before=datetime.fromtimestamp(epoch + wait, UTC),
    )


def clock_of(minute: int) -> str:
    """A minute of the day as `18:20`; the day's end as `24:00`."""
    return f"{minute // 60:02}:{minute % 60:02}"


def open_seconds(windows: Sequence[tuple[int, int]]) -> float:
    """Seconds of a day that the windows cover together; a whole day without any."""
    minutes: set[int] = set()
    for start, end in windows:
        minutes.update((start + minute) % _MINUTES for minute in range(_length(start, end)))
    return len(minutes) * 60.0 if minutes else DAY


def _length(start: int, end: int) -> int:
    return (end - start) % _MINUTES or _MINUTES
