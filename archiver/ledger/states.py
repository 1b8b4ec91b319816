"""What a row says became of its URL. One rule, used by the index's counts and by `explain`. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from archiver.model import FailureCode, Kind, Reason

_ALLOWED, _DUPLICATE, _RESTING = Reason.ALLOWED.value, Reason.DUPLICATE.value, Reason.RATE_LIMITED.value
_CHALLENGE = FailureCode.CHALLENGE.value
_OF_VERDICT = {"allow": "pending", "refuse": "refused", "defer": "pending"}
_OF_STATUS = {"captured": "fetched", "archived": "fetched", "failed": "failed", "refused": "refused"}


class State(NamedTuple):
    """`word` is fetched, refused, failed or pending; `reason` a Reason or FailureCode value, or empty."""

    weight: int
    word: str
    reason: str


def state_of(body: Mapping[str, Any]) -> State | None:
    """None for a row that says nothing about the fate of a URL. Of several rows the heaviest wins, then the latest.

    A URL once fetched stays fetched; that a link to it was out of scope elsewhere (`discovered`) or that its host rests
    weighs less than what was decided about the URL itself; that it is known, least. Asked but not answered (a run that
    was killed) is pending, and so is what another visit has in hand (`duplicate`). A requisite put off is refused: its
    page is done, and nobody comes back for it.
    """
    event, reason = body.get("event"), str(body.get("reason") or "")
    if event == "outcome":
        return _answered(body, reason)
    if event == "decision":
        return _decided(body, reason)
    if event == "pending":
        return State(1 if reason == _RESTING else 2, "pending", reason)
    if event == "discovered" and reason != _ALLOWED:
        return State(1, "refused", reason)
    return State(0, "pending", "") if event in ("seed", "discovered") else None


def _answered(body: Mapping[str, Any], reason: str) -> State:
    if body.get("challenge"):  # its record is kept, and is not the page
        return State(2, "failed", _CHALLENGE)
    word = _OF_STATUS.get(str(body.get("status")), "failed")
    failure = body.get("failure")
    if word == "failed" and isinstance(failure, Mapping):
        reason = str(failure.get("code") or reason)
    return State(3 if word == "fetched" else 2, word, reason)


def _decided(body: Mapping[str, Any], reason: str) -> State:
    verdict = str(body.get("verdict"))
    if reason == _DUPLICATE:
        return State(0, "pending", reason)
    if verdict == "defer" and body.get("kind") == Kind.REQUISITE:
        return State(2, "refused", reason)
    return State(2, _OF_VERDICT.get(verdict, "pending"), "" if verdict == "allow" else reason)
