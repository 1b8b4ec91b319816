"""A visit: document, hops, requisites; its limits; and what two visits at once owe each other."""

from __future__ import annotations

import asyncio

import pytest

from archiver.model import Access, FailureCode, Page, Reason, Status
from archiver.ports import Declared, WireRequest
from archiver.urls import origin_of
from archiver.wire.memory import Answer
from tests.engine.bench import SITE, Engine, css, html, image, redirect

ORIGIN = origin_of(f"{SITE}/")


def gaps(page: Page) -> dict[str, str]:
    return {gap.url.removeprefix(SITE): gap.reason for gap in page.completeness.matter}


async def test_a_page_with_all_it_needs() -> None:
    pages = {
        "/": html("<link rel=stylesheet href=/a.css><img src=/i.png srcset='/i2.png 2x'><iframe src=/f.html></iframe>"),
        "/a.css": css("@import '/b.css'; p { background: url(/bg.png) }"),
        "/b.css": css("@font-face { src: url(/font.woff2) }"),
        "/f.html": html("<img src=/in-frame.png>"),
        **dict.fromkeys(("/i.png", "/i2.png", "/bg.png", "/font.woff2", "/in-frame.png"), image()),
    }
    engine = Engine(pages)
    page = await engine.visit()
    assert sorted(engine.asked) == sorted(pages)
    assert (page.completeness.verdict, page.completeness.kept, page.fetched) == ("complete", 8, 9)
    ((first, *rest),) = engine.written
    assert first == "/" and sorted(rest) == sorted(set(pages) - {"/"}), "one batch, the document first"
    assert [logged.candidate.url for logged in engine.log.added] == [f"{SITE}/"]


async def test_a_requisite_named_twice_is_asked_for_once() -> None:
    engine = Engine({"/": html("<img src=/i.png><img src=/i.png#x><img src='//a.test/i.png'>"), "/i.png": image()})
    page = await engine.visit()
    assert engine.asked == ["/", "/i.png"] and page.completeness.kept == 1


async def test_redirects_of_document_and_requisite_are_all_kept() -> None:
    engine = Engine(
        {"/": redirect("/two"), "/two": redirect("/page", 301), "/page": html("<img src=/old.png>"),
         "/old.png": redirect("/new.png"), "/new.png": image()}
    )  # fmt: skip
    page = await engine.visit()
    assert engine.written == [["/", "/two", "/page", "/old.png", "/new.png"]]
    assert (page.status, page.final_url, page.completeness.kept) == (Status.CAPTURED, f"{SITE}/page", 1)


@pytest.mark.parametrize("chain", ["circle", "endless"])
async def test_redirects_without_end(chain: str) -> None:
    pages = {"/": redirect("/x"), "/x": redirect("/")}
    if chain == "endless":
        pages = {f"/{number or ''}": redirect(f"/{number + 1}") for number in range(40)}
    engine = Engine(pages, hops=5)
    page = await engine.visit()
    assert page.decision.reason is Reason.TOO_MANY_REDIRECTS
    assert len(engine.asked) == (2 if chain == "circle" else 6)


async def test_a_requisite_that_redirects_for_ever_is_a_gap() -> None:
    engine = Engine({"/": html("<img src=/i>"), "/i": redirect("/i?")} | {"/i?": redirect("/i")}, hops=4)
    page = await engine.visit()
    assert gaps(page) == {"/i": Reason.TOO_MANY_REDIRECTS.value} or page.completeness.refused == 1


async def test_what_is_refused_failed_or_cut_is_a_gap_with_its_reason() -> None:
    engine = Engine(
        {"/": html("<img src=/private/a.png><img src=/b.png><img src=/c.png><img src=/gone.png>"),
         "/b.png": Answer(failure=FailureCode.IDLE_TIMEOUT), "/c.png": Answer(status=500)}
    )  # fmt: skip
    engine.bench.web.forbid(ORIGIN, b"User-agent: *\nDisallow: /private/\n")
    page = await engine.visit()
    assert gaps(page) == {"/private/a.png": "robotsTxt", "/b.png": "failed", "/c.png": "failed"}
    assert (page.completeness.kept, page.completeness.refused, page.completeness.failed) == (1, 1, 2), (
        "404 is an answer"
    )
    assert "/private/a.png" not in engine.asked


async def test_a_host_that_says_stop_is_asked_for_nothing_more() -> None:
    images = [f"/{number}.png" for number in range(20)]
    engine = Engine(
        {"/": html("".join(f"<img src={one}>" for one in images)), **dict.fromkeys(images, Answer(status=429))}
    )
    page = await engine.visit()
    assert len(engine.asked) <= 1 + 4, "those in flight when it said so, no others"
    reasons = set(gaps(page).values())
    assert reasons <= {"rateLimited", "failed"} and "rateLimited" in reasons


