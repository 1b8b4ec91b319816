"""What both drivers do with a claim: admit, take a place, visit, write, tell, complete."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Protocol

from archiver.clock import Clock
from archiver.engine.allowance import Allowance, Tell
from archiver.engine.discover import Discoverer
from archiver.engine.gathered import Gathered
from archiver.engine.lanes import Lanes
from archiver.engine.limits import VisitLimits
from archiver.engine.made import items_of, lane_entries, late_entries
from archiver.engine.outcome import Timing, outcome_of, page_of
from archiver.engine.registry import Registry, Shared
from archiver.engine.rows import discovered_entries, visit_entry
from archiver.engine.site_files import SiteFiles
from archiver.engine.turn import Sleep, Turn
from archiver.engine.visit import Visit, VisitTools
from archiver.ids import new_capture_id
from archiver.model import (
    Claim,
    Decision,
    Fetched,
    Kind,
    Origin,
    Outlink,
    Page,
    Reason,
    Status,
    Verdict,
)
from archiver.model.usage import combined_usage
from archiver.ports import Admitted, Frontier, Gateway, HostBudget, VisitOutcome, VisitSlot, Wait

RETRY_SECONDS = 60.0
LOOK_AGAIN = 0.05
"""Seconds: two clocks may differ by a moment about when a time has come."""
ORIGINS_REMEMBERED = 1000


class PageLog(Protocol):
    """`pages/pages.jsonl` (WACZ 1.1.1, 5.3)."""

    def add(self, page: Page) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What a worker works with; one of each a run. `waits_until` (epoch): what is deferred to before then stays due."""

    gateway: Gateway
    frontier: Frontier
    budget: HostBudget
    registry: Registry
    discoverer: Discoverer
    pages: PageLog
    clock: Clock
    limits: VisitLimits
    policy: str
    site_files: SiteFiles | None = None
    lanes: Lanes | None = None
    sleep: Sleep = asyncio.sleep
    waits_until: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """How a claim ended. `page` None: given back, due again at `again` (epoch). `document` for drivers that parse."""

    page: Page | None = None
    document: Fetched | None = None
    again: float | None = None


