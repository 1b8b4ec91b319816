"""One request by itself, recorded at once: what a foreign Scrapy project's requests are."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from weakref import WeakValueDictionary

from archiver.clock import Clock
from archiver.engine.limits import VisitLimits
from archiver.engine.outcome import moment
from archiver.engine.read import read
from archiver.model import Candidate, Decision, Fetched, Origin, Reason, Verdict
from archiver.ports import Admitted, Gateway, HostBudget, VisitSlot, Wait

PATIENCE = 300.0
"""Seconds a request waits for its host's turn; a longer rest (Retry-After, Visit-time) is told as a DEFER."""

_STEP = 0.5
_DECODED = VisitLimits().decoded
_SHORTEST = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class SingleTools:
    """What `Single` works with; `policy` is the label that its own decisions carry."""

    gateway: Gateway
    budget: HostBudget
    clock: Clock
    policy: str
    patience: float = PATIENCE


class Single:
    """One a run. Requests to one origin take their turns in the order in which they came."""

    def __init__(self, tools: SingleTools) -> None:
        self._t = tools
        self._queues: WeakValueDictionary[Origin, asyncio.Lock] = WeakValueDictionary()

    async def fetch(self, candidate: Candidate, *, given_up: Callable[[], bool]) -> Fetched | None:
        """Admit, wait for the host's turn, fetch, record. None: `given_up` said so while waiting, nothing was asked.

        Redirects are the caller's, hop by hop. Raises DiskError, LedgerError.
        """
        queue = self._queues.get(candidate.origin)
        if queue is None:
            queue = self._queues[candidate.origin] = asyncio.Lock()
        async with queue:
            if given_up():
                return None
            admitted = await self._t.gateway.admit(candidate)
            if not admitted.decision.allowed:
                return await self.refuse(candidate, admitted.decision)
            turn = await self._turn(candidate.origin, admitted, given_up)
        if turn is None:
            return None
        if isinstance(turn, Wait):
            return await self.refuse(candidate, self._deferral(turn))
        try:
            fetched = await self._t.gateway.fetch(candidate, admitted)
        finally:
            await self._t.budget.end_visit(turn, admitted.rules, burst=0.0)
        fetched = await self._judged(fetched)
        await self._t.gateway.record([fetched])
        return fetched

    async def _judged(self, fetched: Fetched) -> Fetched:
        """The verdict with what the document's own elements say: a `noarchive` in a meta element binds here too."""
        if fetched.exchange is None or fetched.exchange.method == "HEAD":
            return fetched
        reading = await read(fetched.candidate.url, fetched.exchange, limit=_DECODED)
        return self._t.gateway.judge(fetched, reading.elements)

    async def refuse(self, candidate: Candidate, decision: Decision) -> Fetched:
        """The row and the record of a request that is not made."""
        fetched = self._t.gateway.refuse(candidate, decision)
        await self._t.gateway.record([fetched])
        return fetched

    async def _turn(self, origin: Origin, admitted: Admitted, given_up: Callable[[], bool]) -> VisitSlot | Wait | None:
        """The right to visit; a Wait that is longer than patience; None when given up."""
        while isinstance(turn := await self._t.budget.begin_visit(origin, admitted.rules), Wait):
            left = turn.until - self._t.clock.epoch()
            if left > self._t.patience:
                return turn
            await asyncio.sleep(min(max(left, _SHORTEST), _STEP))
            if given_up():
                return None
        return turn

    def _deferral(self, wait: Wait) -> Decision:
        known = wait.why in Reason._value2member_map_
        return Decision(
            verdict=Verdict.DEFER,
            reason=Reason(wait.why) if known else Reason.RATE_LIMITED,
            rule=wait.rule or "the host is not to be asked now",
            policy=self._t.policy,
            not_before=moment(wait.until),
        )
