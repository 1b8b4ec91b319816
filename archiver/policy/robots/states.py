"""What an answer to GET /robots.txt means, as a table: RFC 9309, 2.3.1 and 2.4, with Google's reading of 429.

fetched 2xx ................ FRESH        its rules bind the origin that was asked, wherever redirects led
304 ........................ FRESH        the copy that was asked about holds again
fetched 4xx, > 5 redirects . UNAVAILABLE  no rules
429, 5xx, no answer ........ UNREACHABLE  everything disallowed; a copy on hand stays in force: STALE_OK
UNREACHABLE for > 30 days .. UNAVAILABLE  no rules, and the record says why
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from archiver.policy.fields import Header, values_of
from archiver.policy.retry_after import retry_after
from archiver.policy.robots.caching import freshness

MAX_REDIRECTS = 5
"""Hops that are followed (RFC 9309, 2.3.1.2)."""
MAX_UNREACHABLE = 30 * 86_400.0
"""Seconds after which an unreachable file may count as unavailable (RFC 9309, 2.3.1.4)."""
BACK_OFF = 60.0
MAX_BACK_OFF = 3_600.0
MAX_RETRY_AFTER = 86_400.0
TAKEN_AT_ITS_WORD = 5
"""How often in a row a site that names a short time and stays unreachable is asked again at that time."""


class FetchState(StrEnum):
    """What is known of an origin's robots.txt."""

    FRESH = "fresh"
    STALE_OK = "stale-ok"
    UNAVAILABLE = "unavailable"
    UNREACHABLE = "unreachable"


class Outcome(StrEnum):
    """What to do with that knowledge."""

    PARSE = "parse"
    ALLOW_ALL = "allow_all"
    DISALLOW_ALL = "disallow_all"
    USE_CACHED = "use_cached"
    REFETCH = "refetch"


class Event(StrEnum):
    """What happened, in the words the table is keyed by."""

    SUCCESS = "2xx"
    REDIRECT_LIMIT = "redirects>5"
    CLIENT_ERROR = "4xx"
    NOT_MODIFIED = "304"
    TOO_MANY_REQUESTS = "429"
    SERVER_ERROR = "5xx"
    NO_ANSWER = "error"
    BAD_REDIRECT = "3xx"
    COPY_FRESH = "age<=24h"
    COPY_OLD = "age>24h"
    COPY_SERVES = "unreachable, cached copy"
    LONG_GONE = "undefined>30d"


@dataclass(frozen=True, slots=True)
class Transition:
    """One row: the state that follows, what it means for a URL, whether to ask again, and the text it rests on."""

    state: FetchState
    outcome: Outcome
    retry: bool
    section: str


