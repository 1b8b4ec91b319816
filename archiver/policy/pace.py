"""When an origin may be asked again (decision 12): arithmetic only, the caller keeps the state and gives the time.

An `OriginState` is what is remembered about an origin, a `Pace` what binds there (the operator's rules after it was
looked whether the host is the operator's own). Every function that delays something says which rule did (`Bound`).
Times are seconds on one steady line of the caller's choice; `shift` is what to add to get epoch seconds in UTC, needed
for Visit-time only. Each remembered time comes with the span it was meant to last, so that a clock that was set back
between two runs cannot turn one second into one hour (`settle`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from archiver.model import Reason
from archiver.policy.visit_time import DAY, open_seconds, window_wait

FOREIGN_DELAY = 1.0
"""Seconds between visit starts where the operator wrote 0 and the host is not named as the operator's own."""
FIRST_REST = 60.0
"""Seconds a host rests after its first 429 or 503 without Retry-After; doubled each time (RFC 6585, 4)."""
LONGEST_GAP = 60.0
"""Seconds between visit starts that back-off and latency may grow to."""
PARK_AFTER = 3
"""So many 503 in a row and the host is left alone for the cap."""
SLOWEST = 8.0
"""How many times the usual gap a slow or failing host is given at most."""


class Bound(StrEnum):
    """Which rule a wait comes from."""

    NONE = "none"
    DELAY = "delay"
    PAYBACK = "payback"
    BACK_OFF = "backOff"
    LATENCY = "latency"
    RETRY_AFTER = "retryAfter"
    PARKED = "parked"
    CRAWL_DELAY = "crawlDelay"
    VISIT_TIME = "visitTime"
    BUSY = "busy"


EXPLAIN: dict[Bound, str] = {
    Bound.NONE: "nothing binds",
    Bound.DELAY: "the gap between visits that is configured",
    Bound.PAYBACK: "the last visit's burst of requests is paid back",
    Bound.BACK_OFF: "the host answered 429, 503 or another server error, and is asked more rarely until it recovers",
    Bound.LATENCY: "the host answers more slowly than usual",
    Bound.RETRY_AFTER: "the host asked for this rest with Retry-After",
    Bound.PARKED: "the host is parked: three 503 in a row, or a Retry-After over the cap",
    Bound.CRAWL_DELAY: "robots.txt declares a delay between requests",
    Bound.VISIT_TIME: "robots.txt declares the hours in which it may be visited",
    Bound.BUSY: "another visit to this origin is under way",
}


def reason(bound: Bound) -> Reason:
    """The ledger's reason for a wait."""
    return Reason.VISIT_TIME if bound is Bound.VISIT_TIME else Reason.RATE_LIMITED


class DeclaredRules(Protocol):
    """What this module reads of `ports.Declared`."""

    @property
    def delay(self) -> float: ...
    @property
    def visit_time_utc(self) -> tuple[tuple[int, int], ...]: ...


class Rules(Protocol):
    """What this module reads of `ports.PaceRules`."""

    @property
    def delay(self) -> float: ...
    @property
    def declared(self) -> DeclaredRules: ...
    @property
    def parallel(self) -> int: ...
    @property
    def retry_after_cap(self) -> float: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What binds at one origin: seconds between visit starts, between request starts, visits at a time, UTC windows."""

    delay: float = 1.0
    request_delay: float = 0.0
    windows: tuple[tuple[int, int], ...] = ()
    parallel: int = 1
    cap: float = DAY
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginState:
    """What is remembered about an origin: times, and with each (`*span`) how long it was meant to last.

    `backoff` is the gap between visits after 429, 503 and other server errors, `strikes` how often the host said 429 or
    503 lately, `unavailable` how many 503 came in a row, `struck_at` when the last of either came. `usual` and `recent`
    are the seconds an answer takes, averaged over many and over the last few visits.
    """

    not_before: float = 0.0
    span: float = 0.0
    bound: Bound = Bound.NONE
    rest_until: float = 0.0
    rest_span: float = 0.0
    rest_bound: Bound = Bound.NONE
    next_request: float = 0.0
    request_span: float = 0.0
    backoff: float = 0.0
    strikes: int = 0
    unavailable: int = 0
    struck_at: float = -1.0
    usual: float = 0.0
    recent: float = 0.0
    visits: int = 0

    def is_slowed(self, now: float) -> bool:
        """Whether the host rests or recovers: then nothing is skipped, even on the operator's own hosts."""
        return self.backoff > 0.0 or self.rest_until > now


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """The earliest time for something, and the rule it comes from."""

    at: float
    bound: Bound


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What a visit learnt from answers other than 429 and 503: how many, their seconds together, 5xx among them."""

    answers: int = 0
    seconds: float = 0.0
    errors: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer: `seconds` it took, `retry_after` in seconds from now (None = not said)."""

    status: int
    retry_after: float | None = None
    seconds: float = 0.0