async def test_every_url_that_a_page_names_has_a_row() -> None:
    """What is over a limit, what waits for its turn, what is out of scope; links to what is known are counted."""
    images = {f"/{number}.png": image() for number in range(5)}
    links = "".join(f"<a href={one}>x</a>" for one in ("/a", "/b", "https://b.test/", "/"))
    page = html("".join(f"<img src={one}>" for one in images) + links)
    engine = Engine({"/": page, "/a": html("<a href=/b>x</a><a href=/>x</a>"), "/b": html(""), **images}, requisites=3)
    await engine.crawl()
    decided = [
        row["url"].removeprefix(SITE) for row in engine.bench.rows("decision") if row["reason"] == "requisiteLimit"
    ]
    assert decided == ["/3.png", "/4.png"]
    found = {row["url"]: row["reason"] for row in engine.bench.rows("discovered")}
    assert found == {f"{SITE}/a": "allowed", f"{SITE}/b": "allowed", "https://b.test/": "outOfScope"}
    visits = {row["url"].removeprefix(SITE): row for row in engine.bench.rows("visit")}
    assert (visits["/"]["discovered"], visits["/"]["repeats"]) == (3, 1)
    assert (visits["/a"]["discovered"], visits["/a"]["repeats"]) == (0, 2)


async def test_limits_of_number_and_bytes() -> None:
    images = {f"/{number}.png": image() for number in range(10)}
    page = await Engine({"/": html("".join(f"<img src={one}>" for one in images)), **images}, requisites=3).visit()
    assert page.completeness.kept == 3 and set(gaps(page).values()) == {"requisiteLimit"}
    page = await Engine({"/": html("".join(f"<img src={one}>" for one in images)), **images},
                        requisite_bytes=1, in_flight=1).visit()  # fmt: skip
    assert page.completeness.kept == 1 and set(gaps(page).values()) == {"sizeLimit"}


async def test_a_visit_that_took_its_time_stops() -> None:
    engine = Engine({"/": html("<img src=/a.png><img src=/b.png>"), "/a.png": image(), "/b.png": image()}, in_flight=1)
    slow(engine, 60)
    page = await engine.visit()
    assert engine.asked == ["/", "/a.png"] and gaps(page) == {"/b.png": "timeLimit"}


async def test_a_declared_delay_spends_the_visits_budget() -> None:
    images = {f"/{number}.png": image() for number in range(10)}
    engine = Engine({"/": html("".join(f"<img src={one}>" for one in images)), **images}, declared_seconds=35.0)
    engine.bench.web.declared[ORIGIN] = Declared(delay=10.0, source="Crawl-delay: 10")
    page = await engine.visit()
    assert engine.bench.slept and all(second <= 10.001 for second in engine.bench.slept)
    assert set(gaps(page).values()) == {"crawlDelayBudget"}
    assert 2 <= page.completeness.kept <= 3


async def test_two_visits_share_a_requisite() -> None:
    shared = "<link rel=stylesheet href=/s.css>"
    engine = Engine({"/": html(shared), "/two": html(shared), "/s.css": css("p{}")})
    await engine.crawl("/", "/two")
    assert sorted(engine.asked) == ["/", "/s.css", "/two"]
    assert [page.completeness.kept for page in engine.told] == [1, 1]


async def test_a_requisite_that_failed_for_one_visit_is_a_gap_of_both_that_waited() -> None:
    shared = "<img src=/s.png>"
    engine = Engine({"/": html(shared), "/two": html(shared), "/s.png": Answer(failure=FailureCode.DISCONNECTED)})
    slow(engine, 0.1)
    await engine.crawl("/", "/two")
    assert [page.completeness.verdict for page in engine.told] == ["gaps", "gaps"]


async def test_pages_that_frame_each_other_do_not_wait_for_ever() -> None:
    engine = Engine(
        {"/": html("<iframe src=/b></iframe>"), "/b": html("<iframe src=/c></iframe>"),
         "/c": html("<iframe src=/></iframe>"), "/self": html("<iframe src=/self></iframe>")}
    )  # fmt: skip
    await engine.crawl("/", "/b", "/c", "/self")
    assert sorted(engine.asked) == ["/", "/b", "/c", "/self"]


async def test_links_of_a_frame_are_followed_and_frames_end_somewhere() -> None:
    pages = {"/": html("<iframe src=/f0></iframe>"), "/found": html("x")}
    pages |= {f"/f{number}": html(f"<iframe src=/f{number + 1}></iframe><a href=/found>") for number in range(9)}
    engine = Engine(pages, frame_depth=2)
    await engine.crawl()
    assert "/found" in engine.asked and "/f7" not in engine.asked