class Worker:
    """Any number of coroutines may call `attempt` at once. `waits`: why an origin's last claim was given back.

    `on_notice` is given what the user is to know before a visit goes on, such as what a declared delay leaves out.
    """

    def __init__(self, tools: Tools) -> None:
        self._t = tools
        self._shared = VisitTools(
            gateway=tools.gateway, registry=tools.registry, policy=tools.policy, lanes=tools.lanes
        )
        self._turns: set[Turn] = set()
        self.waits: dict[Origin, Wait] = {}
        self.on_notice: Tell | None = None

    async def attempt(self, claim: Claim) -> Attempt:
        """Visit one claimed URL. Robots is asked before a place is taken, never while holding one (decision 12)."""
        candidate = claim.candidate
        while await self._t.registry.begin(candidate.key) is not Shared.NEW:
            if not await self._t.registry.settled(candidate.key):
                continue
            await self._t.frontier.complete(claim, VisitOutcome(state="done", reason=Reason.DUPLICATE.value), ())
            return Attempt()
        try:
            admitted = await self._t.gateway.admit(candidate)
            if not admitted.decision.allowed:
                return await self._not_visited(claim, admitted.decision)
            slot = await self._t.budget.begin_visit(candidate.origin, admitted.rules)
            if isinstance(slot, Wait):
                self._wait_told(candidate.origin, slot)
                await self._t.frontier.release(claim, not_before=slot.until, reason=slot.why)
                return Attempt(again=slot.until)
            if self._t.site_files is not None:
                await self._t.site_files.remember(candidate, admitted)
            if self._t.discoverer.lists is not None:
                self._t.discoverer.lists.remember(candidate, getattr(admitted.robots, "sitemaps", ()))
            return await self._visit(claim, admitted, slot)
        finally:
            self._t.registry.end(candidate.key, kept=False)

    async def renew(self) -> None:
        """A later end for the slot of every visit under way."""
        await asyncio.gather(*(turn.renew() for turn in tuple(self._turns)))

    def _wait_told(self, origin: Origin, wait: Wait) -> None:
        if len(self.waits) >= ORIGINS_REMEMBERED:
            del self.waits[next(iter(self.waits))]
        self.waits[origin] = wait

    async def _visit(self, claim: Claim, admitted: Admitted, slot: VisitSlot) -> Attempt:
        t = self._t
        capture_id = new_capture_id()
        allowance = Allowance(t.budget, t.clock, t.limits, self.on_notice)
        turn = Turn(t.budget, t.clock, t.sleep, slot, admitted.rules)
        visit = Visit(self._shared, allowance=allowance, turn=turn, page_id=capture_id)
        timing = Timing(started_at=t.clock.now(), started=t.clock.monotonic())
        attempt = None
        self._turns.add(turn)
        try:
            gathered = await visit.run(claim.candidate, admitted)
            if t.site_files is not None and t.site_files.is_due(claim.candidate, gathered):
                attempt = await self._settle(claim, visit, gathered, timing)  # whatever comes of the rest
                await t.site_files.ask(claim.candidate, allowance)
        finally:
            self._turns.discard(turn)
            await turn.end(*allowance.owed(turn.origin))
        attempt = attempt or await self._settle(claim, visit, gathered, timing)
        return attempt if t.site_files is None else self._labelled(attempt, gathered, t.site_files)

    async def _settle(self, claim: Claim, visit: Visit, gathered: Gathered, timing: Timing) -> Attempt:
        """Write what a visit gathered, tell the frontier, tell the ledger."""
        t = self._t
        try:
            await visit.write()
            made = items_of(gathered, page_id=visit.page_id, started_at=timing.started_at, now=t.clock.now())
            attached = await t.gateway.attach(made)
            t.gateway.tell(late_entries(gathered, made, attached))  # before anything else: it may take a page from view
            gathered.recorded.extend(attached)
            refs = tuple(ref for one in gathered.recorded for ref in one.refs)
            seconds = t.clock.monotonic() - timing.started
            page = page_of(gathered, visit.page_id, refs, timing.started_at, seconds, wanted=t.limits.want_requisites)
            if page.status is Status.DEFERRED and (until := self._due(page.decision)) <= t.waits_until:
                return await self._put_off(claim, gathered, page, until)
            if await self._commit(claim, gathered, page):
                t.registry.commit(gathered.owned)
            else:  # the frontier knows nothing of this visit, so no other may rely on it
                t.registry.forget(gathered.owned)
        except BaseException:
            t.registry.forget(gathered.owned)
            raise
        return Attempt(page=page, document=gathered.document)

    def _labelled(self, attempt: Attempt, gathered: Gathered, site_files: SiteFiles) -> Attempt:
        """Tell which labels came too late for the visit's rows; the page has them from here on."""
        page = attempt.page
        if page is None:
            return attempt
        rows = site_files.labels(gathered, page.capture_id)
        self._t.gateway.tell(rows)
        late = [row.data["usage"] for row in rows if row.data["capture_id"] == page.capture_id]
        return replace(attempt, page=replace(page, usage=combined_usage(page.usage, *late))) if late else attempt

    def _due(self, decision: Decision) -> float:
        """When what was deferred may be asked for again (epoch)."""
        now = self._t.clock.epoch()
        return max(decision.not_before.timestamp() if decision.not_before else now + RETRY_SECONDS, now + LOOK_AGAIN)

    async def _put_off(self, claim: Claim, gathered: Gathered, page: Page, until: float) -> Attempt:
        """A redirect led to where nothing may be asked for now: the URL is visited again when it may."""
        t = self._t
        t.registry.forget(gathered.owned)
        await t.frontier.release(claim, not_before=until, reason=page.decision.reason.value)
        t.gateway.tell([visit_entry(page, discovered=0, repeats=0)])
        return Attempt(page=page, document=gathered.document)

    async def _commit(self, claim: Claim, gathered: Gathered, page: Page) -> bool:
        """Records are written; now the frontier in one transaction, then the rows that tell of it. False: the claim
        was lost. Its records stand in the WARC all the same, so they are told of too."""
        t = self._t
        outlinks, repeats = self._outlinks(gathered)
        if t.discoverer.lists is not None:
            outlinks += t.discoverer.lists.of_seed(claim.candidate)
        outcome = outcome_of(gathered, page)
        if outcome.state in ("failed", "refused") and not outlinks:
            # No record would tell a later run of this visit: its row comes first, and may be there twice.
            t.gateway.tell([*lane_entries(gathered, page), visit_entry(page, discovered=0, repeats=repeats)])
            return not (await t.frontier.complete(claim, outcome, ())).lost
        done = await t.frontier.complete(claim, outcome, outlinks)
        t.discoverer.remember(outlinks)
        repeats += len(outlinks) - len(done.fresh)
        rows = [*lane_entries(gathered, page), visit_entry(page, discovered=len(done.fresh), repeats=repeats)]
        rows.extend(discovered_entries(outlinks, done.fresh))
        t.gateway.tell(rows)
        if page.status is Status.CAPTURED and page.candidate.kind is Kind.DOCUMENT:
            t.pages.add(page)
        return not done.lost

    def _outlinks(self, gathered: Gathered) -> tuple[list[Outlink], int]:
        found: list[Outlink] = []
        repeats = 0
        for fetched, reading in gathered.pages():
            links, again = self._t.discoverer.outlinks(fetched.candidate, reading, fetched.keep)
            found.extend(links)
            repeats += again
        return found, repeats

    async def _not_visited(self, claim: Claim, decision: Decision) -> Attempt:
        """Refused or deferred before anything was asked of the site: a row, a record, and the frontier's verdict."""
        t = self._t
        candidate = claim.candidate
        fetched = t.gateway.refuse(candidate, decision)
        recorded = await t.gateway.record([fetched])
        deferred = decision.verdict is Verdict.DEFER
        page = Page(
            candidate=candidate,
            capture_id=new_capture_id(),
            status=Status.DEFERRED if deferred else Status.REFUSED,
            lane=candidate.lane,
            decision=decision,
            started_at=t.clock.now(),
            seconds=0.0,
            final_url=candidate.url,
            records=tuple(ref for one in recorded for ref in one.refs),
        )
        # Before the frontier: who dies in between asks again, and a URL that is refused for good has its row.
        t.gateway.tell([visit_entry(page, discovered=0, repeats=0)])
        await self._put_back(claim, decision, deferred=deferred)
        return Attempt(page=page, document=fetched)

    async def _put_back(self, claim: Claim, decision: Decision, *, deferred: bool) -> None:
        t = self._t
        not_before = self._due(decision)
        of_host = decision.reason in (Reason.RATE_LIMITED, Reason.VISIT_TIME)
        if of_host or (deferred and not_before <= t.waits_until):
            # The host rests or is closed: nothing of it is claimed before its time, and no attempt was made.
            await t.frontier.release(claim, not_before=not_before, reason=decision.reason.value)
            return
        state, until = ("deferred", not_before) if deferred else ("refused", None)
        await t.frontier.complete(claim, VisitOutcome(state=state, reason=decision.reason.value, not_before=until), ())