def permitted(rules: Rules, *, own: bool) -> Pace:
    """The operator's rules as they hold here: no gap, or several visits at once, on own hosts only (decision 13)."""
    delay, parallel, notes = max(0.0, rules.delay), max(1, rules.parallel), []
    if not own and delay == 0.0:
        delay = FOREIGN_DELAY
        notes.append(f"delay 0 raised to {FOREIGN_DELAY:g} s: not one of the operator's own hosts")
    if not own and parallel > 1:
        notes.append(f"{parallel} visits at a time lowered to 1: not one of the operator's own hosts")
        parallel = 1
    return Pace(
        delay=delay,
        request_delay=max(0.0, rules.declared.delay),
        windows=rules.declared.visit_time_utc,
        parallel=parallel,
        cap=rules.retry_after_cap,
        note="; ".join(notes),
    )


def settle(state: OriginState, now: float) -> OriginState:
    """Shorten waits that lie further ahead than they were meant to last: the clock was set back."""
    late = (
        state.not_before - now > state.span
        or state.rest_until - now > state.rest_span
        or state.next_request - now > state.request_span
    )
    if not late:
        return state
    return replace(
        state,
        not_before=min(state.not_before, now + state.span),
        rest_until=min(state.rest_until, now + state.rest_span),
        next_request=min(state.next_request, now + state.request_span),
        struck_at=min(state.struck_at, now),
    )


def gap(state: OriginState, pace: Pace) -> Moment:
    """Seconds between visit starts (in `at`) and the rule that asks for most."""
    longest = Moment(at=pace.delay, bound=Bound.DELAY)
    if state.backoff > longest.at:
        longest = Moment(at=state.backoff, bound=Bound.BACK_OFF)
    slow = _latency_gap(state, pace)
    return Moment(at=slow, bound=Bound.LATENCY) if slow > longest.at else longest


def _latency_gap(state: OriginState, pace: Pace) -> float:
    # Judged after five visits, from double the usual time and half a second on: below that it is noise, not load.
    if state.visits < 5 or state.recent < 0.5 or state.recent < 2.0 * state.usual:
        return 0.0
    times = min(SLOWEST, state.recent / max(state.usual, 1e-3))
    return max(pace.delay, min(pace.delay * times, LONGEST_GAP))


def visit_start(state: OriginState, pace: Pace, now: float, *, shift: float = 0.0) -> Moment:
    """The earliest start of a visit, not before `now`."""
    earliest = _after(Moment(at=now, bound=Bound.NONE), state.not_before, state.bound)
    earliest = _after(earliest, state.rest_until, state.rest_bound)
    if pace.request_delay:
        earliest = _after(earliest, state.next_request, Bound.CRAWL_DELAY)
    return _in_window(earliest, pace, shift)


def after_start(state: OriginState, pace: Pace, now: float) -> OriginState:
    """A visit began: were its process killed now, the gap would still hold."""
    asked = gap(state, pace)
    return replace(state, not_before=now + asked.at, span=asked.at, bound=asked.bound)


def after_visit(
    state: OriginState, pace: Pace, *, start: float, end: float, burst: float, heard: Heard | None = None
) -> OriginState:
    """A visit ended; the next not before max(start + max(delay, back-off), end + burst)."""
    state = _learn(state, pace, start=start, heard=heard or Heard())
    if state.rest_until <= end:
        state = replace(state, rest_until=0.0, rest_span=0.0, rest_bound=Bound.NONE)
    asked = gap(state, pace)
    following = Moment(at=start + asked.at, bound=asked.bound)
    following = _after(following, end + min(max(0.0, burst), pace.cap), Bound.PAYBACK)
    return replace(state, not_before=following.at, span=max(0.0, following.at - end), bound=following.bound)


def _learn(state: OriginState, pace: Pace, *, start: float, heard: Heard) -> OriginState:
    if not heard.answers:
        return state
    mean = heard.seconds / heard.answers
    known = state.visits > 0
    state = replace(
        state,
        usual=state.usual + 0.1 * (mean - state.usual) if known else mean,
        recent=state.recent + 0.5 * (mean - state.recent) if known else mean,
        visits=state.visits + 1,
    )
    if heard.errors:
        return replace(state, backoff=max(state.backoff, min(2.0 * gap(state, pace).at, SLOWEST * pace.delay)))
    if state.struck_at >= start:
        return state
    return _recovered(state, pace)


