"""The frontier in memory: for tests, and for a `save` of a few URLs that needs no resume. Behaves as `sqlite` does."""

from __future__ import annotations

import copy
import itertools
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from archiver.clock import Clock
from archiver.frontier.leases import LONGEST_WAIT, Due, shares
from archiver.frontier.ranges import Ranges
from archiver.frontier.schema import COLUMN, REOPENABLE, State
from archiver.model import Candidate, Claim, Origin, Outlink
from archiver.ports import Completed, FrontierCounts, VisitOutcome
from archiver.ports.frontier import WHOLE, Span, Stretch

_FETCHABLE = (State.PENDING, State.WAITING, State.REFUSED, State.FAILED)
_UNFINISHED = (State.PENDING, State.CLAIMED, State.WAITING)


@dataclass(slots=True, eq=False)
class _Url:
    """One row; `number` is the order of discovery."""

    number: int
    candidate: Candidate
    state: State
    attempts: int = 0
    not_before: float = 0.0
    reason: str = ""
    records: tuple[Stretch, ...] = ()


@dataclass(slots=True)
class _Lease:
    url: _Url
    until: float


@dataclass(slots=True)
class _Host:
    number: int
    next_due: float
    own: bool
    busy: bool = False
    urls: set[str] = field(default_factory=set)


