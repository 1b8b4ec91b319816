"""The nouns of pace: what binds at an origin, what is remembered about it, and which rule a wait comes from.

An `OriginState` is what is remembered about an origin, a `Pace` what binds there: the operator's rules after it was
looked whether the host is the operator's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from archiver.model import Reason
from archiver.policy.visit_time import DAY

FOREIGN_DELAY = 1.0
"""Seconds between visit starts where the operator wrote 0 and the host is not named as the operator's own."""


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
    are the seconds an answer takes, averaged over many and over the last few visits. `declared` is the delay between
    requests that robots.txt named when a request last waited for it.
    """

    not_before: float = 0.0
    span: float = 0.0
    bound: Bound = Bound.NONE
    rest_until: float = 0.0
    rest_span: float = 0.0
    rest_bound: Bound = Bound.NONE
    next_request: float = 0.0
    request_span: float = 0.0
    declared: float = 0.0
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
    """What a visit learnt from answers other than 429 and 503: how many, their seconds together, 5xx among them.

    `first_at` is when the visit's first answer of any kind was there, `first_seconds` how long its first byte took.
    """

    answers: int = 0
    seconds: float = 0.0
    errors: int = 0
    first_at: float | None = None
    first_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer: `seconds` it took, `retry_after` in seconds from now (None = not said)."""

    status: int
    retry_after: float | None = None
    seconds: float = 0.0


def permitted(rules: Rules, *, own: bool) -> Pace:
    """The operator's rules as they hold here: no gap, or several visits at once, on own hosts only (decision 13)."""
    delay, parallel, notes = max(0.0, rules.delay), max(1, rules.parallel), []
    if not own and delay < FOREIGN_DELAY:
        notes.append(f"delay {delay:g} raised to {FOREIGN_DELAY:g} s: not one of the operator's own hosts")
        delay = FOREIGN_DELAY
    if not own and parallel > 1:
        notes.append(f"{parallel} visits at a time lowered to 1: not one of the operator's own hosts")
        parallel = 1
    if rules.declared.delay > 0:  # visits at once would only take each other's turns
        parallel = 1
    return Pace(
        delay=delay,
        request_delay=max(0.0, rules.declared.delay),
        windows=rules.declared.visit_time_utc,
        parallel=parallel,
        cap=rules.retry_after_cap,
        note="; ".join(notes),
    )
