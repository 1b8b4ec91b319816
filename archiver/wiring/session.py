"""Builds one run out of one configuration, ready to be driven."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from archiver.clock import SYSTEM, Clock
from archiver.config import Config, Environment, Places, is_own
from archiver.engine.discover import Discoverer
from archiver.engine.pump import Pump
from archiver.engine.run import Run, RunParts
from archiver.engine.scopes import SeedScopes
from archiver.engine.source import ClaimSource, Hold, RunLimits, Stop
from archiver.engine.worker import Tools, Worker
from archiver.frontier.hosts import SqliteHostBudget
from archiver.gateway import Gate, GatePorts
from archiver.ledger.reader import last_head
from archiver.ledger.segments import JsonlLedger
from archiver.model import Actor, Candidate, Origin, Page
from archiver.pages import PagesFile
from archiver.policy.address import AllowList
from archiver.policy.override import Override
from archiver.ports import Frontier
from archiver.warc.salvage import salvage
from archiver.wire.client import HttpClient
from archiver.wire.dial import SystemDialer
from archiver.wire.robots import RobotsService
from archiver.wire.tls import Trust
from archiver.wiring.browser import lanes_of
from archiver.wiring.files import epilogue_of, leftovers, let_go, recorder_of, rotated
from archiver.wiring.hidden import hidden_rule
from archiver.wiring.limits import check_limits
from archiver.wiring.lists import lists_of, seeds_of
from archiver.wiring.lost import CheckedFiles
from archiver.wiring.resume import frontier_of, put_back, registry_of, unshipped_files
from archiver.wiring.site_files import open_gate
from archiver.wiring.untold_links import untold_links
from archiver.wiring.uploads import pressure_of, shipper_of
from archiver.wiring.values import facts, gate_policy, scopes_of, visit_limits, warcinfo_fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a `save` asks for beside its configuration: seconds in which what is deferred stays due, and what a named
    person lifts for its one seed (the command sees to it that it is one)."""

    wait: float = 0.0
    override: Override | None = None


NOTHING_SPECIAL = Asked()


@dataclass(slots=True, kw_only=True)
class Session:
    """One run, ready to be driven."""

    config: Config
    places: Places
    job: str
    resumed: bool
    run: Run
    gate: Gate
    worker: Worker
    frontier: Frontier
    budget: SqliteHostBudget
    stop: Stop
    hold: Hold
    clock: Clock
    scopes: SeedScopes
    seeds: Sequence[Candidate]

    def source(self, *, patience: float | None, wait: float = 0.0) -> ClaimSource:
        """`patience`: seconds that a resting host is waited for when nothing else is left; None = any time. `wait`:
        seconds in all that the run may spend on waiting longer."""
        source = ClaimSource(
            frontier=self.frontier,
            clock=self.clock,
            limits=self.limits(patience, wait),
            stop=self.stop,
            hold=self.hold,
            batch=2 * self.config.pace.concurrency,
        )
        self.run.renews += [source.renew, self.worker.renew]
        return source

    def pump(self, *, patience: float | None, wait: float = 0.0) -> Pump:
        return Pump(self.source(patience=patience, wait=wait), self.worker)

    def limits(self, patience: float | None, wait: float = 0.0) -> RunLimits:
        limits = self.config.limits
        return RunLimits(
            pages=limits.page_limit or None,
            seconds=limits.time_limit or None,
            wire_bytes=limits.size_limit or None,
            patience=patience,
            wait=wait,
        )

    async def left_over(self, pages: Sequence[Page]) -> list[Page]:
        """Seeds that were not visited (a host at rest, a limit, a signal), as deferred pages."""
        from archiver.engine.outcome import not_visited

        told = {page.candidate.key for page in pages}
        waiting = [one async for one in self.frontier.pending() if one.seed and one.key not in told]
        found = []
        for candidate in waiting:
            until = await self.budget.resting_until(candidate.origin)
            wait = self.worker.waits.get(candidate.origin)
            found.append(not_visited(candidate, now=self.clock.now(), until=until, wait=wait))
        return found


