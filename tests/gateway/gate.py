"""A gate on fakes: a web in memory, a recorder and a ledger that remember."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from archiver import urls
from archiver.clock import ManualClock
from archiver.frontier.hosts_memory import MemoryHostBudget
from archiver.gateway import Gate, GatePolicy, GatePorts
from archiver.identity import request_headers
from archiver.ledger.memory import MemoryLedger
from archiver.model import Actor, Candidate, Exchange, Kind, Labels, Origin
from archiver.policy.decide import Rule
from archiver.policy.keep import Judge
from archiver.policy.override import Override
from archiver.policy.profiles import STRICT
from archiver.policy.retry_after import retry_after
from archiver.ports import Declared, PaceRules, Robots
from archiver.warc.memory import MemoryRecorder
from archiver.wire.memory import Answer, MemoryWeb

ALWAYS, DEFAULTS = request_headers(user_agent="PoliteArchiver/1", mailbox="a@example.org", gpc=True, lang="")


def candidate(url: str, **changes: object) -> Candidate:
    made = Candidate(url=url, key=urls.canonical(url), origin=urls.origin_of(url), kind=Kind.DOCUMENT)
    return replace(made, **changes)  # type: ignore[arg-type]


class Bench:
    """Everything a gate needs, at hand."""

    def __init__(
        self,
        pages: Mapping[str, Answer],
        *,
        rules: tuple[Rule, ...] = (),
        transclude: bool = False,
        override: Override | None = None,
        robots: Robots | None = None,
        clock: ManualClock | None = None,
    ) -> None:
        self.clock = clock or ManualClock()
        self.web = MemoryWeb(pages, self.clock)
        self.recorder = MemoryRecorder()
        self.ledger = MemoryLedger(self.clock, job="job", actor=Actor(name="t"), labels=Labels())
        self.budget = MemoryHostBudget(self.clock, own=lambda origin: True)
        self.slept: list[float] = []
        ports = GatePorts(
            dialer=self.web,
            client=self.web,
            robots=robots or self.web,
            budget=self.budget,
            ledger=self.ledger,
            recorder=self.recorder,
            clock=self.clock,
            sleep=self.sleep,
        )
        policy = GatePolicy(
            name="strict/1",
            rules=rules,
            pace_of=self.pace_of,
            transclude=transclude,
            override=override,
            identity=ALWAYS,
            defaults=DEFAULTS,
            judge=Judge(STRICT, ("PoliteArchiver",)),
            retry_after=self.retry_after,
            host_header=urls.host_header,
            target=urls.request_target,
        )
        self.gate = Gate(ports, policy)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.clock.advance(seconds)

    def pace_of(self, origin: Origin, declared: Declared) -> PaceRules:
        return PaceRules(delay=0.0, declared=declared)

    def retry_after(self, exchange: Exchange) -> float | None:
        return retry_after(exchange.headers, self.clock.now())

    def rows(self, event: str) -> list[dict]:  # type: ignore[type-arg]
        return self.ledger.bodies(event)
