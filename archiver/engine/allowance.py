"""What one visit may still ask of each origin: places, time, bytes; and what it owes there afterwards (decision 12)."""

from __future__ import annotations

import asyncio
import math
from collections import defaultdict
from collections.abc import Callable

from archiver.clock import Clock
from archiver.engine.limits import VisitLimits
from archiver.engine.outcome import COME_BACK
from archiver.model import Fetched, Objection, Origin, Reason, Verdict
from archiver.ports import Burst, HostBudget, HostPlace, PaceRules

Tell = Callable[[str], None]
"""Is given a sentence for the user."""


class Allowance:
    """One a visit. A requisite takes a place, is fetched, and gives it back; it is never deferred."""

    def __init__(self, budget: HostBudget, clock: Clock, limits: VisitLimits, tell: Tell | None = None) -> None:
        self.limits = limits
        self._budget = budget
        self._clock = clock
        self._tell = tell
        self._began = clock.monotonic()
        self._declared = False
        self._asked: defaultdict[Origin, int] = defaultdict(int)
        self._hopped: defaultdict[Origin, int] = defaultdict(int)
        self._bytes: defaultdict[Origin, int] = defaultdict(int)
        self._lanes: dict[Origin, asyncio.Semaphore] = {}
        self._places: defaultdict[Origin, list[HostPlace]] = defaultdict(list)
        self._stopped: dict[Origin, str] = {}
        self._spans: dict[Origin, _Span] = {}

    # -- time

    def begin(self, rules: PaceRules) -> None:
        """The visit's time runs; `rules` are those of its document's origin."""
        self._began = self._clock.monotonic()
        self._declared = rules.declared.delay > 0

    def waited(self, seconds: float) -> None:
        """The visit waited for something of ours, a place in the browser: that is no time of its site."""
        self._began += seconds

    def seconds(self, rules: PaceRules) -> float:
        """The visit's limit, which grows where a delay is declared: by the document's site, or by a requisite's."""
        declared = self._declared or rules.declared.delay > 0
        return self.limits.declared_seconds if declared else self.limits.seconds

    def left(self, rules: PaceRules) -> float:
        return self._began + self.seconds(rules) - self._clock.monotonic()

    # -- numbers

    def one_more(self, origin: Origin) -> Objection | None:
        """Another requisite is wanted there."""
        if self._asked[origin] >= self.limits.requisites:
            return _refuse(Reason.REQUISITE_LIMIT, self._too_many("requisites"))
        self._asked[origin] += 1
        return None

    def one_more_hop(self, origin: Origin) -> Objection | None:
        """Hops are bounded together as well: else 300 images with 20 hops each ask an origin 6,000 times."""
        self._hopped[origin] += 1
        if self._hopped[origin] > self.limits.requisites:
            return _refuse(Reason.REQUISITE_LIMIT, self._too_many("redirects"))
        return None

    def _too_many(self, what: str) -> str:
        return f"more than {self.limits.requisites} {what} from one origin"

    # -- places

    async def take(self, origin: Origin, rules: PaceRules) -> Objection | None:
        """Wait for a place at the origin; an objection when the visit cannot afford the request any more."""
        declared = rules.declared.delay > 0
        lane = self._lanes.get(origin)
        if lane is None:
            self._foretell(origin, rules)
            count = 1 if declared else min(self.limits.in_flight, rules.requisites)
            lane = self._lanes[origin] = asyncio.Semaphore(max(1, count))
        await lane.acquire()
        objection: Objection | None = None
        try:
            objection = self._unaffordable(origin, rules)
            if objection is None:
                objection = await self._place(origin, rules)
        except BaseException:
            lane.release()
            raise
        if objection is not None:
            lane.release()
        return objection

    async def _place(self, origin: Origin, rules: PaceRules) -> Objection | None:
        """A place among all visits: ten seconds, or as long as the visit lasts where a declared delay is the cause."""
        declared, left = rules.declared.delay > 0, self.left(rules)
        within = left if declared else min(self.limits.place, left)
        place = await self._budget.take_place(origin, rules, within=within)
        if place is None:
            reason = Reason.CRAWL_DELAY_BUDGET if declared else Reason.RATE_LIMITED
            return _refuse(reason, f"no place at the host within {within:.0f} s: other visits ask it too")
        objection = self._unaffordable(origin, rules) or await self._at_rest(origin)
        if objection is not None:
            self._budget.give_place(place)
            return objection
        self._places[origin].append(place)
        self._spans.setdefault(origin, _Span(rules, self._clock.monotonic()))
        return None

    def give(self, origin: Origin) -> None:
        """The answer to what `take` allowed is complete, or there is none."""
        self._spans[origin].end = self._clock.monotonic()
        self._budget.give_place(self._places[origin].pop())
        self._lanes[origin].release()

    def _unaffordable(self, origin: Origin, rules: PaceRules) -> Objection | None:
        declared, left = rules.declared.delay, self.left(rules)
        if origin in self._stopped:
            return _refuse(Reason.RATE_LIMITED, self._stopped[origin])
        if declared > 0 and left < declared:
            return _refuse(Reason.CRAWL_DELAY_BUDGET, f"the site asks for {declared:g} s between requests")
        if left <= 0:
            return _refuse(Reason.TIME_LIMIT, f"the visit took its {self.seconds(rules):g} s")
        if self._bytes[origin] >= self.limits.requisite_bytes:
            return _refuse(Reason.SIZE_LIMIT, f"{self.limits.requisite_bytes} bytes from one origin in one visit")
        return None

    async def _at_rest(self, origin: Origin) -> Objection | None:
        """Somebody else may have heard it since admission: another visit, another process."""
        if await self._budget.resting_until(origin) is None:
            return None
        return _refuse(Reason.RATE_LIMITED, "the host asked for a rest (429, 503 or Retry-After)")

    # -- what came of it

    def answered(self, fetched: Fetched, *, counts: bool = True) -> None:
        """429 and 503 end the visit at that origin. `counts`: the bytes are those of a requisite."""
        exchange, origin = fetched.exchange, fetched.candidate.origin
        if exchange is None:
            return
        if counts:
            self._bytes[origin] += exchange.response.size
        if exchange.status in COME_BACK:
            self._stopped[origin] = f"the host answered {exchange.status} during this visit"

    def owed(self, own: Origin | None) -> tuple[float, list[Burst]]:
        """Seconds from now that the next visit to `own` owes, and the bursts at all other origins."""
        now = self._clock.monotonic()
        bursts = {
            origin: Burst(origin=origin, rules=span.rules, seconds=span.end - span.start, ago=now - span.end)
            for origin, span in self._spans.items()
        }
        here = bursts.pop(own, None) if own is not None else None
        return max(0.0, here.seconds - here.ago) if here is not None else 0.0, list(bursts.values())

    # -- what the user is told beforehand

    def _foretell(self, origin: Origin, rules: PaceRules) -> None:
        delay, count = rules.declared.delay, self._asked[origin]
        if self._tell is None or delay <= 0 or count == 0:
            return
        limit, left = self.seconds(rules), max(0.0, self.left(rules))
        out = max(0, count - math.floor(left / delay))
        name = rules.declared.source.partition(":")[0] or "declared delay"
        lost = f": {out} will be left out" if out else ""
        self._tell(
            f"{origin}: {name} {delay:g} s x {count} requisites: takes at least {count * delay:.0f} s, "
            f"visit limit {limit:g} s{lost}"
        )


class _Span:
    """From the first request at an origin to the last answer; monotonic seconds."""

    __slots__ = ("end", "rules", "start")

    def __init__(self, rules: PaceRules, start: float) -> None:
        self.rules = rules
        self.start = self.end = start


def _refuse(reason: Reason, rule: str) -> Objection:
    return Objection(verdict=Verdict.REFUSE, reason=reason, rule=rule)
