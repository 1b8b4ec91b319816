"""Who may ask a host now, over all processes of one user: one SQLite file (decision 13).

A visit to somebody else's host costs two transactions, however many origins it asked; a request under a declared delay
one. Places for sub-requests are counted in this process only: between processes it is the one visit at a time. On the
operator's own hosts with `delay: 0` nothing leaves memory, until the host says 429, 503 or Retry-After: that binds
everywhere.
"""

from __future__ import annotations

import math
import random
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from archiver.clock import Clock
from archiver.frontier.budget import (
    LEASE,
    OWN_LOOK_AGAIN,
    FreeVisits,
    Unpaced,
    Visits,
    ask,
    is_free,
    is_limiting,
    places_at,
    told,
)
from archiver.frontier.host_tables import MIGRATIONS, SCHEMA, VERSION, HostTables
from archiver.frontier.places import Places
from archiver.frontier.thread import SqliteThread
from archiver.frontier.timeline import Timeline
from archiver.model import Origin
from archiver.policy import pace
from archiver.policy.pace_values import Answer, Bound, Heard, Moment, OriginState, Pace, permitted
from archiver.ports import Burst, Declared, HostPlace, PaceRules, VisitSlot, Wait

LOOK_EVERY = 0.5
"""Seconds for which this process believes what it read of the other processes' resting hosts."""
OWN_KEPT = 10_000


