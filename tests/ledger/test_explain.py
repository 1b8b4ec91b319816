"""`why URL` in words: the verdict, the rule, the evidence, what is missing, and what to do next."""

from datetime import timedelta
from typing import Any

import orjson
import pytest

from archiver.clock import ManualClock, iso
from archiver.ledger.chain import START, make_row
from archiver.ledger.explain import Explanation, explain
from archiver.ledger.memory import MemoryLedger
from archiver.ledger.reader import LedgerRow, parse_row
from archiver.ledger.sentences import FAILURES, REASONS
from archiver.model import Actor, FailureCode, Labels, LedgerEntry, Reason
from tests.ledger.conftest import RECORD, SITE, captured, decision, failed, story, visit

URL = f"{SITE}/a"


def rows(*entries: LedgerEntry) -> list[LedgerRow]:
    ledger = MemoryLedger(
        ManualClock(), job="job1", actor=Actor(name="Ann"), labels=Labels(note="for the record", case="C-1")
    )
    ledger.append_many(entries)
    return [parse_row(line, "ledger-1.jsonl", 0) for line in ledger.lines]


def why(*entries: LedgerEntry) -> Explanation:
    return explain(URL, rows(*entries))


def test_a_refusal_names_rule_line_evidence_and_the_ways_on() -> None:
    entry = decision("/a", "refuse", "robotsTxt", rule="Disallow: /a", line=3, evidence=RECORD.format(9))
    found = explain(URL, rows(entry), locate=lambda record_id: ("ARCH-1.warc.gz", 900))
    assert (found.verdict, found.reason, found.rule, found.line) == ("refused", "robotsTxt", "Disallow: /a", 3)
    assert found.policy == "strict"
    text = found.text()
    assert text.startswith(f"{URL}\nrefused (robotsTxt), 2026-")
    assert "The robots.txt of example.org disallows this URL for our agent" in text
    assert "Rule: Disallow: /a (line 3)." in text
    assert f"Evidence: record {RECORD.format(9)}, in ARCH-1.warc.gz at offset 900." in text
    assert "Nothing was fetched, so nothing was kept." in text
    assert "Asked for by Ann through cli, job job1 (case C-1; note for the record)." in text
    assert "- Ask the people behind example.org" in text
    assert "Ledger rows: ledger-1.jsonl seq 0" in text


def test_evidence_that_lies_elsewhere_is_named_all_the_same() -> None:
    entry = decision("/a", "refuse", "robotsTxt", evidence=RECORD.format(9))
    assert f"Evidence: record {RECORD.format(9)}.\n" in why(entry).text()
    found = explain(URL, rows(entry), locate=lambda record_id: None)
    assert found.evidence is not None
    assert found.evidence.file is None


def test_what_was_kept_and_by_which_rule_it_was_allowed() -> None:
    found = why(
        decision("/a", rule="Allow: /", line=2, evidence=RECORD.format(9)), captured("/a", 1), visit("/a", "c1")
    )
    assert (found.verdict, found.reason, found.access) == ("kept", "allowed", "open")
    text = found.text()
    assert "none did" in text
    assert "Rule: Allow: / (line 2)." in text
    assert "Kept: HTTP status 200, 1234 bytes on the wire in ARCH-1.warc.gz at offset 100." in text
    assert "The page is complete: 3 files that it is made of were kept." in text
    assert "What you can do" not in text


def test_a_dark_capture_says_so_and_cites_its_own_record() -> None:
    found = why(
        decision("/a", rule="Allow: /", evidence=RECORD.format(9)),
        captured("/a", 2, access="dark", reason="noarchive", rule="X-Robots-Tag: noarchive"),
    )
    assert (found.verdict, found.reason, found.access) == ("kept", "noarchive", "dark")
    assert found.evidence is not None
    assert (found.evidence.record_id, found.evidence.offset) == (RECORD.format(2), 200)
    text = found.text()
    assert "Rule: X-Robots-Tag: noarchive." in text
    assert "It is kept dark: not shown to the public." in text
    assert "archiver replay" in text
    assert "named readers" in why(captured("/a", access="restricted", reason="credentialed")).text()


