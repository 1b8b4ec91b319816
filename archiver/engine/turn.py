"""Whose turn it is: the slot that a visit holds, at one origin at a time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from archiver.clock import Clock
from archiver.engine.outcome import moment
from archiver.model import Objection, Origin, Reason, Verdict
from archiver.ports import Burst, HostBudget, PaceRules, VisitSlot, Wait

STEP = 0.5
SHORTEST = 0.005

Sleep = Callable[[float], Awaitable[None]]


class Turn:
    """`slot` is the one that was given for the visit's first URL under `rules`. To be ended once, whatever happens."""

    def __init__(self, budget: HostBudget, clock: Clock, sleep: Sleep, slot: VisitSlot, rules: PaceRules) -> None:
        self._budget = budget
        self._clock = clock
        self._sleep = sleep
        self._slot: VisitSlot | None = slot
        self._rules = rules

    @property
    def origin(self) -> Origin | None:
        """Where the visit is now; None when it waited for its turn elsewhere in vain."""
        return self._slot.origin if self._slot is not None else None

    async def move(self, origin: Origin, rules: PaceRules, *, within: float) -> Objection | None:
        """A redirect leads to another origin: that is a visit there too, and waits for its turn.

        The slot in hand is given back before: two visits that wait for each other's would wait for ever. An objection
        when the turn would not come within so many seconds.
        """
        if origin == self.origin:
            return None
        await self.end(0.0, ())
        deadline = self._clock.monotonic() + within
        while isinstance(turn := await self._budget.begin_visit(origin, rules), Wait):
            left = turn.until - self._clock.epoch()
            if self._clock.monotonic() + left > deadline:
                return _deferral(turn)
            await self._sleep(min(max(left, SHORTEST), STEP))
        self._slot, self._rules = turn, rules
        return None

    async def renew(self) -> None:
        """A later end for the slot in hand. One that was lost stays here: what was asked of the host still counts."""
        slot = self._slot
        renewed = await self._budget.renew_visit(slot) if slot is not None else None
        if renewed is not None and self._slot is slot:
            self._slot = renewed

    async def end(self, burst: float, elsewhere: Sequence[Burst]) -> None:
        """Give the slot back, if there is one; the next visits pay for the bursts."""
        if self._slot is not None:
            slot, self._slot = self._slot, None
            await self._budget.end_visit(slot, self._rules, burst=burst, elsewhere=elsewhere)


def _deferral(wait: Wait) -> Objection:
    known = wait.why in Reason._value2member_map_
    return Objection(
        verdict=Verdict.DEFER,
        reason=Reason(wait.why) if known else Reason.RATE_LIMITED,
        rule=wait.rule or "the host is not to be asked now",
        not_before=moment(wait.until),
    )
