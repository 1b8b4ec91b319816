"""When requests were made, by origin: the smallest gap, how long a server that asked for rest was left alone, and how
many requests fell into each part of the job. Pure.

A request's time is that of its decision row, which is written right before the dial. Memory: two times an origin, and
`PARTS` numbers for each of the first `CHARTED` origins; the others are charted together.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

PARTS = 60
CHARTED = 200
OTHERS = "all other origins"


@dataclass(slots=True)
class Timeline:
    """Requests by origin in parts of `width` seconds from `start` on; the width doubles when the job outgrows it."""

    start: float = 0.0
    width: float = 1.0
    origins: dict[str, list[int]] = field(default_factory=dict)

    def add(self, name: str, epoch: float) -> None:
        if not self.origins:
            self.start = epoch
        part = max(0, int((epoch - self.start) / self.width))
        while part >= PARTS:
            self._coarsen()
            part //= 2
        known = name in self.origins or len(self.origins) < CHARTED
        self.origins.setdefault(name if known else OTHERS, [0] * PARTS)[part] += 1

    def _coarsen(self) -> None:
        self.width *= 2
        for counts in self.origins.values():
            pairs = [counts[at] + counts[at + 1] for at in range(0, PARTS, 2)]
            counts[:] = pairs + [0] * (PARTS - len(pairs))

    def busiest(self, limit: int) -> list[tuple[str, list[int]]]:
        """The origins with most requests, those beyond `limit` added up under `OTHERS`."""
        named = [one for one in self.origins.items() if one[0] != OTHERS]
        ranked = sorted(named, key=lambda one: (-sum(one[1]), one[0]))
        rest = [counts for _, counts in ranked[limit:]] + [
            self.origins[name] for name in self.origins if name == OTHERS
        ]
        added = [(OTHERS, [sum(column) for column in zip(*rest, strict=True)])] if rest else []
        return ranked[:limit] + added


@dataclass(slots=True)
class Asked:
    """One origin, times in epoch seconds. `rest`: seconds from an answer 429 or 503 to the next request, at least."""

    last: float | None = None
    gap: float | None = None
    pressed: float | None = None
    rest: float | None = None

    def request(self, epoch: float) -> None:
        if self.last is not None:
            gap = round(abs(epoch - self.last), 3)
            self.gap = gap if self.gap is None else min(gap, self.gap)
        if self.pressed is not None and epoch >= self.pressed:
            rest = round(epoch - self.pressed, 3)
            self.rest = rest if self.rest is None else min(rest, self.rest)
            self.pressed = None
        self.last = epoch if self.last is None else max(epoch, self.last)

    def told_to_rest(self, epoch: float) -> None:
        self.pressed = epoch


def epoch_of(t: object) -> float | None:
    """A row's `t` in epoch seconds; None where it is no time, as in rows that no version of ours wrote."""
    try:
        moment = datetime.fromisoformat(str(t))
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
