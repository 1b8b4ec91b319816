"""The ways on: decided for every reason, lawful for it, and with commands that can be typed."""

from __future__ import annotations

import shlex
from datetime import UTC, datetime, timedelta

import pytest

from archiver.model import Kind, Reason
from archiver.policy.override import LIFTS
from archiver.policy.ways import TEXTS, WAYS, About, Way, WayOn, wait_hours, ways_on

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HELPED_BY_TIME = {Reason.ROBOTS_UNREACHABLE, Reason.RATE_LIMITED, Reason.VISIT_TIME}


def ways(reason: Reason, **about: object) -> dict[str, WayOn]:
    given = {"url": "https://a.test/x?a=1&b=2", "host": "a.test", "reason": reason, **about}
    return {one.way: one for one in ways_on(WAYS[reason], About(**given))}  # type: ignore[arg-type]


def test_every_reason_has_its_ways_decided() -> None:
    assert set(WAYS) == set(Reason)
    assert set(TEXTS) == set(Way)


@pytest.mark.parametrize("reason", Reason)
def test_an_override_is_named_where_one_is_possible_and_nowhere_else(reason: Reason) -> None:
    possible = (reason, Kind.DOCUMENT) in LIFTS
    assert (Way.OVERRIDE in ways(reason)) == possible
    assert Way.OVERRIDE not in ways(reason, overrides=False), "overrides: off"


@pytest.mark.parametrize("reason", Reason)
def test_waiting_is_named_where_time_helps_and_nowhere_else(reason: Reason) -> None:
    assert (Way.WAIT in ways(reason)) == (reason in HELPED_BY_TIME)


@pytest.mark.parametrize(
    "reason", [Reason.PRIVATE_ADDRESS, Reason.UNAVAILABLE_FOR_LEGAL_REASONS, Reason.HIDDEN, Reason.RATE_LIMITED]
)
def test_nobody_is_told_how_to_get_round_these(reason: Reason) -> None:
    assert not {Way.OVERRIDE, Way.SETTING, Way.WIDEN} & set(ways(reason))


def test_commands_can_be_typed() -> None:
    found = ways(Reason.ROBOTS_UNREACHABLE, where=" --collection news", seconds=9 * 3600.0)
    assert found["wait"].command == "archiver save 'https://a.test/x?a=1&b=2' --wait 9h --collection news"
    assert found["override"].command == (
        "archiver save 'https://a.test/x?a=1&b=2' --override robots-unreachable --because WHY --by NAME "
        "--collection news"
    )
    assert shlex.split(found["wait"].command)[2] == "https://a.test/x?a=1&b=2"
    assert "a.test" in found["contact"].text and found["contact"].command is None
    assert str(found["wait"]) == f"{found['wait'].text} {found['wait'].command}"
    assert found["byHand"].to_json() == {"way": "byHand", "text": TEXTS[Way.BY_HAND], "command": None}


def test_a_requisite_is_lifted_for_its_page() -> None:
    image = {"kind": Kind.REQUISITE, "page": "https://a.test/page"}
    command = ways(Reason.ROBOTS_TXT, **image)["override"].command
    assert command == "archiver save https://a.test/page --override requisites --because WHY --by NAME"
    assert Way.OVERRIDE not in ways(Reason.ROBOTS_TXT, kind=Kind.REQUISITE), "its page is not known"
    assert Way.OVERRIDE not in ways(Reason.ROBOTS_UNREACHABLE, **image)
    assert ways(Reason.OVERRIDE, **image)["open"].command == "archiver open https://a.test/page --because WHY"


@pytest.mark.parametrize(
    ("until", "hours"),
    [(None, 2), (timedelta(seconds=5), 2), (timedelta(hours=2, seconds=1), 3), (timedelta(days=99), 168),
     (timedelta(hours=-1), 2)],
)  # fmt: skip
def test_the_wait_named_is_long_enough(until: timedelta | None, hours: int) -> None:
    assert wait_hours(None if until is None else NOW + until, NOW) == hours * 3600.0
