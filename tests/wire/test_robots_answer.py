"""What a known robots.txt says about a URL: readings, further tokens, pace, mandates."""

from __future__ import annotations

from dataclasses import replace

import pytest

from archiver.clock import ManualClock
from archiver.model import Candidate, Kind, Reason, Verdict
from archiver.policy.profiles import RobotsLines
from tests.wire.rawserver import RawServer
from tests.wire.robots_bench import Fetcher, Make, answer, clock, fetcher, is_allowed, is_disallowed, make, page

__all__ = ["clock", "fetcher", "make"]


@pytest.mark.parametrize(("mode", "allowed"), [("rfc9309", True), ("google", False), ("both", False)])
async def test_either_reading_may_refuse(
    make: Make, fetcher: Fetcher, plain: RawServer, mode: str, allowed: bool
) -> None:
    plain.reply("/robots.txt", answer(b"User-agent: *\nDissallow: /private\n"))
    found = await make(mode=mode).ask(page(plain), fetcher)
    assert (found.objection is None) == allowed
    if not allowed:
        assert found.rule == "Disallow: /private (as Google reads it)"


async def test_the_rule_that_allows_is_named(make: Make, fetcher: Fetcher, plain: RawServer) -> None:
    plain.reply("/robots.txt", answer(b"User-agent: PoliteArchiver\nDisallow: /\nAllow: /open\n"))
    found = await make().ask(page(plain, "/open/x"), fetcher)
    assert (found.rule, found.line, found.group) == ("Allow: /open", 3, "PoliteArchiver")
    assert found.parsed is not None


@pytest.mark.parametrize(
    ("records", "delay", "source"),
    [
        (b"Crawl-delay: 2.5", 2.5, "Crawl-delay: 2.5"),
        (b"Request-rate: 1/10", 10.0, "Request-rate: 1/10"),
        (b"Crawl-delay: 20\nRequest-rate: 1/10", 20.0, "Crawl-delay: 20"),
        (b"Allow: /", 0.0, ""),
    ],
)
async def test_declared_pace(
    make: Make, fetcher: Fetcher, plain: RawServer, records: bytes, delay: float, source: str
) -> None:
    plain.reply("/robots.txt", answer(b"User-agent: *\n" + records + b"\n"))
    found = await make().ask(page(plain), fetcher)
    assert (found.declared.delay, found.declared.source) == (delay, source)
    floor = await make(lines=RobotsLines(delays="floor")).ask(page(plain), fetcher)
    assert floor.declared.delay == 0.0


async def test_visit_time(make: Make, fetcher: Fetcher, plain: RawServer, clock: ManualClock) -> None:
    now = clock.now()
    opens = (now.hour * 60 + now.minute + 30) % 1440
    closes = (opens + 60) % 1440
    window = f"{opens // 60:02}{opens % 60:02}-{closes // 60:02}{closes % 60:02}"
    plain.reply("/robots.txt", answer(f"User-agent: *\nVisit-time: {window}\nDisallow: /private\n".encode()))
    service = make()
    found = await service.ask(page(plain, "/open"), fetcher)
    assert found.declared.visit_time_utc == ((opens, closes),)
    assert found.objection is not None and found.objection.reason is Reason.VISIT_TIME
    assert found.objection.verdict is Verdict.DEFER and found.objection.not_before is not None
    assert found.objection.rule == f"Visit-time: {window}"
    refused = await service.ask(page(plain), fetcher)
    assert refused.objection is not None and refused.objection.reason is Reason.ROBOTS_TXT
    clock.advance((found.objection.not_before - now).total_seconds() + 1)
    assert (await service.ask(page(plain, "/open"), fetcher)).objection is None


# --- further tokens ---

TOKENS = b"""User-agent: *
Allow: /

User-agent: archive.org_bot
User-agent: IA_Archiver
Crawl-delay: 900
Disallow: /album
Allow: /album/open

User-agent: archive
Disallow: /
"""


