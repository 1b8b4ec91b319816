"""What both host budgets share: the question asked of one origin's state, and its answer in the port's values."""

from __future__ import annotations

from dataclasses import dataclass

from archiver.model import Origin
from archiver.policy import pace
from archiver.policy.pace_values import EXPLAIN, Bound, Heard, Moment, OriginState, Pace, permitted, reason
from archiver.ports import PaceRules, Wait

LOOK_AGAIN = 0.5
"""Seconds after which a place that is taken is asked for again: its holder's end cannot be known."""
OWN_LOOK_AGAIN = 0.02
"""The same on the operator's own hosts without a gap."""
LEASE = 900.0
"""Seconds a visit's place is kept for a holder that cannot be seen to have ended; three times the longest visit."""


@dataclass(frozen=True, slots=True)
class Place:
    """The outcome of asking for a visit: the state to keep, and the wait where there is one (steady seconds)."""

    state: OriginState
    wait: Moment | None = None


def ask(state: OriginState, rules: Pace, now: float, *, shift: float, others: int) -> Place:
    """May a visit begin now, `others` being under way at this origin?"""
    state = pace.settle(state, now)
    # While a host recovers it gets one visit at a time, whoever owns it.
    places = 1 if state.is_slowed(now) else rules.parallel
    if others >= places:
        return Place(state, Moment(at=now + LOOK_AGAIN, bound=Bound.BUSY))
    earliest = pace.visit_start(state, rules, now, shift=shift)
    if earliest.at > now:
        return Place(state, earliest)
    return Place(pace.after_start(state, rules, now))


def is_free(rules: PaceRules, *, own: bool) -> bool:
    """Whether nothing has to be remembered about the host's pace: the operator's own, no gap, nothing declared."""
    return own and rules.delay <= 0.0 and rules.declared.delay <= 0.0 and not rules.declared.visit_time_utc


def places_at(rules: PaceRules, *, own: bool) -> int:
    """Sub-requests in flight at once: one where the site declares a delay; else for each visit that may be there."""
    return 1 if rules.declared.delay > 0.0 else max(1, rules.requisites) * permitted(rules, own=own).parallel


def is_limiting(status: int, retry_after: float | None) -> bool:
    """Whether an answer tells us to go slower: 429, 503, or Retry-After on a redirect or an error."""
    return status in (429, 503) or (retry_after is not None and status >= 300)


def told(moment: Moment, rules: Pace, *, shift: float) -> Wait:
    """A wait as the port gives it: wall time, the ledger's reason, and the rule in words."""
    words = f"{moment.bound}: {EXPLAIN[moment.bound]}"
    if rules.note and moment.bound is Bound.DELAY:
        words = f"{words} ({rules.note})"
    return Wait(until=moment.at + shift, why=reason(moment.bound).value, rule=words)


@dataclass(slots=True, eq=False)
class Visits:
    """What this process knows of its own visits to an origin: how many, and what their answers were like."""

    count: int = 0
    answers: int = 0
    seconds: float = 0.0
    errors: int = 0
    first_at: float | None = None
    first_seconds: float = 0.0

    def hear(self, status: int, seconds: float, now: float, *, limiting: bool = False) -> None:
        """An answer; one that limits us says nothing about how fast the host is."""
        if self.first_at is None:
            self.first_at, self.first_seconds = now, seconds
        if limiting:
            return
        self.answers += 1
        self.seconds += seconds
        self.errors += status >= 500

    def heard(self) -> Heard:
        """Everything since the last call."""
        heard = Heard(
            answers=self.answers,
            seconds=self.seconds,
            errors=self.errors,
            first_at=self.first_at,
            first_seconds=self.first_seconds,
        )
        self.answers, self.seconds, self.errors, self.first_at = 0, 0.0, 0, None
        return heard


class Unpaced:
    """When this process was last answered without knowing of a declared delay: robots.txt itself, above all.

    Such a request counts once the delay is known. Times are steady seconds.
    """

    KEPT = 10_000

    def __init__(self) -> None:
        self._answered: dict[Origin, float] = {}
        self._expected: dict[Origin, float] = {}

    def expect(self, origin: Origin, delay: float) -> None:
        """A robots.txt is asked for under the delay that it declared the last time."""
        self._expected[origin] = delay

    def heard(self, origin: Origin, now: float) -> float:
        """An answer came; the delay under which it was asked for after all, else 0."""
        if len(self._answered) >= self.KEPT:
            self._answered.clear()
        self._answered[origin] = now
        return self._expected.pop(origin, 0.0) if self._expected else 0.0

    def counted(self, state: OriginState, origin: Origin, rules: Pace, now: float) -> OriginState:
        """The state, with that request counted."""
        asked = self._answered.get(origin) if rules.request_delay else None
        return state if asked is None else pace.after_robots(state, rules, asked, now)


class FreeVisits:
    """Visits to the operator's own hosts without any gap: counted in memory, nothing else (decision 13)."""

    def __init__(self) -> None:
        self._active: dict[Origin, set[int]] = {}
        self._token = 0

    def begin(self, origin: Origin, places: int) -> int | None:
        """A token (negative), None when all places are taken."""
        active = self._active.setdefault(origin, set())
        if len(active) >= places:
            return None
        self._token -= 1
        active.add(self._token)
        return self._token

    def end(self, origin: Origin, token: int) -> bool:
        """False when it had ended already."""
        active = self._active.get(origin, set())
        was_held = token in active
        active.discard(token)
        if not active:
            self._active.pop(origin, None)
        return was_held

    def active(self, origin: Origin) -> int:
        return len(self._active.get(origin, ()))

    def holds(self, origin: Origin, token: int) -> bool:
        return token in self._active.get(origin, ())
