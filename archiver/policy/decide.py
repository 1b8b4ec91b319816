"""From objections to a decision. A rule can only object; `decide` alone grants ALLOW, after every rule ran."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from archiver.model import Candidate, Decision, Objection, Reason, Verdict

Rule = Callable[[Candidate], Objection | None]


def decide(objections: Iterable[Objection | None], *, policy: str) -> Decision:
    """The strongest objection wins: any REFUSE before any DEFER, the earlier rule before the later.

    What else was objected stands in `notes["also"]`, so that lifting one rule never hides the next.
    """
    found = [objection for objection in objections if objection is not None]
    if not found:
        return Decision(verdict=Verdict.ALLOW, reason=Reason.ALLOWED, policy=policy)
    first = next((one for one in found if one.verdict is Verdict.REFUSE), found[0])
    also = [{"reason": one.reason.value, "rule": one.rule} for one in found if one is not first]
    return Decision(
        verdict=first.verdict,
        reason=first.reason,
        rule=first.rule,
        line=first.line,
        evidence=first.evidence,
        not_before=first.not_before,
        policy=policy,
        notes={"also": also} if also else {},
    )
