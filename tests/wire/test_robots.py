"""What every kind of answer to GET /robots.txt means, asked of real servers, and how often they are asked."""

from __future__ import annotations

import asyncio
import gzip
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme

from archiver.clock import ManualClock
from archiver.errors import DiskError
from archiver.model import Candidate, Decision, Fetched, Origin, Reason, Verdict
from archiver.policy.profiles import RobotsLines
from archiver.ports import RobotsAnswer
from tests.servers.ports import free_port
from tests.wire.awkward import chunked, head
from tests.wire.rawserver import Certificates, RawServer, Reply, raw_server
from tests.wire.robots_bench import (
    DAY,
    RULES,
    Fetcher,
    Make,
    answer,
    clock,
    fetcher,
    is_allowed,
    is_deferred,
    is_disallowed,
    make,
    page,
)

__all__ = ["clock", "fetcher", "make"]

BIG = RULES + b"# " + b"x" * 600 * 1024 + b"\nUser-agent: *\nDisallow: /late\n"

TABLE: dict[str, tuple[Reply, str, Callable[[RobotsAnswer], None]]] = {
    "200": (Reply((answer(),)), "fresh", is_disallowed),
    "200 empty": (Reply((answer(b""),)), "fresh", is_allowed),
    "206": (Reply((answer(RULES, b"206 Partial Content"),)), "fresh", is_disallowed),
    "301 without Location": (Reply((answer(RULES, b"301 Moved"),)), "unreachable", is_deferred),
    "301 to mailto": (Reply((answer(b"", b"301 Moved", b"Location: mailto:a@b"),)), "unreachable", is_deferred),
    "301 to a refused address": (
        Reply((answer(b"", b"301 Moved", b"Location: http://10.0.0.1/robots.txt"),)),
        "unreachable",
        is_deferred,
    ),
    "304": (Reply((head(status=b"HTTP/1.1 304 Not Modified"),)), "unreachable", is_deferred),
    "401": (Reply((answer(RULES, b"401 Unauthorized"),)), "unavailable", is_allowed),
    "403": (Reply((answer(RULES, b"403 Forbidden"),)), "unavailable", is_allowed),
    "404": (Reply((answer(RULES, b"404 Not Found"),)), "unavailable", is_allowed),
    "410": (Reply((answer(RULES, b"410 Gone"),)), "unavailable", is_allowed),
    "429": (Reply((answer(b"", b"429 Too Many Requests"),)), "unreachable", is_deferred),
    "500": (Reply((answer(b"", b"500 Oops"),)), "unreachable", is_deferred),
    "503": (Reply((answer(b"", b"503 Busy", b"Retry-After: 7200"),)), "unreachable", is_deferred),
    "hang": (Reply((), "hang"), "unreachable", is_deferred),
    "reset": (Reply((), "reset"), "unreachable", is_deferred),
    "cut body": (Reply((answer()[:-5],), "close"), "unreachable", is_deferred),
    "stalled body": (Reply((answer()[:-5],), "hang"), "unreachable", is_deferred),
    "chunked": (
        Reply((head(b"Transfer-Encoding: chunked") + chunked(RULES, 5),)),
        "fresh",
        is_disallowed,
    ),
    "HTML": (Reply((answer(RULES, b"200 OK", b"Content-Type: text/html"),)), "fresh", is_disallowed),
    "600 KiB": (Reply((answer(BIG),)), "fresh", is_disallowed),
    "BOM": (Reply((answer(b"\xef\xbb\xbf" + RULES),)), "fresh", is_disallowed),
    "latin-1": (Reply((answer(RULES + b"Disallow: /caf\xe9\n"),)), "fresh", is_disallowed),
    "gzip": (
        Reply((answer(gzip.compress(RULES), b"200 OK", b"Content-Encoding: gzip"),)),
        "fresh",
        is_disallowed,
    ),
    "broken gzip": (
        Reply((answer(gzip.compress(RULES)[:-12], b"200 OK", b"Content-Encoding: gzip"),)),
        "unreachable",
        is_deferred,
    ),
    "gzip bomb": (
        Reply((answer(gzip.compress(RULES + b"#" * (64 << 20)), b"200 OK", b"Content-Encoding: gzip"),)),
        "fresh",
        is_disallowed,
    ),
    "not HTTP": (Reply((b"SSH-2.0-x\r\n",), "close"), "unreachable", is_deferred),
}


