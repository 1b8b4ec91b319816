"""After a seed's page: the files in which its site says how pages may be used. They label; they never stop anything.

Asked for inside the seed's visit, one at a time and paid back like its requisites (decision 12; a visit of their own
would cost every `save` a second or more). They go through the gateway as anything else does: address rules, the
robots.txt of the file's own origin and what it declares about pace hold. The page is written and counted before.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import Any

from archiver import urls
from archiver.clock import Clock
from archiver.coding import decode
from archiver.engine.allowance import Allowance
from archiver.engine.gathered import Gathered
from archiver.engine.navigation import redirect_target
from archiver.engine.outcome import COME_BACK
from archiver.engine.site_file_copies import SiteFileCopies
from archiver.errors import DiskError
from archiver.model import Candidate, Exchange, Fetched, Keep, Kind, LedgerEntry, Origin
from archiver.model.site_file import SiteFile, SiteFileState
from archiver.policy.decide import decide
from archiver.policy.site_files import (
    MAX_BYTES,
    Statement,
    Statements,
    Wanted,
    is_due,
    labelled,
    moment,
    read,
    state_of_answer,
    wanted_of,
)
from archiver.ports import Admitted, Gateway, SiteFileMemory

MAX_REDIRECTS = 5
SECONDS = 10.0
"""That one request may take where its site declares no delay."""
_EARLY = 10_000
_OFF_LOOP = 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFileTools:
    """`statements` is what the gateway labels by; `extra` are further paths (`signals.fetch`).

    `resumed`: pages of a seed's origin were visited by an earlier process. `policy` stands in decisions of our own.
    `lost`: from and until when (epoch seconds) what was asked for may be in no file any more, None = nothing was lost.
    """

    gateway: Gateway
    memory: SiteFileMemory
    statements: Statements
    clock: Clock
    seeds: frozenset[Origin]
    policy: str
    extra: tuple[str, ...] = ()
    resumed: bool = False
    lost: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Early:
    """A document that was judged before its site's files were known."""

    candidate: Candidate
    capture_id: str
    keep: Keep


@dataclass(slots=True)
class _Site:
    """One origin: its files, those that are still to be asked for, and what was judged too early.

    `asking`: somebody is finding out; whoever does tells of the pages that end meanwhile.
    """

    due: list[Wanted] = field(default_factory=list)
    asking: bool = False
    known: dict[str, Statement] = field(default_factory=dict)
    early: list[_Early] = field(default_factory=list)


