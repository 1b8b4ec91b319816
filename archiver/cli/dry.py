"""`archiver crawl --dry-run`: what robots.txt and pace will do to each seed, and how long. No page is fetched."""

from __future__ import annotations

from archiver.cli.options import person
from archiver.cli.output import plain
from archiver.clock import iso
from archiver.config import Config, from_environment, is_own
from archiver.model import Candidate, Origin
from archiver.policy.pace import estimate
from archiver.policy.pace_values import permitted
from archiver.ports import Admitted, PaceRules
from archiver.wiring import session

SOME_REQUISITES = 10


async def dry_run(config: Config, environ: dict[str, str]) -> int:
    """Asks robots.txt only (recorded, as always) and prints; 0 when some seed may be fetched, else 30."""
    actor = person(environ, through="cli")
    allowed = 0
    async with session(config, from_environment(environ), environ, actor, saving=True) as work:
        for candidate in work.seeds:
            admitted = await work.gate.admit(candidate)
            allowed += admitted.decision.allowed
            for line in _lines(config, candidate, admitted):
                print(plain(line))
        await work.run.finish(stopped=None, counts={})
    return 0 if allowed else 30


def _lines(config: Config, candidate: Candidate, admitted: Admitted) -> list[str]:
    decision = admitted.decision
    if admitted.vetted.error is not None:
        return [f"{candidate.url}", f"  would fail: {admitted.vetted.error}"]
    rule = f": {decision.rule}" if decision.rule else ""
    line = f" (line {decision.line})" if decision.line else ""
    found = [candidate.url, f"  {decision.verdict.value} ({decision.reason.value}){rule}{line}"]
    if decision.not_before is not None:
        found.append(f"  not before {iso(decision.not_before)}")
    return [*found, *(_pace(config, candidate.origin, admitted.rules) if decision.allowed else [])]


def _pace(config: Config, origin: Origin, rules: PaceRules) -> list[str]:
    pace = permitted(rules, own=is_own(config, origin.host, origin.port))
    declared = rules.declared
    pages = config.limits.page_limit or 100
    said = f"; {declared.source} asks for {declared.delay:g} s between requests" if declared.delay else ""
    seconds = estimate(pages, SOME_REQUISITES, PaceRules(delay=pace.delay, declared=declared))
    return [
        f"  a visit every {pace.delay:g} s at most{said}{f' ({pace.note})' if pace.note else ''}",
        f"  {pages} pages of {SOME_REQUISITES} requisites take {_span(seconds)} at least",
    ]


def _span(seconds: float) -> str:
    hours, minutes = int(seconds // 3600), int(seconds % 3600 // 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {int(seconds % 60)} s"
