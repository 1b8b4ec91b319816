"""`Gate`: one candidate through admission, the wire and the keep verdict."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from archiver.errors import CaptureError
from archiver.gateway import record
from archiver.gateway.admit import Admission
from archiver.gateway.errand import RobotsErrand
from archiver.gateway.parts import GatePolicy, GatePorts
from archiver.ids import new_record_id
from archiver.model import (
    NO_ELEMENTS,
    Candidate,
    Decision,
    DocumentItem,
    Elements,
    Exchange,
    Failure,
    FailureCode,
    Fetched,
    Keep,
    Kind,
    LedgerEntry,
    Objection,
    Origin,
    Reason,
    Verdict,
)
from archiver.policy.decide import decide
from archiver.ports import Admitted, Recorded, WireLimits, WireRequest
from archiver.ports.browser import Tap

_OURS = frozenset({b"host", b"user-agent", b"from", b"sec-gpc", b"connection", b"content-length", b"transfer-encoding"})
_PERMANENT = frozenset({FailureCode.TLS_ERROR, FailureCode.HEADER_LIMIT, FailureCode.PROTOCOL_ERROR})
_ORIGINS_REMEMBERED = 4096


class Gate:
    """Implements `ports.Gateway`. Holds no policy, no socket and no file of its own."""

    def __init__(self, ports: GatePorts, policy: GatePolicy) -> None:
        self._admission = Admission(ports, policy)
        self._ports = ports
        self._policy = policy
        self._errand = RobotsErrand(self._fetch_robots, ports)
        self._robots_seen: OrderedDict[Origin, Any] = OrderedDict()

    async def admit(self, candidate: Candidate) -> Admitted:
        return await self._admission.admit(candidate, self._errand)

    async def fetch(
        self,
        candidate: Candidate,
        admitted: Admitted | None = None,
        *,
        within: float | None = None,
        tap: Tap | None = None,
    ) -> Fetched:
        """The row of the decision is written before the dial (decision 11)."""
        if admitted is None:
            admitted = await self.admit(candidate)
        if not admitted.decision.allowed:
            return self.refuse(candidate, admitted.decision)
        limits, left = self._policy.limits, within if within is not None else float("inf")
        if candidate.kind is Kind.SIGNALS:  # no more of it is read than of a robots.txt
            limits = replace(limits, body=self._policy.robots_limits.body)
        return await self._dial(candidate, admitted, limits, left, tap)

    def refuse(self, candidate: Candidate, decision: Decision) -> Fetched:
        self._ports.ledger.append(record.decision_entry(candidate, decision))
        return Fetched(candidate=candidate, decision=decision)

    async def _dial(
        self, candidate: Candidate, admitted: Admitted, limits: WireLimits, left: float, tap: Tap | None = None
    ) -> Fetched:
        """`left`: seconds for the request's turn, where it has to wait for that, and its answer together."""
        decision = admitted.decision
        if admitted.rules.declared.delay > 0 or admitted.rules.declared.visit_time_utc:
            waited = await self._declared_wait(candidate, admitted, max(1.0, min(left, limits.total)))
            if isinstance(waited, Objection):
                return self.refuse(candidate, decide([waited], policy=self._policy.name))
            left -= waited
        elif candidate.kind is Kind.ROBOTS and (wait := await self._ports.budget.robots_wait(candidate.origin)) > 0:
            await self._ports.sleep(wait)
        self._ports.ledger.append(record.decision_entry(candidate, decision))
        override = record.override_entry(Fetched(candidate=candidate, decision=decision))
        if override is not None:
            self._ports.ledger.append(override)
        if admitted.robots is not None:
            self._remember_robots(candidate.origin, admitted.robots)
        if left < limits.total:
            limits = replace(limits, total=max(1.0, left))
        try:
            exchange = await self._exchange(candidate, admitted, limits, tap)
        except CaptureError as error:
            code = FailureCode(error.code)
            failure = Failure(code=code, message=str(error), transient=code not in _PERMANENT)
            return Fetched(candidate=candidate, decision=decision, failure=failure)
        await self._ports.budget.report(
            candidate.origin,
            admitted.rules,
            status=exchange.status,
            retry_after=self._policy.retry_after(exchange),
            seconds=exchange.first_byte_seconds,
        )
        return Fetched(
            candidate=candidate,
            decision=decision,
            exchange=exchange,
            keep=self._keep(candidate, exchange, NO_ELEMENTS),
            response_id=new_record_id(),
        )

    async def _declared_wait(self, candidate: Candidate, admitted: Admitted, limit: float) -> Objection | float:
        """Wait for the request's turn, so many seconds; object when it would come over `limit` seconds from now."""
        wait = await self._ports.budget.request_wait(candidate.origin, admitted.rules, limit=limit)
        if wait > limit:
            declared = admitted.rules.declared
            return Objection(
                verdict=Verdict.REFUSE,
                reason=Reason.CRAWL_DELAY_BUDGET,
                rule=f"{declared.source or 'the site'} wants a wait of {wait:.0f} s, with {limit:.0f} s left",
            )
        if wait > 0:
            await self._ports.sleep(wait)
        return max(0.0, wait)

    async def _exchange(
        self, candidate: Candidate, admitted: Admitted, limits: WireLimits, tap: Tap | None
    ) -> Exchange:
        if admitted.vetted.error is not None:
            raise CaptureError(FailureCode.DNS_ERROR, admitted.vetted.error)
        upgrade = any(name.lower() == b"upgrade" for name, _ in candidate.headers)
        request = WireRequest(
            url=candidate.url,
            origin=candidate.origin,
            method=candidate.method,
            target=self._policy.target(candidate.url),
            headers=self._headers(candidate, b"Upgrade" if upgrade else b"keep-alive"),
            addresses=admitted.vetted.addresses,
            body=candidate.body,
            limits=limits,
            upgrade=upgrade,
        )
        return await self._ports.client.exchange(request, tap)

    def _headers(self, candidate: Candidate, connection: bytes) -> tuple[tuple[bytes, bytes], ...]:
        host = (b"Host", self._policy.host_header(candidate.url))
        if not (candidate.headers or candidate.body):
            return (host, *self._policy.identity, *self._policy.defaults, (b"Connection", connection))
        own = [(name, value) for name, value in candidate.headers if name.lower() not in _OURS]
        given = {name.lower() for name, _ in own}
        defaults = [pair for pair in self._policy.defaults if pair[0].lower() not in given]
        length = [(b"Content-Length", str(len(candidate.body)).encode())] if candidate.body else []
        return (host, *self._policy.identity, *defaults, *own, *length, (b"Connection", connection))

    def judge(self, fetched: Fetched, elements: Elements) -> Fetched:
        if fetched.exchange is None or not self._policy.judge.concerns(elements):
            return fetched
        return replace(fetched, keep=self._keep(fetched.candidate, fetched.exchange, elements))

    def _keep(self, candidate: Candidate, exchange: Exchange, elements: Elements) -> Keep:
        keep = self._policy.judge(candidate, exchange, elements, self._robots_seen.get(candidate.origin))
        return self._policy.label(candidate, keep)

    async def record(self, batch: Sequence[Fetched], *, page_id: str | None = None) -> list[Recorded]:
        """Refused and failed candidates get a `urn:policy:` record too, so that absence is explainable."""
        items = [record.item(fetched, now=self._ports.clock.now(), page_id=page_id) for fetched in batch]
        recorded = await self._ports.recorder.record(items)
        rows = [record.outcome_entry(fetched, where) for fetched, where in zip(batch, recorded, strict=True)]
        self._ports.ledger.append_many([row for row in rows if row is not None])
        return recorded

    async def attach(self, items: Sequence[DocumentItem]) -> list[Recorded]:
        return await self._ports.recorder.record(items) if items else []

    def tell(self, entries: Sequence[LedgerEntry]) -> None:
        if entries:
            self._ports.ledger.append_many(entries)

    async def _fetch_robots(self, candidate: Candidate) -> Fetched:
        """robots.txt and its redirect hops: same address rules, same rows, recorded at once as their own evidence.

        Where nothing answered, `response_id` is the `urn:policy:` record that says so: a decision rests on it.
        """
        assert candidate.kind is Kind.ROBOTS
        admitted = await self.admit(candidate)
        if admitted.decision.allowed:
            fetched = await self._dial(candidate, admitted, self._policy.robots_limits, float("inf"))
        else:
            fetched = self.refuse(candidate, admitted.decision)
        (recorded,) = await self.record([fetched])
        if fetched.response_id is None:
            fetched = replace(fetched, response_id=recorded.refs[0].record_id)
        return fetched

    def _remember_robots(self, origin: Origin, parsed: Any) -> None:
        self._robots_seen[origin] = parsed
        if len(self._robots_seen) > _ORIGINS_REMEMBERED:
            self._robots_seen.popitem(last=False)
