"""The seam between the gateway and robots.txt: what is asked, what is answered, what is declared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from archiver.model import Candidate, Fetched, Objection


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What a site's robots.txt declares about pace, for our group. Binds every request start in both lanes.

    `delay` in seconds between request starts (Crawl-delay, or Request-rate as period / count); `window_utc` and
    `visit_time_utc` as minutes of the day (start, end), end may be before start (wraps midnight).
    """

    delay: float = 0.0
    visit_time_utc: tuple[tuple[int, int], ...] = ()
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RobotsAnswer:
    """What robots.txt says about one URL. `objection` None = may be fetched; `evidence`: a record of this job.

    `rule`, `line` and `group` name what matched, also where a mandate covers the host: `mandate` then holds its `host`
    suffix and the `rule` and `line` that would have refused.
    """

    state: str
    objection: Objection | None = None
    rule: str = ""
    line: int | None = None
    group: str | None = None
    evidence: str | None = None
    declared: Declared = field(default_factory=Declared)
    detail: Mapping[str, Any] = field(default_factory=dict)
    parsed: Any = None
    mandate: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RobotsCopy:
    """A robots.txt remembered from an earlier job, which holds in this one too.

    `body` is content-decoded and, when `truncated`, cut behind what is read (RFC 9309, 2.5). `headers` are those of its
    response as later 304s renewed them. `original`: the record of that response; `answer`: of what the site said now
    (a 304, a failure).
    """

    url: str
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    fetched_at: datetime
    validated_at: datetime
    truncated: bool = False
    original: str | None = None
    answer: str | None = None


class FetchRobots(Protocol):
    """What robots.txt is asked with; everything that goes through it is recorded in this job."""

    async def __call__(self, candidate: Candidate) -> Fetched:
        """One exchange, no redirects. Never raises for a site's faults."""
        ...

    async def keep(self, copy: RobotsCopy) -> str:
        """Write the copy as a record of this job, and its row; the record id that decisions may cite from then on."""
        ...


class Robots(Protocol):
    async def ask(self, candidate: Candidate, fetch: FetchRobots) -> RobotsAnswer:
        """Fetch (through `fetch`, once however many ask), cache, match. Never raises for a site's faults."""
        ...