def test_dates_and_lists_are_told() -> None:
    text = why(captured("/a", listed=False, expires="2030-01-01T00:00:00.000Z")).text()
    assert "in no public list" in text and "not to be shown after 2030-01-01T00:00:00.000Z" in text
    plain = why(captured("/a")).text()
    assert "public list" not in plain and "not to be shown" not in plain


def test_revisits_cuts_and_broken_answers_are_told() -> None:
    text = why(captured("/a", revisit=True, truncated="length", malformed="two lengths")).text()
    assert "the same as in an earlier capture" in text
    assert "The answer was cut (length)" in text
    assert "The answer breaks HTTP (two lengths)" in text


def test_gaps_are_listed_up_to_a_bound() -> None:
    matter = [
        {"url": f"{SITE}/{number}.png", "type": "image", "reason": "robotsTxt", "rule": "Disallow: /*.png"}
        for number in range(13)
    ]
    gaps = {"verdict": "gaps", "kept": 4, "refused": 13, "failed": 0}
    found = why(captured("/a"), visit("/a", "c1", completeness=gaps, matter=matter))
    assert len(found.missing) == 13
    text = found.text()
    assert "The page has gaps: of the files it is made of 4 were kept, 13 refused, 0 failed." in text
    assert f"- {SITE}/0.png (image): robotsTxt, Disallow: /*.png" in text
    assert "- and 3 more" in text
    asked = LedgerEntry(event="consent", url=URL, data={"outcome": "rejected"})
    document_only = visit("/a", "c1", completeness={"verdict": "document-only"})
    assert "Only the document itself was asked for" in why(captured("/a"), asked, document_only).text()


def test_a_failure_says_what_happened() -> None:
    found = why(decision("/a"), failed("/a"))
    assert (found.verdict, found.reason) == ("failed", "dnsError")
    text = found.text()
    assert "The name example.org could not be resolved" in text
    assert "What happened: no such host. Nothing was kept." in text
    assert "History:" in text


def test_a_deferral_says_until_when() -> None:
    found = why(decision("/a", "defer", "robotsUnreachable", not_before="2026-11-23T12:00:00.000Z"))
    assert (found.verdict, found.not_before) == ("deferred", "2026-11-23T12:00:00.000Z")
    assert "Not before 2026-11-23T12:00:00.000Z." in found.text()
    assert "archiver save https://example.org/a --wait 2h" in found.text()


def test_what_was_cut_off_by_a_crash_or_not_reached_is_pending() -> None:
    crashed = why(decision("/a"))
    assert (crashed.verdict, crashed.reason) == ("pending", "")
    assert "the run ended in between" in crashed.text()
    assert "it goes on where it stopped" in crashed.text()
    assert "Its turn has not come." in why(LedgerEntry(event="seed", url=URL)).text()
    left = why(LedgerEntry(event="pending", url=URL, data={"reason": "pageLimit"}))
    assert (left.verdict, left.reason) == ("pending", "pageLimit")
    scope = why(LedgerEntry(event="discovered", url=URL, data={"reason": "outOfScope", "rule": "prefix"}))
    assert (scope.verdict, scope.rule) == ("refused", "prefix")


def test_a_url_nobody_asked_for_is_unknown() -> None:
    found = explain("no url at all", [])
    assert found.verdict == "unknown"
    assert "never asked for" in found.text()
    assert "Ledger rows" not in found.text()


def test_a_later_refusal_does_not_take_back_what_was_kept() -> None:
    found = why(decision("/a"), captured("/a"), decision("/a", "refuse", "robotsTxt"))
    assert found.verdict == "kept"
    assert found.text().count("(robotsTxt)") == 1


def test_hidden_says_by_whom_and_until_it_ends() -> None:
    clock = ManualClock()
    until = iso(clock.now() + timedelta(days=1))
    hide = LedgerEntry(event="hide", data={"match": "url", "target": URL, "because": "asked to", "until": until})
    unhide = LedgerEntry(event="unhide", data={"match": "url", "target": URL})
    told = rows(decision("/a"), captured("/a"), hide)
    assert explain(URL, told, now=clock.now()).verdict == "hidden"
    assert f"until {until}: asked to." in explain(URL, told).text()
    assert explain(URL, told, now=clock.now() + timedelta(days=2)).verdict == "kept"
    assert explain(URL, rows(captured("/a"), hide, unhide)).verdict == "kept"
    only = explain(URL, rows(hide))
    assert (only.verdict, only.reason) == ("hidden", "hidden")
    assert "Hidden by Ann" in only.text()


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_explained(reason: Reason) -> None:
    says = REASONS[reason].says.replace("{host}", "example.org")
    for found in (
        why(decision("/a", "refuse", reason.value)),
        why(captured("/a", reason=reason.value)),
        why(LedgerEntry(event="pending", url=URL, data={"reason": reason.value})),
    ):
        assert found.said[0] == says
        assert "{" not in found.text()