class MemoryFrontier:
    """`own` says which origins are the operator's: there several URLs may be claimed at once. Not for big crawls.

    `is_revoked`: its holder lost the job, and is lent nothing more.
    """

    def __init__(self, clock: Clock, *, own: Callable[[Origin], bool], max_attempts: int = 3) -> None:
        self._clock = clock
        self._offset = clock.epoch() - clock.monotonic()
        self._own = own
        self._max_attempts = max_attempts
        self._urls: dict[str, _Url] = {}
        self._hosts: dict[Origin, _Host] = {}
        self._leases: dict[int, _Lease] = {}
        self._facts: dict[str, bytes] = {}
        self._files: dict[str, int] = {}
        self._fences = itertools.count(1)
        self._numbers = itertools.count(1)
        self._mine: set[int] = set()
        self.is_revoked = False

    def join(self) -> MemoryFrontier:
        """Another holder of the same URLs, as another process would be."""
        other = copy.copy(self)
        other._mine = set()
        return other

    def _now(self) -> float:
        return self._clock.monotonic() + self._offset

    def _shift(self) -> float:
        return self._clock.epoch() - self._now()

    def _host(self, origin: Origin) -> _Host:
        if origin not in self._hosts:
            self._hosts[origin] = _Host(len(self._hosts) + 1, self._now(), self._own(origin))
        return self._hosts[origin]

    async def add(self, batch: Sequence[Outlink]) -> frozenset[str]:
        return self._insert(batch)

    def _insert(self, batch: Sequence[Outlink]) -> frozenset[str]:
        fresh = set()
        for outlink in batch:
            candidate, objection = outlink.candidate, outlink.objection
            known = self._urls.get(candidate.key)
            if known is not None:
                if objection is None and known.state is State.REFUSED and known.reason in REOPENABLE:
                    known.candidate, known.reason = candidate, ""
                    self._set(known, State.PENDING)
                continue
            fresh.add(candidate.key)
            if objection is None:
                self._store(candidate, State.PENDING)
            else:
                self._store(candidate, State.REFUSED).reason = objection.reason.value
        return frozenset(fresh)

    def _store(self, candidate: Candidate, state: State) -> _Url:
        url = self._urls[candidate.key] = _Url(next(self._numbers), candidate, state)
        self._host(candidate.origin)
        self._set(url, state)
        return url

    def _set(self, url: _Url, state: State) -> None:
        url.state = state
        ready = self._host(url.candidate.origin).urls
        if state is State.PENDING:
            ready.add(url.candidate.key)
        else:
            ready.discard(url.candidate.key)

    async def claim(self, n: int, *, lease: float = 300.0) -> list[Claim]:
        now = self._now()
        self._reclaim(now)
        if self.is_revoked:
            return []
        taken: list[_Url] = []
        hosts = {host.number: host for host in self._hosts.values() if host.urls and not host.busy}
        ordered = sorted((host.next_due, number) for number, host in hosts.items() if host.next_due <= now)
        due = [Due(number, len(hosts[number].urls), hosts[number].own) for _, number in ordered[: max(0, n)]]
        for number, share in shares(due, n).items():
            host = hosts[number]
            ready = sorted((self._urls[key] for key in host.urls), key=_order)
            taken.extend(ready[:share])
            host.busy, host.next_due = not host.own, now
        return [self._lend(url, now + lease) for url in sorted(taken, key=_order)]

    def _lend(self, url: _Url, until: float) -> Claim:
        fence = next(self._fences)
        self._set(url, State.CLAIMED)
        self._leases[fence] = _Lease(url, until)
        self._mine.add(fence)
        return Claim(
            candidate=url.candidate,
            fence=fence,
            lease_until=until + self._shift(),
            attempts=url.attempts + 1,
        )

    def _reclaim(self, now: float) -> None:
        for fence in [fence for fence, lease in self._leases.items() if lease.until <= now]:
            self._set(self._take(fence, self._leases[fence]), State.PENDING)
        for url in self._urls.values():
            if url.state is State.WAITING and url.not_before <= now:
                self._set(url, State.PENDING)

    def _take(self, fence: int, lease: _Lease) -> _Url:
        del self._leases[fence]
        self._mine.discard(fence)
        self._host(lease.url.candidate.origin).busy = False
        return lease.url

    async def renew(self, claim: Claim, *, lease: float = 300.0) -> Claim | None:
        held = self._leases.get(claim.fence)
        if held is None:
            return None
        held.until = self._now() + lease
        return replace(claim, lease_until=held.until + self._shift())

    async def release(self, claim: Claim, *, not_before: float, reason: str) -> bool:
        held = self._leases.get(claim.fence)
        if held is None:
            return False
        url = self._take(claim.fence, held)
        self._set(url, State.PENDING)
        url.reason = reason
        host = self._host(url.candidate.origin)
        host.next_due = max(host.next_due, self._clamp(not_before))
        return True

    def _clamp(self, epoch: float) -> float:
        return min(epoch - self._shift(), self._now() + LONGEST_WAIT)

    async def complete(self, claim: Claim, outcome: VisitOutcome, outlinks: Sequence[Outlink]) -> Completed:
        held = self._leases.get(claim.fence)
        if held is None:
            return Completed(lost=True)
        if outcome.state not in ("done", "refused", "failed", "deferred"):
            raise ValueError(f"no such outcome: {outcome.state}")
        url = self._take(claim.fence, held)
        url.reason = outcome.reason
        if self._finish(url, outcome) is State.DONE and outcome.records:
            # A visit without records of its own may have been fetched with a page: then that page's are noted.
            url.records = outcome.records
        for candidate in outcome.requisites:
            self._mark_requisite(candidate, outcome)
        for name, _, stop in outcome.records:
            self._files[name] = max(stop, self._files.get(name, 0))
        return Completed(fresh=self._insert(outlinks))

    def _finish(self, url: _Url, outcome: VisitOutcome) -> State:
        if outcome.state in ("done", "refused"):
            self._set(url, State.DONE if outcome.state == "done" else State.REFUSED)
            return url.state
        url.attempts += 1
        if url.attempts >= self._max_attempts:
            self._set(url, State.DONE if outcome.records else State.FAILED)
        elif outcome.not_before is None:
            self._set(url, State.PENDING)
        else:
            url.not_before = self._clamp(outcome.not_before)
            self._set(url, State.WAITING)
        return url.state

    def _mark_requisite(self, candidate: Candidate, outcome: VisitOutcome) -> None:
        url = self._urls.get(candidate.key)
        if url is None:
            url = self._store(candidate, State.REQUISITE)
        elif url.state in _FETCHABLE:
            self._set(url, State.DONE)
        elif url.state is not State.CLAIMED:
            return
        url.records = outcome.records[:1]

    async def is_known_requisite(self, keys: Sequence[str]) -> frozenset[str]:
        done = (State.DONE, State.REQUISITE)
        return frozenset(key for key in keys if key in self._urls and self._urls[key].state in done)

    async def next_due(self) -> float | None:
        times = [host.next_due for host in self._hosts.values() if host.urls and not host.busy]
        times.extend(url.not_before for url in self._urls.values() if url.state is State.WAITING)
        times.extend(lease.until for lease in self._leases.values())
        return min(times) + self._shift() if times else None

    async def counts(self) -> FrontierCounts:
        by = dict.fromkeys(COLUMN.values(), 0)
        for url in self._urls.values():
            by[COLUMN[url.state]] += 1
        return FrontierCounts(**by)

    async def pending(self) -> AsyncIterator[Candidate]:
        for url in list(self._urls.values()):
            if url.state in _UNFINISHED:
                yield url.candidate

    async def youngest(self, limit: int) -> list[tuple[Candidate, str]]:
        found = sorted(self._urls.values(), key=lambda url: url.number, reverse=True)
        wanted = [url for url in found if url.state in _UNFINISHED or url.state is State.REFUSED][:limit]
        return [(url.candidate, url.reason if url.state is State.REFUSED else "") for url in wanted]

    async def files(self) -> Mapping[str, int]:
        return dict(self._files)

    async def requeue(self, file: str, lost: Sequence[Span] = WHOLE) -> int:
        ranges = Ranges(lost)
        begun = {
            url.records[0][:2]
            for url in self._urls.values()
            if url.state in (State.DONE, State.REQUISITE)
            and any(one.file == file and ranges.touch(one.start, one.stop) for one in url.records)
        }
        gone = [url for url in self._urls.values() if url.records and url.records[0][:2] in begun]
        pages = [url for url in gone if url.state is State.DONE]
        for url in gone:
            url.records = ()
            if url.state is State.REQUISITE:
                del self._urls[url.candidate.key]
        for url in pages:
            url.attempts = 0
            self._set(url, State.PENDING)
        return len(pages)

    async def get_meta(self, name: str) -> Any:
        return orjson.loads(self._facts[name]) if name in self._facts else None

    async def set_meta(self, name: str, value: Any) -> None:
        self._facts[name] = orjson.dumps(value)

    async def close(self) -> None:
        """Give back what this holder has claimed."""
        for fence in self._mine & self._leases.keys():
            self._set(self._take(fence, self._leases[fence]), State.PENDING)


def _order(url: _Url) -> tuple[int, int]:
    return url.candidate.depth, url.number