TRANSITIONS: Mapping[Event, Transition] = {
    Event.SUCCESS: Transition(FetchState.FRESH, Outcome.PARSE, False, "RFC 9309 2.3.1.1"),
    Event.NOT_MODIFIED: Transition(FetchState.FRESH, Outcome.USE_CACHED, False, "RFC 9309 2.4, RFC 9110 15.4.5"),
    Event.REDIRECT_LIMIT: Transition(FetchState.UNAVAILABLE, Outcome.ALLOW_ALL, False, "RFC 9309 2.3.1.2"),
    Event.CLIENT_ERROR: Transition(FetchState.UNAVAILABLE, Outcome.ALLOW_ALL, False, "RFC 9309 2.3.1.3"),
    Event.TOO_MANY_REQUESTS: Transition(
        FetchState.UNREACHABLE, Outcome.DISALLOW_ALL, True, "RFC 9309 2.3.1.4, as Google reads 429"
    ),
    Event.SERVER_ERROR: Transition(FetchState.UNREACHABLE, Outcome.DISALLOW_ALL, True, "RFC 9309 2.3.1.4"),
    Event.NO_ANSWER: Transition(FetchState.UNREACHABLE, Outcome.DISALLOW_ALL, True, "RFC 9309 2.3.1.4"),
    Event.BAD_REDIRECT: Transition(
        FetchState.UNREACHABLE, Outcome.DISALLOW_ALL, True, "RFC 9309 2.3.1.4: a redirect that leads nowhere"
    ),
    Event.COPY_FRESH: Transition(FetchState.FRESH, Outcome.USE_CACHED, False, "RFC 9309 2.4"),
    Event.COPY_OLD: Transition(FetchState.STALE_OK, Outcome.REFETCH, False, "RFC 9309 2.4"),
    Event.COPY_SERVES: Transition(FetchState.STALE_OK, Outcome.USE_CACHED, True, "RFC 9309 2.4"),
    Event.LONG_GONE: Transition(FetchState.UNAVAILABLE, Outcome.ALLOW_ALL, True, "RFC 9309 2.3.1.4"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchFacts:
    """What is known when the question is asked. Neither `status` nor `error` = nothing was fetched just now.

    `redirects`: targets followed before `status`. `headers`: those of the answer, else those kept with the copy.
    `cached_age`: seconds since the copy was fetched or confirmed, None = no copy. `unreachable_for`: since the first
    failure. `conditional`: the request asked about that copy; a 304 to any other request says nothing.
    `forbidden_disallows`: the operator's `robots.forbidden: disallow`, which turns 401 and 403 around.
    """

    status: int | None = None
    error: str | None = None
    redirects: Sequence[str] = ()
    headers: Sequence[Header] = ()
    cached_age: float | None = None
    unreachable_for: float | None = None
    conditional: bool = True
    forbidden_disallows: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchDecision:
    """What robots.txt means for the origin now. `basis` names the row of the table; `cause` the failure behind it."""

    outcome: Outcome
    state: FetchState
    retry: bool
    retry_after: int | None
    basis: str
    cause: str
    section: str


def classify(facts: FetchFacts, now: datetime) -> FetchDecision:
    """Look the facts up in `TRANSITIONS`. `now` (aware) turns a Retry-After date into seconds."""
    cause = _event(facts)
    event = cause
    if TRANSITIONS[cause].state is FetchState.UNREACHABLE:
        if facts.cached_age is not None and facts.cached_age <= MAX_UNREACHABLE:
            event = Event.COPY_SERVES
        elif (facts.unreachable_for or 0.0) > MAX_UNREACHABLE:
            event = Event.LONG_GONE
    row = TRANSITIONS[event]
    outcome = row.outcome
    if facts.forbidden_disallows and facts.status in (401, 403) and event is Event.CLIENT_ERROR:
        outcome = Outcome.DISALLOW_ALL
    return FetchDecision(
        outcome=outcome,
        state=row.state,
        retry=row.retry,
        retry_after=retry_after(facts.headers, now) if row.retry else None,
        basis=event.value,
        cause=cause.value,
        section=row.section,
    )


def _event(facts: FetchFacts) -> Event:
    if len(facts.redirects) > MAX_REDIRECTS:
        return Event.REDIRECT_LIMIT
    if facts.error is not None:
        return Event.NO_ANSWER
    if facts.status is None:
        if facts.cached_age is None:
            return Event.COPY_OLD
        return Event.COPY_FRESH if facts.cached_age <= freshness(facts.headers) else Event.COPY_OLD
    return _status_event(facts, facts.status)


def _status_event(facts: FetchFacts, status: int) -> Event:
    if 200 <= status < 300:
        return Event.SUCCESS
    if status == 304 and facts.conditional and facts.cached_age is not None and not facts.redirects:
        return Event.NOT_MODIFIED
    if 300 <= status < 400:
        # With a Location, the hop that would exceed the limit; without one, an answer that says nothing.
        following = len(facts.redirects) >= MAX_REDIRECTS and bool(values_of(facts.headers, "location"))
        return Event.REDIRECT_LIMIT if following else Event.BAD_REDIRECT
    if status == 429:
        return Event.TOO_MANY_REQUESTS
    return Event.CLIENT_ERROR if 400 <= status < 500 else Event.SERVER_ERROR


def retry_wait(attempts: int, retry_after: float | None) -> float:
    """Seconds until an unreachable robots.txt is asked for again, after `attempts` failures in a row before this one.

    The site's own Retry-After (RFC 9110, 10.2.3), up to a day; without one 60 s, doubling up to an hour.
    """
    if retry_after is None:
        return min(BACK_OFF * 2.0 ** min(attempts, 16), MAX_BACK_OFF)
    told = max(1.0, min(float(retry_after), MAX_RETRY_AFTER))
    return told if attempts < TAKEN_AT_ITS_WORD else max(told, retry_wait(attempts - TAKEN_AT_ITS_WORD, None))