async def test_what_lies_too_deep_is_a_gap() -> None:
    pages = {"/": html("<iframe src=/f0></iframe>")}
    pages |= {f"/f{number}": html(f"<iframe src=/f{number + 1}></iframe><img src=/i{number}>") for number in range(9)}
    pages |= {f"/i{number}": image() for number in range(9)}
    page = await Engine(pages).visit()
    assert gaps(page) == {"/f4": "requisiteLimit", "/i3": "requisiteLimit"}
    assert page.completeness.verdict == "gaps" and page.completeness.matter[0].rule.startswith("frames and style")


async def test_the_last_level_is_read_for_what_it_lacks_and_no_gap_when_it_lacks_nothing() -> None:
    pages = {"/": html("<link rel=stylesheet href=/a.css><img src=/i.png>"), "/i.png": image(),
             "/a.css": css("@import '/b.css';"), "/b.css": css("p { background: url(/i.png) }")}  # fmt: skip
    page = await Engine(pages, frame_depth=1).visit()
    assert page.completeness.verdict == "complete" and page.completeness.kept == 3


async def test_a_document_that_says_stop_gets_no_requisites() -> None:
    answer = Answer(status=503, headers={"Content-Type": "text/html", "Retry-After": "0"}, body=b"<img src=/i.png>")
    engine = Engine({"/": answer, "/i.png": image()})
    page = await engine.visit()
    assert engine.asked == ["/"] and gaps(page) == {"/i.png": "rateLimited"}


async def test_a_redirect_elsewhere_that_must_wait_too_long_is_deferred() -> None:
    engine = Engine({"/": redirect("https://b.test/"), "https://b.test/": html("x")})
    there = origin_of("https://b.test/")
    engine.bench.web.declared[there] = Declared(visit_time_utc=(closed(engine),), source="Visit-time")
    page = await engine.visit()
    assert (page.status, page.decision.reason) == (Status.DEFERRED, Reason.VISIT_TIME)
    assert page.decision.not_before is not None and engine.asked == ["/"]


def closed(engine: Engine) -> tuple[int, int]:
    """A window that opens in an hour."""
    minute = int(engine.bench.clock.epoch() % 86_400) // 60
    return (minute + 60) % 1440, (minute + 120) % 1440


async def test_closed_hours_put_off_the_host_and_use_up_no_attempt() -> None:
    engine = Engine({"/": html("<a href=/two>"), "/two": html("x")})
    engine.bench.web.declared[ORIGIN] = Declared(visit_time_utc=(closed(engine),), source="Visit-time")
    for _ in range(5):
        await engine.seed("/")
        claims = await engine.frontier.claim(1)
        if not claims:
            break
        await engine.worker.attempt(claims[0])
        due = await engine.frontier.next_due()
        assert due is not None and due > engine.bench.clock.epoch()
        assert (await engine.frontier.counts()).pending == 1
        engine.bench.clock.advance(1.0)
    assert engine.asked == []
    engine.bench.clock.advance(3600.0)
    assert (await engine.attempt("/")).page is not None and engine.asked == ["/"]


async def test_nothing_of_a_dark_page_is_open() -> None:
    engine = Engine({"/": redirect("/page"), "/page": html("<meta name=robots content=noarchive>")})
    page = await engine.visit()
    assert page.access is Access.DARK
    assert {item.access for item in engine.bench.recorder.items} == {Access.DARK}


async def test_a_full_spool_is_written_before_the_end() -> None:
    images = {f"/{number}.png": Answer(headers={"Content-Type": "image/png"}, body=b"x" * 1000) for number in range(6)}
    engine = Engine({"/": html("".join(f"<img src={one}>" for one in images)), **images}, spool=2500, in_flight=1)
    page = await engine.visit()
    assert len(engine.written) > 1
    assert sorted(url for batch in engine.written for url in batch) == sorted(["/", *images])
    assert page.completeness.verdict == "complete" and len(page.records) == 7


async def test_a_site_without_an_answer_fails_and_is_told() -> None:
    engine = Engine({"/": Answer(failure=FailureCode.CONNECT_TIMEOUT)})
    page = await engine.visit()
    assert page.status is Status.FAILED and page.failure is not None and engine.log.added == []


async def test_an_answer_that_says_come_back_is_kept_and_the_url_asked_again() -> None:
    engine = Engine({"/": Answer(status=503, headers={"Retry-After": "120"})})
    page = await engine.visit()
    assert page.status is Status.CAPTURED and page.http_status == 503
    due = await engine.frontier.next_due()
    assert due is not None


def slow(engine: Engine, seconds: float) -> None:
    """Each exchange takes that long."""
    dial = engine.bench.web.exchange

    async def exchange(request: WireRequest, tap: object = None):  # type: ignore[no-untyped-def]
        engine.bench.clock.advance(seconds)
        await asyncio.sleep(0)
        return await dial(request)

    engine.bench.web.exchange = exchange  # type: ignore[method-assign]