class SiteFiles:
    """One a run. `remember` before a visit, `ask` inside it when `is_due`, `labels` after it."""

    def __init__(self, tools: SiteFileTools) -> None:
        self._t = tools
        self._sites: dict[Origin, _Site] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._copies = SiteFileCopies(tools.gateway, tools.clock)

    async def remember(self, candidate: Candidate, admitted: Admitted) -> None:
        """The first visit to a seed's origin: what is remembered of its files holds from here on; asks nothing."""
        origin = candidate.origin
        if origin in self._sites or not (candidate.seed or origin in self._t.seeds):
            return
        site = self._sites[origin] = _Site(asking=True)
        licenses = getattr(admitted.robots, "licenses", ())
        due = []
        for wanted in wanted_of(origin, licenses, self._t.extra):
            try:
                file = await self._t.memory.load(wanted.url)
            except DiskError:  # when it was asked for last cannot be told: not now
                continue
            if self._asks(file):
                due.append(wanted)
            elif file is not None:
                await self._know(origin, wanted, file, remembered=True)
        site.due, site.asking = due, False

    def is_due(self, candidate: Candidate, gathered: Gathered) -> bool:
        """Whether a seed's page came, and its origin has files that are to be asked for now."""
        if not (candidate.seed or self._t.resumed):
            return False
        site = self._sites.get(candidate.origin)
        exchange = gathered.fetched[0].exchange
        return bool(site and site.due) and exchange is not None and exchange.status not in COME_BACK

    async def ask(self, candidate: Candidate, allowance: Allowance) -> None:
        """Fetch, record and remember what is due, then label from it. Never raises for what a site does."""
        site = self._sites[candidate.origin]
        if not site.due:  # another visit was quicker, and may be at it still
            return
        due, site.due, site.asking = site.due, [], True
        try:
            for wanted in due:
                await self._ask_one(candidate, wanted, allowance)
        finally:
            site.asking = False

    def labels(self, gathered: Gathered, capture_id: str) -> list[LedgerEntry]:
        """Rows with what a page's keep verdict could not know yet; of earlier pages of the origin too."""
        rows = []
        for fetched in gathered.fetched:
            site = self._sites.get(fetched.candidate.origin)
            if site is None or fetched.exchange is None or fetched.keep is None:
                continue
            early = _Early(candidate=fetched.candidate, capture_id=capture_id, keep=fetched.keep)
            if len(site.early) < _EARLY:
                site.early.append(early)
            if not (site.due or site.asking):
                rows += [row for one in site.early if (row := self._late(one, site)) is not None]
                site.early.clear()
        return rows

    def _late(self, one: _Early, site: _Site) -> LedgerEntry | None:
        now = _added(one.keep, one.candidate.url, site)
        if now.usage == one.keep.usage:
            return None
        usage = {name: label for name, label in now.usage.items() if one.keep.usage.get(name) != label}
        data = {
            "key": one.candidate.key,
            "capture_id": one.capture_id,
            "usage": usage,
            "changed": [name for name, label in usage.items() if _value(one.keep, name) != label["value"]],
            "signals": now.signals[len(one.keep.signals) :],
        }
        return LedgerEntry(event="labels", url=one.candidate.url, data=data)

    # -- one file

    def _asks(self, file: SiteFile | None) -> bool:
        """Whether it is time, or the power took the record of what is remembered."""
        lost = self._t.lost is not None and file is not None and self._t.lost[0] <= file.asked_at < self._t.lost[1]
        return lost or is_due(file, self._t.clock.epoch())

    async def _ask_one(self, seed: Candidate, wanted: Wanted, allowance: Allowance) -> None:
        async with self._locks[wanted.url]:
            try:
                before = await self._t.memory.load(wanted.url)
            except DiskError:
                return
            if before is not None and not self._asks(before):  # another origin named it as well
                await self._know(seed.origin, wanted, before, remembered=True)
                return
            fetched = await self._fetch(seed, wanted, allowance)
            self._copies.asked(fetched.response_id)
            file = await self._learned(wanted, fetched, before)
            if file.state is not SiteFileState.REFUSED:
                with contextlib.suppress(DiskError):  # then the next job asks again
                    await self._t.memory.save(file)
            await self._know(seed.origin, wanted, file, remembered=False)

    async def _fetch(self, seed: Candidate, wanted: Wanted, allowance: Allowance) -> Fetched:
        """Follows redirects on the same host, a licence's to any; each hop has its rows and its record."""
        origin = urls.origin_of(wanted.url)
        candidate = Candidate(
            url=wanted.url, key=urls.canonical(wanted.url), origin=origin, kind=Kind.SIGNALS,
            resource_type=wanted.kind, via=seed.url, initiator=seed.url, path=seed.path + "P",
        )  # fmt: skip
        while True:
            fetched = await self._one(candidate, allowance)
            target = redirect_target(fetched)
            if target is None or candidate.hops == MAX_REDIRECTS:
                return fetched
            following = urls.origin_of(target)
            if following.host != origin.host and not wanted.anywhere:
                return fetched
            candidate = replace(
                candidate, url=target, key=urls.canonical(target), origin=following, via=candidate.url,
                path=candidate.path + "R", hops=candidate.hops + 1,
            )  # fmt: skip

    async def _one(self, candidate: Candidate, allowance: Allowance) -> Fetched:
        """One request in a place of the visit's, as a requisite has it; refused when the visit cannot afford it."""
        gateway = self._t.gateway
        admitted = await gateway.admit(candidate)
        decision = admitted.decision
        if decision.allowed:
            objection = await allowance.take(candidate.origin, admitted.rules)
            decision = decision if objection is None else decide([objection], policy=self._t.policy)
        if decision.allowed:
            left = allowance.left(admitted.rules)
            within = left if admitted.rules.declared.delay > 0 else min(SECONDS, left)
            try:
                fetched = await gateway.fetch(candidate, admitted, within=within)
            finally:
                allowance.give(candidate.origin)
            allowance.answered(fetched, counts=False)
        else:
            fetched = gateway.refuse(candidate, decision)
        await gateway.record([fetched])
        return fetched

    async def _learned(self, wanted: Wanted, fetched: Fetched, before: SiteFile | None) -> SiteFile:
        """What is to be remembered. What was read before stays in force while the file cannot be had."""
        now, exchange = self._t.clock.epoch(), fetched.exchange
        file = before or SiteFile(url=wanted.url, state=SiteFileState.FAILED, asked_at=now)
        if exchange is None:
            state = SiteFileState.FAILED if fetched.failure is not None else SiteFileState.REFUSED
            why = fetched.failure.code.value if fetched.failure is not None else fetched.decision.reason.value
            return replace(file, state=state, asked_at=now, status=None, error=why)
        state = state_of_answer(exchange.status)
        if state is SiteFileState.FAILED:
            return replace(file, state=state, asked_at=now, status=exchange.status, error=f"HTTP {exchange.status}")
        none = SiteFile(url=wanted.url, state=state, asked_at=now, status=exchange.status)
        if state is SiteFileState.ABSENT:
            return none
        body, why = await _body(exchange)
        if why:
            return replace(none, state=SiteFileState.UNREADABLE, error=why)
        file = replace(none, fetched_at=now, body=body, record_id=fetched.response_id)
        error = (await _read(wanted.kind, file)).error
        if error and error != "too-many-entries":
            return replace(none, state=SiteFileState.UNREADABLE, record_id=fetched.response_id, error=error)
        return file

    async def _know(self, origin: Origin, wanted: Wanted, file: SiteFile, *, remembered: bool) -> None:
        """From here on answers of the origin are labelled by it; a row says what it says and how old that is. What
        an earlier job read is written into this one's WARC first."""
        says: Any = {}
        original, file = file.record_id, await self._copies.cited(wanted.kind, file)
        error = file.error
        if file.fetched_at is not None:
            statement = await _read(wanted.kind, file)
            site = self._sites[origin]
            site.known[wanted.url] = statement
            self._t.statements.put(origin, tuple(site.known.values()))
            says, error = statement.says, statement.error or file.error
        data = {
            "key": urls.canonical(file.url),
            "origin": str(origin),
            "kind": wanted.kind,
            "state": file.state.value,
            "remembered": remembered,
            "http_status": file.status,
            "asked_at": moment(file.asked_at),
            "fetched_at": moment(file.fetched_at),
            "record_id": file.record_id,
            "original": original if original != file.record_id else None,
            "says": says,
            "error": error,
        }
        self._t.gateway.tell([LedgerEntry(event="signals", url=file.url, data=data)])


