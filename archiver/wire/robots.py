"""robots.txt for every URL: fetched once a job and origin, kept for its life, matched without a lock.

What an answer means stands in `policy.robots.states`; here it is fetched (through the gateway, so that it is vetted,
told and recorded like any other request), remembered, asked for again in time, and turned into objections.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from archiver.clock import Clock, iso
from archiver.model import Candidate, Objection, Origin, Reason, Verdict
from archiver.policy.profiles import RobotsLines
from archiver.policy.robots import (
    FetchDecision,
    FetchFacts,
    FetchState,
    Outcome,
    RobotsFile,
    classify,
    freshness,
    parse,
    retry_wait,
)
from archiver.policy.robots.pattern import Mode
from archiver.policy.visit_time import outside_hours
from archiver.ports import Declared, FetchRobots, RobotsAnswer
from archiver.wire.robots_fetch import Reply, fetch_robots
from archiver.wire.robots_state import Copy, Memory, RobotsMemory

MIN_LIFE = 300.0
"""Seconds a copy serves at least: a site that says `max-age=0` would otherwise be asked before every page."""
_PARSE_IN_THREAD = 65_536
_MODES: Mapping[str, tuple[Mode, ...]] = {
    "both": ("rfc9309", "google"),
    "rfc9309": ("rfc9309",),
    "google": ("google",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What holds for an origin until `until` (monotonic). `blanket` objects to every URL; no `files` = no rules."""

    state: FetchState
    until: float
    files: tuple[RobotsFile, ...] = ()
    blanket: Objection | None = None
    evidence: str | None = None
    attempts: int = 0
    detail: Mapping[str, Any] = field(default_factory=dict)
    delay: float = 0.0
    delay_source: str = ""
    hours: tuple[tuple[int, int], ...] = ()


