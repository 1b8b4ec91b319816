"""An override at the gate: the row of both verdicts, and everything else that still binds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from archiver.model import Candidate, Kind, Objection, Origin, Reason, Verdict
from archiver.policy.override import Lift, Override
from archiver.ports import Declared, FetchRobots, RobotsAnswer
from archiver.wire.memory import Answer
from tests.gateway.gate import Bench, candidate

HOST = Origin("https", "a.test", 443)
OVERRIDE = Override(what=frozenset(Lift), because="court order", by="Ann")
RULES = b"User-agent: *\nDisallow: /p\n"


def bench(pages: Mapping[str, Answer] | None = None, **made: object) -> Bench:
    found = Bench(pages or {}, override=OVERRIDE, **made)  # type: ignore[arg-type]
    found.web.forbid(HOST, RULES)
    return found


async def test_both_verdicts_are_told_before_the_dial() -> None:
    found = bench({"https://a.test/p": Answer()})
    fetched = await found.gate.fetch(candidate("https://a.test/p"))
    assert fetched.exchange is not None
    (row,) = found.rows("decision")
    assert (row["verdict"], row["reason"]) == ("allow", "override")
    instead = row["notes"]["override"]["instead"]
    assert (instead["verdict"], instead["reason"], instead["line"]) == ("refuse", "robotsTxt", 2)
    (told,) = found.rows("override")
    assert {name: told[name] for name in ("what", "because", "by", "instead")} == row["notes"]["override"]


async def test_one_that_is_not_needed_leaves_no_trace() -> None:
    found = bench({"https://a.test/ok": Answer()})
    fetched = await found.gate.fetch(candidate("https://a.test/ok"))
    assert fetched.decision.reason is Reason.ALLOWED and "override" not in fetched.decision.notes
    assert found.rows("override") == []


async def test_a_host_at_rest_gets_its_rest() -> None:
    found = bench({"https://a.test/": Answer(status=429, headers={"Retry-After": "120"})})
    await found.gate.fetch(candidate("https://a.test/"))
    decision = (await found.gate.admit(candidate("https://a.test/p"))).decision
    assert (decision.verdict, decision.reason) == (Verdict.DEFER, Reason.RATE_LIMITED)
    assert "override" not in decision.notes, "nothing was lifted"


async def test_a_private_address_stays_private() -> None:
    found = bench()
    found.web.private.add("a.test")
    decision = (await found.gate.admit(candidate("https://a.test/p"))).decision
    assert (decision.verdict, decision.reason) == (Verdict.REFUSE, Reason.PRIVATE_ADDRESS)


@pytest.mark.parametrize("reason", [Reason.HIDDEN, Reason.OUT_OF_SCOPE, Reason.USER_EXCLUSION, Reason.TRAP])
async def test_rules_of_the_operator_stay(reason: Reason) -> None:
    def rule(one: Candidate) -> Objection | None:
        return Objection(verdict=Verdict.REFUSE, reason=reason)

    decision = (await bench(rules=(rule,)).gate.admit(candidate("https://a.test/p"))).decision
    assert decision.reason is reason


async def test_a_requisite_needs_its_own_word() -> None:
    image = candidate("https://a.test/p.png", kind=Kind.REQUISITE)
    assert (await bench().gate.admit(image)).decision.notes["override"]["what"] == "requisites"
    found = Bench({}, override=replace(OVERRIDE, what=frozenset({Lift.ROBOTS, Lift.ROBOTS_UNREACHABLE})))
    found.web.forbid(HOST, RULES)
    assert (await found.gate.admit(image)).decision.reason is Reason.ROBOTS_TXT


async def test_transclusion_goes_first_and_an_override_is_then_not_needed() -> None:
    image = candidate("https://a.test/p.png", kind=Kind.REQUISITE)
    decision = (await bench(transclude=True).gate.admit(image)).decision
    assert "transcluded" in decision.notes and "override" not in decision.notes


class Nightly:
    """robots.txt that disallows everything, and lets itself be visited for one minute at midnight."""

    async def ask(self, candidate: Candidate, fetch: FetchRobots) -> RobotsAnswer:
        objection = Objection(verdict=Verdict.REFUSE, reason=Reason.ROBOTS_TXT, rule="Disallow: /", line=1)
        declared = Declared(visit_time_utc=((0, 1),))
        return RobotsAnswer(state="fresh", objection=objection, declared=declared, evidence="urn:uuid:1")


@pytest.mark.parametrize("kind", [Kind.DOCUMENT, Kind.REQUISITE])
@pytest.mark.parametrize("transclude", [False, True])
async def test_the_hours_of_a_site_bind_what_is_lifted(kind: Kind, transclude: bool) -> None:
    found = Bench({}, override=OVERRIDE, transclude=transclude, robots=Nightly())
    noon = datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp()
    found.clock.advance((noon - found.clock.epoch()) % 86_400)
    decision = (await found.gate.admit(candidate("https://a.test/p", kind=kind))).decision
    assert (decision.verdict, decision.reason) == (Verdict.DEFER, Reason.VISIT_TIME)
    assert decision.not_before == datetime.fromtimestamp(found.clock.epoch() + 43_200, UTC)
    assert "override" not in decision.notes
