"""What a row says became of its URL. One rule, used by the index's counts and by `explain`. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

_OF_VERDICT = {"allow": "pending", "refuse": "refused", "defer": "pending"}
_OF_STATUS = {"captured": "fetched", "archived": "fetched", "failed": "failed", "refused": "refused"}


class State(NamedTuple):
    """`word` is fetched, refused, failed or pending; `reason` a Reason or FailureCode value, or empty."""

    weight: int
    word: str
    reason: str


def state_of(body: Mapping[str, Any]) -> State | None:
    """None for a row that says nothing about the fate of a URL. Of several rows the heaviest wins, then the latest.

    A URL once fetched stays fetched; that a link to it was out of scope elsewhere (`discovered`) weighs less than what
    was decided about the URL itself, and that it is a seed least. Asked but not answered (a run that was killed) is
    pending.
    """
    event, reason = body.get("event"), str(body.get("reason") or "")
    if event == "outcome":
        word = _OF_STATUS.get(str(body.get("status")), "failed")
        failure = body.get("failure")
        if word == "failed" and isinstance(failure, Mapping):
            reason = str(failure.get("code") or reason)
        return State(3 if word == "fetched" else 2, word, reason)
    if event == "decision":
        verdict = str(body.get("verdict"))
        return State(2, _OF_VERDICT.get(verdict, "pending"), "" if verdict == "allow" else reason)
    if event == "pending":
        return State(2, "pending", reason)
    if event == "discovered":
        return State(1, "refused", reason)
    return State(0, "pending", "") if event == "seed" else None
