"""What a reply to GET /robots.txt means now, what is remembered of it, and which record of this job shows it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from archiver.clock import Clock, iso
from archiver.model import Objection, Origin, Reason, Verdict
from archiver.policy.profiles import RobotsLines
from archiver.policy.robots import (
    FetchDecision,
    FetchFacts,
    FetchState,
    Outcome,
    classify,
    freshened,
    may_be_kept,
    remaining,
    retry_wait,
)
from archiver.ports import FetchRobots, RobotsCopy
from archiver.wire.robots_answer import Answers, Known
from archiver.wire.robots_fetch import Reply, robots_url
from archiver.wire.robots_state import Copy, Memory

MIN_LIFE = 300.0
"""Seconds a copy serves at least: a site that says `max-age=0` would otherwise be asked before every page."""


class Learner:
    """`before` is what this job knew of the origin until now."""

    def __init__(self, clock: Clock, lines: RobotsLines, answers: Answers) -> None:
        self._clock = clock
        self._lines = lines
        self._answers = answers

    async def learn(
        self, origin: Origin, reply: Reply, memory: Memory, before: Known | None, fetch: FetchRobots
    ) -> tuple[Known, Memory]:
        """What holds now, and what is to be remembered. Raises DiskError when a copy cannot be kept."""
        epoch = self._clock.epoch()
        decision = classify(self._facts(memory, reply, epoch), self._clock.now())
        copy = _copy_of(decision, reply, memory.copy, epoch)
        if decision.retry:
            # our own rest is not the site's outage
            since = memory.unreachable_since if reply.postponed else (memory.unreachable_since or epoch)
            memory = replace(memory, unreachable_since=since)
            known = self._unreachable(decision, memory, reply, before.attempts if before else 0)
        else:
            memory = Memory(copy=copy)
            known = self._reached(decision, reply, copy)
        if copy is None:
            return known, memory
        known = replace(known, original=copy.evidence)
        if decision.outcome is Outcome.USE_CACHED:
            known = await self._with_copy(origin, known, copy, before, fetch)
        if not may_be_kept(copy.headers):
            known, memory = replace(known, unkept=copy), replace(memory, copy=None)
        return await self._answers.with_rules(known, copy.body), memory

    def _facts(self, memory: Memory, reply: Reply, epoch: float) -> FetchFacts:
        gone = epoch - memory.unreachable_since if memory.unreachable_since is not None else 0.0
        undefined = self._lines.undefined == "allow" and gone > self._lines.undefined_days * 86_400
        return FetchFacts(
            status=reply.status,
            error=reply.error,
            redirects=reply.redirects,
            headers=reply.headers,
            # a copy from the future was dated by a wrong clock: it is as old as it seems young
            cached_age=None if memory.copy is None else abs(epoch - memory.copy.validated_at),
            unreachable_for=float("inf") if undefined else 0.0,
            conditional=reply.conditional,
            forbidden_disallows=self._lines.forbidden == "disallow",
        )

    def _reached(self, decision: FetchDecision, reply: Reply, copy: Copy | None) -> Known:
        life = max(MIN_LIFE, remaining(copy.headers if copy is not None else reply.headers, self._clock.now()))
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
        return Known(
            state=decision.state,
            until=self._clock.monotonic() + life,
            blanket=blanket,
            evidence=reply.evidence,
            detail=_detail(decision, reply),
        )

    def _unreachable(self, decision: FetchDecision, memory: Memory, reply: Reply, attempts: int) -> Known:
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
        if decision.outcome is Outcome.ALLOW_ALL:
            detail["basis"] = f"undefined>{self._lines.undefined_days}d: {decision.section}"
        if memory.unreachable_since is not None:
            detail["unreachableSince"] = _iso(memory.unreachable_since)
        return Known(
            state=decision.state,
            until=self._clock.monotonic() + wait,
            blanket=blanket,
            evidence=reply.evidence,
            attempts=attempts + 1,
            detail=detail,
        )

    async def _with_copy(
        self, origin: Origin, known: Known, copy: Copy, before: Known | None, fetch: FetchRobots
    ) -> Known:
        """Cite the copy: the record that this job has of it already, else one that is written now."""
        answer, held = known.evidence, None
        if before is not None and copy.evidence is not None and before.original == copy.evidence:
            held = before.evidence
        if held is None:
            held = await fetch.keep(_kept(origin, copy, answer))
        told: dict[str, Any] = {"fetchedAt": _iso(copy.fetched_at), "validatedAt": _iso(copy.validated_at)}
        told |= {"original": copy.evidence, "answer": answer}
        return replace(known, evidence=held, detail={**known.detail, "copy": told})


def _copy_of(decision: FetchDecision, reply: Reply, copy: Copy | None, epoch: float) -> Copy | None:
    """The bytes that hold now: those that came, or those remembered, renewed by a 304 (RFC 9111, 4.3.4)."""
    if decision.outcome is Outcome.PARSE:
        return Copy(
            fetched_at=epoch,
            validated_at=epoch,
            body=reply.body,
            headers=reply.headers,
            direct=not reply.redirects,
            evidence=reply.evidence,
        )
    if copy is None or decision.outcome is not Outcome.USE_CACHED:
        return None
    if decision.state is FetchState.STALE_OK:
        return copy
    return replace(copy, validated_at=epoch, headers=freshened(copy.headers, reply.headers))


def _kept(origin: Origin, copy: Copy, answer: str | None) -> RobotsCopy:
    return RobotsCopy(
        url=robots_url(origin),
        body=copy.body,
        headers=copy.headers,
        fetched_at=datetime.fromtimestamp(copy.fetched_at, UTC),
        validated_at=datetime.fromtimestamp(copy.validated_at, UTC),
        truncated=copy.is_truncated,
        original=copy.evidence,
        answer=answer,
    )


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


def _iso(epoch: float) -> str:
    return iso(datetime.fromtimestamp(epoch, UTC))
