"""A visit's second half in a browser: each request that the page makes is a candidate like any other.

The document, fetched over plain HTTP just before, is given to the browser's first navigation with all its hops
(decision 6); whatever else the page asks for is admitted, waits for its place, is fetched and gathered as a visit over
HTTP would do it, and flows to the browser while it comes in.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from archiver import urls
from archiver.clock import Clock
from archiver.engine.allowance import Allowance
from archiver.engine.gathered import Gathered
from archiver.engine.made import resource_json
from archiver.engine.outcome import COME_BACK
from archiver.engine.read import read
from archiver.engine.registry import Registry
from archiver.engine.requests import is_navigation, passed_on, type_of
from archiver.engine.turn import Turn
from archiver.model import Candidate, Fetched, Kind, Lane, LedgerEntry, Objection, Reason, Verdict
from archiver.policy.decide import decide
from archiver.ports import Admitted, Gateway
from archiver.ports_browser import Announced, Browser, BrowserPage, BrowserRequest, Control, Plan, Tap
from archiver.spooled import Spool

GIVEN_SECONDS = 30.0
"""Age up to which a document fetched over HTTP is what the browser would get too."""
HOLD_AFTER_HEAD = 2.0
"""Seconds after its head for which an answer still holds its place (decision 12)."""
ANNOUNCED_WITHIN = 0.25
REDIRECTS = frozenset({301, 302, 303, 307, 308})
_LOOK = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderTools:
    """What a rendering works with, beside what it shares with its visit. `at_once` bounds pages in the browser."""

    gateway: Gateway
    registry: Registry
    clock: Clock
    browser: Browser
    policy: str
    plan_of: Callable[[Candidate, str, float], Plan]
    at_once: asyncio.Semaphore


class Rendering:
    """One a visit; `ports_browser.Activity` of its page. `spill` writes what is gathered when the spool is full."""

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
        self._given: list[Fetched] = []
        self._moved: dict[str, Candidate] = {}
        self._index = 0
        self._navigations = 0
        self._in_flight = 0
        self._touched = tools.clock.monotonic()
        self._met: set[str] = set()

    async def run(self, admitted: Admitted) -> None:
        """Raises BrowserError when there is no browser to be had; everything else is a value in what is gathered."""
        document = self._gathered.document.candidate
        self._given = list(self._gathered.fetched)
        self._met = {fetched.candidate.key for fetched in self._given}
        self._gathered.resources.update((one.candidate.url, resource_json(one)) for one in self._given)
        async with self._t.at_once:
            plan = self._t.plan_of(self._given[0].candidate, self._page_id, self._allowance.left(admitted.rules))
            page = await self._t.browser.page(self._answer, site=document.origin.host, plan=plan)
            self._page = page
            try:
                self._gathered.rendered = await page.render(plan, self, self._tell)
            finally:
                await self._t.browser.release(page)

    def _tell(self, entry: LedgerEntry) -> None:
        self._t.gateway.tell([entry])

    # --- ports_browser.Activity ---

    @property
    def in_flight(self) -> int:
        return self._in_flight

    @property
    def missing(self) -> int:
        return self._gathered.refused + self._gathered.failed

    def idle_for(self) -> float:
        return 0.0 if self._in_flight else self._t.clock.monotonic() - self._touched

    def _begun(self) -> None:
        self._in_flight += 1

    def _ended(self) -> None:
        self._in_flight -= 1
        self._touched = self._t.clock.monotonic()

    # --- requests ---

    async def _answer(self, request: BrowserRequest, tap: Tap) -> Fetched:
        given = self._given_to(request)
        if given is not None:
            self._touched = self._t.clock.monotonic()
            return given
        flow = _Flow(tap, self._ended)
        self._begun()
        try:
            announced = await self._announced(request)
            if announced is not None and announced.popup:
                return self._refuse(self._candidate(request, announced), _refuse(Reason.OUT_OF_SCOPE, "a popup window"))
            if is_navigation(request, announced):
                return await self._navigate(self._candidate(request, announced, kind=Kind.DOCUMENT), flow)
            return await self._fetch(self._candidate(request, announced), flow)
        finally:
            flow.over()

    def _given_to(self, request: BrowserRequest) -> Fetched | None:
        """The next of the hops that were fetched already, when it is asked for in its turn and is not old."""
        if not self._given or request.method != "GET" or request.url != self._given[0].candidate.url:
            return None
        fetched = self._given.pop(0)
        if fetched.exchange is not None:
            age = (self._t.clock.now() - fetched.exchange.started_at).total_seconds() - fetched.exchange.seconds
            if age > GIVEN_SECONDS:
                self._given.clear()
                return None
        return fetched

    async def _announced(self, request: BrowserRequest) -> Announced | None:
        """What the browser says of it; waited for where that decides whether it navigates the page."""
        assert self._page is not None
        said = self._page.announced(request.url, request.method)
        waited = 0.0
        while said is None and waited < ANNOUNCED_WITHIN and b"text/html" in (request.header(b"accept") or b""):
            await asyncio.sleep(_LOOK)
            waited += _LOOK
            said = self._page.announced(request.url, request.method)
        return said

    def _candidate(self, request: BrowserRequest, said: Announced | None, *, kind: Kind = Kind.REQUISITE) -> Candidate:
        first = self._gathered.fetched[0].candidate
        document = self._gathered.document.candidate
        parent = self._moved.pop(request.url, None)
        navigation = kind is Kind.DOCUMENT
        return Candidate(
            url=request.url,
            key=urls.canonical(request.url),
            origin=urls.origin_of(request.url),
            kind=kind,
            resource_type="document" if navigation else type_of(request, said),
            depth=first.depth,
            via=parent.url if parent is not None else document.url,
            initiator=first.initiator if navigation else document.url,
            path=(parent or document).path + ("R" if parent is not None or navigation else "E"),
            lane=Lane.BROWSER,
            method=request.method,
            headers=passed_on(request, navigation=navigation),
            body=request.body,
            seed=first.seed and navigation,
            hops=parent.hops + 1 if parent is not None else 0,
        )

    # --- the page's own navigations ---

    async def _navigate(self, candidate: Candidate, flow: _Flow) -> Fetched:
        """The page goes on by itself: a redirect, a script, a form. A visit follows it as far as redirects go."""
        self._navigations += 1
        limits = self._allowance.limits
        if self._navigations > limits.hops:
            return self._missing(candidate, _refuse(Reason.TOO_MANY_REDIRECTS, f"more than {limits.hops} navigations"))
        admitted = await self._t.gateway.admit(candidate)
        if not admitted.decision.allowed:
            return self._count(self._t.gateway.refuse(candidate, admitted.decision))
        left = self._allowance.left(admitted.rules)
        objection = await self._turn.move(candidate.origin, admitted.rules, within=left)
        if objection is not None:
            return self._missing(candidate, objection)
        fetched = await self._exchange(candidate, admitted, flow, counts=False)
        self._gathered.fetched.append(fetched)
        return fetched

    # --- what the page needs ---

    async def _fetch(self, candidate: Candidate, flow: _Flow) -> Fetched:
        refusal = self._allowance.one_more(candidate.origin)
        if refusal is not None:
            return self._missing(candidate, refusal)
        self._index += 1
        index = self._index
        try:
            return await self._in_place(candidate, index, flow)
        except asyncio.CancelledError:
            self._missing(candidate, _refuse(Reason.TIME_LIMIT, "the page was left before its turn came"))
            raise

    async def _in_place(self, candidate: Candidate, index: int, flow: _Flow) -> Fetched:
        """Robots is asked before a place is taken; the place is given back when the answer is complete, or sooner."""
        admitted = await self._t.gateway.admit(candidate)
        if not admitted.decision.allowed:
            return self._count(self._t.gateway.refuse(candidate, admitted.decision))
        objection = await self._allowance.take(candidate.origin, admitted.rules)
        if objection is not None:
            return self._missing(candidate, objection)
        flow.holds(lambda: self._allowance.give(candidate.origin))
        fetched = self._count(await self._exchange(candidate, admitted, flow, counts=True))
        if candidate.resource_type == "frame" and fetched.exchange is not None:
            fetched = await self._judged(fetched)
        self._gathered.requisites.append((index, fetched))
        if self._gathered.held > self._allowance.limits.spool:
            await self._spill()
        return fetched

    async def _exchange(self, candidate: Candidate, admitted: Admitted, flow: _Flow, *, counts: bool) -> Fetched:
        owns = candidate.key not in self._met and await self._t.registry.take(candidate.key)
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
        self._gathered.note(fetched)
        self._gathered.resources[candidate.url] = resource_json(fetched)
        self._allowance.answered(fetched, counts=counts)
        self._remember_redirect(fetched)
        return fetched

    def _remember_redirect(self, fetched: Fetched) -> None:
        exchange = fetched.exchange
        location = exchange.header(b"location") if exchange is not None and exchange.status in REDIRECTS else None
        target = urls.join(fetched.candidate.url, urls.of_header(location)) if location else None
        if target is not None:
            self._moved[target] = fetched.candidate

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

    def _count(self, fetched: Fetched) -> Fetched:
        self._gathered.count(fetched)
        self._gathered.resources.setdefault(fetched.candidate.url, resource_json(fetched))
        return fetched


class _Flow:
    """The tap of one request. It says when the request is over for whoever waits: at the end, or, of what never ends
    by itself, at its head."""

    def __init__(self, tap: Tap, ended: Callable[[], None]) -> None:
        self._tap = tap
        self._ended: Callable[[], None] | None = ended
        self._give: Callable[[], None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def holds(self, give: Callable[[], None]) -> None:
        """A place is held, to be given back once."""
        self._give = give

    def begin(self, raw: Spool, control: Control) -> None:
        self._tap.begin(raw, control)

    def head(self, status: int, headers: Sequence[tuple[bytes, bytes]]) -> None:
        self._tap.head(status, headers)
        types = [value for name, value in headers if name == b"content-type"]
        if status == 101 or any(value[:17].lower() == b"text/event-stream" for value in types):
            self.over()
        else:
            self._timer = asyncio.get_running_loop().call_later(HOLD_AFTER_HEAD, self._give_back)

    def grew(self) -> None:
        self._tap.grew()

    def over(self) -> None:
        self._give_back()
        ended, self._ended = self._ended, None
        if ended is not None:
            ended()

    def _give_back(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        give, self._give = self._give, None
        if give is not None:
            give()


def _refuse(reason: Reason, rule: str) -> Objection:
    return Objection(verdict=Verdict.REFUSE, reason=reason, rule=rule)
