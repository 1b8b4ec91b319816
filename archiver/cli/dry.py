"""`--dry-run` of `crawl` and `save`: what robots.txt and pace will do to each seed, how long. No page is fetched."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from archiver.cli.options import person
from archiver.cli.output import json_line, plain, readers_may_leave
from archiver.cli.results import exit_code
from archiver.clock import iso
from archiver.config import Config, from_environment, is_own
from archiver.model import Candidate, Origin, Status, Verdict
from archiver.policy.pace import estimate
from archiver.policy.pace_values import Pace, permitted
from archiver.policy.visit_time import clock_of, window_wait
from archiver.ports import Admitted, PaceRules
from archiver.wiring.session import session

SOME_PAGES = 100
SOME_REQUISITES = 10
_STATUS = {Verdict.ALLOW: Status.CAPTURED, Verdict.REFUSE: Status.REFUSED, Verdict.DEFER: Status.DEFERRED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A seed, what admission says of it, and what binds at its origin. `limit`: seconds a visit there may take."""

    candidate: Candidate
    admitted: Admitted
    pace: Pace
    limit: float

    @property
    def rules(self) -> PaceRules:
        return PaceRules(delay=self.pace.delay, declared=self.admitted.rules.declared)

    @property
    def fits(self) -> int | None:
        """How many requisites a visit has time for; None where no delay is declared."""
        return math.floor(self.limit / self.pace.request_delay) if self.pace.request_delay else None

    def waits(self, now: float) -> float:
        """Seconds until it may be asked for."""
        until = self.admitted.decision.not_before
        return max(0.0, until.timestamp() - now) if until is not None else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """The seeds of one origin that may be fetched, now or later, and the least time they take one after the other.

    `pages` is how many pages of ten requisites would take `pages_seconds`: what a crawl comes to.
    """

    origin: Origin
    seeds: int
    seconds: float
    pages: int
    pages_seconds: float

    def to_json(self) -> dict[str, Any]:
        return {
            "origin": str(self.origin),
            "seeds": self.seeds,
            "seconds_at_least": round(self.seconds, 1),
            "pages": self.pages,
            "pages_seconds_at_least": round(self.pages_seconds, 1),
        }


async def dry_run(config: Config, environ: dict[str, str], *, as_json: bool = False) -> int:
    """Asks robots.txt only (recorded, as always) and prints; returns the exit code that the seeds would come to."""
    actor = person(environ, through="cli")
    async with session(config, from_environment(environ), environ, actor, saving=True) as work:
        asked = [_asked(config, candidate, await work.gate.admit(candidate)) for candidate in work.seeds]
        now = work.clock.epoch()
        _tell(asked, _outlooks(asked, config.limits.page_limit or SOME_PAGES, now), now, as_json=as_json)
        await work.run.finish(stopped=None, counts={})  # a store that does not answer is waited for in here
    statuses = [_STATUS[one.admitted.decision.verdict].value for one in asked]
    return exit_code(statuses, gaps=False, require_complete=False, store_error=None)


def _tell(asked: Sequence[Asked], outlooks: dict[Origin, Outlook], now: float, *, as_json: bool) -> None:
    with readers_may_leave():
        if as_json:
            for one in asked:
                print(json_line(_to_json(one, outlooks)), flush=True)
        else:
            lines = [line for one in asked for line in _lines(one, now)] + _sum(outlooks)
            print(plain("\n".join(lines)), flush=True)


def _asked(config: Config, candidate: Candidate, admitted: Admitted) -> Asked:
    own = is_own(config, candidate.origin.host, candidate.origin.port)
    pace = permitted(admitted.rules, own=own)
    limits = config.limits
    limit = limits.max_visit_seconds if pace.request_delay else limits.visit_timeout
    return Asked(candidate=candidate, admitted=admitted, pace=pace, limit=limit)


