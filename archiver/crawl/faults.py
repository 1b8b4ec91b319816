"""Failures of the network as the exceptions that Scrapy's own handlers raise: retries and errbacks know them."""

from __future__ import annotations

from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
)

from archiver.errors import CaptureError
from archiver.model import Failure, FailureCode

_TIMEOUTS = (FailureCode.CONNECT_TIMEOUT, FailureCode.IDLE_TIMEOUT, FailureCode.TOTAL_TIMEOUT)
_KNOWN: dict[FailureCode, type[Exception]] = {
    FailureCode.DNS_ERROR: CannotResolveHostError,
    FailureCode.CONNECT_ERROR: DownloadConnectionRefusedError,
    **dict.fromkeys(_TIMEOUTS, DownloadTimeoutError),
}


def exception_of(failure: Failure) -> Exception:
    """What may pass is in RETRY_EXCEPTIONS; what will not (TLS, broken protocol) is a CaptureError and not retried."""
    if not failure.transient:
        return CaptureError(failure.code.value, failure.message)
    return _KNOWN.get(failure.code, DownloadFailedError)(f"{failure.code.value}: {failure.message}")
