"""Refusals at Scrapy's border."""

from __future__ import annotations

from scrapy.exceptions import IgnoreRequest

from archiver.clock import SYSTEM
from archiver.crawl.meta import ArchiverDeferred, ArchiverRefused, refused
from archiver.model import Decision, Reason, Verdict


def test_a_refusal_is_an_ignored_request_that_carries_its_decision() -> None:
    decision = Decision(verdict=Verdict.REFUSE, reason=Reason.ROBOTS_TXT, rule="Disallow: /x")
    found = refused(decision)
    assert type(found) is ArchiverRefused and isinstance(found, IgnoreRequest)
    assert found.decision is decision and str(found) == "robotsTxt: Disallow: /x"


def test_a_deferral_is_a_refusal_that_says_until_when() -> None:
    now = SYSTEM.now()
    found = refused(Decision(verdict=Verdict.DEFER, reason=Reason.RATE_LIMITED, not_before=now))
    assert isinstance(found, ArchiverDeferred) and isinstance(found, ArchiverRefused) and found.not_before == now
