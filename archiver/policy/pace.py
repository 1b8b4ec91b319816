"""When an origin may be asked again (decision 12): arithmetic only, the caller keeps the state and gives the time.

Every function that delays something says which rule did (`Bound`); the values it works on are in `pace_values`.
Times are seconds on one steady line of the caller's choice; `shift` is what to add to get epoch
seconds in UTC, needed for Visit-time only. Each remembered time comes with the span it was meant to last, so that a
clock that was set back between two runs cannot turn one second into one hour (`settle`).
"""

from __future__ import annotations

from dataclasses import replace

from archiver.policy.pace_values import Answer, Bound, Heard, Moment, OriginState, Pace, Rules
from archiver.policy.visit_time import DAY, open_seconds, window_wait

FIRST_REST = 60.0
"""Seconds a host rests after its first 429 or 503 without Retry-After; doubled each time (RFC 6585, 4)."""
LONGEST_GAP = 60.0
"""Seconds between visit starts that back-off and latency may grow to."""
PARK_AFTER = 3
"""So many 503 in a row and the host is left alone for the cap."""
LAG = 0.05
"""Seconds our own event loop may take to act on a time that has come."""
HELD_UP = 0.5
"""Seconds for which a busy process may hold up a request that was given its turn: so late the site may see it."""
SLOWEST = 8.0
"""How many times the usual gap a slow or failing host is given at most."""
ROBOTS_GAP = 60.0
"""Seconds up to which robots.txt counts as a request: a `save` under a longer delay still gets its one page."""


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
    """A visit ended; the next not before max(start + max(delay, back-off), end + burst), start as the site saw it."""
    heard = heard or Heard()
    state = _learn(state, pace, start=start, heard=heard)
    if state.rest_until <= end:
        state = replace(state, rest_until=0.0, rest_span=0.0, rest_bound=Bound.NONE)
    asked = gap(state, pace)
    if heard.first_at is not None:
        start = max(start, seen(start, heard.first_at, heard.first_seconds))
    following = Moment(at=start + asked.at, bound=asked.bound)
    following = _after(following, end + min(max(0.0, burst), pace.cap), Bound.PAYBACK)
    if state.bound is Bound.PAYBACK:  # told while this visit was under way
        following = _after(following, state.not_before, Bound.PAYBACK)
    return replace(state, not_before=following.at, span=max(0.0, following.at - end), bound=following.bound)


def after_burst(state: OriginState, pace: Pace, *, burst: float, ended: float) -> OriginState:
    """Another origin's page took its requisites here until `ended`: the next visit waits as long as that lasted."""
    owed = min(max(0.0, burst), pace.cap)
    if ended + owed <= state.not_before:
        return state
    return replace(state, not_before=ended + owed, span=owed, bound=Bound.PAYBACK)


def seen(start: float, answered: float, seconds: float) -> float:
    """The latest time at which the site can have seen a request that began at `start`: connecting takes time too.

    Without this a gap after a request on a new connection, or from a process that had no CPU, would look too short from
    the other side. An answer that comes sooner was asked for sooner.
    """
    return min(answered, start + seconds + HELD_UP)


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
    return earliest, replace(state, next_request=following, request_span=following - now, declared=pace.request_delay)


def robots_start(state: OriginState, now: float) -> tuple[float, OriginState]:
    """The earliest start of a request for robots.txt, reserved, by the delay that it declared when it was last read.

    It may fall among another process's requests: one of those may still be on its way, the next is reserved already.
    """
    if not state.declared:
        return now, state
    start = min(max(now, state.next_request + LAG), now + ROBOTS_GAP)
    following = max(state.next_request, start + min(state.declared, ROBOTS_GAP) + LAG)
    return start, replace(state, next_request=following, request_span=following - now)


def after_robots(state: OriginState, pace: Pace, asked: float, now: float) -> OriginState:
    """What was `asked` before its answer declared a delay counts as a request like any other, for a minute at most."""
    following = asked + min(pace.request_delay, ROBOTS_GAP)
    if not pace.request_delay or following <= max(state.next_request, now):
        return state
    return replace(state, next_request=following, request_span=following - now)


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


def take(state: OriginState, pace: Pace, answer: Answer, now: float, *, jitter: float) -> OriginState:
    """Any answer: what it says of the declared delay, of the host's strain, or of its recovery."""
    state = _count_from_seen(state, pace, now, seconds=answer.seconds)
    if answer.status < 500 and answer.status != 429 and now >= state.rest_until:
        state = replace(state, unavailable=0)
    return after_answer(state, pace, answer, now, jitter=jitter)


def _count_from_seen(state: OriginState, pace: Pace, now: float, *, seconds: float) -> OriginState:
    # The next request counts from when the site must have seen this one.
    if not pace.request_delay:
        return state
    following = seen(state.next_request - pace.request_delay, now, seconds) + pace.request_delay
    if following <= state.next_request:
        return state
    return replace(state, next_request=following, request_span=following - now)


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
