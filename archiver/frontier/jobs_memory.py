"""Jobs in memory, with leases that end: behaves as a store that many machines share, for tests of what stands on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from archiver.clock import Clock
from archiver.errors import UsageError
from archiver.frontier.memory import MemoryFrontier
from archiver.model import Origin
from archiver.ports.jobs import JobInfo, JobLease, JobState

LEASE = 60.0
"""Seconds a job stays with a holder that does not renew."""


@dataclass(slots=True, eq=False)
class _Job:
    """What the store has of a job. `until`: steady seconds; `holder` is who holds it by the fence."""

    name: str
    signature: str
    frontier: MemoryFrontier
    fence: int = 0
    until: float = 0.0
    finished: bool = False
    holder: MemoryJob | None = None


class MemoryJob:
    """A job in hand (`ports.jobs.OpenJob`)."""

    def __init__(self, jobs: MemoryJobs, known: _Job, *, resumed: bool) -> None:
        self._jobs = jobs
        self._known = known
        self._fence = known.fence
        self.resumed = resumed
        self.frontier = known.frontier.join()

    @property
    def job(self) -> str:
        return self._known.name

    @property
    def lease(self) -> JobLease:
        return JobLease(job=self.job, fence=self._fence, until=self._jobs.to_wall(self._known.until))

    async def renew(self) -> bool:
        if self._jobs.is_lost(self._known, self._fence):
            return False
        self._known.until = self._jobs.now() + LEASE
        return True

    async def finish(self) -> bool:
        if self._jobs.is_lost(self._known, self._fence):
            return False
        self._known.finished = True
        return True

    async def close(self) -> None:
        await self.frontier.close()
        if not self._jobs.is_lost(self._known, self._fence):
            self._known.until = 0.0


class MemoryJobs:
    """Any number of holders in one process. A job whose lease ended goes to who asks next, with a higher fence."""

    def __init__(self, clock: Clock, *, own: Callable[[Origin], bool], max_attempts: int = 3) -> None:
        self._clock = clock
        self._offset = clock.epoch() - clock.monotonic()
        self._own = own
        self._max_attempts = max_attempts
        self._jobs: dict[str, _Job] = {}

    def now(self) -> float:
        return self._clock.monotonic() + self._offset

    def to_wall(self, steady: float) -> float:
        return steady + self._clock.epoch() - self.now()

    def is_lost(self, known: _Job, fence: int) -> bool:
        return known.fence != fence or known.until <= self.now()

    async def open(self, *, job: str, signature: str) -> MemoryJob:
        free = [one for one in self._jobs.values() if not one.finished and one.until <= self.now()]
        known = next((one for one in free if one.signature == signature), None)
        if known is not None:
            return await self._hold(known, resumed=True)
        held = self._jobs.get(job)
        if held is not None and held.until > self.now():
            raise UsageError(f"another crawl called {job} is running; give another crawlId")
        frontier = MemoryFrontier(self._clock, own=self._own, max_attempts=self._max_attempts)
        known = self._jobs[job] = _Job(job, signature, frontier)
        return await self._hold(known, resumed=False)

    async def _hold(self, known: _Job, *, resumed: bool) -> MemoryJob:
        if known.holder is not None:
            # Whoever held it is not coming back, or too late: what it was lent is lent anew.
            known.holder.frontier.is_revoked = True
            await known.holder.frontier.close()
        known.fence += 1
        known.until = self.now() + LEASE
        known.holder = MemoryJob(self, known, resumed=resumed)
        return known.holder

    async def list(self) -> Sequence[JobInfo]:
        return [JobInfo(job=one.name, signature=one.signature, state=self._state(one)) for one in self._jobs.values()]

    def _state(self, known: _Job) -> JobState:
        if known.finished:
            return JobState.FINISHED
        return JobState.HELD if known.until > self.now() else JobState.OPEN
