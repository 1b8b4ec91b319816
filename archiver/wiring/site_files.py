"""The gateway of a run, and what asks sites how their pages may be used: what those say, it labels answers by."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import replace

from archiver.config import Config, Environment
from archiver.engine.site_files import SiteFiles, SiteFileTools
from archiver.gateway import Gate, GatePolicy, GatePorts
from archiver.policy.site_files import Statements
from archiver.urls import origin_of
from archiver.wire.site_files_state import SqliteSiteFiles
from archiver.wiring.resume import Earlier


def open_gate(
    config: Config,
    environment: Environment,
    ports: GatePorts,
    policy: GatePolicy,
    stack: AsyncExitStack,
    *,
    earlier: Earlier | None,
) -> tuple[Gate, SiteFiles]:
    """Closed with `stack`. `earlier`: what is known of a process that worked at this job before."""
    statements = Statements()
    gate = Gate(ports, replace(policy, label=statements.label))
    memory = SqliteSiteFiles(str(environment.state_dir / "signals.sqlite"))
    stack.push_async_callback(memory.close)
    tools = SiteFileTools(
        gateway=gate,
        memory=memory,
        statements=statements,
        clock=ports.clock,
        seeds=frozenset(origin_of(seed.url) for seed in config.seeds),
        policy=policy.name,
        extra=config.policy.signals.fetch,
        resumed=earlier is not None,
        lost=earlier.lost if earlier is not None else None,
    )
    return gate, SiteFiles(tools)