@pytest.mark.parametrize("code", FailureCode)
def test_every_failure_is_explained(code: FailureCode) -> None:
    found = why(failed("/a", code.value))
    assert found.said[0] == FAILURES[code].says.replace("{host}", "example.org")
    assert found.advice


def test_the_json_form_holds_the_same() -> None:
    for entry in story():
        found = explain(str(entry.url), rows(entry))
        assert orjson.loads(orjson.dumps(found.to_json()))["verdict"] == found.verdict


def test_erased_and_bare_rows_are_no_obstacle() -> None:
    erased = LedgerRow(file="x", offset=0, length=1, seq=0, hash="", body=None)
    bare = parse_row(make_row(START, b'{"event":"outcome","status":"failed"}').line, "x", 0)
    assert explain(URL, [erased]).verdict == "unknown"
    assert explain(URL, [erased, bare]).verdict == "failed"
    assert explain(URL, [bare]).text()


def lane(**said: Any) -> LedgerEntry:
    return LedgerEntry(event="lane", url=URL, data={"key": URL, "lane": "browser", **said})


EMPTY_ROOT = [{"name": "emptyRoot", "detail": "#root holds nothing", "weak": False}]
WEAK = [{"name": "thinText", "detail": "1.0% of the document is text", "weak": True}]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (
            lane(signs=EMPTY_ROOT),
            "Captured in a browser: the element that a script fills was empty (#root holds nothing).",
        ),
        (
            lane(remembered="https://example.org/*"),
            "pages of the kind https://example.org/* needed one before.",
        ),
        (lane(setting="browser"), "Captured in a browser: the configuration says `lane: browser`."),
        (lane(lane="http", signs=EMPTY_ROOT, unavailable="there is no Chromium"), "was none: there is no Chromium."),
        (lane(lane="http", signs=EMPTY_ROOT, setting="http"), "`lane: http` kept it out."),
        (lane(lane="http", signs=WEAK), ""),
    ],
    ids=["signs", "remembered", "setting", "unavailable", "kept-out", "weak"],
)
def test_the_lane_is_explained(row: LedgerEntry, says: str) -> None:
    text = why(captured("/a"), row, visit("/a", "c1")).text()
    assert says in text and ("browser" in text) == bool(says)


def test_what_became_of_a_notice_is_said() -> None:
    def told(outcome: str) -> str:
        data = {"stage": "outcome", "outcome": outcome, "policy": "reject", "setBy": "policy strict/1"}
        return why(captured("/a"), LedgerEntry(event="consent", url=URL, data=data)).text()

    assert "Its consent notice: rejected under the policy reject, set by policy strict/1." in told("rejected")
    assert "Consent was given." in told("accepted-implied") and "Consent was given." not in told("rejected")
    assert "consent notice" not in told("absent")


def test_a_challenge_is_a_failure_whose_record_is_kept() -> None:
    found = why(decision("/a"), captured("/a", challenge="anubis"))
    assert (found.verdict, found.reason) == ("failed", "challenge")
    assert "botblock:anubis. The challenge itself is kept (ARCH-1.warc.gz at offset 100)" in found.text()


def test_a_verdict_that_came_late_is_the_one_that_holds() -> None:
    record = captured("/a").data["record"]
    row = LedgerEntry(
        event="access", url=URL, data={"access": "dark", "rule": "meta robots: noarchive", "record": record}
    )
    found = why(captured("/a"), row)
    assert (
        found.access == "dark" and "Judged again once it stood in the browser (meta robots: noarchive)" in found.text()
    )
    other = LedgerEntry(event="access", url=URL, data={"access": "dark", "record": {**record, "record_id": "x"}})
    assert why(captured("/a"), other).access == "open", "of a view of it, not of the page"
