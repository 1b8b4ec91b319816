"""Sentences of `why` about the lane of a page, its consent notice, and verdicts that came late. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from archiver.ledger.reader import LedgerRow

Body = Mapping[str, Any]

_SIGNS = {
    "placeholder": "a placeholder was left in its text",
    "emptyRoot": "the element that a script fills was empty",
    "noscript": "it asks for JavaScript",
    "scriptRedirect": "a script leads elsewhere",
    "littleText": "it held hardly any text",
    "thinText": "little of it was text",
}


def late_verdict(told: Sequence[LedgerRow], deciding: Body) -> Body:
    """The latest `access` row about the record of the answer that decided."""
    record = (deciding.get("record") or {}).get("record_id")
    bodies = (row.body or {} for row in reversed(told))
    return next(
        (
            body
            for body in bodies
            if body.get("event") == "access" and record and (body.get("record") or {}).get("record_id") == record
        ),
        {},
    )


def said_late(late: Body) -> str:
    if not late:
        return ""
    rule = f" ({late['rule']})" if late.get("rule") else ""
    return f"Judged again once it stood in the browser{rule}: {late.get('access')} from {late.get('t')} on."


def said_lane(lane: Body) -> str:
    """Why a browser was used, or was not where one was wanted."""
    if not lane or lane.get("challenge"):
        return ""
    signs = [sign for sign in lane.get("signs") or () if isinstance(sign, Mapping) and not sign.get("weak")]
    why = "; ".join(f"{_SIGNS.get(str(sign['name']), sign['name'])} ({sign['detail']})" for sign in signs)
    if lane.get("remembered"):
        why = f"pages of the kind {lane['remembered']} needed one before"
    if lane.get("lane") == "browser":
        why = why or "the configuration says `lane: browser`"
        return f"Captured in a browser: {why}."
    if lane.get("unavailable"):
        return f"It needs a browser ({why}), and there was none: {lane['unavailable']}."
    return f"It looks as if it needs a browser ({why}); `lane: http` kept it out." if why else ""


def said_consent(consent: Body) -> str:
    outcome = consent.get("outcome")
    if not outcome or outcome == "absent":
        return ""
    policy = f" under the policy {consent['policy']}, set by {consent.get('setBy')}" if consent.get("policy") else ""
    given = " Consent was given." if str(outcome).startswith("accepted") else ""
    return f"Its consent notice: {outcome}{policy}.{given}"
