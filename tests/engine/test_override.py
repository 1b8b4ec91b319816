"""What an override does to a visit, and what a wait does to a deferral."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from archiver.engine.gathered import Gathered
from archiver.model import (
    Access,
    Decision,
    Fetched,
    Keep,
    Kind,
    Objection,
    Reason,
    Status,
    Verdict,
)
from archiver.policy.override import Lift, Override, overridden
from archiver.ports import FetchRobots, RobotsAnswer
from tests.engine.bench import Engine, candidate, html

OVERRIDE = Override(what=frozenset(Lift), because="court order", by="Ann")
ALLOWED = Decision(verdict=Verdict.ALLOW, reason=Reason.ALLOWED)
LIFTED = overridden(
    ALLOWED, OVERRIDE, Lift.REQUISITES, Objection(verdict=Verdict.REFUSE, reason=Reason.ROBOTS_TXT, rule="Disallow: /i")
)


def fetched(path: str, decision: Decision = ALLOWED, access: Access = Access.OPEN) -> Fetched:
    return Fetched(candidate=candidate(path), decision=decision, keep=Keep(access=access, reason=Reason.NOARCHIVE))


def test_one_overridden_requisite_restricts_its_page_and_dark_stays_dark() -> None:
    gathered = Gathered(fetched=[fetched("/"), fetched("/two")])
    gathered.requisites = [(1, fetched("/i", LIFTED)), (2, fetched("/dark", access=Access.DARK)), (3, fetched("/s"))]
    gathered.spread_override()
    everything = [*gathered.fetched, *(one for _, one in gathered.requisites)]
    assert [one.keep.access for one in everything if one.keep] == [
        Access.RESTRICTED, Access.RESTRICTED, Access.RESTRICTED, Access.DARK, Access.RESTRICTED,
    ]  # fmt: skip
    assert gathered.overridden == {"requisites"}


def test_what_comes_after_the_first_was_written_is_restricted_too() -> None:
    gathered = Gathered(fetched=[fetched("/")], requisites=[(1, fetched("/i", LIFTED))])
    gathered.spread_override()
    gathered.take()
    gathered.requisites.append((2, fetched("/s")))
    gathered.spread_override()
    (late,) = gathered.take()
    assert late.keep is not None and late.keep.access is Access.RESTRICTED


def test_without_an_override_nothing_is_touched() -> None:
    gathered = Gathered(fetched=[fetched("/")], requisites=[(1, fetched("/i"))])
    before = [*gathered.fetched, *gathered.requisites]
    gathered.spread_override()
    assert [*gathered.fetched, *gathered.requisites] == before and gathered.overridden == set()


class Down:
    """robots.txt that cannot be had before a time."""

    until = 0.0

    async def ask(self, candidate: object, fetch: FetchRobots) -> RobotsAnswer:
        not_before = datetime.fromtimestamp(self.until, UTC)
        objection = Objection(verdict=Verdict.DEFER, reason=Reason.ROBOTS_UNREACHABLE, not_before=not_before)
        return RobotsAnswer(state="unreachable", objection=objection)


@pytest.mark.parametrize(("wait", "attempts"), [(60.0, 1), (29.0, 2), (0.0, 2)])
async def test_what_falls_due_within_the_wait_uses_no_attempt_up(wait: float, attempts: int) -> None:
    robots = Down()
    engine = Engine({"/": html("x")}, robots=robots, wait=wait)
    clock = engine.bench.clock
    robots.until = clock.epoch() + 30
    page = await engine.visit()
    assert (page.status, page.decision.reason) == (Status.DEFERRED, Reason.ROBOTS_UNREACHABLE)
    assert await engine.frontier.claim(1) == []
    clock.advance(31)
    (claim,) = await engine.frontier.claim(1)
    assert claim.attempts == attempts and claim.candidate.kind is Kind.DOCUMENT
