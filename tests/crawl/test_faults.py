"""Failures as Scrapy's own exceptions."""

from __future__ import annotations

import pytest
from scrapy.settings import Settings
from scrapy.utils.misc import load_object

from archiver.crawl.faults import exception_of
from archiver.errors import CaptureError
from archiver.model import Failure, FailureCode


@pytest.mark.parametrize("code", list(FailureCode))
def test_what_may_pass_is_retried_by_scrapy_and_what_will_not_is_not(code: FailureCode) -> None:
    retried = tuple(
        load_object(one) if isinstance(one, str) else one
        for one in Settings().getlist("RETRY_EXCEPTIONS")
        if not isinstance(one, str) or one.startswith("scrapy.exceptions")
    )
    passing = exception_of(Failure(code=code, message="why", transient=True))
    lasting = exception_of(Failure(code=code, message="why", transient=False))
    assert isinstance(passing, retried) and "why" in str(passing)
    assert isinstance(lasting, CaptureError) and not isinstance(lasting, retried) and lasting.code == code.value
