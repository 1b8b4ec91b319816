"""What an override lifts, reason by reason and kind by kind, and what it leaves behind."""

from __future__ import annotations

from itertools import product

import pytest

from archiver.model import Access, Candidate, Decision, Fetched, Keep, Kind, Objection, Origin, Reason, Verdict
from archiver.policy.override import Lift, Override, lifted, overridden, restricted

ALL = frozenset(Lift)
LIFTED = {
    (Reason.ROBOTS_TXT, Kind.DOCUMENT): Lift.ROBOTS,
    (Reason.ROBOTS_UNREACHABLE, Kind.DOCUMENT): Lift.ROBOTS_UNREACHABLE,
    (Reason.ROBOTS_TXT, Kind.REQUISITE): Lift.REQUISITES,
}
WHO = {"because": "court order 12/26", "by": "Ann Smith"}
PAGE = Candidate(url="https://a.test/", key="https://a.test/", origin=Origin("https", "a.test", 443))


def objection(reason: Reason) -> Objection:
    verdict = Verdict.DEFER if reason is Reason.ROBOTS_UNREACHABLE else Verdict.REFUSE
    return Objection(verdict=verdict, reason=reason, rule="Disallow: /x", line=3, evidence="urn:uuid:1")


@pytest.mark.parametrize(("reason", "kind"), [*product(Reason, Kind)])
def test_of_all_reasons_and_kinds_three_can_be_lifted(reason: Reason, kind: Kind) -> None:
    """Whatever is asked for; a reason or kind that comes later is not lifted before it stands here too."""
    assert Override(what=ALL, **WHO).lifts(objection(reason), kind) == LIFTED.get((reason, kind))


@pytest.mark.parametrize(("place", "lift"), LIFTED.items(), ids=[*LIFTED.values()])
def test_each_word_lifts_its_own_alone(place: tuple[Reason, Kind], lift: Lift) -> None:
    said = objection(place[0])
    assert Override(what=frozenset({lift}), **WHO).lifts(said, place[1]) is lift
    assert Override(what=ALL - {lift}, **WHO).lifts(said, place[1]) is None
    assert Override(what=frozenset(), **WHO).lifts(said, place[1]) is None


def test_both_verdicts_stand_in_the_decision() -> None:
    allowed = Decision(
        verdict=Verdict.ALLOW, reason=Reason.ALLOWED, rule="Disallow: /x", line=3, evidence="urn:uuid:1",
        notes={"robots": {"state": "fresh"}},
    )  # fmt: skip
    found = overridden(allowed, Override(what=ALL, **WHO), Lift.ROBOTS, objection(Reason.ROBOTS_TXT))
    assert (found.verdict, found.reason, found.line) == (Verdict.ALLOW, Reason.OVERRIDE, None)
    assert found.rule == "--override robots, by Ann Smith: court order 12/26"
    assert found.evidence == "urn:uuid:1"
    assert found.notes["robots"] == {"state": "fresh"}
    assert found.notes["override"] == {
        "what": "robots",
        **WHO,
        "instead": {
            "verdict": "refuse",
            "reason": "robotsTxt",
            "rule": "Disallow: /x",
            "line": 3,
            "evidence": "urn:uuid:1",
        },
    }
    assert lifted(Fetched(candidate=PAGE, decision=found)) == found.notes["override"]
    assert lifted(Fetched(candidate=PAGE, decision=allowed)) is None


@pytest.mark.parametrize("access", list(Access))
def test_what_it_fetched_is_restricted_and_the_stricter_verdict_stands(access: Access) -> None:
    before = Keep(access=access, reason=Reason.NOARCHIVE, rule="noarchive", listed=False)
    found = restricted(before, {"what": "robots", **WHO})
    if access is Access.OPEN:
        assert (found.access, found.reason, found.listed) == (Access.RESTRICTED, Reason.OVERRIDE, False)
        assert "Ann Smith" in found.rule
    else:
        assert found == before