@contextlib.asynccontextmanager
async def session(
    config: Config,
    environment: Environment,
    environ: Mapping[str, str],
    actor: Actor,
    *,
    saving: bool,
    asked: Asked = NOTHING_SPECIAL,
) -> AsyncIterator[Session]:
    """Everything for one run, started; closed at the end whatever happens.

    `saving`: a few URLs in memory, no resume. Raises ConfigError, DiskError before anything is asked of a site.
    """
    clock = SYSTEM
    check_limits()
    places = Places.of(config, environment).create()
    job = config.job.crawl_id or uuid.uuid4().hex

    def own(origin: Origin) -> bool:
        return is_own(config, origin.host, origin.port)

    async with contextlib.AsyncExitStack() as stack:
        frontier, file = await frontier_of(config, places, clock, own=own, job=job, saving=saving)
        if file is not None:
            job = file.job
            stack.push_async_callback(file.close)
        salvaged = await asyncio.to_thread(salvage, places.root)
        shipped, unshipped = await unshipped_files(places, salvaged)
        earlier = await put_back(file, places, clock, salvaged, unshipped)
        ledger = JsonlLedger(
            places.logs, clock, job=job, actor=actor, labels=config.job.labels, tenant=config.job.tenant,
            previous=last_head(places.logs),
        )  # fmt: skip
        stack.callback(ledger.close)
        fields = warcinfo_fields(config, job, asked.override)
        recorder = recorder_of(
            config, places, clock, job, lambda access: {**fields, "ledgerHead": ledger.head}, saving=saving
        )
        stack.push_async_callback(let_go, recorder)
        budget = _kept(stack, SqliteHostBudget(places.hosts, clock, own=own))
        trust = Trust([config.network.ca_file] if config.network.ca_file else [])
        client = _kept(stack, HttpClient(clock, tls=trust, spool_dir=str(places.spool)))
        dialer = _kept(stack, SystemDialer(AllowList.parse(config.network.allow_addresses)))
        robots = _kept(stack, _robots(config, environment, clock))
        ports = GatePorts(
            dialer=dialer,
            client=client,
            robots=robots,
            budget=budget,
            ledger=ledger,
            recorder=recorder,
            clock=clock,
            sleep=asyncio.sleep,
        )
        scopes = scopes_of(config)
        policy = gate_policy(config, scopes, clock, hidden_rule(places.logs, clock.now()), asked.override)
        gate, site_files = open_gate(config, environment, ports, policy, stack, earlier=earlier)
        pages = stack.enter_context(contextlib.closing(PagesFile(places.pages, config.job.title)))
        registry = registry_of(frontier, file)
        tools = Tools(
            gateway=gate,
            frontier=frontier,
            budget=budget,
            registry=registry,
            lanes=lanes_of(config, environ, gate, registry, clock, stack),
            discoverer=Discoverer(
                scopes.check,
                takes=scopes.takes if scopes.has_extra_hops else None,
                obey_nofollow=config.policy.signals.nofollow == "obey",
                enabled=not saving,
                lists=None if saving else lists_of(config, scopes),
            ),
            pages=pages,
            clock=clock,
            limits=visit_limits(config),
            policy=config.policy.label,
            waits_until=clock.epoch() + asked.wait if asked.wait else 0.0,
            site_files=site_files,
        )
        stop, hold = Stop(), Hold()
        shipper = await shipper_of(config, places, stack, saving=saving, proofs=environment.stores)
        parts = RunParts(
            clock=clock,
            ledger=ledger,
            recorder=recorder,
            frontier=frontier,
            shipper=shipper,
            facts=facts(config, environ, trust, resumed=file is not None and file.resumed, override=asked.override),
            epilogue=epilogue_of(ledger, recorder, places, clock, job) if saving else _nothing,
            salvaged=salvaged,
            unshipped=unshipped,
            on_shipped=shipped.add,
            on_checked=CheckedFiles(places).add,
            finished=file.finish if file is not None else _nothing,
            pressure=pressure_of(config, places, shipper, clock, stop, hold),
            rotate=lambda: rotated(ledger),
            leftovers=lambda: leftovers(places),
        )
        run = Run(parts)
        seeds = seeds_of(config)
        async with run.open(seeds):
            if earlier is not None:
                gate.tell(await untold_links(frontier, places.logs, job, scopes.check))
            yield Session(
                config=config, places=places, job=job, resumed=file is not None and file.resumed, run=run, gate=gate,
                worker=Worker(tools), frontier=frontier, budget=budget, stop=stop, hold=hold, clock=clock,
                scopes=scopes, seeds=seeds,
            )  # fmt: skip


class _Closable(Protocol):
    async def close(self) -> None: ...


Closable = TypeVar("Closable", bound=_Closable)


def _kept(stack: contextlib.AsyncExitStack, thing: Closable) -> Closable:
    """The thing, to be closed with the run."""
    stack.push_async_callback(thing.close)
    return thing


def _robots(config: Config, environment: Environment, clock: Clock) -> RobotsService:
    return RobotsService(
        clock,
        config.identity.agents,
        state_path=str(environment.state_dir / "robots.sqlite"),
        mode=config.policy.robots.matcher,
        lines=config.policy.robots,
    )


async def _nothing() -> None:
    """A crawl's ledger stays in its own files."""
