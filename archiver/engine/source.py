"""Where both drivers take claims from: as many as the limits leave, waiting while there may be more."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from dataclasses import dataclass, field

from archiver.clock import Clock
from archiver.model import Claim, Page, Reason
from archiver.ports import Frontier

IDLE_LOOK = 1.0
SHORT_LOOK = 0.005
LEASE = 900.0
"""Seconds for which a URL is lent; `ClaimSource.renew` makes them more while it is in hand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLimits:
    """When a run stops: pages, seconds, wire bytes; None = no limit. `patience`: longest wait for a resting host.

    `wait`: seconds from its start in which the run waits longer than that, for whatever was put off.
    """

    pages: int | None = None
    seconds: float | None = None
    wire_bytes: int | None = None
    patience: float | None = None
    wait: float = 0.0


@dataclass(slots=True)
class Tally:
    """What a run has come to so far; `stopped` says which limit ended it."""

    pages: int = 0
    wire_bytes: int = 0
    statuses: dict[str, int] = field(default_factory=dict)
    stopped: Reason | None = None

    def add(self, page: Page) -> None:
        self.pages += 1
        self.wire_bytes += page.wire_bytes
        self.statuses[page.status.value] = self.statuses.get(page.status.value, 0) + 1


class Stop:
    """Set by a signal or a full disk: work in hand is finished, nothing new is begun."""

    def __init__(self) -> None:
        self.reason: Reason | None = None

    @property
    def is_set(self) -> bool:
        return self.reason is not None

    def set(self, reason: Reason = Reason.INTERRUPTED) -> None:
        """The first reason stands."""
        self.reason = self.reason or reason


class Hold:
    """Why nothing new is claimed for now, None = it is; `engine.pressure` sets it and takes it back."""

    def __init__(self) -> None:
        self.reason: Reason | None = None


class ClaimSource:
    """`next` gives a claim, `done` takes back what came of it; every claim given must be done, page or not."""

    def __init__(
        self,
        *,
        frontier: Frontier,
        clock: Clock,
        limits: RunLimits,
        stop: Stop,
        batch: int,
        hold: Hold | None = None,
    ) -> None:
        self._frontier = frontier
        self._clock = clock
        self._limits = limits
        self._stop = stop
        self._hold = hold or Hold()
        self._batch = batch
        self._ready: deque[Claim] = deque()
        self._in_hand: dict[int, Claim] = {}
        self._looking = asyncio.Lock()
        self._news = asyncio.Event()
        self._started = clock.monotonic()
        self.tally = Tally()

    async def next(self) -> Claim | None:
        """The next claim; waits while there may be one. None: nothing is left, or a limit was met."""
        async with self._looking:
            while not self._ready or self._hold.reason is not None:
                if self._hold.reason is not None:
                    if self._ended():
                        return None
                    await self.give_back()  # its lease would end meanwhile
                    await self._hear(IDLE_LOOK)
                    continue
                room = self._room()
                if room > 0:
                    self._ready.extend(await self._frontier.claim(room, lease=LEASE))
                if not self._ready and not await self._wait(room):
                    return None
            claim = self._ready.popleft()
            self._in_hand[claim.fence] = claim
            return claim

    def done(self, claim: Claim, page: Page | None) -> None:
        """None: the claim was given back, or was no page of its own."""
        self._in_hand.pop(claim.fence, None)
        self._news.set()
        if page is not None:
            self.tally.add(page)

    async def renew(self) -> None:
        """A later end for every lease that is out. One that was lost is not begun; one that is being visited goes on,
        and is told at its end that it had gone to somebody else."""
        held = [*self._ready, *self._in_hand.values()]
        renewed = await asyncio.gather(*(self._frontier.renew(claim, lease=LEASE) for claim in held))
        lost = {claim.fence for claim, after in zip(held, renewed, strict=True) if after is None}
        if lost:
            self._ready = deque(claim for claim in self._ready if claim.fence not in lost)

    async def give_back(self) -> None:
        """What was claimed and not begun."""
        while self._ready:
            claim = self._ready.popleft()
            await self._frontier.release(claim, not_before=self._clock.epoch(), reason=Reason.INTERRUPTED.value)

    async def _wait(self, room: int) -> bool:
        """Until a visit in hand ends, something falls due, or a second has passed. False: there is no point in it."""
        if room <= 0:
            return await self._hear(IDLE_LOOK) if self._in_hand and self.tally.stopped is None else False
        due = await self._frontier.next_due()
        if self._in_hand:
            return await self._hear(IDLE_LOOK if due is None else self._until(due))
        if due is None:
            return False
        if self._is_too_late(due):
            return False
        return await self._hear(self._until(due))

    def _is_too_late(self, due: float) -> bool:
        patience = self._limits.patience
        if patience is None:
            return False
        left = self._limits.wait - (self._clock.monotonic() - self._started)
        return due - self._clock.epoch() > max(patience, left)

    def _until(self, due: float) -> float:
        return min(max(due - self._clock.epoch(), SHORT_LOOK), IDLE_LOOK)

    async def _hear(self, seconds: float) -> bool:
        self._news.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._news.wait()
        return True

    def _room(self) -> int:
        """How many claims may be taken now, by the limits that are left."""
        if self._ended():
            return 0
        if self._limits.pages is None:
            return self._batch
        left = self._limits.pages - self.tally.pages
        if left <= 0:
            self.tally.stopped = Reason.PAGE_LIMIT
        return min(self._batch, left - len(self._in_hand))

    def _ended(self) -> bool:
        limits, tally = self._limits, self.tally
        if self._stop.is_set:
            tally.stopped = self._stop.reason
        elif limits.seconds is not None and self._clock.monotonic() - self._started >= limits.seconds:
            tally.stopped = Reason.TIME_LIMIT
        elif limits.wire_bytes is not None and tally.wire_bytes >= limits.wire_bytes:
            tally.stopped = Reason.SIZE_LIMIT
        return tally.stopped is not None
