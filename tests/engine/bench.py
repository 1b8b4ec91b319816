"""An engine on fakes: a web in memory, a frontier and a budget in memory, a clock moved by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from archiver import urls
from archiver.engine.browser_memory import MemoryBrowser, Script
from archiver.engine.discover import Discoverer
from archiver.engine.lanes import Lanes
from archiver.engine.limits import VisitLimits
from archiver.engine.pump import OnPage, Pump
from archiver.engine.registry import Registry
from archiver.engine.rendering import RenderTools
from archiver.engine.scopes import SeedScopes
from archiver.engine.source import ClaimSource, Hold, RunLimits, Stop, Tally
from archiver.engine.worker import Attempt, Tools, Worker
from archiver.frontier.memory import MemoryFrontier
from archiver.model import Candidate, CaptureItem, Kind, Origin, Outlink, Page, WarcItem
from archiver.policy.scope import ScopeRules
from archiver.ports import Declared, PaceRules, Robots
from archiver.ports.browser import Plan
from archiver.wire.memory import Answer
from tests.gateway.gate import Bench

SITE = "https://a.test"


def html(body: str, **headers: str) -> Answer:
    return Answer(headers={"Content-Type": "text/html", **headers}, body=body.encode())


def css(body: str) -> Answer:
    return Answer(headers={"Content-Type": "text/css"}, body=body.encode())


def image() -> Answer:
    return Answer(headers={"Content-Type": "image/png"}, body=b"\x89PNG")


def redirect(where: str, status: int = 302) -> Answer:
    return Answer(status=status, headers={"Location": where, "Content-Type": "text/html"})


class Several(Bench):
    """Several visits at a time, as on one's own hosts."""

    def pace_of(self, origin: Origin, declared: Declared) -> PaceRules:
        return PaceRules(delay=0.0, declared=declared, parallel=16)


class Pages:
    """A page log that remembers."""

    def __init__(self) -> None:
        self.added: list[Page] = []

    def add(self, page: Page) -> None:
        self.added.append(page)


class Engine:
    """`pages` by path or URL. `crawl` pumps until nothing is left; `visit` does one seed."""

    def __init__(
        self,
        pages: Mapping[str, Answer],
        *,
        scope: str = "host",
        robots: Robots | None = None,
        wait: float = 0.0,
        lane: str | None = None,
        script: Script | None = None,
        gate: Mapping[str, Any] | None = None,
        **limits: object,
    ) -> None:
        """`lane` None: no lanes; `script` None: no browser; `gate`: what else the bench of the gate takes."""
        known = {urls.join(SITE, url) or url: answer for url, answer in pages.items()}
        self.bench = Several(known, robots=robots, **(gate or {}))
        self.log = Pages()
        self.frontier = MemoryFrontier(self.bench.clock, own=lambda origin: True)
        self.scopes = SeedScopes([ScopeRules(seed=f"{SITE}/", scope_type=scope)])
        self.registry = Registry()
        self.browser = MemoryBrowser(script) if script is not None else None
        self.lanes = Lanes(mode=lane, tools=self._render_tools()) if lane is not None else None
        self.worker = Worker(
            Tools(
                gateway=self.bench.gate,
                frontier=self.frontier,
                budget=self.bench.budget,
                registry=self.registry,
                discoverer=Discoverer(self.scopes.check),
                pages=self.log,
                clock=self.bench.clock,
                limits=replace(VisitLimits(), **limits),  # type: ignore[arg-type]
                policy="strict/1",
                lanes=self.lanes,
                waits_until=self.bench.clock.epoch() + wait if wait else 0.0,
            )
        )
        self.told: list[Page] = []
        self.stop, self.hold = Stop(), Hold()

    def _render_tools(self) -> RenderTools | None:
        if self.browser is None:
            return None
        return RenderTools(
            gateway=self.bench.gate,
            registry=self.registry,
            clock=self.bench.clock,
            browser=self.browser,
            policy="strict/1",
            plan_of=lambda candidate, page_id, seconds: Plan(url=candidate.url, page_id=page_id, seconds=seconds),
            at_once=asyncio.Semaphore(2),
        )

    async def seed(self, *paths: str) -> None:
        seeds = [Outlink(candidate=candidate(path)) for path in paths]
        await self.frontier.add(seeds)

    async def attempt(self, path: str = "/") -> Attempt:
        await self.seed(path)
        (claim,) = await self.frontier.claim(1)
        return await self.worker.attempt(claim)

    async def visit(self, path: str = "/") -> Page:
        page = (await self.attempt(path)).page
        assert page is not None
        return page

    async def crawl(self, *paths: str, concurrency: int = 4, on_page: OnPage | None = None, **limits: object) -> Tally:
        await self.seed(*(paths or ("/",)))
        source = ClaimSource(
            frontier=self.frontier, clock=self.bench.clock, limits=RunLimits(**limits), stop=self.stop, batch=8,  # type: ignore[arg-type]
            hold=self.hold,
        )  # fmt: skip
        async with asyncio.timeout(20):
            return await Pump(source, self.worker).run(on_page or self.told.append, concurrency=concurrency)

    @property
    def asked(self) -> list[str]:
        """What was asked for, in order, without the site's name."""
        return [request.url.removeprefix(SITE) for request in self.bench.web.asked]

    @property
    def written(self) -> list[list[str]]:
        """URLs (or record targets) by batch."""
        return [[target(item) for item in batch] for batch in self.bench.recorder.batches]


def target(item: WarcItem) -> str:
    return item.exchange.url.removeprefix(SITE) if isinstance(item, CaptureItem) else item.target


def candidate(path: str) -> Candidate:
    url = urls.join(SITE, path) or path
    return Candidate(url=url, key=urls.canonical(url), origin=urls.origin_of(url), kind=Kind.DOCUMENT, seed=True)
