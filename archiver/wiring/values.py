"""From the configuration to the values that rules, visits and files are made with. No class that does I/O is named."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from archiver import __version__, urls
from archiver.clock import Clock
from archiver.config import Config
from archiver.engine.limits import VisitLimits
from archiver.engine.scopes import SeedScopes
from archiver.gateway import GatePolicy
from archiver.identity import request_headers
from archiver.ledger.facts import run_facts
from archiver.model import Exchange, Origin
from archiver.policy.hidden import HiddenRule
from archiver.policy.keep import Judge
from archiver.policy.override import Override
from archiver.policy.retry_after import retry_after
from archiver.policy.scope import ScopeRules
from archiver.ports import Declared, PaceRules, WireLimits
from archiver.wire.tls import Trust


def scopes_of(config: Config) -> SeedScopes:
    return SeedScopes(
        [
            ScopeRules(
                seed=seed.url,
                scope_type=seed.scope_type,
                include=seed.include,
                exclude=seed.exclude,
                depth=seed.depth,
                extra_hops=seed.extra_hops,
            )
            for seed in config.seeds
        ]
    )


def gate_policy(
    config: Config,
    scopes: SeedScopes,
    clock: Clock,
    hidden: HiddenRule | None = None,
    override: Override | None = None,
) -> GatePolicy:
    identity, pace, times = config.identity, config.pace, config.timeouts
    always, defaults = request_headers(
        user_agent=identity.user_agent,
        mailbox=identity.mailbox,
        gpc=config.policy.signals.gpc,
        lang=config.job.lang,
    )

    undeclared = PaceRules(
        delay=pace.delay,
        parallel=pace.parallel if pace.parallel > 1 else (pace.concurrency if pace.delay == 0 else 1),
        requisites=pace.requisite_concurrency,
        retry_after_cap=pace.retry_after_cap,
    )

    def pace_of(origin: Origin, declared: Declared) -> PaceRules:
        if not declared.delay and not declared.visit_time_utc:
            return undeclared
        return replace(undeclared, declared=declared)

    def wait_asked(exchange: Exchange) -> float | None:
        if exchange.header(b"retry-after") is None:
            return None
        return retry_after(exchange.headers, clock.now())

    limits = WireLimits(connect=times.connect, idle=times.idle, total=times.total, body=config.limits.max_body_size)
    return GatePolicy(
        name=config.policy.label,
        rules=(scopes.admit,) if hidden is None else (scopes.admit, hidden),
        pace_of=pace_of,
        transclude=config.policy.robots.requisites == "transclude",
        identity=always,
        defaults=defaults,
        judge=Judge(config.policy, identity.agents),
        override=override,
        retry_after=wait_asked,
        host_header=urls.host_header,
        target=urls.request_target,
        limits=limits,
        robots_limits=WireLimits(connect=times.connect, idle=times.robots, total=times.robots, body=4 << 20),
    )


def visit_limits(config: Config) -> VisitLimits:
    limits = config.limits
    return VisitLimits(
        seconds=limits.visit_timeout,
        declared_seconds=limits.max_visit_seconds,
        requisites=limits.visit_requisites,
        requisite_bytes=limits.visit_bytes,
        in_flight=config.pace.requisite_concurrency,
        hops=limits.max_redirects,
        spool=limits.visit_spool,
    )


def warcinfo_fields(config: Config, job: str, override: Override | None = None) -> dict[str, str]:
    """Conventional names first (WARC 1.1, 6.2; Heritrix), then ours; empty ones are left out."""
    identity, info = config.identity, config.warcinfo
    fields = {
        "software": f"archiver/{__version__}",
        "format": "WARC File Format 1.1",
        "conformsTo": "http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/",
        "operator": config.basis.operator or identity.contact_uri,
        "publisher": info.publisher,
        "audience": info.audience,
        "hostname": platform.node(),
        "isPartOf": info.is_part_of or config.job.collection,
        "description": info.description or config.job.description,
        "robots": "obey" if override is None else "obey, but for the override named below where it was needed",
        "override": ", ".join(sorted(override.what)) if override else "",
        "overrideBy": override.by if override else "",
        "overrideBecause": override.because if override else "",
        "http-header-user-agent": identity.user_agent,
        "http-header-from": identity.mailbox or "",
        "job": job,
        "policy": config.policy.label,
        "policySha256": config.policy.sha256,
        "configSha256": config.sha256,
        "legalBasis": config.basis.legal_basis,
    }
    return {name: value for name, value in fields.items() if value}


def facts(
    config: Config, environ: Mapping[str, str], trust: Trust, *, resumed: bool, override: Override | None = None
) -> dict[str, Any]:
    return {
        **({"override": override.as_json()} if override else {}),
        **run_facts(environ=environ),
        "policy": {"name": config.policy.label, "version": config.policy.version, "sha256": config.policy.sha256},
        "config": {"sha256": config.sha256, "document": config.document()},
        "resumed": resumed,
        "roots_added": [{"path": one.path, "sha256": one.sha256} for one in trust.added],
    }
