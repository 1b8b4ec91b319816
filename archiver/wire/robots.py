"""robots.txt for every URL: fetched once a job and origin, kept for its life, matched without a lock.

What an answer means stands in `policy.robots.states`. Asking is `robots_fetch` (through the gateway, so that it is
vetted, told and recorded like any other request), understanding `robots_learn`, remembering `robots_state`, and
`robots_answer` turns what is known into objections.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from archiver.clock import Clock
from archiver.model import Candidate, Origin
from archiver.policy.profiles import RobotsLines
from archiver.ports import FetchRobots, RobotsAnswer
from archiver.wire.robots_answer import Answers, Known
from archiver.wire.robots_fetch import Reply, fetch_robots
from archiver.wire.robots_learn import Learner
from archiver.wire.robots_state import Memory, RobotsMemory


class RobotsService:
    """`ports.Robots` for one job. `agents` are our product tokens, in order of preference.

    `mode` is `both` (disallowed when either reading disallows), `rfc9309` or `google`. `state_path` names the SQLite
    file that remembers copies and outages across jobs; each job still asks each origin itself once, whether the copy
    holds, and its own WARC gets the answer and the copy. Raises DiskError when that file fails, never for a site's
    faults.
    """

    def __init__(
        self,
        clock: Clock,
        agents: Sequence[str],
        state_path: str | None = None,
        *,
        mode: str = "both",
        lines: RobotsLines | None = None,
        entries: int = 5_000,
    ) -> None:
        self._clock = clock
        self._entries = entries
        lines = lines or RobotsLines()
        self._answers = Answers(clock, agents, mode, lines)
        self._learner = Learner(clock, lines, self._answers)
        self._memory = RobotsMemory(state_path)
        self._known: dict[Origin, Known] = {}
        self._asking: dict[Origin, asyncio.Future[None]] = {}

    async def ask(self, candidate: Candidate, fetch: FetchRobots) -> RobotsAnswer:
        """See `ports.Robots`. `/robots.txt` itself is always allowed (RFC 9309, 2.2.2)."""
        known = self._known.get(candidate.origin)
        while known is None or self._clock.monotonic() >= known.until:
            asking = self._asking.get(candidate.origin)
            if asking is not None:
                await asyncio.shield(asking)
            else:
                await self._refresh(candidate.origin, fetch)
            known = self._known.get(candidate.origin)
        return self._answers.answer(known, candidate)

    async def close(self) -> None:
        await self._memory.close()

    async def _refresh(self, origin: Origin, fetch: FetchRobots) -> None:
        """One fetch however many wait; when this one is cancelled, one of those takes over."""
        self._asking[origin] = done = asyncio.get_running_loop().create_future()
        try:
            memory, before = await self._memory.load(origin), self._known.get(origin)
            asked = memory.copy
            if asked is None and before is not None and before.unkept is not None:
                # it serves while the site is silent, but nothing may be asked about it (RFC 9111, 5.2.2.5)
                memory = replace(memory, copy=before.unkept)
            stored = asked.headers if asked is not None and asked.direct else None
            reply = await fetch_robots(origin, fetch, stored)
            known, memory = await self._learner.learn(origin, reply, memory, before, fetch)
            await self._save(origin, known, memory, reply)
            self._remember(origin, known)
        finally:
            del self._asking[origin]
            done.set_result(None)

    async def _save(self, origin: Origin, known: Known, memory: Memory, reply: Reply) -> None:
        now = self._clock.epoch()
        if not known.attempts:
            await self._memory.reached(origin, memory.copy, now)
        elif reply.postponed is None:
            await self._memory.failed(origin, memory.unreachable_since or now, now)

    def _remember(self, origin: Origin, known: Known) -> None:
        self._known.pop(origin, None)
        while len(self._known) >= self._entries:
            del self._known[next(iter(self._known))]
        self._known[origin] = known