@pytest.mark.parametrize("name", TABLE)
async def test_state_table(make: Make, fetcher: Fetcher, plain: RawServer, name: str) -> None:
    reply, state, check = TABLE[name]
    plain.replies["/robots.txt"] = reply
    service = make()
    found = await service.ask(page(plain), fetcher)
    assert found.state == state
    check(found)
    assert (await service.ask(page(plain, "/robots.txt"), fetcher)).objection is None
    assert len(fetcher.fetched) == (2 if "refused" in name else 1)
    if fetcher.fetched[-1].exchange is not None:
        assert found.evidence == fetcher.fetched[-1].response_id


async def test_flags(make: Make, fetcher: Fetcher, plain: RawServer) -> None:
    plain.replies["/robots.txt"] = TABLE["600 KiB"][0]
    found = await make().ask(page(plain, "/late"), fetcher)
    assert found.objection is None and found.detail["truncated"] is True
    plain.replies["/robots.txt"] = TABLE["HTML"][0]
    assert (await make().ask(page(plain), fetcher)).detail == {"status": 200, "html": True}


@pytest.mark.parametrize("hops", range(1, 8))
async def test_redirects(make: Make, fetcher: Fetcher, plain: RawServer, hops: int) -> None:
    plain.reply("/robots.txt", answer(b"", b"301 Moved", b"Location: /r1"))
    for n in range(1, hops):
        plain.reply(f"/r{n}", answer(b"", b"302 Found", b"Location: r%d" % (n + 1)))
    plain.reply(f"/r{hops}", answer())
    found = await make().ask(page(plain), fetcher)
    if hops <= 5:
        is_disallowed(found)
        assert len(found.detail["redirects"]) == hops
    else:
        is_allowed(found)
        assert found.state == "unavailable"
    assert len(fetcher.fetched) == min(hops, 5) + 1
    assert fetcher.fetched[1].candidate.path == "PR" and fetcher.fetched[1].candidate.via == plain.url("/robots.txt")


async def test_redirect_limit_may_refuse(make: Make, fetcher: Fetcher, plain: RawServer) -> None:
    plain.reply("/robots.txt", answer(b"", b"301 Moved", b"Location: /robots.txt"))
    service = make(lines=RobotsLines(many_redirects="disallow"))
    found = await service.ask(page(plain), fetcher)
    assert found.objection is not None and "more than five times" in found.objection.rule


async def test_rules_from_another_host_bind_the_one_that_was_asked(
    make: Make, fetcher: Fetcher, plain: RawServer
) -> None:
    async with raw_server() as other:
        other.reply("/elsewhere", answer())
        other.reply("/robots.txt", answer(b""))
        plain.reply("/robots.txt", answer(b"", b"308 Moved", b"Location: " + other.url("/elsewhere").encode()))
        service = make()
        is_disallowed(await service.ask(page(plain), fetcher))
        is_allowed(await service.ask(page(other), fetcher))
        assert other.paths() == ["/elsewhere", "/robots.txt"]


async def test_http_and_https_have_their_own_rules(
    make: Make, fetcher: Fetcher, plain: RawServer, certificates: Certificates
) -> None:
    plain.reply("/robots.txt", answer())
    async with raw_server(certificates.server) as secure:
        secure.reply("/robots.txt", answer(b"User-agent: *\nDisallow: /other\n"))
        service = make()
        is_disallowed(await service.ask(page(plain), fetcher))
        is_allowed(await service.ask(page(secure), fetcher))


async def test_tls_dns_and_connect_errors(make: Make, fetcher: Fetcher) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    service = make()
    async with raw_server(context) as untrusted:
        for origin, code in (
            (untrusted.origin, "tlsError"),
            (Origin("http", "nowhere.invalid", 80), "dnsError"),
            (Origin("http", "127.0.0.1", free_port()), "connectError"),
        ):
            found = await service.ask(page(origin), fetcher)
            is_deferred(found)
            assert found.objection is not None and code in found.objection.rule
            assert found.evidence is None


async def test_401_and_403_may_refuse(make: Make, fetcher: Fetcher, plain: RawServer) -> None:
    plain.replies["/robots.txt"] = TABLE["403"][0]
    found = await make(lines=RobotsLines(forbidden="disallow")).ask(page(plain), fetcher)
    assert found.objection is not None and found.objection.reason is Reason.ROBOTS_TXT
    assert "403" in found.objection.rule


async def test_unreachable_may_refuse(make: Make, fetcher: Fetcher, plain: RawServer) -> None:
    plain.replies["/robots.txt"] = TABLE["500"][0]
    found = await make(lines=RobotsLines(unreachable="refuse")).ask(page(plain), fetcher)
    assert found.objection is not None and found.objection.verdict is Verdict.REFUSE


# --- how often ---


