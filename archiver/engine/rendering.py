"""A visit's second half in a browser: each request that the page makes is a candidate like any other.

The document, fetched over plain HTTP just before, is given to the browser's first navigation with all its hops
(decision 6); whatever else the page asks for is admitted, waits for its place, is fetched and gathered as a visit over
HTTP would do it, and flows to the browser while it comes in.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from archiver import urls
from archiver.clock import Clock
from archiver.engine.allowance import Allowance
from archiver.engine.browser_place import BrowserPlace
from archiver.engine.flow import Flow
from archiver.engine.gathered import Gathered
from archiver.engine.made import resource_json
from archiver.engine.navigation import is_shown, nothing, redirect_target
from archiver.engine.outcome import COME_BACK
from archiver.engine.read import read
from archiver.engine.registry import Registry
from archiver.engine.requests import is_ahead, is_navigation, is_shared, passed_on, type_of
from archiver.engine.turn import Turn
from archiver.model import Candidate, Fetched, Kind, Lane, LedgerEntry, Objection, Reason, Verdict
from archiver.policy.decide import decide
from archiver.ports import Admitted, Gateway
from archiver.ports.browser import Announced, Browser, BrowserPage, BrowserRequest, Plan, Tap

GIVEN_SECONDS = 30.0
"""Age up to which a document fetched over HTTP is what the browser would get too."""
ANNOUNCED_WITHIN = 2.0
"""Seconds within which the browser says of a document which window it is for."""
LEAST_SECONDS = 5.0
"""A page gets so long in the browser even where its visit has hardly any time left."""
_LOOK = 0.01
_LEFT = "the page was left before its turn came"


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderTools:
    """What a rendering works with, beside what it shares with its visit. `at_once` bounds pages in the browser;
    `told` remembers which browser the ledger knows of."""

    gateway: Gateway
    registry: Registry
    clock: Clock
    browser: Browser
    policy: str
    plan_of: Callable[[Candidate, str, float], Plan]
    at_once: asyncio.Semaphore
    told: set[str] = field(default_factory=set)


class Rendering:
    """One a visit; `ports.browser.Activity` of its page. `spill` writes what is gathered when the spool is full."""

    def __init__(
        self,
        tools: RenderTools,
        gathered: Gathered,
        allowance: Allowance,
        turn: Turn,
        *,
        page_id: str,
        spill: Callable[[], Awaitable[None]],
    ) -> None:
        self._t = tools
        self._gathered = gathered
        self._allowance = allowance
        self._turn = turn
        self._page_id = page_id
        self._spill = spill
        self._page: BrowserPage | None = None
        self._document = self._stands = gathered.document.candidate
        self._given: list[Fetched] = []
        self._moved: dict[str, Candidate] = {}
        self._chain: list[Fetched] = []
        self._index = 0
        self._navigations = 0
        self._moving = asyncio.Lock()
        self._in_flight = 0
        self._touched = tools.clock.monotonic()
        self._met: set[str] = set()
        self._spilling: set[asyncio.Task[None]] = set()
        self._fault: Exception | None = None

    async def run(self, admitted: Admitted, place: BrowserPlace) -> None:
        """Raises BrowserError when there is no browser to be had, DiskError and LedgerError; everything that the site
        does is a value in what is gathered. `place` is given back."""
        self._given = list(self._gathered.fetched)
        self._met = {fetched.candidate.key for fetched in self._given}
        self._gathered.resources.update((one.candidate.url, resource_json(one)) for one in self._given)
        asked = self._t.clock.monotonic()
        await place.take()
        try:
            self._allowance.waited(self._t.clock.monotonic() - asked)
            await self._render(max(LEAST_SECONDS, self._allowance.left(admitted.rules)))
        finally:
            place.give()
        await asyncio.gather(*self._spilling)
        if self._fault is not None:
            raise self._fault
        self._put_aside()

    async def _render(self, seconds: float) -> None:
        plan = self._t.plan_of(self._given[0].candidate, self._page_id, seconds)
        page = await self._t.browser.page(self._answer, site=self._document.origin.host, plan=plan)
        self._page = page
        try:
            self._introduce()
            self._gathered.rendered = await page.render(plan, self, self._tell)
        finally:
            await self._t.browser.release(page)

    def _introduce(self) -> None:
        """The ledger knows of each browser that a run used: once, at its first page."""
        facts = self._t.browser.facts
        version = str(facts.get("version"))
        if version not in self._t.told:
            self._t.told.add(version)
            self._tell(LedgerEntry(event="browser", data=dict(facts)))

    def _tell(self, entry: LedgerEntry) -> None:
        self._t.gateway.tell([entry])

    # --- ports.browser.Activity ---

    @property
    def in_flight(self) -> int:
        return self._in_flight

    @property
    def missing(self) -> int:
        return self._gathered.refused + self._gathered.failed

    def failed_urls(self) -> list[str]:
        known = self._gathered.resources
        return [url for url, what in known.items() if not 0 < int(what.get("status") or 0) < 400]

    def idle_for(self) -> float:
        return 0.0 if self._in_flight else self._t.clock.monotonic() - self._touched

    def _begun(self) -> None:
        self._in_flight += 1

    def _ended(self) -> None:
        self._in_flight -= 1
        self._touched = self._t.clock.monotonic()

    # --- requests ---

    async def _answer(self, request: BrowserRequest, tap: Tap) -> Fetched:
        """A fault of ours (a full disk) ends the visit, whatever the browser makes of a broken connection."""
        given = self._given_to(request)
        if given is not None:
            self._touched = self._t.clock.monotonic()
            return given
        flow = Flow(tap, self._ended)
        self._begun()
        try:
            return await self._decided(request, flow)
        except asyncio.CancelledError:
            self._left(request, flow)
            raise
        except Exception as fault:
            self._fault = self._fault or fault
            raise
        finally:
            flow.over()

    async def _decided(self, request: BrowserRequest, flow: Flow) -> Fetched:
        said = await self._announced(request)
        navigation = is_navigation(request, said)
        candidate = flow.candidate = self._candidate(request, said, navigation=navigation)
        if (said is not None and said.popup) or is_ahead(request):
            rule = "asked for ahead of its need" if is_ahead(request) else "a window that the page opened"
            refused = self._refuse(candidate, _refuse(Reason.OUT_OF_SCOPE, rule))
            return nothing(refused, self._t.clock.now())  # a notice in that window would have it ask for an icon
        if navigation:
            return await self._navigate(candidate, flow)
        if said is None and request.header(b"sec-fetch-dest") == b"document":
            return self._missing(candidate, _refuse(Reason.OUT_OF_SCOPE, "a document for no window that is known"))
        return await self._fetch(candidate, flow)

    def _left(self, request: BrowserRequest, flow: Flow) -> None:
        """Given up while it waited, or while its answer would not come to an end."""
        candidate = flow.candidate or self._candidate(request, None, navigation=False)
        if flow.begun:
            self._gathered.failed += 1
            self._gathered.gap(candidate.url, candidate.resource_type, Reason.FAILED, "cut off with its page")
        else:
            self._missing(candidate, _refuse(Reason.TIME_LIMIT, _LEFT))

    def _given_to(self, request: BrowserRequest) -> Fetched | None:
        """The next of the hops that were fetched already, when it is asked for in its turn and is not old."""
        if not self._given or request.method != "GET" or request.url != self._given[0].candidate.url:
            return None
        if request.header(b"sec-fetch-dest") not in (None, b"document"):
            return None
        exchange = self._given[0].exchange
        age = (self._t.clock.now() - exchange.started_at).total_seconds() - exchange.seconds if exchange else 0.0
        if exchange is None or age > GIVEN_SECONDS:
            self._given.clear()
            return None
        return self._given.pop(0)

    async def _announced(self, request: BrowserRequest) -> Announced | None:
        """What the browser says of it; waited for where that decides whether it navigates the page."""
        looks = round(ANNOUNCED_WITHIN / _LOOK) if b"text/html" in (request.header(b"accept") or b"") else 0
        for look in range(looks + 1):
            said = self._page.announced(request.url, request.method) if self._page is not None else None
            if said is not None:
                return said
            if look < looks:
                await asyncio.sleep(_LOOK)
        return None

    def _candidate(self, request: BrowserRequest, said: Announced | None, *, navigation: bool) -> Candidate:
        first = self._gathered.fetched[0].candidate
        parent = self._moved.pop(request.url, None)
        return Candidate(
            url=request.url,
            key=urls.canonical(request.url),
            origin=urls.origin_of(request.url),
            kind=Kind.DOCUMENT if navigation else Kind.REQUISITE,
            resource_type="document" if navigation else type_of(request, said),
            depth=first.depth,
            via=parent.url if parent is not None else self._document.url,
            initiator=first.initiator if navigation else self._document.url,
            path=(parent or self._document).path + ("R" if parent is not None or navigation else "E"),
            lane=Lane.BROWSER,
            method=request.method,
            headers=passed_on(request, navigation=navigation),
            body=request.body,
            seed=first.seed and navigation,
            hops=parent.hops + 1 if parent is not None else 0,
        )

    # --- the page's own navigations ---

    async def _navigate(self, candidate: Candidate, flow: Flow) -> Fetched:
        """The page goes on by itself: a redirect, a script, a form. A visit follows it as far as redirects go.

        Where it must not go, or nothing comes, it stays what it is: a notice of ours in its place would be taken for
        the page.
        """
        admitted = await self._may_go(candidate)
        if isinstance(admitted, Fetched):
            self._put_aside()
            return nothing(admitted, self._t.clock.now())
        self._document = candidate
        fetched = await self._exchange(candidate, admitted, flow, counts=False)
        await self._arrived(fetched)
        return fetched if fetched.exchange is not None else nothing(fetched, self._t.clock.now())

    async def _may_go(self, candidate: Candidate) -> Admitted | Fetched:
        """Admitted, with the visit's turn at its origin; or what was refused, counted and told."""
        self._navigations += 1
        hops = self._allowance.limits.hops
        if self._navigations > hops:
            return self._missing(candidate, _refuse(Reason.TOO_MANY_REDIRECTS, f"more than {hops} navigations"))
        async with self._moving:
            admitted = await self._t.gateway.admit(candidate)
            if not admitted.decision.allowed:
                return self._noted(self._t.gateway.refuse(candidate, admitted.decision))
            left = self._allowance.left(admitted.rules)
            objection = await self._turn.move(candidate.origin, admitted.rules, within=left)
        return admitted if objection is None else self._noted(self._refuse(candidate, objection))

    async def _arrived(self, fetched: Fetched) -> None:
        """The page is another one now, may yet be redirected there, or stays what it was."""
        exchange = fetched.exchange
        if exchange is not None and redirect_target(fetched) is not None:
            self._chain.append(fetched)
            return
        if exchange is None or not is_shown(exchange):
            self._put_aside()
            self._noted(fetched)
            return
        reading = await read(fetched.candidate.url, exchange, limit=self._allowance.limits.decoded)
        judged = self._t.gateway.judge(fetched, reading.elements)
        self._gathered.arrive([*self._chain, judged], reading)
        self._chain.clear()
        self._stands = fetched.candidate

    def _put_aside(self) -> None:
        """The page stays; redirects that led nowhere are kept beside it."""
        self._document = self._stands
        for fetched in self._chain:
            self._keep(fetched)
        self._chain.clear()

    # --- what the page needs ---

    async def _fetch(self, candidate: Candidate, flow: Flow) -> Fetched:
        """Robots is asked before a place is taken; the place is given back when the answer is complete, or sooner."""
        more = self._allowance.one_more_hop if candidate.hops else self._allowance.one_more
        refusal = more(candidate.origin)
        if refusal is not None:
            return self._missing(candidate, refusal)
        self._index += 1
        index = self._index
        admitted = await self._t.gateway.admit(candidate)
        if not admitted.decision.allowed:
            return self._noted(self._t.gateway.refuse(candidate, admitted.decision))
        objection = await self._allowance.take(candidate.origin, admitted.rules)
        if objection is not None:
            return self._noted(self._refuse(candidate, objection))
        flow.holds(lambda: self._allowance.give(candidate.origin))
        fetched = await self._exchange(candidate, admitted, flow, counts=True)
        if redirect_target(fetched) is None:
            self._count(fetched)
        if candidate.resource_type == "frame" and fetched.exchange is not None:
            fetched = await self._judged(fetched)
        self._gathered.requisites.append((index, fetched))
        self._gathered.seen(fetched)
        await self._make_room()
        return fetched

    async def _make_room(self) -> None:
        """Write when the spool is full, also when the request that filled it is given up meanwhile."""
        if self._gathered.held <= self._allowance.limits.spool:
            return
        task = asyncio.get_running_loop().create_task(_awaited(self._spill))
        self._spilling.add(task)
        await asyncio.shield(task)

    async def _exchange(self, candidate: Candidate, admitted: Admitted, flow: Flow, *, counts: bool) -> Fetched:
        owns = is_shared(candidate) and candidate.key not in self._met and await self._t.registry.take(candidate.key)
        self._met.add(candidate.key)
        kept = False
        try:
            within = self._allowance.left(admitted.rules)
            fetched = await self._t.gateway.fetch(candidate, admitted, within=within, tap=flow)
            kept = fetched.exchange is not None and fetched.exchange.status not in COME_BACK
        finally:
            if owns:
                self._gathered.owned.append(candidate.key)
                self._t.registry.end(candidate.key, kept=kept)
        flow.begun = True
        self._gathered.note(fetched)
        self._gathered.resources[candidate.url] = resource_json(fetched)
        self._allowance.answered(fetched, counts=counts)
        target = redirect_target(fetched)
        if target is not None:
            self._moved[target] = candidate
        return fetched

    async def _judged(self, fetched: Fetched) -> Fetched:
        """A frame is a document: what its elements say binds its own keeping."""
        assert fetched.exchange is not None
        reading = await read(fetched.candidate.url, fetched.exchange, limit=self._allowance.limits.decoded)
        if not reading.is_html:
            return fetched
        fetched = self._t.gateway.judge(fetched, reading.elements)
        self._gathered.frames.append((fetched, reading))
        return fetched

    # --- what is not fetched ---

    def _refuse(self, candidate: Candidate, objection: Objection) -> Fetched:
        return self._t.gateway.refuse(candidate, decide([objection], policy=self._t.policy))

    def _missing(self, candidate: Candidate, objection: Objection) -> Fetched:
        return self._count(self._refuse(candidate, objection))

    def _noted(self, fetched: Fetched) -> Fetched:
        """Counted, and kept in the WARC with its verdict."""
        self._keep(fetched)
        return self._count(fetched)

    def _keep(self, fetched: Fetched) -> None:
        self._index += 1
        self._gathered.requisites.append((self._index, fetched))

    def _count(self, fetched: Fetched) -> Fetched:
        self._gathered.count(fetched)
        self._gathered.resources.setdefault(fetched.candidate.url, resource_json(fetched))
        return fetched


async def _awaited(work: Callable[[], Awaitable[None]]) -> None:
    await work()


def _refuse(reason: Reason, rule: str) -> Objection:
    return Objection(verdict=Verdict.REFUSE, reason=reason, rule=rule)