@pytest.mark.parametrize("mode", ["both", "rfc9309", "google"])
@pytest.mark.parametrize(
    ("path", "token"),
    [("/album/1", "archive.org_bot"), ("/album/open/1", None), ("/other", None)],
    ids=["disallowed", "allowed again", "not named"],
)
async def test_a_further_token_can_only_refuse(
    make: Make, fetcher: Fetcher, plain: RawServer, mode: str, path: str, token: str | None
) -> None:
    """`archive.org_bot` is no product token of RFC 9309 (2.2.1): it is compared as plain text."""
    plain.reply("/robots.txt", answer(TOKENS))
    lines = RobotsLines(extra_tokens=("archive.org_bot", "ia_archiver", "nobody", "archive.org"), delays="honour")
    found = await make(mode=mode, lines=lines).ask(page(plain, path), fetcher)
    assert found.declared.delay == 0.0
    if token is None:
        is_allowed(found)
        return
    assert found.objection is not None and found.objection.reason is Reason.ROBOTS_TXT
    assert found.objection.rule == f"Disallow: /album (for {token}, one of robots.extraTokens)"
    assert (found.objection.line, found.group) == (7, token)


async def test_a_further_token_never_allows(make: Make, fetcher: Fetcher, plain: RawServer) -> None:
    rules = b"User-agent: *\nDisallow: /private\n\nUser-agent: ia_archiver\nAllow: /\n"
    plain.reply("/robots.txt", answer(rules))
    is_disallowed(await make(lines=RobotsLines(extra_tokens=("ia_archiver",))).ask(page(plain), fetcher))


async def test_tokens_are_not_asked_unless_listed(make: Make, fetcher: Fetcher, plain: RawServer) -> None:
    plain.reply("/robots.txt", answer(TOKENS))
    is_allowed(await make().ask(page(plain, "/album/1"), fetcher))


# --- delays over the cap ---


@pytest.mark.parametrize(
    ("record", "declared"),
    [
        (b"Crawl-delay: 400", "Crawl-delay: 400 asks for 400 s"),
        (b"Request-rate: 1/10m", "Request-rate: 1/600 asks for 600 s"),
        (b"Crawl-delay: " + b"9" * 400, "Crawl-delay: 1.79769e+308 asks for"),
    ],
    ids=["delay", "rate", "for ever"],
)
async def test_a_host_with_a_delay_over_the_cap_is_left(
    make: Make, fetcher: Fetcher, plain: RawServer, record: bytes, declared: str
) -> None:
    plain.reply("/robots.txt", answer(b"User-agent: *\n" + record + b"\nDisallow: /private\n"))
    service = make()
    for path in ("/open", "/private"):
        found = await service.ask(page(plain, path), fetcher)
        assert found.objection is not None
        assert (found.objection.verdict, found.objection.reason) == (Verdict.REFUSE, Reason.CRAWL_DELAY_BUDGET)
        assert found.objection.rule.startswith(declared)
        assert found.objection.rule.endswith("robots.delayCap waits for 300 s at most")
        assert found.objection.evidence == found.evidence is not None
        assert (found.detail["delay"]["cap"], found.detail["delay"]["then"]) == (300.0, "skip")
    is_allowed(await service.ask(page(plain, "/robots.txt"), fetcher))


async def test_a_delay_over_the_cap_may_be_clamped_and_says_so(make: Make, fetcher: Fetcher, plain: RawServer) -> None:
    plain.reply("/robots.txt", answer(b"User-agent: *\nCrawl-delay: 400\nDisallow: /private\n"))
    service = make(lines=RobotsLines(delay_cap=60.0, beyond_cap="clamp"))
    found = await service.ask(page(plain, "/open"), fetcher)
    is_allowed(found)
    assert found.declared.delay == 60.0
    assert found.declared.source == "Crawl-delay: 400 (clamped to 60 s by robots.delayCap)"
    assert found.detail["delay"] == {"declared": 400.0, "source": "Crawl-delay: 400", "cap": 60.0, "then": "clamp"}
    refused = await service.ask(page(plain), fetcher)
    assert refused.objection is not None and refused.objection.reason is Reason.ROBOTS_TXT