def _outlooks(asked: Sequence[Asked], pages: int, now: float) -> dict[Origin, Outlook]:
    by_origin: dict[Origin, list[Asked]] = {}
    for one in asked:
        if one.admitted.decision.verdict is not Verdict.REFUSE:
            by_origin.setdefault(one.candidate.origin, []).append(one)
    found = {}
    for origin, seeds in by_origin.items():
        first = seeds[0]
        waits = min(one.waits(now) for one in seeds)
        requisites = SOME_REQUISITES if first.fits is None else min(SOME_REQUISITES, first.fits)
        found[origin] = Outlook(
            origin=origin,
            seeds=len(seeds),
            seconds=max(waits + estimate(len(seeds), 0, first.rules), *(one.waits(now) for one in seeds)),
            pages=pages,
            pages_seconds=waits + estimate(pages, requisites, first.rules),
        )
    return found


def _to_json(one: Asked, outlooks: dict[Origin, Outlook]) -> dict[str, Any]:
    """By archiver/cli/dry.schema.json."""
    refused = one.admitted.decision.verdict is Verdict.REFUSE
    outlook = None if refused else outlooks[one.candidate.origin]
    decision, pace = one.admitted.decision, one.pace
    return {
        "url": one.candidate.url,
        "decision": {
            "verdict": decision.verdict.value,
            "reason": decision.reason.value,
            "rule": decision.rule,
            "line": decision.line,
            "evidence": decision.evidence,
            "not_before": iso(decision.not_before) if decision.not_before else None,
        },
        "pace": {
            "delay": pace.delay,
            "request_delay": pace.request_delay,
            "source": one.admitted.rules.declared.source or None,
            "visit_time_utc": [list(map(clock_of, window)) for window in pace.windows],
            "visit_seconds": one.limit,
            "requisites_a_visit": one.fits,
            "note": pace.note or None,
        },
        "origin": outlook.to_json() if outlook is not None else None,
        "error": one.admitted.vetted.error,
    }


def _lines(one: Asked, now: float) -> list[str]:
    decision = one.admitted.decision
    rule = f": {decision.rule}" if decision.rule else ""
    line = f" (line {decision.line})" if decision.line else ""
    found = [one.candidate.url, f"  {decision.verdict.value} ({decision.reason.value}){rule}{line}"]
    if one.admitted.vetted.error is not None:
        found.append(f"  {one.admitted.vetted.error}")
    if decision.not_before is not None:
        found.append(f"  not before {iso(decision.not_before)}, in {_span(one.waits(now))}")
    return found if decision.verdict is Verdict.REFUSE else [*found, *_pace(one, now)]


def _pace(one: Asked, now: float) -> list[str]:
    pace, declared = one.pace, one.admitted.rules.declared
    found = [f"  a visit every {pace.delay:g} s at most{f' ({pace.note})' if pace.note else ''}"]
    if one.fits is not None:
        found.append(f"  {declared.source or 'robots.txt'}: {pace.request_delay:g} s between requests, images included")
        takes = SOME_REQUISITES * pace.request_delay
        found.append(
            f"  {pace.request_delay:g} s x {SOME_REQUISITES} requisites: takes at least {takes:.0f} s, "
            f"visit limit {one.limit:g} s: a page with more than {one.fits} loses what is over (crawlDelayBudget)"
        )
    for start, end in pace.windows:
        state = "closed now" if window_wait([(start, end)], now) else "open now"
        found.append(f"  Visit-time {clock_of(start)} to {clock_of(end)} UTC: {state}")
    return found


def _sum(outlooks: dict[Origin, Outlook]) -> list[str]:
    """Origins are visited side by side, the URLs of one after the other."""
    if not outlooks:
        return []
    found = [""]
    for one in outlooks.values():
        seeds = "1 seed" if one.seeds == 1 else f"{one.seeds} seeds"
        found.append(
            f"{one.origin}: {seeds}, {_span(one.seconds)} at least; "
            f"{one.pages} pages of {SOME_REQUISITES} requisites take {_span(one.pages_seconds)} at least"
        )
    if len(outlooks) > 1:
        found.append(f"All seeds: {_span(max(one.seconds for one in outlooks.values()))} at least")
    return found


def _span(seconds: float) -> str:
    seconds = math.floor(seconds)
    days, hours, minutes = seconds // 86_400, seconds % 86_400 // 3600, seconds % 3600 // 60
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds % 60} s"