async def test_one_fetch_however_many_ask(make: Make, fetcher: Fetcher, plain: RawServer) -> None:
    plain.reply("/robots.txt", 0.1, answer())
    service = make()
    found = await asyncio.gather(*(service.ask(page(plain, f"/private/{n}"), fetcher) for n in range(50)))
    assert plain.paths() == ["/robots.txt"]
    for one in found:
        is_disallowed(one)


async def test_a_cancelled_asker_does_not_take_the_others_along(make: Make, fetcher: Fetcher, plain: RawServer) -> None:
    plain.reply("/robots.txt", 0.2, answer())
    service = make()
    tasks = [asyncio.create_task(service.ask(page(plain), fetcher)) for _ in range(3)]
    await asyncio.sleep(0.05)
    tasks[0].cancel()
    for found in await asyncio.gather(*tasks[1:]):
        is_disallowed(found)


@pytest.mark.parametrize(
    ("lines", "life"),
    [
        ((), DAY),
        ((b"Cache-Control: max-age=600",), 600.0),
        ((b"Cache-Control: no-cache",), 300.0),
        ((b"Cache-Control: max-age=9999999",), DAY),
    ],
    ids=["nothing said", "ten minutes", "no-cache", "too long"],
)
async def test_life_of_a_copy(
    make: Make, fetcher: Fetcher, plain: RawServer, clock: ManualClock, lines: tuple[bytes, ...], life: float
) -> None:
    plain.reply("/robots.txt", answer(RULES, b"200 OK", *lines))
    service = make()
    await service.ask(page(plain), fetcher)
    clock.advance(life - 1)
    await service.ask(page(plain), fetcher)
    assert len(plain.requests) == 1
    clock.advance(2)
    await service.ask(page(plain), fetcher)
    assert len(plain.requests) == 2


async def test_back_off_while_unreachable_then_recovery(
    make: Make, fetcher: Fetcher, plain: RawServer, clock: ManualClock
) -> None:
    plain.replies["/robots.txt"] = TABLE["500"][0]
    service = make()
    for attempt, wait in enumerate((60, 120, 240, 480, 960, 1920, 3600, 3600), start=1):
        for _ in range(3):
            found = await service.ask(page(plain), fetcher)
            is_deferred(found)
        assert found.objection is not None and found.objection.not_before is not None
        assert (found.objection.not_before - clock.now()).total_seconds() == pytest.approx(wait)
        assert len(plain.requests) == attempt
        clock.advance(wait)
    plain.reply("/robots.txt", answer())
    is_disallowed(await service.ask(page(plain), fetcher))


async def test_retry_after_is_waited_for(make: Make, fetcher: Fetcher, plain: RawServer, clock: ManualClock) -> None:
    plain.replies["/robots.txt"] = TABLE["503"][0]
    found = await make().ask(page(plain), fetcher)
    assert found.objection is not None and found.objection.not_before is not None
    assert (found.objection.not_before - clock.now()).total_seconds() == pytest.approx(7200)


async def test_our_own_rest_is_not_an_outage(make: Make, fetcher: Fetcher, clock: ManualClock, tmp_path: Path) -> None:
    origin = Origin("http", "example.org", 80)
    later = datetime.fromtimestamp(clock.epoch() + 500, UTC)

    class Resting(Fetcher):
        async def __call__(self, candidate: Candidate) -> Fetched:
            decision = Decision(verdict=Verdict.DEFER, reason=Reason.RATE_LIMITED, rule="resting", not_before=later)
            return Fetched(candidate=candidate, decision=decision)

    found = await make(tmp_path / "robots.sqlite").ask(page(origin), Resting(fetcher.client, fetcher.dialer))
    is_deferred(found)
    assert found.objection is not None and found.objection.not_before == later
    assert "unreachableSince" not in found.detail


async def test_a_state_file_that_fails_is_named(make: Make, fetcher: Fetcher, plain: RawServer, tmp_path: Path) -> None:
    (tmp_path / "robots.sqlite").write_bytes(b"this is no database, whatever its name says" * 100)
    with pytest.raises(DiskError, match=r"robots\.sqlite"):
        await make(tmp_path / "robots.sqlite").ask(page(plain), fetcher)


async def test_origins_in_memory_are_bounded(make: Make, fetcher: Fetcher, plain: RawServer) -> None:
    plain.reply("/robots.txt", answer())
    service = make(entries=2)
    for name in ("a", "b", "c", "a", "c"):
        plain.host = f"{name}.localhost"
        is_disallowed(await service.ask(page(plain), fetcher))
    assert len(plain.requests) == 4
