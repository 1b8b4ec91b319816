"""What a person may lift by name, for one URL and one visit: as a table. What is not in it is lifted by nobody.

`robots` and `robots-unreachable` lift what robots.txt, or the want of one, has against the page and its redirects;
`requisites` what robots.txt has against what that page is made of. Scope, hides, addresses, ports, rests of a host,
declared hours and delays, limits and what the site's answers say are in no row, so they stay (docs/adr/0016).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from archiver.model import Access, Decision, Fetched, Keep, Kind, Objection, Reason


class Lift(StrEnum):
    """The words of `archiver save --override`."""

    ROBOTS = "robots"
    ROBOTS_UNREACHABLE = "robots-unreachable"
    REQUISITES = "requisites"


LIFTS: Mapping[tuple[Reason, Kind], Lift] = {
    (Reason.ROBOTS_TXT, Kind.DOCUMENT): Lift.ROBOTS,
    (Reason.ROBOTS_UNREACHABLE, Kind.DOCUMENT): Lift.ROBOTS_UNREACHABLE,
    (Reason.ROBOTS_TXT, Kind.REQUISITE): Lift.REQUISITES,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """Who lifts what, and why. `because` and `by` are one line of text each, not empty."""

    what: frozenset[Lift]
    because: str
    by: str

    def lifts(self, objection: Objection, kind: Kind) -> Lift | None:
        """The word that covers this objection, None where it stands."""
        lift = LIFTS.get((objection.reason, kind))
        return lift if lift in self.what else None

    def as_json(self) -> dict[str, Any]:
        """What was asked for, as the `run` row has it."""
        return {"what": sorted(self.what), "because": self.because, "by": self.by}


def overridden(decision: Decision, override: Override, lift: Lift, instead: Objection) -> Decision:
    """`decision` allows once `instead` is lifted: the same with both verdicts in it."""
    note = {
        "what": lift.value,
        "because": override.because,
        "by": override.by,
        "instead": {
            "verdict": instead.verdict.value,
            "reason": instead.reason.value,
            "rule": instead.rule,
            "line": instead.line,
            "evidence": instead.evidence,
        },
    }
    return replace(
        decision,
        reason=Reason.OVERRIDE,
        rule=said_by(lift.value, override.by, override.because),
        line=None,
        notes={**decision.notes, "override": note},
    )


def said_by(what: str, by: str, because: str) -> str:
    """The rule of what an override allowed."""
    return f"--override {what}, by {by}: {because}"


def lifted(fetched: Fetched) -> Mapping[str, Any] | None:
    """The note of an override that this request needed."""
    note = fetched.decision.notes.get("override")
    return note if note is not None and isinstance(note, Mapping) else None  # asking an ABC costs more than all else


def restricted(keep: Keep, note: Mapping[str, Any]) -> Keep:
    """What an override fetched, and what belongs to its page, is for named readers; a stricter verdict stands."""
    if keep.access is not Access.OPEN:
        return keep
    rule = said_by(str(note["what"]), str(note["by"]), str(note["because"]))
    return replace(keep, access=Access.RESTRICTED, reason=Reason.OVERRIDE, rule=rule)
