"""The first screen's sentences."""

import json
from typing import Any

import pytest

from archiver.ledger.report import Host, Report
from archiver.ledger.report_words import answers, as_json, busiest, reason_rows

COUNTS = {"discovered": 4, "fetched": 1, "refused": 2, "failed": 1, "pending": 0}


def report(**more: Any) -> Report:
    reasons = reason_rows({("fetched", "allowed"): 1, ("refused", "robotsTxt"): 2, ("failed", "dnsError"): 1})
    made = Report(job="j", collection="main", generated="now", counts=COUNTS, reasons=reasons)
    for name, value in more.items():
        setattr(made, name, value)
    return made


def said(made: Report, question: str) -> str:
    (found,) = [" ".join(one.sentences) for one in answers(made) if question in one.question]
    return found


def test_every_question_has_an_answer_whatever_is_known() -> None:
    for made in (report(), Report(job="j", collection="m", generated="now", counts=dict.fromkeys(COUNTS, 0))):
        assert [bool(one.sentences) for one in answers(made)] == [True] * 7


def test_who() -> None:
    assert "no row that says who" in said(report(), "Who")
    made = report()
    document = {"basis": {"operator": "Library", "legal_basis": "section 12"}}
    made.take({"event": "run", "t": "T", "actor": {"name": "Ann", "through": "cli"}, "note": "election", "tags": ["a"],
               "policy": {"name": "research/1"}, "config": {"document": document}})  # fmt: skip
    text = said(made, "Who")
    assert all(word in text for word in ("Ann", "Library", "section 12", "note: election", "research/1", "no end row"))
    made.take({"event": "end", "t": "T2", "stopped": "timeLimit"})
    assert "stopped early (timeLimit)" in said(made, "Who")


def test_robots() -> None:
    assert "Nothing was asked for" in said(report(), "robots.txt")
    assert "Yes, for every request" in said(report(requests=1), "robots.txt")
    assert "2 URLs" in said(report(), "robots.txt")
    made = report()
    made.take({"event": "override", "url": "u", "by": "Ann"})
    assert "exceptions" in said(made, "robots.txt")


def test_left_out_says_numbers_and_meanings() -> None:
    text = said(report(), "left out")
    assert "4 URLs discovered, 1 were fetched, 2 refused, 1 failed" in text
    assert "robotsTxt: The robots.txt of the host disallows" in text
    assert "{host}" not in text
    assert "allowed:" not in text


def test_strain() -> None:
    hosts = {"https://a.org": Host(smallest_gap=1.5), "https://b.org": Host(smallest_gap=2.0, status_429=3)}
    text = said(report(hosts=hosts), "strained")
    assert "1.500 s, at https://a.org" in text
    assert "429 (too many requests): 3" in text
    assert "asked for rest" in text
    assert said(report(), "strained").startswith("No server said so. No origin was visited twice.")


def test_gaps_are_held_against_the_configuration() -> None:
    made = report()
    config = {"pace": {"delay": 1.5}, "network": {"allow_addresses": ["127.0.0.1:8000"], "own_hosts": ["a.example"]}}
    made.take({"event": "run", "t": "T", "config": {"document": config}})
    assert "wants 1.5 s between the begins of visits; named as one's own" in said(made, "strained")
    assert "127.0.0.1:8000, a.example." in said(made, "strained")
    made.take({"event": "run", "t": "T", "config": {"document": {"pace": {"delay": 1.0}}}})
    assert "wants 1 s between the begins of visits." in said(made, "strained")


def test_what_a_server_that_asked_for_rest_got() -> None:
    url = "https://a.org/1"
    asked = {"event": "decision", "verdict": "allow", "url": url}
    told = {"event": "outcome", "status": "captured", "http_status": 429, "url": url}
    made = report()
    made.take({**asked, "t": "2026-11-23T12:00:00.000Z"})
    made.take({**told, "t": "2026-11-23T12:00:01.000Z"})
    assert "asked for nothing more" in said(made, "strained")
    made.take({**asked, "t": "2026-11-23T12:01:31.000Z"})
    assert "asked nothing for 90.000 s or longer" in said(made, "strained")


def test_exceptions_of_robots_txt_are_named() -> None:
    made = report(requests=1)
    notes = [
        {"transcluded": {"rule": "Disallow: /", "line": 2}}, {"mandate": {"rule": "Disallow: /x"}},
        {"robots": {"state": "unavailable", "basis": "undefined>30d: RFC 9309 2.3.1.4"}},
    ]  # fmt: skip
    for note in notes:
        made.take({"event": "decision", "verdict": "allow", "url": "https://a.org/", "notes": note})
    text = said(made, "robots.txt")
    assert text.startswith("Yes, but for the exceptions")
    assert "refuses them (transclusion): 1." in text
    assert "under a legal mandate: 1." in text
    assert "longer than the policy waits: 1." in text
    assert "1 had none to obey" in text


