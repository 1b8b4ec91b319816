"""What is said of a page that a browser saw, in JSON and in words."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from archiver import urls
from archiver.cli import results
from archiver.cli.results import Told, sentence
from archiver.engine.run import Shipped
from archiver.model import (
    Candidate,
    Completeness,
    ConsentOutcome,
    Decision,
    Failure,
    FailureCode,
    Lane,
    Page,
    Reason,
    Status,
    Verdict,
)

SCHEMA = json.loads(Path(results.__file__).with_name("result.schema.json").read_text())
URL = "https://a.test/"


def page(**changes: Any) -> Page:
    made = Page(
        candidate=Candidate(url=URL, key=URL, origin=urls.origin_of(URL), seed=True),
        capture_id="ab" * 16,
        status=Status.CAPTURED,
        lane=Lane.BROWSER,
        decision=Decision(verdict=Verdict.ALLOW, reason=Reason.ALLOWED),
        started_at=datetime(2026, 11, 23, tzinfo=UTC),
        seconds=1.0,
        final_url=URL,
        http_status=200,
        completeness=Completeness(verdict="complete", kept=3),
    )
    return replace(made, **changes)


def told(one: Page) -> Told:
    return Told(page=one, shipped=Shipped(), collection="main", replay_port=None)


SIGNS = {"signs": [{"name": "emptyRoot", "detail": "#root holds nothing", "weak": False}]}


@pytest.mark.parametrize(
    ("lane", "why"),
    [
        (Lane.BROWSER, SIGNS),
        (Lane.BROWSER, {"remembered": "https://a.test/*"}),
        (Lane.HTTP, {**SIGNS, "unavailable": "there is no Chromium"}),
        (Lane.HTTP, {"setting": "http", **SIGNS}),
        (Lane.HTTP, {}),
    ],
    ids=["signs", "remembered", "unavailable", "setting", "nothing"],
)
def test_why_a_lane_was_chosen_is_in_the_json_where_there_is_anything_to_say(lane: Lane, why: dict[str, Any]) -> None:
    found = told(page(lane=lane, lane_why=why)).to_json()
    jsonschema.validate(found, SCHEMA)
    assert found["lane"] == lane.value and found.get("lane_why", {}) == why


def test_the_sentence_names_browser_and_notice() -> None:
    notice = ConsentOutcome(outcome="rejected")
    assert sentence(told(page(consent=notice))).endswith(
        "3 requisites kept, seen in a browser, consent notice: rejected"
    )
    assert "consent" not in sentence(told(page(consent=ConsentOutcome(outcome="absent"))))
    assert "browser" not in sentence(told(page(lane=Lane.HTTP)))


def test_a_challenge_is_an_error_with_its_vendor() -> None:
    failure = Failure(code=FailureCode.CHALLENGE, message="botblock:anubis: proof", transient=False)
    one = told(page(status=Status.FAILED, failure=failure, lane=Lane.HTTP, lane_why={"challenge": "anubis"}))
    found = one.to_json()
    jsonschema.validate(found, SCHEMA)
    assert found["error"] == {"code": "challenge", "message": "botblock:anubis: proof"}
    assert (found["status"], found["lane_why"]) == ("failed", {"challenge": "anubis"})
    assert "botblock:anubis" in sentence(one)
    assert results.exit_code(["failed"], gaps=False, require_complete=False, store_error=None) == 9
