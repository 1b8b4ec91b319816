"""What travels with a Scrapy request: one typed object under one key."""

from __future__ import annotations

from dataclasses import dataclass

from scrapy.exceptions import IgnoreRequest

from archiver.model import Claim, Decision, Page

META = "archiver"


@dataclass(slots=True, kw_only=True)
class ArchiverMeta:
    """`claim` is set by our scheduler; `page` and `decision` by the handler, for callbacks to look at."""

    claim: Claim | None = None
    page: Page | None = None
    decision: Decision | None = None


class ArchiverRefused(IgnoreRequest):
    """A refusal at Scrapy's border, where it has to be an exception. `decision` says which rule."""

    def __init__(self, decision: Decision) -> None:
        super().__init__(f"{decision.reason.value}: {decision.rule}")
        self.decision = decision


class ArchiverNotVisited(IgnoreRequest):
    """The claim was given back, or another visit of the job has the URL."""
