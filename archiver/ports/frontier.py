"""The seam to what is still to be visited (decision 14): batch-shaped, each call one transaction."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from archiver.model import Candidate, Claim, Outlink

Span = tuple[int, float]
"""Bytes of a file from the first to before the second number, which may be infinite."""
WHOLE: tuple[Span, ...] = ((0, math.inf),)


class Stretch(NamedTuple):
    """Bytes of one WARC, by its name without folder; `stop` is exclusive."""

    file: str
    start: int
    stop: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitOutcome:
    """How a claim ended. `requisites` are keys that the visit fetched besides: never to be fetched again in the job.

    `state` is done, refused, failed or deferred (the latter two are retried while attempts last); `not_before` epoch.
    `records`: all that the visit's replay rests on, its own first record first; also the originals of its revisits.
    """

    state: str
    reason: str = ""
    not_before: float | None = None
    records: tuple[Stretch, ...] = ()
    requisites: tuple[Candidate, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """`lost`: the lease had gone to somebody else, nothing was written. `fresh`: keys not seen before in this job."""

    lost: bool = False
    fresh: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontierCounts:
    """Distinct canonical URLs by state; discovered = the sum."""

    pending: int = 0
    claimed: int = 0
    done: int = 0
    refused: int = 0
    failed: int = 0
    requisites: int = 0

    @property
    def discovered(self) -> int:
        return self.pending + self.claimed + self.done + self.refused + self.failed


class Frontier(Protocol):
    """Decision 14. Batch-shaped; each call is one transaction."""

    async def add(self, batch: Sequence[Outlink]) -> frozenset[str]:
        """Enqueue what is new (objected ones are kept as refused); returns the keys not seen before."""
        ...

    async def claim(self, n: int, *, lease: float = 300.0) -> list[Claim]:
        """Up to `n` candidates of origins that are due, by depth, then discovery; one an origin unless its own."""
        ...

    async def renew(self, claim: Claim, *, lease: float = 300.0) -> Claim | None: ...

    async def release(self, claim: Claim, *, not_before: float, reason: str) -> bool:
        """Give back unvisited; the whole origin waits until `not_before` (epoch). False = the lease was lost."""
        ...

    async def complete(self, claim: Claim, outcome: VisitOutcome, outlinks: Sequence[Outlink]) -> Completed: ...

    async def is_known_requisite(self, keys: Sequence[str]) -> frozenset[str]:
        """Which of these keys this job has already fetched, as page or as requisite."""
        ...

    async def next_due(self) -> float | None:
        """Epoch seconds when something may become claimable; None = nothing pending."""
        ...

    async def counts(self) -> FrontierCounts: ...

    def pending(self) -> AsyncIterator[Candidate]:
        """Every URL not fetched, for the report at the end of a run."""
        ...

    async def youngest(self, limit: int) -> Sequence[tuple[Candidate, str]]:
        """Up to `limit` URLs that wait, are claimed or were refused, youngest first, with the reason of a refusal (else
        "")."""
        ...

    async def files(self) -> Mapping[str, int]:
        """Files that completed visits rest on, each with the end of what they use of it (bytes)."""
        ...

    async def requeue(self, file: str, lost: Sequence[Span] = WHOLE) -> int:
        """Put back completed visits that rest on these bytes of `file`; how many pages that makes.

        What such a visit fetched besides is forgotten. For the start of a run, while no claim is out.
        """
        ...

    async def get_meta(self, name: str) -> Any:
        """A JSON-able fact about the job that was kept here, None when there is none."""
        ...

    async def set_meta(self, name: str, value: Any) -> None: ...

    async def close(self) -> None:
        """Give back what this holder has claimed. Again is harmless."""
        ...
