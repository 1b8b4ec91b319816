"""What the tests of robots.txt share: a fetcher that stands for the gateway, answers, and what may be found."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Callable
from datetime import UTC
from pathlib import Path

import pytest

from archiver import urls
from archiver.clock import ManualClock
from archiver.errors import CaptureError
from archiver.model import Candidate, Decision, Failure, FailureCode, Fetched, Kind, Origin, Reason, Verdict
from archiver.policy.address import AllowList
from archiver.ports import RobotsAnswer, RobotsCopy, WireLimits, WireRequest
from archiver.wire.client import HttpClient
from archiver.wire.dial import SystemDialer
from archiver.wire.robots import RobotsService
from tests.wire.awkward import head
from tests.wire.rawserver import RawServer

AGENTS = ("PoliteArchiver",)
RULES = b"User-agent: *\nDisallow: /private\n"
DAY = 86_400.0


def answer(body: bytes = RULES, status: bytes = b"200 OK", *lines: bytes) -> bytes:
    return head(*lines, b"Content-Length: %d" % len(body), status=b"HTTP/1.1 " + status) + body


class Fetcher:
    """Does what the gateway does with a robots candidate: vet, exchange, give the response an id."""

    def __init__(self, client: HttpClient, dialer: SystemDialer) -> None:
        self.client, self.dialer = client, dialer
        self.fetched: list[Fetched] = []
        self.kept: list[RobotsCopy] = []

    async def __call__(self, candidate: Candidate) -> Fetched:
        assert candidate.kind is Kind.ROBOTS
        fetched = await self._fetch(candidate)
        self.fetched.append(fetched)
        return fetched

    async def _fetch(self, candidate: Candidate) -> Fetched:
        decision = Decision(verdict=Verdict.ALLOW, reason=Reason.ALLOWED)
        vetted = await self.dialer.vet(candidate.origin)
        if vetted.objection is not None:
            refused = Decision(verdict=Verdict.REFUSE, reason=vetted.objection.reason, rule=vetted.objection.rule)
            return Fetched(candidate=candidate, decision=refused)
        if vetted.error is not None:
            failure = Failure(code=FailureCode.DNS_ERROR, message=vetted.error)
            return Fetched(candidate=candidate, decision=decision, failure=failure)
        request = WireRequest(
            url=candidate.url,
            origin=candidate.origin,
            method="GET",
            target=urls.request_target(candidate.url),
            headers=((b"Host", urls.host_header(candidate.url)), *candidate.headers),
            addresses=vetted.addresses,
            limits=WireLimits(connect=1, idle=0.3, total=1, body=4 << 20),
        )
        try:
            exchange = await self.client.exchange(request)
        except CaptureError as exc:
            failure = Failure(code=FailureCode(exc.code), message=str(exc))
            return Fetched(candidate=candidate, decision=decision, failure=failure)
        number = len(self.fetched)
        return Fetched(candidate=candidate, decision=decision, exchange=exchange, response_id=f"urn:uuid:{number}")

    async def keep(self, copy: RobotsCopy) -> str:
        self.kept.append(copy)
        return f"urn:uuid:copy-{len(self.kept)}"


def page(server: RawServer | Origin, path: str = "/private") -> Candidate:
    origin = server.origin if isinstance(server, RawServer) else server
    url = f"{origin}{path}"
    return Candidate(url=url, key=url, origin=origin)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def fetcher(client: HttpClient) -> AsyncIterator[Fetcher]:
    def resolve(host: str) -> list[str]:
        if host.endswith(".invalid"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return ["127.0.0.1"]

    dialer = SystemDialer(AllowList.parse(["127.0.0.1:*"]), resolver=resolve)
    yield Fetcher(client, dialer)
    await dialer.close()


Make = Callable[..., RobotsService]


@pytest.fixture
async def make(clock: ManualClock) -> AsyncIterator[Make]:
    made: list[RobotsService] = []

    def build(state: Path | None = None, **options: object) -> RobotsService:
        service = RobotsService(clock, AGENTS, str(state) if state else None, **options)  # type: ignore[arg-type]
        made.append(service)
        return service

    yield build
    for service in made:
        await service.close()


def is_disallowed(found: RobotsAnswer) -> None:
    assert found.objection is not None
    assert (found.objection.verdict, found.objection.reason) == (Verdict.REFUSE, Reason.ROBOTS_TXT)
    assert (found.rule, found.line, found.group) == ("Disallow: /private", 2, "*")
    assert found.objection.rule == found.rule and found.objection.line == found.line
    assert found.objection.evidence == found.evidence is not None


def is_allowed(found: RobotsAnswer) -> None:
    assert found.objection is None


def is_deferred(found: RobotsAnswer) -> None:
    assert found.objection is not None
    assert (found.objection.verdict, found.objection.reason) == (Verdict.DEFER, Reason.ROBOTS_UNREACHABLE)
    assert found.objection.not_before is not None and found.objection.not_before.tzinfo is UTC


def is_unreachable_but_known(found: RobotsAnswer) -> None:
    assert found.state == "stale-ok"
    is_disallowed(found)
