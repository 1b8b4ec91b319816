"""What is remembered of a file in which a site says how its pages may be used."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class SiteFileState(StrEnum):
    """`found`: an answer that could be read; `absent`: there is no such file; `unreadable`: an answer that is none;
    `failed`: no answer, or one that says to come back; `refused`: it may not be asked for."""

    FOUND = "found"
    ABSENT = "absent"
    UNREADABLE = "unreadable"
    FAILED = "failed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFile:
    """One file at `url`. Times are epoch seconds: `asked_at` of the last request, `fetched_at` of `body`.

    `body` (content-decoded) and `record_id`, its WARC record, are those of the last answer that could be read: they
    outlast a failure. `error` says in a word what is wrong.
    """

    url: str
    state: SiteFileState
    asked_at: float
    status: int | None = None
    fetched_at: float | None = None
    body: bytes = b""
    record_id: str | None = None
    error: str = ""
