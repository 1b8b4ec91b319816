"""Places for sub-requests: how many requests are in flight at an origin, over all visits of this process."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field

from archiver.model import Origin


@dataclass(slots=True, eq=False)
class _Queue:
    held: int = 0
    waiting: deque[asyncio.Future[None]] = field(default_factory=deque)


class Places:
    """First come, first served. Nothing is kept of an origin that nobody asks."""

    def __init__(self) -> None:
        self._queues: dict[Origin, _Queue] = {}

    async def take(self, origin: Origin, count: int, *, within: float) -> bool:
        """One of `count` places at an origin, to be given back; False when none came free within so many seconds."""
        queue = self._queues.setdefault(origin, _Queue())
        if queue.held < count and not queue.waiting:
            queue.held += 1
            return True
        turn = asyncio.get_running_loop().create_future()
        queue.waiting.append(turn)
        given = False
        try:
            async with asyncio.timeout(max(0.0, within)):
                await turn
            given = True
        except TimeoutError:
            pass
        finally:
            if not given:
                self._leave(origin, turn)
        return given

    def _leave(self, origin: Origin, turn: asyncio.Future[None]) -> None:
        if turn.done() and not turn.cancelled():  # the place came in the moment in which we gave up
            self.give(origin)
            return
        queue = self._queues.get(origin)
        if queue is not None and turn in queue.waiting:
            queue.waiting.remove(turn)

    def give(self, origin: Origin) -> None:
        """To who waits longest."""
        queue = self._queues[origin]
        while queue.waiting:
            turn = queue.waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        queue.held -= 1
        if queue.held <= 0:
            del self._queues[origin]