@pytest.mark.parametrize(("delay", "left"), [(b"300", False), (b"300.5", True)])
async def test_the_cap_itself_is_waited_for(
    make: Make, fetcher: Fetcher, plain: RawServer, delay: bytes, left: bool
) -> None:
    plain.reply("/robots.txt", answer(b"User-agent: *\nCrawl-delay: " + delay + b"\n"))
    found = await make().ask(page(plain, "/open"), fetcher)
    assert (found.objection is not None) is left
    assert ("delay" in found.detail) is left


async def test_the_floor_knows_no_cap(make: Make, fetcher: Fetcher, plain: RawServer) -> None:
    plain.reply("/robots.txt", answer(b"User-agent: *\nCrawl-delay: 4000\n"))
    is_allowed(await make(lines=RobotsLines(delays="floor")).ask(page(plain, "/open"), fetcher))


# --- mandates ---


@pytest.mark.parametrize(
    ("mandate", "host", "covers"),
    [
        (("localhost",), "a.localhost", "localhost"),
        (("A.Localhost.",), "a.localhost", "a.localhost"),
        (("b.localhost", "calhost"), "a.localhost", None),
        ((), "a.localhost", None),
        (("127.0.0.1",), "127.0.0.1", "127.0.0.1"),
        (("müller.localhost",), "xn--mller-kva.localhost", "xn--mller-kva.localhost"),
        (("not a host",), "a.localhost", None),
    ],
)
async def test_a_mandate_fetches_pages_and_tells_what_robots_txt_says(
    make: Make, fetcher: Fetcher, plain: RawServer, mandate: tuple[str, ...], host: str, covers: str | None
) -> None:
    plain.reply("/robots.txt", answer())
    plain.host = host
    found = await make(lines=RobotsLines(disallowed="mandate", mandate=mandate)).ask(page(plain), fetcher)
    assert (found.rule, found.line) == ("Disallow: /private", 2)
    if covers is None:
        is_disallowed(found)
        assert found.mandate is None
    else:
        is_allowed(found)
        assert found.mandate == {"host": covers, "rule": "Disallow: /private", "line": 2}


async def test_a_mandate_covers_refused_pages_only(make: Make, fetcher: Fetcher, plain: RawServer) -> None:
    plain.reply("/robots.txt", answer())
    mandated = RobotsLines(disallowed="mandate", mandate=("127.0.0.1",), forbidden="disallow")
    service = make(lines=mandated)
    image = page(plain, "/private/a.png")
    is_disallowed(await service.ask(_as(image, Kind.REQUISITE), fetcher))
    assert (await service.ask(page(plain, "/open"), fetcher)).mandate is None
    is_disallowed(await make(lines=RobotsLines(mandate=("127.0.0.1",))).ask(page(plain), fetcher))
    plain.reply("/robots.txt", answer(b"", b"403 Forbidden"))
    closed = await make(lines=mandated).ask(page(plain), fetcher)
    assert closed.objection is not None and closed.objection.verdict is Verdict.REFUSE
    plain.reply("/robots.txt", answer(b"", b"500 Oops"))
    silent = await make(lines=mandated).ask(page(plain), fetcher)
    assert silent.objection is not None and silent.objection.verdict is Verdict.DEFER


async def test_a_mandate_waits_like_everybody(make: Make, fetcher: Fetcher, plain: RawServer) -> None:
    plain.reply("/robots.txt", answer(b"User-agent: *\nDisallow: /private\nCrawl-delay: 400\n"))
    mandated = RobotsLines(disallowed="mandate", mandate=("127.0.0.1",))
    found = await make(lines=mandated).ask(page(plain), fetcher)
    assert found.objection is not None and found.objection.reason is Reason.CRAWL_DELAY_BUDGET


def _as(candidate: Candidate, kind: Kind) -> Candidate:
    return replace(candidate, kind=kind)
