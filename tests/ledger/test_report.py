"""What a job's rows add up to."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.ledger.report import SHOWN, Report, origin

BASE = {"actor": {"name": "Ann", "through": "cli"}, "job": "j", "t": "2026-11-23T12:00:00.000Z"}


def report(*bodies: dict[str, Any]) -> Report:
    made = Report(job="j", collection="main", generated="2026-11-23T13:00:00.000Z")
    for body in bodies:
        made.take({**BASE, **body})
    return made


def test_a_run_says_who_and_under_what() -> None:
    run = {
        "event": "run", "policy": {"name": "strict/1", "sha256": "ab"}, "software": {"archiver": "1"}, "note": "why",
        "config": {"sha256": "cd", "document": {"basis": {"operator": "Library"}}}, "clock": {"synchronised": True},
    }  # fmt: skip
    made = report(run, {"event": "end", "stopped": None, "t": "2026-11-23T12:01:00.000Z"})
    (found,) = made.runs
    assert (found.actor, found.through, found.ended) == ("Ann", "cli", "2026-11-23T12:01:00.000Z")
    assert (found.policy["name"], found.config_sha256, made.config["basis"]) == (
        "strict/1",
        "cd",
        {"operator": "Library"},
    )
    assert made.labels == {"note": "why"}


def test_answers_are_counted_by_host_status_and_access() -> None:
    answer = {"event": "outcome", "status": "captured", "size": 10, "record": {"file": "A.warc.gz"}}
    made = report(
        {**answer, "url": "https://a.org/1", "http_status": 200},
        {**answer, "url": "https://a.org/2", "http_status": 429, "access": "dark"},
        {**answer, "url": "https://b.org/", "http_status": 503},
        {"event": "outcome", "status": "failed", "url": "https://b.org/x", "failure": {"code": "dnsError"}},
        {"event": "decision", "verdict": "refuse", "url": "https://b.org/y"},
        {"event": "decision", "verdict": "defer", "url": "https://b.org/z"},
    )
    a, b = made.hosts["https://a.org"], made.hosts["https://b.org"]
    assert (a.answers, a.bytes, a.status_429) == (2, 20, 1)
    assert (b.answers, b.failures, b.refusals, b.deferrals, b.status_503) == (1, 1, 1, 1, 1)
    assert made.access == {"open": 2, "dark": 1}
    assert made.statuses == {"200": 1, "429": 1, "503": 1}
    assert made.files == {"A.warc.gz"}


def test_exceptions_are_listed() -> None:
    made = report(
        {"event": "override", "url": "https://a.org/", "what": "robots", "because": "asked", "by": "Ann"},
        {"event": "decision", "verdict": "allow", "url": "https://a.org/i.png", "via": "https://a.org/",
         "notes": {"transcluded": {"rule": "Disallow: /", "line": 2}}},
        {"event": "decision", "verdict": "allow", "url": "https://a.org/", "notes": {"robots": {}}},
        {"event": "consent", "url": "https://a.org/", "outcome": "rejected"},
    )  # fmt: skip
    assert made.overridden.shown[0]["by"] == "Ann"
    assert made.transcluded.shown == [{"url": "https://a.org/i.png", "via": "https://a.org/", "rule": "Disallow: /"}]
    assert made.browsing.consents == {"rejected": 1}


def test_what_a_person_is_to_look_at_is_listed() -> None:
    answer = {"event": "outcome", "status": "captured", "url": "https://a.org/", "http_status": 451, "access": "open"}
    made = report({**answer, "rule": "status 451, blocked by https://court.test/", "review": True}, answer)
    (shown,) = made.review.shown
    assert (made.review.number, shown["url"], shown["http_status"]) == (1, "https://a.org/", 451)
    assert shown["rule"] == "status 451, blocked by https://court.test/"


def test_gaps_are_counted_whole_and_listed_in_part() -> None:
    gap = {"url": "https://a.org/i.png", "type": "image", "reason": "robotsTxt"}
    row = {"event": "visit", "url": "https://a.org/", "fetched": 1, "completeness": {"verdict": "gaps"}, "repeats": 2}
    made = report(*[{**row, "matter": [gap] * 50}] * 5)
    assert (made.gaps.number, len(made.gaps.shown)) == (250, SHOWN)
    assert (made.pages["gaps"], made.gap_reasons["robotsTxt"], made.repeats) == (5, 250, 10)


def test_the_smallest_gap_is_that_of_one_host() -> None:
    made = report()
    made.began(
        [
            ("https://a.org/1", "2026-11-23T12:00:00.000Z"),
            ("https://b.org/1", "2026-11-23T12:00:00.100Z"),
            ("https://a.org/2", "2026-11-23T12:00:02.500Z"),
            ("https://a.org/3", "2026-11-23T12:00:03.750Z"),
        ]
    )
    assert (made.hosts["https://a.org"].visits, made.hosts["https://a.org"].smallest_gap) == (3, 1.25)
    assert made.hosts["https://b.org"].smallest_gap is None


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://a.org/x?y=https://b.org/", "https://a.org"),
        ("http://a.org:81?q", "http://a.org:81"),
        ("https://me:pw@a.org/", "https://a.org"),
        ("mailto:someone", "mailto:someone"),
    ],
)
def test_origin(url: str, name: str) -> None:
    assert origin(url) == name


ROW = st.dictionaries(
    st.sampled_from(["event", "url", "status", "verdict", "notes", "record", "completeness", "failure", "policy"]),
    st.sampled_from(["run", "end", "decision", "outcome", "visit", "captured", "allow", "consent"]) | st.none(),
)


@given(st.lists(ROW, max_size=8))
def test_no_row_of_a_newer_version_stops_it(rows: list[dict[str, Any]]) -> None:
    made = report(*rows)
    assert len(made.runs) == sum(row.get("event") == "run" for row in rows)