class RobotsService:
    """`ports.Robots` for one job. `agents` are our product tokens, in order of preference.

    `mode` is `both` (disallowed when either reading disallows), `rfc9309` or `google`. `state_path` names the SQLite
    file that remembers copies and outages across jobs; each job still asks each origin itself once, so that its own
    WARC holds the evidence. Raises DiskError when that file fails, never for a site's faults.
    """

    def __init__(
        self,
        clock: Clock,
        agents: Sequence[str],
        state_path: str | None = None,
        *,
        mode: str = "both",
        lines: RobotsLines | None = None,
        entries: int = 5_000,
    ) -> None:
        self._clock = clock
        self._agents = tuple(agents)
        self._modes = _MODES[mode]
        self._lines = lines or RobotsLines()
        self._entries = entries
        self._memory = RobotsMemory(state_path)
        self._known: dict[Origin, _Known] = {}
        self._asking: dict[Origin, asyncio.Future[None]] = {}

    async def ask(self, candidate: Candidate, fetch: FetchRobots) -> RobotsAnswer:
        """See `ports.Robots`. `/robots.txt` itself is always allowed (RFC 9309, 2.2.2)."""
        known = self._known.get(candidate.origin)
        while known is None or self._clock.monotonic() >= known.until:
            asking = self._asking.get(candidate.origin)
            if asking is not None:
                await asyncio.shield(asking)
            else:
                await self._refresh(candidate.origin, fetch)
            known = self._known.get(candidate.origin)
        return self._answer(known, candidate)

    async def close(self) -> None:
        await self._memory.close()

    # --- asking the site ---

    async def _refresh(self, origin: Origin, fetch: FetchRobots) -> None:
        """One fetch however many wait; when this one is cancelled, one of those takes over."""
        self._asking[origin] = done = asyncio.get_running_loop().create_future()
        try:
            memory = await self._memory.load(origin)
            reply = await fetch_robots(origin, fetch)
            known, memory = await self._learn(origin, memory, reply)
            await self._memory.save(origin, memory, self._clock.epoch())
            self._remember(origin, known)
        finally:
            del self._asking[origin]
            done.set_result(None)

    def _remember(self, origin: Origin, known: _Known) -> None:
        self._known.pop(origin, None)
        while len(self._known) >= self._entries:
            del self._known[next(iter(self._known))]
        self._known[origin] = known

    async def _learn(self, origin: Origin, memory: Memory, reply: Reply) -> tuple[_Known, Memory]:
        """What the reply means now, and what is to be remembered of it."""
        epoch = self._clock.epoch()
        decision = classify(self._facts(memory, reply, epoch), self._clock.now())
        before = self._known.get(origin)
        if decision.retry:
            # our own rest is not the site's outage
            since = memory.unreachable_since if reply.postponed else (memory.unreachable_since or epoch)
            memory = replace(memory, unreachable_since=since)
            known = self._unreachable(decision, memory, reply, before.attempts if before else 0)
        else:
            good = decision.outcome is Outcome.PARSE
            copy = Copy(fetched_at=epoch, body=reply.body, headers=reply.headers, evidence=reply.evidence)
            memory = Memory(copy=copy if good else None)
            known = self._reached(decision, reply)
        if decision.outcome in (Outcome.PARSE, Outcome.USE_CACHED) and memory.copy is not None:
            known = await self._with_rules(known, memory.copy.body)
        return known, memory

    def _facts(self, memory: Memory, reply: Reply, epoch: float) -> FetchFacts:
        gone = epoch - memory.unreachable_since if memory.unreachable_since is not None else 0.0
        undefined = self._lines.undefined == "allow" and gone > self._lines.undefined_days * 86_400
        return FetchFacts(
            status=reply.status,
            error=reply.error,
            redirects=reply.redirects,
            headers=reply.headers,
            cached_age=None if memory.copy is None else max(0.0, epoch - memory.copy.fetched_at),
            unreachable_for=float("inf") if undefined else 0.0,
            forbidden_disallows=self._lines.forbidden == "disallow",
        )

    def _reached(self, decision: FetchDecision, reply: Reply) -> _Known:
        life = max(MIN_LIFE, freshness(reply.headers))
        refused = decision.outcome is Outcome.DISALLOW_ALL
        why = f"robots.txt answered {reply.status}"
        if decision.basis == "redirects>5":
            refused = self._lines.many_redirects == "disallow"
            why = "robots.txt redirects more than five times"
        blanket = None
        if refused:
            blanket = Objection(
                verdict=Verdict.REFUSE,
                reason=Reason.ROBOTS_TXT,
                rule=f"{why}; the policy refuses",
                evidence=reply.evidence,
            )
        return _Known(
            state=decision.state,
            until=self._clock.monotonic() + life,
            blanket=blanket,
            evidence=reply.evidence,
            detail=_detail(decision, reply),
        )

    def _unreachable(self, decision: FetchDecision, memory: Memory, reply: Reply, attempts: int) -> _Known:
        wait = retry_wait(attempts, decision.retry_after)
        if reply.postponed is not None:
            wait = max(1.0, reply.postponed.timestamp() - self._clock.epoch())
        blanket = None
        if decision.outcome is Outcome.DISALLOW_ALL:
            why = reply.error or f"it answered {reply.status}"
            refuse = self._lines.unreachable == "refuse"
            blanket = Objection(
                verdict=Verdict.REFUSE if refuse else Verdict.DEFER,
                reason=Reason.ROBOTS_UNREACHABLE,
                rule=f"robots.txt is unreachable: {why} ({decision.section})",
                evidence=reply.evidence,
                not_before=None if refuse else datetime.fromtimestamp(self._clock.epoch() + wait, UTC),
            )
        detail = _detail(decision, reply)
        if memory.unreachable_since is not None:
            detail["unreachableSince"] = iso(datetime.fromtimestamp(memory.unreachable_since, UTC))
        if decision.outcome is Outcome.USE_CACHED and memory.copy is not None:
            copied = iso(datetime.fromtimestamp(memory.copy.fetched_at, UTC))
            detail["copy"] = {"fetchedAt": copied, "evidence": memory.copy.evidence}
        return _Known(
            state=decision.state,
            until=self._clock.monotonic() + wait,
            blanket=blanket,
            evidence=reply.evidence,
            attempts=attempts + 1,
            detail=detail,
        )

    async def _with_rules(self, known: _Known, body: bytes) -> _Known:
        if len(body) > _PARSE_IN_THREAD:
            files = await asyncio.to_thread(self._parse, body)
        else:
            files = self._parse(body)
        detail = {**known.detail, "truncated": True} if files[0].truncated else known.detail
        return self._with_pace(replace(known, files=files, detail=detail))

    def _parse(self, body: bytes) -> tuple[RobotsFile, ...]:
        return tuple(parse(body, mode) for mode in self._modes)

    def _with_pace(self, known: _Known) -> _Known:
        """The delay that is declared at any hour, and the shortest opening hours (several: the strictest reading)."""
        if self._lines.delays == "floor":
            return known
        file = known.files[0]
        delay = file.crawl_delay(self._agents) or 0.0
        source = f"Crawl-delay: {delay:g}" if delay else ""
        for rate in file.request_rates(self._agents):
            # a rate for some hours of the day is kept all day: never faster than asked
            if rate.delay > delay:
                delay, source = rate.delay, f"Request-rate: {rate.requests}/{rate.seconds}"
        window = file.visit_time(self._agents)
        hours = ((window.start, window.end),) if window is not None else ()
        return replace(known, delay=delay, delay_source=source, hours=hours)

    # --- answering ---

    def _answer(self, known: _Known, candidate: Candidate) -> RobotsAnswer:
        objection, rule, line, group = known.blanket, "", None, None
        is_robots_txt = candidate.url.endswith("/robots.txt") and candidate.url == f"{candidate.origin}/robots.txt"
        if is_robots_txt:
            objection = None
        elif objection is None and known.files:
            objection, rule, line, group = self._match(known, candidate.url)
        if objection is None and known.hours:
            objection = outside_hours(known.hours, self._clock.epoch(), known.evidence)
        return RobotsAnswer(
            state=known.state.value,
            objection=objection,
            rule=rule,
            line=line,
            group=group,
            evidence=known.evidence,
            declared=Declared(delay=known.delay, visit_time_utc=known.hours, source=known.delay_source),
            detail=known.detail,
            parsed=known.files[0] if known.files else None,
        )

    def _match(self, known: _Known, url: str) -> tuple[Objection | None, str, int | None, str | None]:
        first = None
        for file in known.files:
            verdict = file.match(self._agents, url)
            if not verdict.allowed:
                rule = f"Disallow: {verdict.rule}" + (" (as Google reads it)" if verdict.mode == "google" else "")
                objection = Objection(
                    verdict=Verdict.REFUSE,
                    reason=Reason.ROBOTS_TXT,
                    rule=rule,
                    line=verdict.line,
                    evidence=known.evidence,
                )
                return objection, rule, verdict.line, verdict.group
            first = first or verdict
        assert first is not None
        return None, f"Allow: {first.rule}" if first.rule else "", first.line, first.group


def _detail(decision: FetchDecision, reply: Reply) -> dict[str, Any]:
    """What stands in every decision's row, so only what the evidence record does not say at a glance."""
    detail: dict[str, Any] = {}
    if reply.status is not None:
        detail["status"] = reply.status
    if decision.outcome is not Outcome.PARSE:
        detail["basis"] = f"{decision.basis}: {decision.section}"
    if reply.error is not None:
        detail["error"] = reply.error
    if reply.redirects:
        detail["redirects"] = list(reply.redirects)
    if any(name == b"content-type" and b"text/html" in value.lower() for name, value in reply.headers):
        detail["html"] = True
    return detail
