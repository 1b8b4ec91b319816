"""A web in memory: dialer, client and robots of the ports, for tests of whatever stands on them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from archiver.clock import Clock
from archiver.errors import CaptureError
from archiver.model import (
    Candidate,
    Exchange,
    FailureCode,
    Framing,
    Objection,
    Origin,
    Reason,
    Verdict,
)
from archiver.policy.robots import RobotsFile, parse
from archiver.ports import Declared, FetchRobots, RobotsAnswer, Vetted, WireRequest
from archiver.ports.browser import Tap
from archiver.spooled import Spool


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a URL answers; `failure` instead of an answer."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    failure: FailureCode | None = None


class _Settled:
    """`ports.browser.Control` of an exchange that is over."""

    def send(self, data: bytes) -> None: ...

    def stop(self) -> None: ...


class MemoryWeb:
    """`pages` by URL. Implements Client, Dialer and Robots; keeps every request in `asked`."""

    def __init__(
        self, pages: Mapping[str, Answer], clock: Clock, *, agents: tuple[str, ...] = ("PoliteArchiver",)
    ) -> None:
        self.pages = dict(pages)
        self.asked: list[WireRequest] = []
        self.private: set[str] = set()
        self.unresolved: set[str] = set()
        self.robots: dict[Origin, RobotsFile] = {}
        self.declared: dict[Origin, Declared] = {}
        self._clock = clock
        self._agents = agents

    def forbid(self, origin: Origin, robots_txt: bytes) -> None:
        """Give a host a robots.txt."""
        self.robots[origin] = parse(robots_txt, "rfc9309")

    async def vet(self, origin: Origin) -> Vetted:
        if origin.host in self.private:
            rule = f"{origin.host} is a private address"
            return Vetted(objection=Objection(verdict=Verdict.REFUSE, reason=Reason.PRIVATE_ADDRESS, rule=rule))
        if origin.host in self.unresolved:
            return Vetted(error=f"{origin.host}: no such name")
        return Vetted(addresses=("192.0.2.1",))

    async def ask(self, candidate: Candidate, fetch: FetchRobots) -> RobotsAnswer:
        declared = self.declared.get(candidate.origin, Declared())
        robots = self.robots.get(candidate.origin)
        if robots is None:
            return RobotsAnswer(state="unavailable", declared=declared)
        verdict = robots.match(self._agents, candidate.url)
        objection = None
        if not verdict.allowed:
            objection = Objection(
                verdict=Verdict.REFUSE, reason=Reason.ROBOTS_TXT, rule=verdict.rule or "", line=verdict.line
            )
        return RobotsAnswer(
            state="fresh", objection=objection, rule=verdict.rule or "", line=verdict.line, declared=declared,
            parsed=robots,
        )  # fmt: skip

    async def exchange(self, request: WireRequest, tap: Tap | None = None) -> Exchange:
        """The whole answer comes at once; a tap sees it all in one step."""
        exchange = self._exchange(request)
        if tap is not None:
            tap.begin(exchange.response, _Settled())
            tap.head(exchange.status, exchange.headers)
            tap.grew()
        return exchange

    def _exchange(self, request: WireRequest) -> Exchange:
        self.asked.append(request)
        answer = self.pages.get(request.url, Answer(status=404, headers={"Content-Type": "text/plain"}, body=b"no"))
        if answer.failure is not None:
            raise CaptureError(answer.failure, f"{request.url}: {answer.failure.value}")
        lines = [f"HTTP/1.1 {answer.status} X", *(f"{name}: {value}" for name, value in answer.headers.items())]
        head = "\r\n".join([*lines, f"Content-Length: {len(answer.body)}", "", ""]).encode("latin-1")
        names = tuple((name.lower().encode(), value.encode("latin-1")) for name, value in answer.headers.items())
        target = request.target.decode("ascii")
        sent = [f"{request.method} {target} HTTP/1.1".encode(), *(b": ".join(pair) for pair in request.headers)]
        return Exchange(
            url=request.url,
            method=request.method,
            request=b"\r\n".join([*sent, b"", b""]) + request.body,
            response=Spool(head + answer.body),
            head_start=0,
            body_start=len(head),
            status=answer.status,
            reason="X",
            headers=names,
            framing=Framing.LENGTH,
            ip=request.addresses[0],
            port=request.origin.port,
            started_at=self._clock.now(),
            seconds=0.01,
            first_byte_seconds=0.005,
        )

    async def close(self) -> None:
        """Nothing is open."""
