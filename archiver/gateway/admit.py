"""Admission: every rule that can object before a request is made, cheapest first, robots.txt last."""

from __future__ import annotations

from datetime import UTC, datetime

from archiver.gateway.parts import GatePolicy, GatePorts
from archiver.model import Candidate, Decision, Kind, Objection, Reason, Verdict
from archiver.policy.decide import decide
from archiver.policy.override import Lift, overridden
from archiver.policy.visit_time import outside_hours
from archiver.ports import Admitted, FetchRobots, PaceRules, RobotsAnswer, Vetted

_NO_ROBOTS = RobotsAnswer(state="notAsked")


class Admission:
    """Asks the rules in order and stops before the first question that would cost a connection.

    A URL out of scope never makes us resolve its host; a private address never makes us ask its robots.txt.
    """

    def __init__(self, ports: GatePorts, policy: GatePolicy) -> None:
        self._ports = ports
        self._policy = policy

    async def admit(self, candidate: Candidate, fetch_robots: FetchRobots) -> Admitted:
        """Never raises for a site's faults.

        Where a name does not resolve, its robots.txt is allowed and fails at the dial. That is unreachable, and
        defers every URL of the origin (RFC 9309, 2.3.1.4).
        """
        unbound = PaceRules()
        if candidate.kind is not Kind.ROBOTS:
            objections = [rule(candidate) for rule in self._policy.rules]
            if any(objections):
                return Admitted(decision=decide(objections, policy=self._policy.name), vetted=Vetted(), rules=unbound)
        vetted = await self._ports.dialer.vet(candidate.origin)
        if vetted.objection is not None:
            return Admitted(decision=decide([vetted.objection], policy=self._policy.name), vetted=vetted, rules=unbound)
        answer = _NO_ROBOTS
        if candidate.kind is not Kind.ROBOTS:
            answer = await self._ports.robots.ask(candidate, fetch_robots)
        rules = self._policy.pace_of(candidate.origin, answer.declared)
        resting = await self._resting(candidate)
        decision = self._judge(candidate, answer, resting)
        return Admitted(decision=decision, vetted=vetted, rules=rules, robots=answer.parsed)

    def _judge(self, candidate: Candidate, answer: RobotsAnswer, resting: Objection | None) -> Decision:
        robots, notes = answer.objection, _notes(answer)
        lift = self._lifted(candidate, robots)
        stands: list[Objection | None] = [robots, resting]
        if robots is not None and self._transcluded(candidate, robots):
            notes["transcluded"] = {"rule": robots.rule, "line": robots.line}
            stands[0] = self._closed(answer)
        elif lift is not None:
            stands[0] = self._closed(answer)
        decision = decide(stands, policy=self._policy.name)
        allowed = decision.verdict is Verdict.ALLOW
        decision = Decision(
            verdict=decision.verdict,
            reason=decision.reason,
            rule=answer.rule if allowed else decision.rule,
            line=answer.line if allowed else decision.line,
            evidence=decision.evidence or answer.evidence,
            policy=decision.policy,
            not_before=decision.not_before,
            notes={**decision.notes, **notes} if decision.notes else notes,
        )
        if allowed and lift is not None and robots is not None and self._policy.override is not None:
            return overridden(decision, self._policy.override, lift, robots)
        return decision

    def _lifted(self, candidate: Candidate, objection: Objection | None) -> Lift | None:
        """Transclusion, a setting, goes before an override, which would then be one that was not needed."""
        if self._policy.override is None or objection is None or self._transcluded(candidate, objection):
            return None
        return self._policy.override.lifts(objection, candidate.kind)

    def _closed(self, answer: RobotsAnswer) -> Objection | None:
        """The hours that robots.txt names bind a URL that it disallows too, once that is lifted."""
        return outside_hours(answer.declared.visit_time_utc, self._ports.clock.epoch(), answer.evidence)

    def _transcluded(self, candidate: Candidate, objection: Objection) -> bool:
        requisite = candidate.kind is Kind.REQUISITE
        return self._policy.transclude and requisite and objection.reason is Reason.ROBOTS_TXT

    async def _resting(self, candidate: Candidate) -> Objection | None:
        until = await self._ports.budget.resting_until(candidate.origin)
        if until is None or until <= self._ports.clock.epoch():
            return None
        return Objection(
            verdict=Verdict.DEFER,
            reason=Reason.RATE_LIMITED,
            rule="the host asked for a rest (429, 503 or Retry-After)",
            not_before=datetime.fromtimestamp(until, UTC),
        )


def _notes(answer: RobotsAnswer) -> dict[str, object]:
    if answer is _NO_ROBOTS:
        return {}
    robots = {"state": answer.state, "group": answer.group, **answer.detail}
    return {"robots": robots} if answer.mandate is None else {"robots": robots, "mandate": answer.mandate}
