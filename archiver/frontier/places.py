"""Places for sub-requests: how many requests are in flight at an origin, over all visits of this process."""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from archiver.clock import Clock
from archiver.frontier.budget import LEASE
from archiver.model import Origin
from archiver.ports import HostPlace


@dataclass(slots=True, eq=False)
class _Queue:
    """`held`: the end of each lease, by token, in monotonic seconds; the first is the first to end."""

    held: dict[int, float] = field(default_factory=dict)
    waiting: deque[asyncio.Future[HostPlace]] = field(default_factory=deque)


class Places:
    """First come, first served. Nothing is kept of an origin that nobody asks.

    `wall` turns monotonic seconds of this clock into epoch seconds, for what is told of a lease.
    """

    def __init__(self, clock: Clock, wall: Callable[[float], float] | None = None) -> None:
        self._clock = clock
        self._wall = wall or (lambda seconds: clock.epoch() + seconds - clock.monotonic())
        self._queues: dict[Origin, _Queue] = {}
        self._tokens = itertools.count(1)

    async def take(self, origin: Origin, count: int, *, within: float) -> HostPlace | None:
        """One of `count` places at an origin, to be given back; None when none came free within so many seconds."""
        queue = self._queues.setdefault(origin, _Queue())
        self._forget(queue)
        if len(queue.held) < count and not queue.waiting:
            return self._lend(origin, queue)
        turn: asyncio.Future[HostPlace] = asyncio.get_running_loop().create_future()
        queue.waiting.append(turn)
        place = None
        try:
            async with asyncio.timeout(max(0.0, within)):
                place = await turn
        except TimeoutError:
            pass
        finally:
            if place is None:
                self._leave(origin, turn)
        return place

    def _lend(self, origin: Origin, queue: _Queue) -> HostPlace:
        token, until = next(self._tokens), self._clock.monotonic() + LEASE
        queue.held[token] = until
        return HostPlace(origin=origin, token=token, until=self._wall(until))

    def _forget(self, queue: _Queue) -> None:
        """Places whose lease has ended: their holder is not coming back, or is too late."""
        now = self._clock.monotonic()
        while queue.held and next(iter(queue.held.values())) <= now:
            del queue.held[next(iter(queue.held))]

    def _leave(self, origin: Origin, turn: asyncio.Future[HostPlace]) -> None:
        if turn.done() and not turn.cancelled():  # the place came in the moment in which we gave up
            self.give(turn.result())
            return
        queue = self._queues.get(origin)
        if queue is not None and turn in queue.waiting:
            queue.waiting.remove(turn)

    def give(self, place: HostPlace) -> bool:
        """To who waits longest. False: it was lost before, or given back already."""
        queue = self._queues.get(place.origin)
        if queue is None:
            return False
        self._forget(queue)
        if queue.held.pop(place.token, None) is None:
            return False
        while queue.waiting:
            turn = queue.waiting.popleft()
            if not turn.done():
                turn.set_result(self._lend(place.origin, queue))
                return True
        if not queue.held:
            del self._queues[place.origin]
        return True