def test_long_words_of_others_are_cut() -> None:
    made = report()
    made.take({"event": "run", "t": "T", "actor": {"name": "A" * 10_000}, "note": "n" * 10_000})
    assert len(said(made, "Who")) < 1_500


def test_consent() -> None:
    assert said(report(), "consent").startswith("No.")
    made = report()
    made.take({"event": "consent", "stage": "intent", "outcome": "intent"})
    made.take({"event": "consent", "outcome": "rejected"})
    text = said(made, "consent")
    assert text.startswith("No, on none of 1 pages") and "rejected (1)" in text and "before they were taken: 1." in text


@pytest.mark.parametrize("outcome", ["accepted", "accepted-implied"])
def test_consent_that_was_given_is_told_first(outcome: str) -> None:
    made = report()
    made.take({"event": "consent", "outcome": "absent"})
    where = {"url": "https://a.org/", "policy": "accept", "setBy": "consentFor"}
    made.take({"event": "consent", "outcome": outcome, **where})
    assert said(made, "consent").startswith(f"Yes, on 1 of 2 pages: {outcome} (1)")
    assert made.browsing.accepted == [{"outcome": outcome, **where}]


def test_lanes() -> None:
    assert said(report(), "captured") == "No page was captured."
    made = report()
    for lane in ("http", "http", "browser"):
        made.take({"event": "visit", "lane": lane, "fetched": 1})
    made.take({"event": "visit", "lane": "http", "fetched": 0})
    assert said(made, "captured") == "Pages over plain HTTP: 2; in a browser: 1."
    weak = {"name": "thinText", "weak": True}
    made.take({"event": "lane", "lane": "browser", "signs": [{"name": "emptyRoot"}, {"name": "placeholder"}, weak]})
    made.take({"event": "lane", "lane": "browser", "remembered": "https://a.org/*"})
    made.take({"event": "lane", "lane": "http", "signs": [{"name": "emptyRoot"}], "unavailable": "no Chromium"})
    made.take({"event": "lane", "lane": "http", "challenge": "anubis"})
    text = said(made, "captured")
    assert "by page: emptyRoot (2), placeholder (1)." in text and "thinText" not in text
    assert "had needed it: 1." in text and "there was none: 1." in text and "gone round: anubis (1)." in text


@pytest.mark.parametrize(
    ("rules", "says"),
    [
        ({"version": "16.1", "ageDays": 12, "old": False}, "rules were version 16.1, 12 days old then."),
        ({"version": "15.0", "ageDays": 200, "old": True}, "200 days old then. They were old"),
        ({"version": "15.0", "ageDays": None}, "rules were version 15.0."),
        ({"off": "not installed"}, "without consent rules of a package."),
    ],
    ids=["fresh", "old", "unknown", "off"],
)
def test_the_age_of_the_consent_rules_is_told(rules: dict[str, object], says: str) -> None:
    made = report()
    made.take({"event": "visit", "lane": "browser", "fetched": 1})
    made.take({"event": "browser", "version": "156", "consent": rules})
    assert says in said(made, "captured")


def test_stored_is_yes_only_when_files_and_chains_are_whole() -> None:
    whole = report(files={"a", "b"}, stored={"a", "b"}, segments=1)
    assert said(whole, "stored").startswith("Yes, but for time-stamps.")
    assert said(report(files={"a", "b"}, stored={"a"}), "stored").startswith("No. 1 of 2")
    assert said(report(ledger=["x.jsonl: cut"]), "stored").startswith("No.")


def test_json_is_plain_and_sorted() -> None:
    made = report(hosts={"b": Host(), "a": Host(answers=1)}, files={"f"})
    made.statuses.update(["404", "200"])
    data = json.loads(json.dumps(as_json(made)))
    assert data["format"] == "archiver-report/1"
    assert (list(data["hosts"]), list(data["statuses"]), data["files"]) == (["a", "b"], ["200", "404"], ["f"])
    assert [one["question"] for one in data["answers"]] == [one.question for one in answers(made)]


def test_busiest_first() -> None:
    made = report(hosts={"c": Host(), "b": Host(failures=2), "a": Host(answers=1)})
    assert [name for name, _ in busiest(made, 2)] == ["b", "a"]
