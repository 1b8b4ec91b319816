"""What the report says of lanes, browsers, challenges and consent: counted row by row, told in sentences. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

ACCEPTED = ("accepted", "accepted-implied")
SHOWN = 200
"""Of a list that may be endless: how many stand in the report; the counts are whole."""
BROWSERS = 20


@dataclass(slots=True, kw_only=True)
class Browsing:
    """`lanes`: pages that were captured, by lane; `signs`: what spoke for a browser, by page; `remembered`: pages of a
    kind that had needed one; `unavailable`: pages that needed one while there was none; `challenges` by vendor.

    `consents`: outcomes by page; `intents`: what was about to be done, by the rows before it; `accepted`: pages where
    consent was given; `browsers`: each that was started, with its consent rules.
    """

    lanes: Counter[str] = field(default_factory=Counter)
    signs: Counter[str] = field(default_factory=Counter)
    remembered: int = 0
    unavailable: int = 0
    challenges: Counter[str] = field(default_factory=Counter)
    consents: Counter[str] = field(default_factory=Counter)
    intents: int = 0
    accepted: list[dict[str, Any]] = field(default_factory=list)
    browsers: list[dict[str, Any]] = field(default_factory=list)

    def take(self, body: Mapping[str, Any]) -> None:
        """One row of the job."""
        event = body.get("event")
        if event == "visit" and body.get("fetched"):
            self.lanes[str(body.get("lane") or "http")] += 1
        elif event == "lane":
            self._lane(body)
        elif event == "consent":
            self._consent(body)
        elif event == "browser" and len(self.browsers) < BROWSERS:
            rules = body.get("consent")
            self.browsers.append(
                {"version": str(body.get("version") or ""), "rules": dict(rules) if isinstance(rules, Mapping) else {}}
            )

    def _lane(self, body: Mapping[str, Any]) -> None:
        signs = body.get("signs")
        for sign in signs if isinstance(signs, list) else ():
            if isinstance(sign, Mapping) and not sign.get("weak"):
                self.signs[str(sign.get("name"))] += 1
        self.remembered += bool(body.get("remembered"))
        self.unavailable += bool(body.get("unavailable"))
        if body.get("challenge"):
            self.challenges[str(body["challenge"])] += 1

    def _consent(self, body: Mapping[str, Any]) -> None:
        if body.get("stage") == "intent":
            self.intents += 1
            return
        outcome = str(body.get("outcome") or "")
        self.consents[outcome] += 1
        if outcome in ACCEPTED and len(self.accepted) < SHOWN:
            self.accepted.append({name: body.get(name) for name in ("url", "outcome", "policy", "setBy")})

    def as_json(self) -> dict[str, Any]:
        return {
            "lanes": _sorted(self.lanes),
            "signs": _sorted(self.signs),
            "remembered": self.remembered,
            "unavailable": self.unavailable,
            "challenges": _sorted(self.challenges),
            "consents": _sorted(self.consents),
            "intents": self.intents,
            "accepted": self.accepted,
            "browsers": self.browsers,
        }


def said_of_lanes(one: Browsing) -> list[str]:
    """How pages were captured, and on what evidence; nothing of a job that has no page."""
    pages = sum(one.lanes.values())
    if not pages:
        return ["No page was captured."]
    said = [f"Pages over plain HTTP: {one.lanes['http']:,}; in a browser: {one.lanes['browser']:,}."]
    if one.signs:
        signs = ", ".join(f"{name[:40]} ({number:,})" for name, number in one.signs.most_common(6))
        said.append(f"What spoke for a browser, by page: {signs}.")
    if one.remembered:
        said.append(f"Taken there because pages of their kind had needed it: {one.remembered:,}.")
    if one.unavailable:
        said.append(f"Pages that needed a browser while there was none: {one.unavailable:,}.")
    if one.challenges:
        vendors = ", ".join(f"{name[:40]} ({number:,})" for name, number in one.challenges.most_common(6))
        said.append(f"Challenges in the place of a page, none solved or gone round: {vendors}.")
    return [*said, *_rules(one)]


def said_of_consent(one: Browsing) -> list[str]:
    """Whether it was ever given, by rows that were written before each click and after each page."""
    if not one.consents and not one.intents:
        return ["No. No consent notice was answered: the ledger has no consent row."]
    given = {name: one.consents[name] for name in ACCEPTED if one.consents[name]}
    if given:
        pages = ", ".join(f"{name} ({number:,})" for name, number in given.items())
        first = f"Yes, on {sum(given.values()):,} of {sum(one.consents.values()):,} pages: {pages}, listed below."
    else:
        first = f"No, on none of {sum(one.consents.values()):,} pages that were looked at for a notice."
    outcomes = ", ".join(f"{name[:40] or 'unnamed'} ({number:,})" for name, number in sorted(one.consents.items())[:12])
    return [
        first,
        f"What was done about consent notices, by the ledger's consent rows: {outcomes}." if outcomes else "",
        f"Steps that were written down before they were taken: {one.intents:,}.",
    ]


def _rules(one: Browsing) -> list[str]:
    """The consent rules of the newest browser, and their age."""
    if not one.browsers:
        return []
    newest = one.browsers[-1]
    rules, version = newest["rules"], str(newest["version"])[:40]
    if rules.get("off") or not rules.get("version"):
        return [f"The browser was Chromium {version}, without consent rules of a package."]
    age = rules.get("ageDays")
    days = f", {age:,} days old then" if isinstance(age, int) else ""
    old = " They were old: notices that are newer may have been missed." if rules.get("old") else ""
    return [
        f"The browser was Chromium {version}; its consent rules were version {str(rules['version'])[:40]}{days}.{old}"
    ]


def _sorted(counter: Counter[str]) -> dict[str, int]:
    return dict(sorted(counter.items()))
