"""The seam to who may ask a host now (decisions 12 and 13): visits and places, lent for a time, each with a token.

What holds for every implementation: the store's own time decides when a lease has ended, never the caller's clock.
Times that cross this port are epoch seconds of the caller's clock, moved so that the distance from now is the store's.
A holder that died gets nothing back and blocks nobody for longer than its lease; one that comes back after its lease
(a zombie) is told so, and takes nothing from whoever holds the place since.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from archiver.model import Origin
from archiver.ports.robots import Declared


@dataclass(frozen=True, slots=True, kw_only=True)
class PaceRules:
    """What binds an origin: the operator's gap between visit starts, what the site declares, and how many visits."""

    delay: float = 1.0
    declared: Declared = field(default_factory=Declared)
    parallel: int = 1
    requisites: int = 4
    retry_after_cap: float = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitSlot:
    """The right to visit an origin until `until`; give it back with `end_visit`. No token is ever given twice."""

    origin: Origin
    token: int
    started: float
    until: float = math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class HostPlace:
    """The right to one sub-request at an origin until `until`; give it back with `give_place`."""

    origin: Origin
    token: int
    until: float = math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Not now. `until` is epoch seconds; `why` a Reason value; `rule` says in words which rule of pace bound."""

    until: float
    why: str
    rule: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """What a visit asked of another origin than its own: for `seconds` from first request to last answer, ended `ago`
    seconds ago. `rules` are what binds there."""

    origin: Origin
    rules: PaceRules
    seconds: float
    ago: float = 0.0


class HostBudget(Protocol):
    """Who may ask a host now, over all processes of this user (decisions 12 and 13). Times are epoch seconds.

    A visit holds one slot; each of its sub-requests a place at its origin, then its turn (`request_wait`), whichever
    lane it comes from. Every call concerns one origin, or the few that one visit asked.
    """

    async def begin_visit(self, origin: Origin, rules: PaceRules) -> VisitSlot | Wait: ...

    async def renew_visit(self, slot: VisitSlot) -> VisitSlot | None:
        """The slot with a later end; None when it was lost: somebody else may visit there by now."""
        ...

    async def end_visit(
        self, slot: VisitSlot, rules: PaceRules, *, burst: float, elsewhere: Sequence[Burst] = ()
    ) -> bool:
        """Give the slot back; the next visit waits at least `burst` seconds from now (payback).

        `elsewhere`: the same for each other origin that the visit asked, from when it last did. False: the slot had
        been lost, and nobody's place is given back; what was asked of the host counts all the same.
        """
        ...

    async def take_place(self, origin: Origin, rules: PaceRules, *, within: float) -> HostPlace | None:
        """A place for one sub-request: at most `rules.requisites` at once at an origin over all visits of this process
        (one where a delay is declared). None when none came free within so many seconds. Ask robots.txt before."""
        ...

    def give_place(self, place: HostPlace) -> bool:
        """The upstream answer is complete, or is a stream and its head is there. False: the place had been lost, and
        nobody else's is given back. Returns at once; an implementation that has to tell a store does so by itself."""
        ...

    async def robots_wait(self, origin: Origin) -> float:
        """Reserve a request for robots.txt; seconds to sleep before it, where a delay was declared the last time."""
        ...

    async def request_wait(self, origin: Origin, rules: PaceRules, *, limit: float = math.inf) -> float:
        """Reserve the next request start at this origin; seconds to sleep before it (0 without a declared delay).

        A rest or a closed Visit-time window counts too. A wait over `limit` seconds is told but not reserved: that
        request must not be made.
        """
        ...

    async def report(
        self, origin: Origin, rules: PaceRules, *, status: int, retry_after: float | None, seconds: float
    ) -> float | None:
        """Tell an answer. Returns epoch seconds until which the host must rest (429, 503, Retry-After), else None."""
        ...

    async def resting_until(self, origin: Origin) -> float | None:
        """Epoch seconds until which nothing may be asked there, else None."""
        ...

    async def close(self) -> None:
        """Give back what this process holds. Again is harmless."""
        ...
