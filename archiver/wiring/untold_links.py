"""Links that the frontier has and no ledger row tells of: a process died between the two.

A URL that waits gets its rows when its turn comes; one that a rule keeps out would have none, ever. So they are told by
the run that goes on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from archiver import urls
from archiver.engine.rows import discovered_entries
from archiver.ledger.reader import read_rows, segment_paths
from archiver.model import Candidate, LedgerEntry, Objection, Outlink, Reason, Verdict
from archiver.ports import Frontier

WINDOW = 20_000
"""How many of the youngest links are looked at: more than the pages of one moment have."""
_OLDEST = 100
_FURTHER = 4

Check = Callable[[Candidate], Objection | None]


async def untold_links(frontier: Frontier, logs: Path, job: str, check: Check) -> list[LedgerEntry]:
    """Rows for the youngest links of `job` that have none, oldest first.

    `check` is the scope, by which a refusal's rule is named again.
    """
    youngest = await frontier.youngest(WINDOW)
    untold = await asyncio.to_thread(_untold, logs, job, [candidate.key for candidate, _ in youngest])
    links = [
        Outlink(candidate=candidate, objection=_objection(candidate, reason, check) if reason else None)
        for candidate, reason in reversed(youngest)
    ]
    return discovered_entries(links, frozenset(untold))


def _untold(logs: Path, job: str, youngest: Sequence[str]) -> set[str]:
    """Of these keys, youngest first, those of which no row of the job tells.

    Rows stand in the order of discovery, but for what was under way together and what a resumed run told late: when a
    segment tells that one of the oldest was discovered, a few more are read and no others. A small job's are all read.
    """
    untold, oldest = set(youngest), frozenset(youngest[WINDOW - _OLDEST :])
    left = None
    for path in sorted((path for path in segment_paths(logs) if f"-{job[:8]}-" in path.name), reverse=True):
        for event, key in _told(path):
            untold.discard(key)
            if left is None and event == "discovered" and key in oldest:
                left = _FURTHER
        if not untold or left == 0:
            break
        left = left - 1 if left else None
    return untold


def _told(path: Path) -> Iterator[tuple[str, str]]:
    """Of each row that is about a URL: its event, and the URL's key."""
    for row in read_rows(path, damaged=[]):
        url = row.body.get("url") if row.body else None
        if row.body is not None and url:
            yield str(row.body["event"]), str(row.body.get("key") or urls.canonical(str(url)))


def _objection(candidate: Candidate, reason: str, check: Check) -> Objection:
    objection = check(candidate)
    if objection is not None and objection.reason == reason:
        return objection
    return Objection(verdict=Verdict.REFUSE, reason=Reason(reason), rule="as a run that was killed had found")
