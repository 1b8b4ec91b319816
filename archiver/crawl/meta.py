"""What travels with a Scrapy request: one typed object under one key; and refusals, which are exceptions here only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from scrapy.exceptions import IgnoreRequest

from archiver.model import Candidate, Claim, Decision, Page, Verdict

META = "archiver"


@dataclass(slots=True, kw_only=True)
class ArchiverMeta:
    """`claim` is set by our scheduler; `page`, `document` (where its redirects led) and `decision` by the handler, for
    callbacks to look at. `via` is the candidate on whose page a callback found this request."""

    claim: Claim | None = None
    page: Page | None = None
    document: Candidate | None = None
    decision: Decision | None = None
    via: Candidate | None = None


class ArchiverRefused(IgnoreRequest):
    """A refusal at Scrapy's border, where it has to be an exception. `decision` says which rule."""

    def __init__(self, decision: Decision) -> None:
        super().__init__(f"{decision.reason.value}: {decision.rule}")
        self.decision = decision


class ArchiverDeferred(ArchiverRefused):
    """Not now: the host rests, or its robots.txt cannot be reached. `not_before` says when to ask again, if known."""

    @property
    def not_before(self) -> datetime | None:
        return self.decision.not_before


class ArchiverNotVisited(IgnoreRequest):
    """Given back to the frontier, had by another visit of the job, or not begun because the spider is closing."""


def refused(decision: Decision) -> ArchiverRefused:
    """The exception for a decision that is no ALLOW."""
    return ArchiverDeferred(decision) if decision.verdict is Verdict.DEFER else ArchiverRefused(decision)
