"""The log in Heritrix's form."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.ledger.report_log import FAILURE_CODES, REASON_CODES, CrawlLog
from archiver.model import FailureCode, Reason

T = "2026-11-23T12:00:00.500Z"
FIELDS = 12


def fields(*bodies: dict[str, Any]) -> list[str]:
    log = CrawlLog()
    lines = [log.line({"t": T, **body}) for body in bodies]
    assert lines[-1] is not None
    assert lines[-1].endswith("\n")
    return lines[-1].split()


def test_every_reason_and_failure_has_a_code() -> None:
    assert set(REASON_CODES) == set(Reason)
    assert set(FAILURE_CODES) == set(FailureCode)
    assert all(code <= 0 for code in (*REASON_CODES.values(), *FAILURE_CODES.values()))


def test_an_answer_takes_path_and_referrer_from_its_decision() -> None:
    decided = {"event": "decision", "verdict": "allow", "url": "https://a.org/x", "path": "LE", "via": "https://a.org/"}
    answer = {
        "event": "outcome", "status": "captured", "url": "https://a.org/x", "http_status": 200, "size": 12,
        "seconds": 0.25, "payload_digest": "sha256:ab", "access": "dark", "reason": "noarchive", "truncated": "length",
    }  # fmt: skip
    assert fields(decided, answer) == [
        T, "200", "12", "https://a.org/x", "LE", "https://a.org/", "unknown", "-", "20261123120000250+250", "sha256:ab",
        "-", "noarchive,dark,lengthTruncated",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "code", "word"),
    [
        ({"event": "decision", "verdict": "refuse", "reason": "robotsTxt"}, "-9998", "robotsTxt"),
        ({"event": "decision", "verdict": "defer", "reason": "robotsUnreachable"}, "-61", "robotsUnreachable"),
        ({"event": "discovered", "reason": "outOfScope"}, "-5000", "outOfScope"),
        ({"event": "discovered", "reason": "outOfScopeUserExclusion"}, "-5001", "outOfScopeUserExclusion"),
        ({"event": "pending", "reason": "pageLimit"}, "-5003", "pageLimit"),
        ({"event": "discovered", "reason": "depthLimit"}, "-4001", "depthLimit"),
        ({"event": "discovered", "reason": "ofTheFuture"}, "-5001", "ofTheFuture"),
        ({"event": "outcome", "status": "failed", "failure": {"code": "connectError"}}, "-2", "connectError"),
        ({"event": "outcome", "status": "failed", "failure": {"code": "idleTimeout"}}, "-4", "idleTimeout"),
    ],
)
def test_codes(body: dict[str, Any], code: str, word: str) -> None:
    found = fields({**body, "url": "https://a.org/x"})
    assert (len(found), found[1], found[6], found[11]) == (FIELDS, code, "no-type", word)


def test_the_media_type_is_the_servers() -> None:
    answer = {
        "event": "outcome",
        "status": "captured",
        "url": "https://a.org/x",
        "http_status": 200,
        "mime": "text/a b",
    }
    assert fields(answer)[6] == "text/a%20b"


def test_what_waits_for_its_turn_ends_nothing() -> None:
    waiting = {"t": T, "event": "discovered", "reason": "allowed", "url": "https://a.org/x"}
    assert CrawlLog().line(waiting) is None


@pytest.mark.parametrize("event", ["run", "seed", "visit", "stored", "end"])
def test_other_rows_have_no_line(event: str) -> None:
    assert CrawlLog().line({"t": T, "event": event, "url": "https://a.org/"}) is None


@given(st.text(), st.text(), st.text())
def test_nothing_forges_a_field_or_a_line(url: str, via: str, reason: str) -> None:
    line = CrawlLog().line({"t": T, "event": "pending", "url": url, "via": via, "reason": reason})
    assert line is not None
    assert len(line.split()) == FIELDS
    assert line.isascii()
    assert line.count("\n") == 1


def test_a_challenge_is_told_beside_its_status() -> None:
    body = {"event": "outcome", "status": "captured", "http_status": 403, "challenge": "cloudflare"}
    found = fields({**body, "url": "https://a.org/x"})
    assert (found[1], found[11]) == ("403", "botblock:cloudflare")