class SqliteHostBudget:
    """`own` says which origins are the operator's; `jitter` gives numbers in [0, 1).

    Raises DiskError when the file cannot be opened or written, UsageError when a newer version wrote it.
    """

    def __init__(
        self,
        path: Path,
        clock: Clock,
        *,
        own: Callable[[Origin], bool],
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._clock = clock
        self._own = own
        self._jitter = jitter
        self._owned: dict[Origin, bool] = {}
        self._free = FreeVisits()
        self._visits: dict[Origin, Visits] = {}
        self._slow: dict[Origin, OriginState] = {}
        self._places = Places(clock)
        self._unpaced = Unpaced()
        self._looked = -math.inf
        self._thread = SqliteThread(path, SCHEMA, version=VERSION, migrations=MIGRATIONS)

        def prepare(db: sqlite3.Connection) -> HostTables:
            return HostTables(db, Timeline(db, clock))

        self._tables = self._thread.start(prepare)
        self._time = self._tables.time

    # --- visits ----------------------------------------------------------------------------------------------------

    async def begin_visit(self, origin: Origin, rules: PaceRules) -> VisitSlot | Wait:
        """A place, or until when to wait and by which rule."""
        own = self._is_own(origin)
        if is_free(rules, own=own):
            if self._clock.monotonic() - self._looked >= LOOK_EVERY:
                await self._look()
            if origin not in self._slow:
                return self._begin_free(origin, rules)
        given = await self._thread.run(lambda _: self._begin(origin, permitted(rules, own=own)))
        if isinstance(given, VisitSlot):
            self._visits.setdefault(origin, Visits()).count += 1
        return given

    def _begin_free(self, origin: Origin, rules: PaceRules) -> VisitSlot | Wait:
        now = self._clock.epoch()
        token = self._free.begin(origin, rules.parallel)
        if token is None:
            busy = Moment(at=now + OWN_LOOK_AGAIN, bound=Bound.BUSY)
            return told(busy, permitted(rules, own=True), shift=0.0)
        return VisitSlot(origin=origin, token=token, started=now)

    def _begin(self, origin: Origin, rules: Pace) -> VisitSlot | Wait:
        now, shift = self._time.now(), self._time.shift()
        others = self._tables.others(origin, now) + self._free.active(origin)
        state = self._tables.state(origin)
        known = self._unpaced.counted(state, origin, rules, now)
        place = ask(known, rules, now, shift=shift, others=others)
        if place.state != state:
            self._tables.save(origin, place.state, now)
        if place.wait is not None:
            return told(place.wait, rules, shift=shift)
        token = self._tables.enter(origin, now)
        return VisitSlot(origin=origin, token=token, started=now + shift, until=now + LEASE + shift)

    async def renew_visit(self, slot: VisitSlot) -> VisitSlot | None:
        """The slot with a later end, None when it was lost. One on an own host without a gap ends with its process."""
        if slot.token < 0:
            return slot if self._free.holds(slot.origin, slot.token) else None
        until = await self._thread.run(lambda _: self._renew(slot.token))
        return None if until is None else replace(slot, until=until)

    def _renew(self, token: int) -> float | None:
        now = self._time.now()
        return self._time.to_wall(now + LEASE) if self._tables.renew(token, now) else None

    async def end_visit(
        self, slot: VisitSlot, rules: PaceRules, *, burst: float, elsewhere: Sequence[Burst] = ()
    ) -> bool:
        """Give the place back; the next visit waits at least `burst` seconds from now (payback), so do others'."""
        origin, held = slot.origin, True
        owed = [one for one in elsewhere if not is_free(one.rules, own=self._is_own(one.origin))]
        if slot.token < 0:
            held = self._free.end(origin, slot.token)
            if origin not in self._slow:
                if owed:
                    await self._thread.run(lambda _: self._pay_back(owed))
                return held
        bound_by = permitted(rules, own=self._is_own(origin))
        heard = self._leave(origin)
        state, left = await self._thread.run(lambda _: self._end(slot, bound_by, burst, heard, owed))
        self._remember(origin, state)
        return left or (slot.token < 0 and held)

    def _leave(self, origin: Origin) -> Heard | None:
        visits = self._visits.get(origin)
        if visits is None:
            return None
        visits.count -= 1
        if visits.count <= 0:
            del self._visits[origin]
        return visits.heard()

    def _end(
        self, slot: VisitSlot, rules: Pace, burst: float, heard: Heard | None, elsewhere: Sequence[Burst]
    ) -> tuple[OriginState, bool]:
        self._pay_back(elsewhere)
        now, origin = self._time.now(), slot.origin
        started, left = self._tables.leave(slot.token, now)
        if started is None:  # one that was given up on has asked the host all the same
            started = min(self._time.from_wall(slot.started), now)
        state = pace.settle(self._tables.state(origin), now)
        state = pace.after_visit(state, rules, start=started, end=now, burst=burst, heard=heard)
        self._tables.save(origin, state, now)
        return state, left

    def _pay_back(self, bursts: Sequence[Burst]) -> None:
        now = self._time.now()
        for one in bursts:
            state = pace.settle(self._tables.state(one.origin), now)
            rules = permitted(one.rules, own=self._is_own(one.origin))
            self._tables.save(one.origin, pace.after_burst(state, rules, burst=one.seconds, ended=now - one.ago), now)

    # --- requests --------------------------------------------------------------------------------------------------

    async def take_place(self, origin: Origin, rules: PaceRules, *, within: float) -> HostPlace | None:
        """A place for one sub-request; None when none came free within so many seconds."""
        return await self._places.take(origin, places_at(rules, own=self._is_own(origin)), within=within)

    def give_place(self, place: HostPlace) -> bool:
        """To who waits longest; False when it was lost before."""
        return self._places.give(place)

    async def robots_wait(self, origin: Origin) -> float:
        """Seconds to sleep before robots.txt is asked, reserved: what it declared the last time binds this too."""
        return await self._thread.run(lambda _: self._reserve_robots(origin))

    def _reserve_robots(self, origin: Origin) -> float:
        now = self._time.now()
        state = pace.settle(self._tables.state(origin), now)
        start, reserved = pace.robots_start(state, now)
        if reserved is not state:
            self._unpaced.expect(origin, reserved.declared)
            self._tables.save(origin, reserved, now)
        return start - now

    async def request_wait(self, origin: Origin, rules: PaceRules, *, limit: float = math.inf) -> float:
        """Seconds to sleep before the next request there, reserved when not over `limit`."""
        if rules.declared.delay <= 0.0 and not rules.declared.visit_time_utc:
            resting = await self.resting_until(origin)
            return 0.0 if resting is None else max(0.0, resting - self._clock.epoch())
        bound_by = permitted(rules, own=self._is_own(origin))
        return await self._thread.run(lambda _: self._reserve(origin, bound_by, limit))

    def _reserve(self, origin: Origin, rules: Pace, limit: float) -> float:
        now = self._time.now()
        state = self._unpaced.counted(pace.settle(self._tables.state(origin), now), origin, rules, now)
        start, state = pace.request_start(state, rules, now, limit=limit, shift=self._time.shift())
        self._tables.save(origin, state, now)
        return max(0.0, start.at - now)

    async def report(
        self, origin: Origin, rules: PaceRules, *, status: int, retry_after: float | None, seconds: float
    ) -> float | None:
        """Tell an answer; epoch seconds until which the host must rest, None when it did not ask for that."""
        limiting = is_limiting(status, retry_after)
        visits = self._visits.get(origin)
        if rules.declared.delay <= 0.0:
            declared = self._unpaced.heard(origin, self._time.now())
            rules = replace(rules, declared=Declared(delay=declared)) if declared else rules
        if visits is not None:
            visits.hear(status, seconds, self._time.now(), limiting=limiting)
        if not limiting and rules.declared.delay <= 0.0 and not self._is_recovering(origin, status):
            return None
        answer = Answer(status=status, retry_after=retry_after, seconds=seconds)
        bound_by = permitted(rules, own=self._is_own(origin))
        state = await self._thread.run(lambda _: self._answered(origin, bound_by, answer))
        self._remember(origin, state)
        return self._time.to_wall(state.rest_until) if limiting else None

    def _is_recovering(self, origin: Origin, status: int) -> bool:
        # Answers that come while the host rests were asked for before, and say nothing about its recovery.
        state = self._slow.get(origin)
        return state is not None and status < 500 and state.unavailable > 0 and state.rest_until <= self._time.now()

    def _answered(self, origin: Origin, rules: Pace, answer: Answer) -> OriginState:
        now = self._time.now()
        state = pace.settle(self._tables.state(origin), now)
        state = pace.take(state, rules, answer, now, jitter=self._jitter())
        self._tables.save(origin, state, now)
        return state

    async def resting_until(self, origin: Origin) -> float | None:
        """Epoch seconds until which nothing may be asked there, by what any process of this user heard."""
        if self._clock.monotonic() - self._looked >= LOOK_EVERY:
            await self._look()
        state = self._slow.get(origin)
        if state is None or state.rest_until <= self._time.now():
            return None
        return self._time.to_wall(state.rest_until)

    # --- what is known here ----------------------------------------------------------------------------------------

    async def _look(self) -> None:
        self._looked = self._clock.monotonic()
        found = await self._thread.run(lambda _: self._tables.slow())
        now = self._time.now()
        self._slow = {origin: pace.settle(state, now) for origin, state in found.items() if state.is_slowed(now)}

    def _remember(self, origin: Origin, state: OriginState) -> None:
        if state.is_slowed(self._time.now()):
            self._slow[origin] = state
        else:
            self._slow.pop(origin, None)

    def _is_own(self, origin: Origin) -> bool:
        known = self._owned.get(origin)
        if known is None:
            if len(self._owned) >= OWN_KEPT:
                self._owned.clear()
            known = self._owned[origin] = self._own(origin)
        return known

    async def close(self) -> None:
        """Give back the places this process still holds, then close the file. Again is harmless."""
        if not self._thread.closed:
            await self._thread.run(lambda _: self._tables.leave_all())
        await self._thread.close()
