"""The host budget in memory: for tests. Behaves as `hosts` does, but knows of no other process."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

from archiver.clock import Clock
from archiver.frontier.budget import LEASE, Unpaced, Visits, ask, is_free, is_limiting, places_at, told
from archiver.frontier.places import Places
from archiver.model import Origin
from archiver.policy import pace
from archiver.policy.pace_values import Answer, OriginState, permitted
from archiver.ports import Burst, Declared, HostPlace, PaceRules, VisitSlot, Wait


class MemoryHostBudget:
    """`own` says which origins are the operator's; `jitter` gives numbers in [0, 1)."""

    def __init__(
        self, clock: Clock, *, own: Callable[[Origin], bool], jitter: Callable[[], float] = lambda: 0.0
    ) -> None:
        self._clock = clock
        self._offset = clock.epoch() - clock.monotonic()
        self._own = own
        self._jitter = jitter
        self._states: dict[Origin, OriginState] = {}
        self._visits: dict[Origin, Visits] = {}
        self._held: dict[Origin, dict[int, float]] = {}
        self._started: dict[int, float] = {}
        self._token = 0
        self._places = Places(clock)
        self._unpaced = Unpaced()

    def _now(self) -> float:
        return self._clock.monotonic() + self._offset

    def _shift(self) -> float:
        return self._clock.epoch() - self._now()

    def _state(self, origin: Origin) -> OriginState:
        return pace.settle(self._states.get(origin, OriginState()), self._now())

    async def begin_visit(self, origin: Origin, rules: PaceRules) -> VisitSlot | Wait:
        bound_by = permitted(rules, own=self._own(origin))
        now = self._now()
        known = self._unpaced.counted(self._state(origin), origin, bound_by, now)
        place = ask(known, bound_by, now, shift=self._shift(), others=len(self._still_held(origin, now)))
        self._states[origin] = place.state
        if place.wait is not None:
            return told(place.wait, bound_by, shift=self._shift())
        self._visits.setdefault(origin, Visits()).count += 1
        self._token += 1
        self._held.setdefault(origin, {})[self._token] = now + LEASE
        self._started[self._token] = now
        shift = self._shift()
        return VisitSlot(origin=origin, token=self._token, started=now + shift, until=now + LEASE + shift)

    def _still_held(self, origin: Origin, now: float) -> dict[int, float]:
        held = {token: until for token, until in self._held.get(origin, {}).items() if until > now}
        self._held[origin] = held
        return held

    async def renew_visit(self, slot: VisitSlot) -> VisitSlot | None:
        held, now = self._still_held(slot.origin, self._now()), self._now()
        if slot.token not in held:
            return None
        held[slot.token] = now + LEASE
        return replace(slot, until=now + LEASE + self._shift())

    async def end_visit(
        self, slot: VisitSlot, rules: PaceRules, *, burst: float, elsewhere: Sequence[Burst] = ()
    ) -> bool:
        self._pay_back([one for one in elsewhere if not is_free(one.rules, own=self._own(one.origin))])
        now = self._now()
        was_held = self._still_held(slot.origin, now).pop(slot.token, None) is not None
        visits = self._visits.setdefault(slot.origin, Visits())
        start = self._started.pop(slot.token, now)
        visits.count = max(0, visits.count - 1)
        own = self._own(slot.origin)
        if is_free(rules, own=own) and not self._state(slot.origin).is_slowed(self._now()):
            return was_held
        bound_by = permitted(rules, own=own)
        self._states[slot.origin] = pace.after_visit(
            self._state(slot.origin), bound_by, start=start, end=self._now(), burst=burst, heard=visits.heard()
        )
        return was_held

    def _pay_back(self, bursts: Sequence[Burst]) -> None:
        for one in bursts:
            rules = permitted(one.rules, own=self._own(one.origin))
            state = pace.after_burst(self._state(one.origin), rules, burst=one.seconds, ended=self._now() - one.ago)
            self._states[one.origin] = state

    async def take_place(self, origin: Origin, rules: PaceRules, *, within: float) -> HostPlace | None:
        return await self._places.take(origin, places_at(rules, own=self._own(origin)), within=within)

    def give_place(self, place: HostPlace) -> bool:
        return self._places.give(place)

    async def robots_wait(self, origin: Origin) -> float:
        now, state = self._now(), self._state(origin)
        start, reserved = pace.robots_start(state, now)
        if reserved is not state:
            self._unpaced.expect(origin, reserved.declared)
            self._states[origin] = reserved
        return start - now

    async def request_wait(self, origin: Origin, rules: PaceRules, *, limit: float = math.inf) -> float:
        bound_by, now = permitted(rules, own=self._own(origin)), self._now()
        known = self._unpaced.counted(self._state(origin), origin, bound_by, now)
        start, self._states[origin] = pace.request_start(known, bound_by, now, limit=limit, shift=self._shift())
        return start.at - now

    async def report(
        self, origin: Origin, rules: PaceRules, *, status: int, retry_after: float | None, seconds: float
    ) -> float | None:
        limiting, now = is_limiting(status, retry_after), self._now()
        if rules.declared.delay <= 0.0:
            declared = self._unpaced.heard(origin, now)
            rules = replace(rules, declared=Declared(delay=declared)) if declared else rules
        if origin in self._visits and self._visits[origin].count:
            self._visits[origin].hear(status, seconds, now, limiting=limiting)
        answer = Answer(status=status, retry_after=retry_after, seconds=seconds)
        bound_by = permitted(rules, own=self._own(origin))
        state = pace.take(self._state(origin), bound_by, answer, now, jitter=self._jitter())
        self._states[origin] = state
        return state.rest_until + self._shift() if limiting else None

    async def resting_until(self, origin: Origin) -> float | None:
        state = self._state(origin)
        return state.rest_until + self._shift() if state.rest_until > self._now() else None

    async def close(self) -> None:
        """Nothing is held."""
