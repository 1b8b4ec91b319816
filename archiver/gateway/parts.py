"""What the gateway is given: the ports it talks through and the rules it calls. It decides nothing by itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from archiver.clock import Clock
from archiver.model import Candidate, Elements, Exchange, Keep, Origin
from archiver.policy.decide import Rule
from archiver.policy.override import Override
from archiver.ports import Client, Declared, Dialer, HostBudget, Ledger, PaceRules, Recorder, Robots, WireLimits

Label = Callable[[Candidate, Keep], Keep]
RetryAfter = Callable[[Exchange], float | None]
PaceOf = Callable[[Origin, Declared], PaceRules]
Sleep = Callable[[float], Awaitable[None]]


class Judge(Protocol):
    """The keep verdict (`policy.keep`)."""

    def __call__(self, candidate: Candidate, exchange: Exchange, elements: Elements, robots: Any) -> Keep: ...

    def concerns(self, elements: Elements) -> bool:
        """Whether any of these elements could change the verdict."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class GatePorts:
    """One of each a run."""

    dialer: Dialer
    client: Client
    robots: Robots
    budget: HostBudget
    ledger: Ledger
    recorder: Recorder
    clock: Clock
    sleep: Sleep


@dataclass(frozen=True, slots=True, kw_only=True)
class GatePolicy:
    """Identity, limits, and the pure rules.

    `rules` object before anything is dialled, in order. `identity` headers go out on every request, `defaults` where
    the candidate brings none of that name. `transclude`: requisites that robots.txt refuses are fetched and say so.
    `label` adds to a keep verdict what files of the site say of the URL.
    `override`: what a named person lifts in this run of one visit.
    """

    name: str
    rules: tuple[Rule, ...]
    pace_of: PaceOf
    transclude: bool
    identity: tuple[tuple[bytes, bytes], ...]
    defaults: tuple[tuple[bytes, bytes], ...]
    judge: Judge
    retry_after: RetryAfter
    host_header: Callable[[str], bytes]
    target: Callable[[str], bytes]
    label: Label = lambda candidate, keep: keep
    override: Override | None = None
    limits: WireLimits = field(default_factory=WireLimits)
    robots_limits: WireLimits = field(default_factory=lambda: WireLimits(total=20.0, idle=15.0, body=4 << 20))
