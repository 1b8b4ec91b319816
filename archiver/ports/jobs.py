"""The seam to which crawls there are, and who drives each of them: one holder at a time, by a lease with a fence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from archiver.ports.frontier import Frontier


class JobState(StrEnum):
    """`held`: somebody drives it; `open`: interrupted, the next `open` of its signature goes on; `finished`."""

    HELD = "held"
    OPEN = "open"
    FINISHED = "finished"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobLease:
    """`fence` grows with each holder of the job. `until` is epoch seconds; infinite: for as long as the holder lives,
    who is then seen to have died."""

    job: str
    fence: int
    until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class JobInfo:
    job: str
    signature: str
    state: JobState


class OpenJob(Protocol):
    """A job in hand. When its lease is lost, its frontier lends nothing more and calls every claim lost."""

    @property
    def job(self) -> str: ...
    @property
    def resumed(self) -> bool:
        """Whether an earlier holder had begun it."""
        ...

    @property
    def lease(self) -> JobLease: ...
    @property
    def frontier(self) -> Frontier: ...

    async def renew(self) -> bool:
        """A later end of the lease; False when it was lost."""
        ...

    async def finish(self) -> bool:
        """The crawl came to its end: the next one begins anew. False when the lease was lost: nothing is changed."""
        ...

    async def close(self) -> None:
        """Give the job back, and what its frontier still lends. Again is harmless."""
        ...


class Jobs(Protocol):
    """`signature` names seeds and scope: it decides whether a crawl goes on (ADR 0015)."""

    async def open(self, *, job: str, signature: str) -> OpenJob:
        """An unfinished job of this signature that nobody holds, else a new one called `job`.

        Raises UsageError when somebody else drives a job called `job`, DiskError when the store cannot be written.
        """
        ...

    async def list(self) -> Sequence[JobInfo]:
        """Every job that is known; a finished one may be forgotten. For people: nothing is decided by it."""
        ...
