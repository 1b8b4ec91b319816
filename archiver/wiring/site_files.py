"""What a run needs to ask sites how their pages may be used."""

from __future__ import annotations

from contextlib import AsyncExitStack

from archiver.clock import Clock
from archiver.config import Config, Environment
from archiver.engine.site_files import SiteFiles, SiteFileTools
from archiver.policy.site_files import Statements
from archiver.ports import Gateway
from archiver.urls import origin_of
from archiver.wire.site_files_state import SqliteSiteFiles


def open_site_files(  # noqa: PLR0913 - one of each a run
    config: Config,
    environment: Environment,
    gateway: Gateway,
    statements: Statements,
    clock: Clock,
    stack: AsyncExitStack,
    *,
    resumed: bool,
) -> SiteFiles:
    """Closed with `stack`. `statements` is what the gateway labels by."""
    memory = SqliteSiteFiles(str(environment.state_dir / "signals.sqlite"))
    stack.push_async_callback(memory.close)
    tools = SiteFileTools(
        gateway=gateway,
        memory=memory,
        statements=statements,
        clock=clock,
        seeds=frozenset(origin_of(seed.url) for seed in config.seeds),
        policy=config.policy.label,
        extra=config.policy.signals.fetch,
        resumed=resumed,
    )
    return SiteFiles(tools)
