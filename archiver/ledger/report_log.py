"""`crawl-JOB.log` in the form of Heritrix 3's crawl.log: twelve fields, a line for each thing that came of a URL. Pure.

time, code, size, URI, hop path, referrer, MIME type, thread, time and duration of the fetch, digest, source tag,
annotations. The codes below 1 are Heritrix's; our own word stands in the annotations. The ledger knows no thread and no
source: there stands `-`. Without a media type there stands `unknown`, or `no-type` where nothing was fetched.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from archiver.model import FailureCode, Reason

_NOT_TRIED, _WAITING = 0, -50
_OUT_OF_SCOPE, _BLOCKED, _QUOTA, _HOPS = -5000, -5001, -5003, -4001
_NO_CONNECTION, _BROKEN, _TIMED_OUT, _FAULT = -2, -3, -4, -5

FAILURE_CODES: dict[FailureCode, int] = {
    FailureCode.DNS_ERROR: -1,
    FailureCode.CONNECT_ERROR: _NO_CONNECTION,
    FailureCode.CONNECT_TIMEOUT: _NO_CONNECTION,
    FailureCode.TLS_ERROR: _NO_CONNECTION,
    FailureCode.IDLE_TIMEOUT: _TIMED_OUT,
    FailureCode.TOTAL_TIMEOUT: _TIMED_OUT,
    FailureCode.DISCONNECTED: _BROKEN,
    FailureCode.PROTOCOL_ERROR: _BROKEN,
    FailureCode.HEADER_LIMIT: _BROKEN,
    FailureCode.TOO_MANY_REDIRECTS: _HOPS,
    FailureCode.CHALLENGE: _BLOCKED,
    FailureCode.INTERNAL: _FAULT,
}

REASON_CODES: dict[Reason, int] = {
    Reason.ALLOWED: _NOT_TRIED,
    Reason.OUT_OF_SCOPE: _OUT_OF_SCOPE,
    Reason.USER_EXCLUSION: _BLOCKED,
    Reason.REDIRECT_TO_EXCLUDED: _OUT_OF_SCOPE,
    Reason.PAGE_LIMIT: _QUOTA,
    Reason.DEPTH_LIMIT: _HOPS,
    Reason.TIME_LIMIT: _QUOTA,
    Reason.INTERRUPTED: _NOT_TRIED,
    Reason.DISK_UTILIZATION: _QUOTA,
    Reason.SPOOL_LIMIT: _QUOTA,
    Reason.DUPLICATE: _OUT_OF_SCOPE,
    Reason.NOFOLLOW: _OUT_OF_SCOPE,
    Reason.ROBOTS_TXT: -9998,
    Reason.ROBOTS_UNREACHABLE: -61,
    Reason.RATE_LIMITED: _WAITING,
    Reason.CRAWL_DELAY_BUDGET: _QUOTA,
    Reason.VISIT_TIME: _WAITING,
    Reason.REQUISITE_LIMIT: _QUOTA,
    Reason.SIZE_LIMIT: _QUOTA,
    Reason.PRIVATE_ADDRESS: _BLOCKED,
    Reason.BAD_PORT: _BLOCKED,
    Reason.UNSUPPORTED_SCHEME: -7,
    Reason.CREDENTIALS_IN_URL: _BLOCKED,
    Reason.TOO_MANY_REDIRECTS: _HOPS,
    Reason.TRAP: _OUT_OF_SCOPE,
    Reason.HIDDEN: _BLOCKED,
    Reason.OVERRIDE: _NOT_TRIED,
    Reason.NOARCHIVE: _BLOCKED,
    Reason.NOINDEX: _BLOCKED,
    Reason.NOINDEX: _BLOCKED,
    Reason.TDM_RESERVED: _BLOCKED,
    Reason.CREDENTIALED: _BLOCKED,
    Reason.UNAVAILABLE_FOR_LEGAL_REASONS: _BLOCKED,
    Reason.CONSENT_BLOCKED: _BLOCKED,
    Reason.FAILED: _NO_CONNECTION,
}

_UNSAFE = re.compile(r"[^\x21-\x7e]")


class CrawlLog:
    """Turns the rows of a job, in the ledger's order, into lines. Keeps what was allowed until its outcome comes."""

    def __init__(self) -> None:
        self._asked: dict[str, tuple[str, str]] = {}

    def line(self, body: Mapping[str, Any]) -> str | None:
        """The line for this row with its line feed; None for a row that ends nothing."""
        event = body.get("event")
        if event == "decision" and body.get("verdict") == "allow":
            self._asked[_key(body)] = (str(body.get("path") or ""), str(body.get("via") or ""))
            return None
        if event == "outcome":
            path, via = self._asked.pop(_key(body), ("", ""))
            return _line(body, _outcome_code(body), path, via)
        if event == "discovered" and body.get("reason") == Reason.ALLOWED:
            return None
        if event in ("decision", "discovered", "pending"):
            return _line(body, _reason_code(body), str(body.get("path") or ""), str(body.get("via") or ""))
        return None


