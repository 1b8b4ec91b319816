"""What one row says became of its URL."""

from typing import Any

import pytest

from archiver.ledger.states import State, state_of


@pytest.mark.parametrize(
    ("body", "state"),
    [
        ({"event": "decision", "verdict": "allow", "reason": "allowed"}, State(2, "pending", "")),
        ({"event": "decision", "verdict": "refuse", "reason": "robotsTxt"}, State(2, "refused", "robotsTxt")),
        ({"event": "decision", "verdict": "defer", "reason": "rateLimited"}, State(2, "pending", "rateLimited")),
        ({"event": "outcome", "status": "captured", "reason": "noarchive"}, State(3, "fetched", "noarchive")),
        ({"event": "outcome", "status": "failed", "failure": {"code": "dnsError"}}, State(2, "failed", "dnsError")),
        ({"event": "outcome", "status": "failed", "reason": "failed"}, State(2, "failed", "failed")),
        ({"event": "outcome", "status": "captured", "challenge": "anubis"}, State(2, "failed", "challenge")),
        ({"event": "outcome", "status": "refused", "reason": "sizeLimit"}, State(2, "refused", "sizeLimit")),
        ({"event": "discovered", "reason": "outOfScope"}, State(1, "refused", "outOfScope")),
        ({"event": "pending", "reason": "pageLimit"}, State(2, "pending", "pageLimit")),
        ({"event": "pending", "reason": "rateLimited"}, State(1, "pending", "rateLimited")),
        ({"event": "discovered", "reason": "allowed"}, State(0, "pending", "")),
        ({"event": "decision", "verdict": "refuse", "reason": "duplicate"}, State(0, "pending", "duplicate")),
        (
            {"event": "decision", "verdict": "defer", "kind": "requisite", "reason": "robotsUnreachable"},
            State(2, "refused", "robotsUnreachable"),
        ),
        ({"event": "seed"}, State(0, "pending", "")),
        ({"event": "visit", "status": "captured"}, None),
        ({"event": "run"}, None),
        ({}, None),
    ],
)
def test_state(body: dict[str, Any], state: State | None) -> None:
    assert state_of(body) == state
