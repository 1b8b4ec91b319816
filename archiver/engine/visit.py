"""A visit: one document with its redirect hops and requisites, gathered as a transaction and not yet written."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from archiver import urls
from archiver.engine.allowance import Allowance
from archiver.engine.browser_place import BrowserPlace
from archiver.engine.gathered import Gathered, why_failed
from archiver.engine.lanes import Lanes
from archiver.engine.navigation import REDIRECTS, redirect_target
from archiver.engine.outcome import COME_BACK
from archiver.engine.read import EMPTY, Reading, read, read_list
from archiver.engine.registry import Registry, Shared
from archiver.engine.seeing import Around, Seeing
from archiver.engine.turn import Turn
from archiver.model import (
    NO_ELEMENTS,
    Candidate,
    Fetched,
    Kind,
    Lane,
    Objection,
    Reason,
    Verdict,
)
from archiver.policy.decide import decide
from archiver.ports import Admitted, Gateway

HAVE_IT = "this job has the redirect's target already"
AT_ONCE = 5.0  # seconds up to which a meta refresh is a redirect to a reader


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitTools:
    """What all visits of a run share; `lanes` None = plain HTTP, whatever the page."""

    gateway: Gateway
    registry: Registry
    policy: str
    lanes: Lanes | None = None


class Visit:
    """Runs once. The caller has taken the candidate's key in the registry; the visit gives it back."""

    def __init__(self, tools: VisitTools, *, allowance: Allowance, turn: Turn, page_id: str) -> None:
        self.page_id = page_id
        self._lanes = tools.lanes
        self._gateway = tools.gateway
        self._registry = tools.registry
        self._allowance = allowance
        self._turn = turn
        self._limits = allowance.limits
        self._policy = tools.policy
        self._gathered = Gathered()
        self._started = 0
        self._known = 0
        self._met: set[str] = set()
        self._place: BrowserPlace | None = None

    async def run(self, candidate: Candidate, admitted: Admitted) -> Gathered:
        """Fetch the document, then what it needs. Everything that the site does wrong is a value in the result."""
        is_page = candidate.kind is Kind.DOCUMENT  # a sitemap has no requisites, and no browser shows more of it
        lanes = self._lanes if self._limits.want_requisites and is_page else None
        place = self._place = lanes.place() if lanes is not None else None
        if lanes is None or place is None:
            await self._all(candidate, admitted)
            return self._gathered
        try:
            if lanes.expects_browser(candidate):
                await place.take()
            await self._all(candidate, admitted)
        finally:
            place.give()
        return self._gathered

    async def _all(self, candidate: Candidate, admitted: Admitted) -> None:
        self._allowance.begin(admitted.rules)
        await self._document(candidate, admitted)
        self._documents_known()
        reading = self._gathered.reading
        if reading is None or await self._rendered(candidate, admitted):
            return
        if self._place is not None:
            self._place.give()
        if self._limits.want_requisites:
            await self._requisites_of(self._gathered.document.candidate, reading, depth=0)

    async def write(self) -> None:
        """Record what is gathered. Called at the end, and before it when the visit's spool is full: the page's verdict
        is known by then, so a still later one could only change who sees it (decisions 5 and 12)."""
        self._gathered.spread_override()
        batch = self._gathered.take()
        if batch:
            self._gathered.recorded.extend(await self._gateway.record(batch, page_id=self.page_id))

    # -- the browser lane

    async def _rendered(self, candidate: Candidate, admitted: Admitted) -> bool:
        """Whether nothing more is to be fetched over plain HTTP: a browser saw the page, or it is a challenge."""
        if self._lanes is None:
            return False
        around = Around(
            allowance=self._allowance, turn=self._turn, page_id=self.page_id, place=self._place, write=self.write
        )
        seeing = Seeing(self._lanes, self._gateway, self._gathered, around)
        choice = await seeing.choose(candidate)
        if choice.challenge is not None:
            return True
        wanted = self._limits.want_requisites and choice.lane is Lane.BROWSER
        return wanted and await seeing.see(choice, admitted)

    # -- the document and its hops

    async def _document(self, candidate: Candidate, admitted: Admitted) -> None:
        gathered = self._gathered
        self._met.add(candidate.key)
        fetched = await self._gateway.fetch(candidate, admitted, within=self._allowance.left(admitted.rules))
        self._document_came(fetched)
        while (target := await self._next_hop(fetched)) is not None:
            following = self._follow(fetched.candidate, target, kind=fetched.candidate.kind)
            objection = self._hop_objection(following)
            if objection is None:
                admitted = await self._gateway.admit(following)
                objection = await self._arrive(following, admitted)
            if objection is not None:
                gathered.fetched.append(self._gateway.refuse(following, decide([objection], policy=self._policy)))
                return
            self._met.add(following.key)
            fetched = await self._gateway.fetch(following, admitted, within=self._allowance.left(admitted.rules))
            self._document_came(fetched)
        self._gathered.spread_access()
        self._tell_what_is_missing(fetched)

    def _tell_what_is_missing(self, fetched: Fetched) -> None:
        """A document that was cut, or that redirects to what is not fetched, is not all that the reader would see."""
        exchange = fetched.exchange
        if exchange is None:
            return
        location = exchange.header(b"location") if exchange.status in REDIRECTS else None
        if exchange.truncated is not None:
            self._gathered.failed += 1
            self._gathered.gap(fetched.candidate.url, "document", Reason.FAILED, why_failed(fetched))
        elif location and redirect_target(fetched) is None:
            self._gathered.refused += 1
            self._gathered.gap(
                urls.redacted(urls.of_header(location)), "document", Reason.UNSUPPORTED_SCHEME,
                "redirects to what is no http or https URL",
            )  # fmt: skip
        elif self._gathered.reading is not None and self._gathered.reading.capped:
            says = "larger than what is looked through"
            if fetched.candidate.kind is Kind.SITEMAP:
                says += ", or no sitemap or feed that can be read to its end"
            self._gathered.gap(fetched.candidate.url, "document", Reason.SIZE_LIMIT, says)

    def _document_came(self, fetched: Fetched) -> None:
        self._gathered.fetched.append(fetched)
        self._gathered.note(fetched)
        self._allowance.answered(fetched, counts=False)

    async def _next_hop(self, fetched: Fetched) -> str | None:
        """Where the answer leads: its Location, or, of what the user asked for, an immediate meta refresh."""
        target = redirect_target(fetched)
        if target is not None:
            return target
        await self._read_document(fetched)
        reading = self._gathered.reading
        if not fetched.candidate.seed or reading is None or reading.refresh is None:
            return None
        seconds, url = reading.refresh
        return url if seconds <= AT_ONCE and url != fetched.candidate.url else None

    def _hop_objection(self, following: Candidate) -> Objection | None:
        if following.hops > self._limits.hops:
            return _refuse(Reason.TOO_MANY_REDIRECTS, f"more than {self._limits.hops} redirects in a row")
        if following.url in {fetched.candidate.url for fetched in self._gathered.fetched}:
            return _refuse(Reason.TOO_MANY_REDIRECTS, "redirects in a circle")
        if following.key not in self._met and self._registry.is_kept(following.key):
            return _refuse(Reason.DUPLICATE, HAVE_IT)
        return None

    async def _arrive(self, following: Candidate, admitted: Admitted) -> Objection | None:
        """A redirect to what another visit of this job has, or has in hand, ends here: that URL has its own visit."""
        if admitted.decision.allowed and following.origin != self._turn.origin:
            self._documents_known()
            left = self._allowance.left(admitted.rules)
            objection = await self._turn.move(following.origin, admitted.rules, within=left)
            if objection is not None:
                return objection
        if following.key not in self._met and not await self._registry.take(following.key):
            return _refuse(Reason.DUPLICATE, HAVE_IT)
        return None

    def _documents_known(self) -> None:
        """Tell visits that need one of these as a frame before we wait for anything: else two wait for each other."""
        for fetched in self._gathered.fetched[self._known :]:
            key = fetched.candidate.key
            if fetched.exchange is not None or key in self._met:
                self._gathered.owned.append(key)
                self._registry.end(key, kept=_is_final(fetched))
        self._known = len(self._gathered.fetched)

    async def _read_document(self, fetched: Fetched) -> None:
        exchange = fetched.exchange
        self._gathered.reading = None
        if exchange is None or exchange.method == "HEAD":
            return
        candidate = fetched.candidate
        if candidate.kind is Kind.SITEMAP:
            self._gathered.reading = await read_list(candidate.url, exchange, kind=candidate.resource_type)
            return
        reading = await read(candidate.url, exchange, limit=self._limits.decoded)
        self._gathered.reading = reading
        if reading.elements is not NO_ELEMENTS:
            self._gathered.fetched[-1] = self._gateway.judge(fetched, reading.elements)

    # -- requisites

    async def _requisites_of(self, parent: Candidate, reading: Reading, *, depth: int) -> None:
        """All requisites of one document or stylesheet, and theirs, at most `in_flight` an origin at a time."""
        wanted = []
        for url, resource_type in reading.requisites:
            candidate = self._wanted(parent, url, resource_type, depth)
            if candidate is not None:
                self._started += 1
                wanted.append((self._started, candidate))
        if not wanted:
            return
        async with asyncio.TaskGroup() as group:
            for index, candidate in wanted:
                group.create_task(self._requisite(index, candidate, depth))

    def _wanted(self, parent: Candidate, url: str, resource_type: str, depth: int) -> Candidate | None:
        """None when this visit or an earlier one of the job has it, or when the visit has asked for enough."""
        key = urls.canonical(url)
        if key in self._met:
            return None
        self._met.add(key)
        if self._registry.is_kept(key):
            self._gathered.kept += 1
            return None
        candidate = self._follow(parent, url, kind=Kind.REQUISITE, resource_type=resource_type)
        refusal = self._too_deep(depth) or self._allowance.one_more(candidate.origin)
        if refusal is not None:
            self._gateway.refuse(candidate, decide([refusal], policy=self._policy))
            self._gathered.refused += 1
            self._gathered.gap(url, resource_type, refusal.reason, refusal.rule)
            return None
        return candidate

    def _too_deep(self, depth: int) -> Objection | None:
        most = self._limits.frame_depth
        if depth <= most:
            return None
        return _refuse(Reason.REQUISITE_LIMIT, f"frames and style sheets over {most} levels deep in each other")

    async def _requisite(self, index: int, candidate: Candidate, depth: int) -> None:
        """Waits for nobody while somebody may wait for it: the key is given back before its own requisites are met."""
        state = await self._registry.begin(candidate.key)
        if state is Shared.KEPT:
            self._gathered.kept += 1
            return
        if state is Shared.FAILED:
            self._gathered.failed += 1
            self._gathered.gap(
                candidate.url, candidate.resource_type, Reason.FAILED, "failed in another visit of this job"
            )
            return
        self._gathered.owned.append(candidate.key)
        kept = False
        try:
            fetched = await self._fetch_requisite(index, candidate)
            kept = self._gathered.count(fetched)
        finally:
            self._registry.end(candidate.key, kept=kept)
        reading = EMPTY
        if kept and fetched.exchange is not None:
            reading = await read(
                fetched.candidate.url, fetched.exchange, limit=self._limits.decoded, type_hint=candidate.resource_type
            )
        if reading.is_html:
            fetched = self._gateway.judge(fetched, reading.elements)
            self._gathered.frames.append((fetched, reading))
        self._gathered.requisites.append((index, fetched))
        if self._gathered.held > self._limits.spool:
            await self.write()
        await self._requisites_of(fetched.candidate, reading, depth=depth + 1)

    async def _fetch_requisite(self, index: int, candidate: Candidate) -> Fetched:
        """One requisite with its redirects. Hops are recorded; the last answer is its caller's to judge first."""
        fetched = await self._in_place(candidate)
        while (target := redirect_target(fetched)) is not None:
            self._gathered.requisites.append((index, fetched))
            following = self._follow(fetched.candidate, target, kind=Kind.REQUISITE)
            objection = self._requisite_hop_objection(following)
            if objection is not None:
                return self._gateway.refuse(following, decide([objection], policy=self._policy))
            fetched = await self._in_place(following)
        return fetched

    def _requisite_hop_objection(self, following: Candidate) -> Objection | None:
        if following.hops > self._limits.hops:
            return _refuse(Reason.TOO_MANY_REDIRECTS, f"more than {self._limits.hops} redirects in a row")
        return self._allowance.one_more_hop(following.origin)

    async def _in_place(self, candidate: Candidate) -> Fetched:
        """Robots is asked, then a place taken; what the visit cannot afford any more is refused, never deferred."""
        admitted = await self._gateway.admit(candidate)
        if not admitted.decision.allowed:
            return self._gateway.refuse(candidate, admitted.decision)
        objection = await self._allowance.take(candidate.origin, admitted.rules)
        if objection is not None:
            return self._gateway.refuse(candidate, decide([objection], policy=self._policy))
        try:
            fetched = await self._gateway.fetch(candidate, admitted, within=self._allowance.left(admitted.rules))
            self._gathered.note(fetched)
            self._allowance.answered(fetched)
        finally:
            self._allowance.give(candidate.origin)
        return fetched

    # -- small things

    def _follow(self, parent: Candidate, url: str, *, kind: Kind, resource_type: str | None = None) -> Candidate:
        """A candidate found on `parent`: a redirect hop (same resource type) or a requisite."""
        redirect = resource_type is None
        return Candidate(
            url=url,
            key=urls.canonical(url),
            origin=urls.origin_of(url),
            kind=kind,
            resource_type=parent.resource_type if resource_type is None else resource_type,
            depth=parent.depth,
            via=parent.url,
            initiator=parent.initiator if redirect else self._gathered.document.candidate.url,
            path=parent.path + ("R" if redirect else "E"),
            lane=parent.lane,
            seed=parent.seed if redirect else False,
            hops=parent.hops + 1 if redirect else 0,
            headers=parent.headers if redirect and url.startswith(str(parent.origin) + "/") else (),
        )


def _is_final(fetched: Fetched) -> bool:
    """Whether the job has its answer. One that says to come back is kept, and the URL asked for again."""
    return fetched.exchange is not None and fetched.exchange.status not in COME_BACK


def _refuse(reason: Reason, rule: str) -> Objection:
    return Objection(verdict=Verdict.REFUSE, reason=reason, rule=rule)