def _line(body: Mapping[str, Any], code: int, path: str, via: str) -> str:
    answered = body.get("event") == "outcome" and body.get("status") == "captured"
    fields = (
        str(body.get("t", "-")),
        f"{code:>5}",
        f"{body.get('size') if answered and body.get('size') is not None else '-':>10}",
        _field(str(body.get("url", ""))),
        _field(path),
        _field(via),
        _field(str(body.get("mime") or "unknown")) if answered else "no-type",
        "-",
        _fetched(body),
        _field(str(body.get("payload_digest") or "")),
        "-",
        _annotations(body),
    )
    return " ".join(fields) + "\n"


def _fetched(body: Mapping[str, Any]) -> str:
    """Begin (17 digits) and duration (ms), as `20261123120000123+45`."""
    if body.get("event") != "outcome" or body.get("seconds") is None:
        return "-"
    seconds = float(body["seconds"])
    begin = datetime.fromisoformat(str(body["t"])) - timedelta(seconds=seconds)
    return f"{begin:%Y%m%d%H%M%S}{begin.microsecond // 1000:03d}+{seconds * 1000:.0f}"


def _annotations(body: Mapping[str, Any]) -> str:
    failure = body.get("failure")
    words = [str(failure.get("code")) if isinstance(failure, Mapping) else str(body.get("reason") or "")]
    words += [str(body.get("access"))] if body.get("access") not in (None, "open") else []
    words += [f"botblock:{body['challenge']}"] if body.get("challenge") else []
    words += ["revisit"] if body.get("revisit") else []
    words += [f"{body['truncated']}Truncated"] if body.get("truncated") else []
    return _field(",".join(word for word in words if word not in ("", "allowed")))


def _outcome_code(body: Mapping[str, Any]) -> int:
    if body.get("status") == "captured":
        return int(body.get("http_status") or 0)
    failure = body.get("failure")
    code = str(failure.get("code")) if isinstance(failure, Mapping) else ""
    return FAILURE_CODES[FailureCode(code)] if code in FailureCode._value2member_map_ else _reason_code(body)


def _reason_code(body: Mapping[str, Any]) -> int:
    """A reason of a newer version is told as blocked; its word stands in the annotations."""
    reason = str(body.get("reason") or "")
    return REASON_CODES[Reason(reason)] if reason in Reason._value2member_map_ else _BLOCKED


def _key(body: Mapping[str, Any]) -> str:
    return str(body.get("key") or body.get("url") or "")


def _field(text: str) -> str:
    """One field: nothing in it that could be read as the next field or the next line."""
    return _UNSAFE.sub(lambda found: "".join(f"%{byte:02X}" for byte in _bytes(found[0])), text) or "-"


def _bytes(char: str) -> bytes:
    return char.encode("utf-8", "replace")
