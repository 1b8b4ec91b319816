"""Stretches of one file that are lost."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from archiver.ports.frontier import Span


class Ranges:
    """Spans in any order; they may overlap, and the stop of one may be infinite."""

    def __init__(self, ranges: Sequence[Span]) -> None:
        self._ranges = sorted(ranges)
        self._starts = [start for start, _ in self._ranges]
        self._reach: list[float] = []
        for _, stop in self._ranges:
            self._reach.append(max(stop, self._reach[-1] if self._reach else 0.0))

    def touch(self, start: int, stop: int) -> bool:
        """Whether any byte from `start` up to `stop` lies in one of them."""
        before = bisect_right(self._starts, stop - 1)
        return before > 0 and self._reach[before - 1] > start