def _value(keep: Keep, name: str) -> str | None:
    label = keep.usage.get(name)
    return label["value"] if label is not None else None


def _added(keep: Keep, url: str, site: _Site) -> Keep:
    """The verdict with the statements that it does not rest on yet."""
    stated = {source["url"] for one in keep.signals if (source := one.get("source"))}
    return labelled(keep, url, [one for name, one in site.known.items() if name not in stated])


async def _read(kind: str, file: SiteFile) -> Statement:
    """`policy.site_files.read` of a file that has a body, in a thread when big."""
    statement = await asyncio.to_thread(read, kind, file) if len(file.body) > _OFF_LOOP else read(kind, file)
    assert statement is not None
    return statement


async def _body(exchange: Exchange) -> tuple[bytes, str]:
    """(content-decoded bytes, at most 1 MiB; why they cannot be had)."""
    if exchange.truncated is not None:
        return b"", f"cut off ({exchange.truncated.value})"
    coding = b", ".join(exchange.header_all(b"content-encoding")) or None

    def work() -> tuple[bytes, str]:
        decoded = decode(exchange.entity_chunks(), coding, limit=MAX_BYTES + 1)
        if len(decoded.data) > MAX_BYTES:
            return b"", "too-large"
        return (decoded.data, "") if decoded.complete else (b"", f"cannot be decoded: {decoded.error}")

    heavy = exchange.entity_size > _OFF_LOOP or coding is not None
    return await asyncio.to_thread(work) if heavy else work()
