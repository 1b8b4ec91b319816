"""What an answer to GET /robots.txt means."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from archiver.policy.robots import FetchFacts, FetchState, classify, retry_wait
from archiver.policy.robots.states import TRANSITIONS, Event

NOW = datetime(2026, 11, 23, tzinfo=UTC)
DAY = 86_400


def told(**facts: Any) -> str:
    decided = classify(FetchFacts(**facts), NOW)
    return f"{decided.outcome} {decided.state}{' retry' if decided.retry else ''}"


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"status": 200}, "parse fresh"),
        ({"status": 204}, "parse fresh"),
        ({"status": 200, "redirects": ["/1"] * 5}, "parse fresh"),
        ({"status": 200, "redirects": ["/1"] * 6}, "allow_all unavailable"),
        ({"status": 301, "redirects": ["/1"] * 5, "headers": [("Location", "/6")]}, "allow_all unavailable"),
        ({"status": 301}, "disallow_all unreachable retry"),
        ({"status": 304}, "disallow_all unreachable retry"),
        ({"status": 304, "cached_age": 2 * DAY}, "use_cached fresh"),
        ({"status": 304, "cached_age": 2 * DAY, "conditional": False}, "use_cached stale-ok retry"),
        ({"status": 304, "cached_age": 31 * DAY, "conditional": False}, "disallow_all unreachable retry"),
        ({"status": 304, "cached_age": 2 * DAY, "redirects": ["/1"]}, "use_cached stale-ok retry"),
        ({"status": 404, "cached_age": 1}, "allow_all unavailable"),
        ({"status": 401}, "allow_all unavailable"),
        ({"status": 403, "forbidden_disallows": True}, "disallow_all unavailable"),
        ({"status": 404, "forbidden_disallows": True}, "allow_all unavailable"),
        ({"status": 429}, "disallow_all unreachable retry"),
        ({"status": 500}, "disallow_all unreachable retry"),
        ({"status": 999}, "disallow_all unreachable retry"),
        ({"status": 100}, "disallow_all unreachable retry"),
        ({"error": "dns"}, "disallow_all unreachable retry"),
        ({"error": "incomplete-body", "status": 200}, "disallow_all unreachable retry"),
        ({"error": "tls", "cached_age": 3 * DAY}, "use_cached stale-ok retry"),
        ({"status": 429, "cached_age": 3 * DAY}, "use_cached stale-ok retry"),
        ({"status": 503, "cached_age": 31 * DAY}, "disallow_all unreachable retry"),
        ({"status": 503, "unreachable_for": 30 * DAY}, "disallow_all unreachable retry"),
        ({"status": 503, "unreachable_for": 30 * DAY + 1}, "allow_all unavailable retry"),
        ({"status": 503, "unreachable_for": 31 * DAY, "cached_age": 32 * DAY}, "allow_all unavailable retry"),
        ({"cached_age": DAY}, "use_cached fresh"),
        ({"cached_age": DAY + 1}, "refetch stale-ok"),
        ({"cached_age": 61, "headers": [(b"cache-control", b"public, max-age=60")]}, "refetch stale-ok"),
        ({}, "refetch stale-ok"),
    ],
)
def test_classify(facts: dict[str, Any], expected: str) -> None:
    assert told(**facts) == expected


def test_a_decision_says_what_it_rests_on() -> None:
    decided = classify(FetchFacts(status=503, cached_age=DAY, headers=[("retry-after", "60")]), NOW)
    assert (decided.retry_after, decided.basis, decided.cause) == (60, "unreachable, cached copy", "5xx")
    gone = classify(FetchFacts(error="dns", unreachable_for=31 * DAY), NOW)
    assert (gone.basis, gone.cause, gone.section) == ("undefined>30d", "error", "RFC 9309 2.3.1.4")
    assert classify(FetchFacts(status=404, headers=[("retry-after", "60")]), NOW).retry_after is None


def test_every_event_has_a_row_that_cites_its_source() -> None:
    assert set(TRANSITIONS) == set(Event)
    for row in TRANSITIONS.values():
        assert row.section.startswith("RFC 9309 2.")
        assert row.retry or row.state is not FetchState.UNREACHABLE


@pytest.mark.parametrize(
    ("attempts", "told", "wait"),
    [
        (0, None, 60.0), (1, None, 120.0), (6, None, 3600.0), (60, None, 3600.0),
        (0, 2, 2.0), (4, 2, 2.0), (5, 2, 60.0), (6, 2, 120.0),
        (0, 0, 1.0), (0, 7200, 7200.0), (5, 7200, 7200.0), (0, 10**18, 86_400.0),
    ],
)  # fmt: skip
def test_an_unreachable_file_is_asked_again_when_the_site_says_so(attempts: int, told: int | None, wait: float) -> None:
    """A site that always says "in a moment" is taken at its word five times."""
    assert retry_wait(attempts, told) == wait
