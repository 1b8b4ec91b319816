"""What a page asks for in a browser: each request a candidate, the document fetched once, nothing without a row."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from archiver.engine.browser_memory import Script, Tab
from archiver.engine.flow import HOLD_AFTER_HEAD
from archiver.engine.rendering import GIVEN_SECONDS
from archiver.errors import DiskError
from archiver.model import CaptureItem, Exchange, FailureCode, Lane, Page, Reason, WarcItem
from archiver.ports import Declared, WireRequest
from archiver.ports.browser import Announced, BrowserRequest, Rendered, Tap
from archiver.urls import origin_of
from archiver.wire.memory import Answer
from tests.engine.bench import SITE, Engine, html, image, redirect

ORIGIN = origin_of(f"{SITE}/")
OTHER = "https://b.test"
APP = html("<div id=root></div><script src=/app.js></script>")


def asking(*urls: str, kind: str = "image") -> Script:
    """Load the page, then ask for these one after the other."""

    async def script(tab: Tab) -> None:
        await tab.go(tab.plan.url)
        for url in urls:
            await tab.ask(SITE + url if url.startswith("/") else url, kind)

    return script


def engine_of(pages: dict[str, Answer], script: Script, **options: object) -> Engine:
    return Engine({"/": APP, **pages}, lane="auto", script=script, **options)  # type: ignore[arg-type]


def tab_of(engine: Engine) -> Tab:
    assert engine.browser is not None and engine.browser.pages[-1].tab is not None
    return engine.browser.pages[-1].tab


def gaps(page: Page) -> dict[str, str]:
    return {gap.url.removeprefix(SITE): gap.reason for gap in page.completeness.matter}


def captured(engine: Engine) -> dict[str, CaptureItem]:
    items = engine.bench.recorder.items
    return {item.exchange.url.removeprefix(SITE): item for item in items if isinstance(item, CaptureItem)}


def rows_of(engine: Engine, url: str) -> list[tuple[str, str]]:
    return [(row["verdict"], row["reason"]) for row in engine.bench.rows("decision") if row["url"] == url]


# --- the document ---


async def test_the_document_is_fetched_once_with_its_hops_and_given_to_the_browser() -> None:
    engine = Engine({"/": redirect(f"{SITE}/two"), "/two": APP}, lane="auto", script=asking())
    page = await engine.visit()
    assert engine.asked == ["/", "/two"] and engine.written[0] == ["/", "/two"]
    assert [one.exchange and one.exchange.status for one in tab_of(engine).got] == [302, 200]
    assert (page.lane, page.final_url, page.completeness.verdict) == (Lane.BROWSER, f"{SITE}/two", "complete")


async def test_it_is_given_to_the_first_navigation_alone() -> None:
    async def script(tab: Tab) -> None:
        await tab.ask(f"{SITE}/", "fetch", {"Sec-Fetch-Dest": "empty"})
        await tab.go(f"{SITE}/")
        await tab.go(f"{SITE}/")

    engine = engine_of({}, script)
    await engine.visit()
    assert engine.asked == ["/", "/", "/"], "over HTTP, by the script, and when the page reloads itself"


async def test_a_form_posts_to_the_page_itself_and_not_to_what_was_given() -> None:
    async def script(tab: Tab) -> None:
        await tab.go(f"{SITE}/", method="POST", body=b"a=1")

    engine = engine_of({}, script)
    await engine.visit()
    assert [(one.method, one.body) for one in engine.bench.web.asked] == [("GET", b""), ("POST", b"a=1")]


@pytest.mark.parametrize("age", [GIVEN_SECONDS - 1, GIVEN_SECONDS + 1], ids=["fresh", "stale"])
async def test_what_is_older_than_half_a_minute_is_asked_for_again(age: float) -> None:
    async def script(tab: Tab) -> None:
        engine.bench.clock.advance(age)
        await tab.go(tab.plan.url)

    engine = engine_of({}, script)
    page = await engine.visit()
    assert len(engine.asked) == (1 if age < GIVEN_SECONDS else 2)
    assert page.http_status == 200 and page.payload_digest is not None


# --- requisites ---


async def test_a_requisite_is_asked_recorded_and_told_as_part_of_its_page() -> None:
    engine = engine_of({"/app.js": image(), "/b.png": image()}, asking("/app.js", "/b.png", kind="script"))
    page = await engine.visit()
    assert engine.written[0] == ["/", "/app.js", "/b.png"] and page.completeness.kept == 2
    item = captured(engine)["/app.js"]
    assert (item.resource_type, item.hop_path, item.via, item.page_id) == ("script", "E", f"{SITE}/", page.capture_id)
    (row,) = [row for row in engine.bench.rows("decision") if row["url"] == f"{SITE}/app.js"]
    assert (row["lane"], row["initiator"], row["kind"]) == ("browser", f"{SITE}/", "requisite")


async def test_what_robots_refuses_at_its_own_origin_is_a_row_a_record_and_a_gap() -> None:
    engine = engine_of({f"{OTHER}/yes.png": image()}, asking(f"{OTHER}/yes.png", f"{OTHER}/no/a.png"))
    engine.bench.web.forbid(origin_of(f"{OTHER}/"), b"User-agent: *\nDisallow: /no/\n")
    page = await engine.visit()
    assert engine.asked == ["/", f"{OTHER}/yes.png"]
    assert tab_of(engine).got[-1].exchange is None, "a 451 of the proxy's"
    assert rows_of(engine, f"{OTHER}/no/a.png") == [("refuse", "robotsTxt")]
    assert gaps(page) == {f"{OTHER}/no/a.png": "robotsTxt"} and page.completeness.refused == 1
    assert f"urn:policy:{OTHER}/no/a.png" in engine.written[0]


async def test_a_private_address_is_not_asked() -> None:
    engine = engine_of({}, asking("https://inside.test/x.png"))
    engine.bench.web.private.add("inside.test")
    assert gaps(await engine.visit()) == {"https://inside.test/x.png": "privateAddress"}


async def test_a_frame_of_another_origin_is_judged_by_its_own_elements_and_its_links_are_found() -> None:
    frame = html("<meta name=robots content=noarchive><a href=https://a.test/found>")
    engine = engine_of({f"{OTHER}/f": frame, "/found": html("x")}, asking(f"{OTHER}/f", kind="document"))
    page = await engine.visit()
    item = captured(engine)[f"{OTHER}/f"]
    assert (item.access.value, item.resource_type) == ("dark", "frame") and page.access.value == "open"
    assert [row["url"] for row in engine.bench.rows("discovered")] == [f"{SITE}/found"]


async def test_redirects_of_a_requisite_keep_their_way() -> None:
    async def script(tab: Tab) -> None:
        await tab.go(tab.plan.url)
        await tab.ask(f"{SITE}/old")
        await tab.ask(f"{SITE}/mid")
        await tab.ask(f"{SITE}/new.png")

    pages = {"/old": redirect("/mid"), "/mid": redirect("/new.png"), "/new.png": image()}
    engine = engine_of(pages, script)
    page = await engine.visit()
    items = captured(engine)
    assert [(items[url].hop_path, items[url].via) for url in ("/old", "/mid", "/new.png")] == [
        ("E", f"{SITE}/"), ("ER", f"{SITE}/old"), ("ERR", f"{SITE}/mid")
    ]  # fmt: skip
    assert page.completeness.kept == 1, "the hops are not what a reader needs"


async def test_limits_of_number_bytes_and_time() -> None:
    images = {f"/{number}.png": image() for number in range(4)}
    for limits, reason in (({"requisites": 2}, "requisiteLimit"), ({"requisite_bytes": 1}, "sizeLimit")):
        page = await engine_of(images, asking(*images), **limits).visit()
        assert set(gaps(page).values()) == {reason} and page.completeness.kept == (2 if len(gaps(page)) == 2 else 1)

    async def late(tab: Tab) -> None:
        await tab.go(tab.plan.url)
        engine.bench.clock.advance(100)
        await tab.ask(f"{SITE}/0.png")

    engine = engine_of(images, late)
    assert gaps(await engine.visit()) == {"/0.png": "timeLimit"}


@pytest.mark.parametrize("status", [429, 503])
async def test_a_requisite_that_says_stop_ends_it_at_that_origin(status: int) -> None:
    pages = {f"{OTHER}/1": Answer(status=status), "/here.png": image()}
    engine = engine_of(pages, asking(f"{OTHER}/1", f"{OTHER}/2", "/here.png"))
    page = await engine.visit()
    assert engine.asked == ["/", f"{OTHER}/1", "/here.png"]
    assert gaps(page) == {f"{OTHER}/1": "failed", f"{OTHER}/2": "rateLimited"}


async def test_a_declared_delay_binds_each_request() -> None:
    images = [f"/{number}.png" for number in range(6)]
    engine = engine_of(dict.fromkeys(images, image()), asking(*images), declared_seconds=35.0)
    engine.bench.web.declared[ORIGIN] = Declared(delay=10.0, source="Crawl-delay: 10")
    page = await engine.visit()
    assert set(gaps(page).values()) == {"crawlDelayBudget"} and 2 <= page.completeness.kept <= 3


async def test_other_methods_go_out_with_their_bodies_and_stand_for_no_url() -> None:
    async def script(tab: Tab) -> None:
        await tab.go(tab.plan.url)
        preflight = BrowserRequest(
            url=f"{SITE}/api", method="OPTIONS", headers=((b"Access-Control-Request-Method", b"PUT"),)
        )
        await tab.send(preflight, None)
        await tab.send(BrowserRequest(url=f"{SITE}/api", method="POST", headers=(), body=b'{"a":1}'), None)
        await tab.send(BrowserRequest(url=f"{SITE}/part", method="GET", headers=((b"Range", b"bytes=5-9"),)), None)

    link = html("<div id=root></div><script></script><a href=/api>x</a>")
    engine = Engine({"/": link, "/api": html("the page"), "/part": image()}, lane="auto", script=script)
    await engine.crawl()
    assert [(one.method, one.body) for one in engine.bench.web.asked][1:3] == [("OPTIONS", b""), ("POST", b'{"a":1}')]
    assert [one.url for one in engine.bench.web.asked].count(f"{SITE}/api") == 3, "the page at that URL is visited yet"
    items = [item for item in engine.bench.recorder.items if isinstance(item, CaptureItem)]
    assert items[2].exchange.request.endswith(b'\r\n\r\n{"a":1}') and items[1].resource_type == "preflight"


async def test_a_requisite_of_the_job_is_asked_for_again_by_the_browser_and_not_by_plain_http() -> None:
    plain = html("<p>" + "Words enough to be read by everybody. " * 20 + "<img src=/i.png>")
    engine = Engine({"/": APP, "/a": plain, "/b": plain, "/i.png": image()}, lane="auto", script=asking("/i.png"))
    await engine.visit("/a")
    await engine.visit("/")
    await engine.visit("/b")
    assert engine.asked == ["/a", "/i.png", "/", "/i.png", "/b"]
    assert [len(batch) for batch in engine.written if batch and not batch[0].startswith("urn")] == [2, 2, 1]


async def test_transcluded_requisites_say_so() -> None:
    engine = engine_of({"/private/i.png": image()}, asking("/private/i.png"), gate={"transclude": True})
    engine.bench.web.forbid(ORIGIN, b"User-agent: *\nDisallow: /private/\n")
    page = await engine.visit()
    (row,) = [row for row in engine.bench.rows("decision") if "private" in row["url"]]
    assert row["verdict"] == "allow" and row["notes"]["transcluded"]["rule"] == "/private/"
    assert page.completeness.verdict == "complete"


# --- cookies ---


async def test_what_the_site_gave_the_browser_restricts_nothing_and_stays_in_the_record() -> None:
    async def script(tab: Tab) -> None:
        await tab.go(tab.plan.url)
        await tab.ask(f"{SITE}/i.png", "image", {"Cookie": "seen=1", "Authorization": "Bearer of-the-page"})

    engine = engine_of({"/i.png": image()}, script)
    await engine.visit()
    item = captured(engine)["/i.png"]
    assert item.access.value == "open"
    assert b"Cookie: seen=1" in item.exchange.request and b"Bearer of-the-page" in item.exchange.request


# --- the page goes on by itself ---


async def test_a_page_that_goes_on_is_followed_and_the_last_is_the_document() -> None:
    async def script(tab: Tab) -> Rendered:
        await tab.go(tab.plan.url)
        await tab.go(f"{SITE}/hop")
        await tab.ask(f"{SITE}/i.png")
        return Rendered(final_url=tab.url, dom=b"<title>Real</title><a href=/next>x</a>", title="Real")

    pages = {"/hop": redirect(f"{SITE}/real"), "/real": html("<title>Raw</title>"), "/i.png": image()}
    engine = engine_of(pages, script)
    page = await engine.visit()
    assert engine.written[0] == ["/", "/hop", "/real", "/i.png"]
    assert (page.final_url, page.title, page.http_status) == (f"{SITE}/real", "Real", 200)
    items = captured(engine)
    assert [items[url].hop_path for url in ("/hop", "/real", "/i.png")] == ["R", "RR", "RRE"]
    assert items["/i.png"].via == f"{SITE}/real" and page.payload_digest is not None
    assert [row["url"] for row in engine.bench.rows("discovered")] == [f"{SITE}/next"]


@pytest.mark.parametrize("why", ["outOfScope", "robotsTxt"])
async def test_where_it_must_not_go_the_page_stays(why: str) -> None:
    where = f"{OTHER}/x" if why == "outOfScope" else f"{SITE}/private/x"

    async def script(tab: Tab) -> Rendered:
        await tab.go(tab.plan.url)
        answer = await tab.go(where)
        assert answer.exchange is not None and (answer.exchange.status, answer.exchange.synthetic) == (204, True)
        return Rendered(final_url=tab.url, dom=b"<title>Stays</title>", title="Stays")

    engine = engine_of({}, script, gate={"rules": (only_here,)})
    engine.bench.web.forbid(ORIGIN, b"User-agent: *\nDisallow: /private/\n")
    page = await engine.visit()
    assert rows_of(engine, where) == [("refuse", why)] and engine.asked == ["/"]
    assert (page.final_url, page.title, gaps(page)) == (f"{SITE}/", "Stays", {where.removeprefix(SITE): why})
    assert all(not item.exchange.synthetic for item in captured(engine).values())


def only_here(candidate):  # type: ignore[no-untyped-def]
    from archiver.model import Kind, Objection, Verdict

    if candidate.kind is Kind.DOCUMENT and candidate.origin != ORIGIN:
        return Objection(verdict=Verdict.REFUSE, reason=Reason.OUT_OF_SCOPE, rule="scope: host")
    return None


@pytest.mark.parametrize("what", ["download", "nothing", "failure"])
async def test_what_is_no_page_does_not_take_its_place(what: str) -> None:
    answers = {
        "download": Answer(headers={"Content-Type": "application/zip"}, body=b"PK"),
        "nothing": Answer(status=204),
        "failure": Answer(failure=FailureCode.DISCONNECTED),
    }

    async def script(tab: Tab) -> None:
        await tab.go(tab.plan.url)
        await tab.go(f"{SITE}/hop")
        await tab.ask(f"{SITE}/i.png")

    pages = {"/hop": redirect(f"{SITE}/there"), "/there": answers[what], "/i.png": image()}
    engine = engine_of(pages, script)
    page = await engine.visit()
    assert page.final_url == f"{SITE}/" and page.http_status == 200
    assert captured(engine)["/i.png"].via == f"{SITE}/"
    assert "/hop" in captured(engine), "what was asked for is kept, whatever became of it"
    assert (page.completeness.failed, ("/there" in captured(engine))) == (
        (1, False) if what == "failure" else (0, True)
    )


async def test_a_page_that_never_stops_going_on_is_stopped() -> None:
    async def script(tab: Tab) -> None:
        await tab.go(tab.plan.url)
        for number in range(6):
            await tab.go(f"{SITE}/{number}")

    engine = engine_of({f"/{number}": APP for number in range(6)}, script, hops=4)
    page = await engine.visit()
    assert engine.asked == ["/", "/0", "/1", "/2", "/3"] and page.final_url == f"{SITE}/3"
    assert gaps(page) == {"/4": "tooManyRedirects", "/5": "tooManyRedirects"}


async def test_another_origin_is_another_visit_there() -> None:
    async def script(tab: Tab) -> None:
        await tab.go(tab.plan.url)
        await tab.go(f"{OTHER}/")

    engine = engine_of({f"{OTHER}/": html("x")}, script)
    begun: list[str] = []
    begin = engine.bench.budget.begin_visit

    async def begin_visit(origin, rules):  # type: ignore[no-untyped-def]
        begun.append(origin.host)
        return await begin(origin, rules)

    engine.bench.budget.begin_visit = begin_visit  # type: ignore[method-assign]
    page = await engine.visit()
    assert begun == ["a.test", "b.test"] and page.final_url == f"{OTHER}/"


async def test_windows_that_a_page_opens_and_pages_fetched_ahead_stay_out() -> None:
    async def script(tab: Tab) -> None:
        await tab.go(tab.plan.url)
        window = Announced(url=f"{SITE}/w", method="GET", resource_type="document", navigation=True, popup=True)
        await tab.send(BrowserRequest(url=f"{SITE}/w", method="GET", headers=()), window)
        await tab.ask(f"{SITE}/ahead", "document", {"Sec-Purpose": "prefetch;prerender"})

    engine = engine_of({}, script)
    page = await engine.visit()
    assert engine.asked == ["/"] and page.completeness.verdict == "complete"
    assert rows_of(engine, f"{SITE}/w") == rows_of(engine, f"{SITE}/ahead") == [("refuse", "outOfScope")]


async def test_a_document_of_which_the_browser_says_nothing_is_no_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archiver.engine.rendering.ANNOUNCED_WITHIN", 0.02)

    async def script(tab: Tab) -> None:
        await tab.go(tab.plan.url)
        headers = ((b"Sec-Fetch-Dest", b"document"), (b"Accept", b"text/html"))
        await tab.send(BrowserRequest(url=f"{SITE}/x", method="GET", headers=headers), None)

    engine = engine_of({}, script)
    page = await engine.visit()
    assert engine.asked == ["/"] and gaps(page) == {"/x": "outOfScope"} and page.final_url == f"{SITE}/"


async def test_a_late_word_is_waited_for() -> None:
    async def script(tab: Tab) -> None:
        await tab.go(tab.plan.url)
        request = BrowserRequest(url=f"{SITE}/x", method="GET", headers=((b"Accept", b"text/html"),))
        said = Announced(url=request.url, method="GET", resource_type="document", main=True, navigation=True)
        asked = asyncio.ensure_future(tab.send(request, None))
        await asyncio.sleep(0.03)
        tab.page.said["GET", request.url] = said
        await asked

    engine = engine_of({"/x": html("there")}, script)
    assert (await engine.visit()).final_url == f"{SITE}/x"


# --- what comes slowly, or never ends ---


class Held:
    """Answers of a site whose heads come at once, their ends when `release` is called."""

    def __init__(self, engine: Engine, *paths: str) -> None:
        self._dial = engine.bench.web.exchange
        self._urls = {SITE + path for path in paths}
        self._go = asyncio.Event()
        self.heads = 0
        engine.bench.web.exchange = self.exchange  # type: ignore[method-assign]

    def release(self) -> None:
        self._go.set()

    async def exchange(self, request: WireRequest, tap: Tap | None = None) -> Exchange:
        if tap is None or request.url not in self._urls:
            return await self._dial(request, tap)
        exchange = await self._dial(request)
        tap.begin(exchange.response, Stop(self._go))
        tap.head(exchange.status, exchange.headers)
        self.heads += 1
        await self._go.wait()
        return exchange


class Stop:
    def __init__(self, go: asyncio.Event) -> None:
        self._go = go

    def send(self, data: bytes) -> None: ...

    def stop(self) -> None:
        self._go.set()


STREAM = Answer(headers={"Content-Type": "text/event-stream"}, body=b"data: 1\n\n")


@pytest.mark.parametrize("kind", ["events", "socket"])
async def test_what_never_ends_is_not_in_flight_and_holds_no_place(kind: str) -> None:
    answer = STREAM if kind == "events" else Answer(status=101, headers={"Upgrade": "websocket"})

    async def script(tab: Tab) -> None:
        await tab.go(tab.plan.url)
        request = BrowserRequest(url=f"{SITE}/s", method="GET", headers=(), upgrade=kind == "socket")
        open_ = asyncio.ensure_future(tab.send(request, None))
        await until(lambda: held.heads == 1)
        assert tab.activity.in_flight == 0
        await tab.ask(f"{SITE}/i.png")
        held.release()
        await open_

    engine = engine_of({"/s": answer, "/i.png": image()}, script, in_flight=1)
    held = Held(engine, "/s")
    page = await engine.visit()
    assert page.completeness.kept == 2 and "/i.png" in engine.asked
    assert captured(engine)["/s"].resource_type == ("websocket" if kind == "socket" else "fetch")


async def test_a_place_is_given_back_two_seconds_after_the_head(monkeypatch: pytest.MonkeyPatch) -> None:
    assert HOLD_AFTER_HEAD == 2.0
    monkeypatch.setattr("archiver.engine.flow.HOLD_AFTER_HEAD", 0.02)

    async def script(tab: Tab) -> None:
        await tab.go(tab.plan.url)
        slow = asyncio.ensure_future(tab.ask(f"{SITE}/big"))
        await until(lambda: held.heads == 1)
        await tab.ask(f"{SITE}/i.png")
        assert tab.activity.in_flight == 1 and tab.activity.idle_for() == 0.0
        held.release()
        await slow

    engine = engine_of({"/big": image(), "/i.png": image()}, script, in_flight=1)
    held = Held(engine, "/big")
    assert (await engine.visit()).completeness.kept == 2


async def until(condition) -> None:  # type: ignore[no-untyped-def]
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.001)


# --- the page is left ---


async def test_what_was_not_begun_when_the_page_was_left_has_its_row_and_its_gap() -> None:
    async def script(tab: Tab) -> None:
        await tab.go(tab.plan.url)
        slow = asyncio.ensure_future(tab.ask(f"{SITE}/big"))
        await until(lambda: held.heads == 1)
        waiting = asyncio.ensure_future(tab.ask(f"{SITE}/waits.png"))
        await asyncio.sleep(0.01)
        waiting.cancel()
        await asyncio.wait([waiting])
        held.release()
        await slow

    engine = engine_of({"/big": image(), "/waits.png": image()}, script, in_flight=1)
    held = Held(engine, "/big")
    page = await engine.visit()
    assert rows_of(engine, f"{SITE}/waits.png") == [("refuse", "timeLimit")]
    assert gaps(page) == {"/waits.png": "timeLimit"} and "/waits.png" not in engine.asked
    assert tab_of(engine).activity.in_flight == 0


async def test_an_answer_that_would_not_end_is_a_gap_and_its_place_is_free_again() -> None:
    async def script(tab: Tab) -> None:
        await tab.go(tab.plan.url)
        endless = asyncio.ensure_future(tab.ask(f"{SITE}/big"))
        await until(lambda: held.heads == 1)
        endless.cancel()
        await asyncio.wait([endless])
        await tab.ask(f"{SITE}/i.png")

    engine = engine_of({"/big": image(), "/i.png": image()}, script, in_flight=1)
    held = Held(engine, "/big")
    page = await engine.visit()
    assert gaps(page) == {"/big": "failed"} and page.completeness.kept == 1


# --- the spool ---


async def test_a_full_spool_is_written_while_the_page_goes_on_and_nothing_is_lost() -> None:
    async def script(tab: Tab) -> None:
        await tab.go(tab.plan.url)
        await asyncio.gather(*(tab.ask(f"{SITE}/{number}.png") for number in range(6)))
        await tab.go(f"{SITE}/two")
        await tab.ask(f"{SITE}/7.png")

    big = Answer(headers={"Content-Type": "image/png"}, body=b"x" * 1000)
    pages = {f"/{number}.png": big for number in range(8)} | {"/two": html("<title>Two</title>")}
    engine = engine_of(pages, script, spool=2500)
    page = await engine.visit()
    assert len(engine.written) > 2
    found = [url for batch in engine.written for url in batch if not url.startswith("urn:")]
    assert sorted(found) == sorted(["/", "/two", *(f"/{number}.png" for number in range(6)), "/7.png"])
    shown = captured(engine)["/two"]
    assert page.final_url == f"{SITE}/two" and page.payload_digest == digest_of(engine, shown)


def digest_of(engine: Engine, item: CaptureItem) -> str:
    import hashlib

    return "sha256:" + hashlib.sha256(item.exchange.entity_bytes()).hexdigest()


async def test_a_full_disk_ends_the_visit_and_not_the_answer_alone() -> None:
    async def record(items: Sequence[WarcItem]) -> list[object]:
        raise DiskError("full")

    engine = engine_of({"/0.png": image()}, asking("/0.png"), spool=1)
    engine.bench.recorder.record = record  # type: ignore[assignment, method-assign]
    with pytest.raises(DiskError):
        await engine.visit()
    assert engine.browser is not None and engine.browser.released == 1


# --- together ---


async def test_few_pages_are_in_the_browser_at_once_and_each_is_given_back() -> None:
    pages = {f"/{number}": APP for number in range(6)}
    engine = Engine(pages, lane="browser", script=asking())
    await engine.crawl(*pages, concurrency=6)
    assert engine.browser is not None
    assert engine.browser.at_once <= 2 and engine.browser.released == 6
    assert [row["version"] for row in engine.bench.rows("browser")] == ["1"], "told once"


async def test_a_document_that_will_need_the_browser_is_asked_for_when_there_is_a_place() -> None:
    """What waited for it would be over half a minute old, and asked for twice."""

    async def script(tab: Tab) -> None:
        await tab.go(tab.plan.url)
        engine.bench.clock.advance(20)
        for _ in range(20):
            await asyncio.sleep(0)

    pages = {f"/{number}": APP for number in range(8)}
    engine = Engine(pages, lane="browser", script=script)
    await engine.crawl(*pages, concurrency=8)
    assert sorted(engine.asked) == sorted(pages)


async def test_a_page_that_turns_out_plain_gives_its_place_back_at_once() -> None:
    plain = html("<p>" + "Words enough to be read by everybody. " * 20 + "<img src=/i.png>")
    engine = Engine({"/x/1": APP, "/x/2": plain, "/x/3": plain, "/i.png": image()}, lane="auto", script=asking())
    for path in ("/x/1", "/x/2", "/x/3"):
        await engine.visit(path)
    await engine.crawl("/x/4", "/x/5", "/x/6", "/x/7", concurrency=4)
    assert engine.lanes is not None and engine.browser is not None
    place = engine.lanes.place()
    assert place is not None
    await place.take()
    other = engine.lanes.place()
    assert other is not None
    await asyncio.wait_for(other.take(), 1)


async def test_waiting_for_the_browser_takes_no_time_of_the_visit() -> None:
    async def script(tab: Tab) -> None:
        await tab.go(tab.plan.url)
        engine.bench.clock.advance(20)
        await asyncio.sleep(0)

    pages = {f"/{number}": APP for number in range(6)}
    engine = Engine(pages, lane="browser", script=script)
    await engine.crawl(*pages, concurrency=6)
    assert engine.browser is not None and min(plan.seconds for plan in engine.browser.plans) > 60


async def test_every_url_has_one_fate() -> None:
    """The equation of the report, recomputed from rows alone, with candidates of a browser."""
    from archiver.ledger.states import state_of

    pages = {"/a.png": image(), "/r": redirect(f"{SITE}/a.png"), "/bad": Answer(failure=FailureCode.DISCONNECTED)}
    urls = ("/a.png", "/r", "/a.png", "/bad", f"{OTHER}/no")
    engine = engine_of(pages, asking(*urls))
    engine.bench.web.forbid(origin_of(f"{OTHER}/"), b"User-agent: *\nDisallow: /\n")
    await engine.crawl()
    fates: dict[str, tuple[int, int, str]] = {}
    for number, row in enumerate(engine.bench.ledger.bodies()):
        state = state_of(row)
        if state is not None and row.get("url"):
            fates[row["key"]] = max(fates.get(row["key"], (-1, 0, "")), (state.weight, number, state.word))
    assert {key.removeprefix(SITE): word for key, (_, _, word) in fates.items()} == {
        "/": "fetched", "/a.png": "fetched", "/r": "fetched", "/bad": "failed", f"{OTHER}/no": "refused",
    }  # fmt: skip