def _recovered(state: OriginState, pace: Pace) -> OriginState:
    # One step a clean visit: a host that was overloaded is not asked at full pace at once.
    half = state.backoff / 2.0
    return replace(
        state,
        backoff=half if half > max(pace.delay, 0.5) else 0.0,
        strikes=max(0, state.strikes - 1),
        unavailable=0,
    )


def request_start(
    state: OriginState, pace: Pace, now: float, *, limit: float, shift: float = 0.0
) -> tuple[Moment, OriginState]:
    """The earliest start of one request, reserved: what the site declares, its windows and its rests bind.

    A wait longer than `limit` seconds is told but not reserved: the caller gives that request up.
    """
    earliest = _after(Moment(at=now, bound=Bound.NONE), state.rest_until, state.rest_bound)
    if pace.request_delay:
        earliest = _after(earliest, state.next_request, Bound.CRAWL_DELAY)
    earliest = _in_window(earliest, pace, shift)
    if not pace.request_delay or earliest.at - now > limit:
        return earliest, state
    following = earliest.at + pace.request_delay
    return earliest, replace(state, next_request=following, request_span=following - now)


def after_answer(state: OriginState, pace: Pace, answer: Answer, now: float, *, jitter: float) -> OriginState:
    """429, 503 and Retry-After (RFC 9110, 10.2.3; RFC 6585, 4). `jitter` in [0, 1) lengthens a rest by up to a quarter.

    Retry-After is obeyed exactly up to the cap, past it the host is parked for the cap. Without it the rest starts at
    60 s and doubles. Answers to requests that were under way when the host struck belong to the same strike.
    """
    limited = answer.status in (429, 503)
    if not limited and (answer.retry_after is None or answer.status < 300):
        return state
    if not limited or now < state.rest_until or now - answer.seconds < state.struck_at:
        if answer.retry_after is None:
            return state
        return _rest(state, now, *_as_told(answer.retry_after, pace))
    strikes = state.strikes + 1
    unavailable = state.unavailable + 1 if answer.status == 503 else 0
    if unavailable >= PARK_AFTER:
        seconds, bound = pace.cap, Bound.PARKED
    elif answer.retry_after is not None:
        seconds, bound = _as_told(answer.retry_after, pace)
    else:
        doubled = FIRST_REST * 2.0 ** min(strikes - 1, 20)
        seconds, bound = min(doubled * (1.0 + jitter / 4.0), pace.cap), Bound.BACK_OFF
    slower = min(max(2.0 * gap(state, pace).at, 2.0), LONGEST_GAP)
    struck = replace(state, strikes=strikes, unavailable=unavailable, struck_at=now, backoff=max(slower, state.backoff))
    return _rest(struck, now, seconds, bound)


def answered(state: OriginState) -> OriginState:
    """A request made after the rest was answered well: 503 are no longer in a row."""
    return replace(state, unavailable=0)


def _as_told(retry_after: float, pace: Pace) -> tuple[float, Bound]:
    if retry_after > pace.cap:
        return pace.cap, Bound.PARKED
    return max(0.0, retry_after), Bound.RETRY_AFTER


def _rest(state: OriginState, now: float, seconds: float, bound: Bound) -> OriginState:
    if now + seconds <= state.rest_until:
        return state
    return replace(state, rest_until=now + seconds, rest_span=seconds, rest_bound=bound)


def _after(earliest: Moment, at: float, bound: Bound) -> Moment:
    return Moment(at=at, bound=bound) if at > earliest.at else earliest


def _in_window(earliest: Moment, pace: Pace, shift: float) -> Moment:
    wait = window_wait(pace.windows, earliest.at + shift)
    return Moment(at=earliest.at + wait, bound=Bound.VISIT_TIME) if wait > 0.0 else earliest


def estimate(pages: int, requisites: int, rules: Rules) -> float:
    """Seconds that `pages` visits with `requisites` requests each besides the page take at least at one origin.

    Answers are taken to come at once and bursts to last no time, so it never takes less. With declared hours the nights
    in between are counted, by the time in a day that the windows cover together.
    """
    if pages < 1:
        return 0.0
    between_visits = (pages - 1) * max(0.0, rules.delay)
    between_requests = (pages * (1 + max(0, requisites)) - 1) * max(0.0, rules.declared.delay)
    active = max(between_visits, between_requests)
    a_day = open_seconds(rules.declared.visit_time_utc)
    nights = max(0, -(-int(active) // int(a_day)) - 1) if active > a_day else 0
    return active + nights * (DAY - a_day)
