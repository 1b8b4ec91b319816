"""Which lane a page is captured in, what the browser's document says about it, and pages that are challenges."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from archiver.engine.browser_memory import Script, Tab
from archiver.engine.lanes import pattern_of
from archiver.errors import BrowserError
from archiver.model import Access, CaptureItem, ConsentOutcome, DocumentItem, FailureCode, Lane, Status
from archiver.ports.browser import Rendered, View
from archiver.wire.memory import Answer
from tests.engine.bench import SITE, Engine, html, image

APP = html("<div id=root></div><script src=/app.js></script><a href=/raw>x</a>")
PLAIN = html("<p>" + "Words enough to be read by everybody. " * 20 + "<img src=/i.png>")
CHALLENGE = Answer(
    status=403,
    headers={"Content-Type": "text/html", "cf-mitigated": "challenge"},
    body=b"<title>Just a moment...</title><script src=/x.js></script><a href=/trap>x</a>" + b" " * 2000,
)
CONSENT = ConsentOutcome(outcome="rejected", engine="rules", details={"policy": "reject", "setBy": "policy strict/1"})
PICTURE = View(name="view", content_type="image/jpeg", payload=b"jpeg", about={"scale": 1})
TEXT = View(name="text", content_type="text/plain", payload=b"text")


def leaving(dom: str, *, title: str = "", frame: str = "", **made: object) -> Script:
    """Load the page, perhaps a frame in it, and leave this document behind."""

    async def script(tab: Tab) -> Rendered:
        await tab.go(tab.plan.url)
        if frame:
            await tab.ask(frame, "document")
        views = (PICTURE, TEXT)
        return Rendered(final_url=tab.url, dom=dom.encode(), title=title, views=views, consent=CONSENT, **made)  # type: ignore[arg-type]

    return script


def made(engine: Engine) -> dict[str, DocumentItem]:
    items = engine.bench.recorder.items
    return {item.target.split(":")[1]: item for item in items if isinstance(item, DocumentItem)}


def capture(engine: Engine, url: str) -> CaptureItem:
    (item,) = [one for one in engine.bench.recorder.items if isinstance(one, CaptureItem) and one.exchange.url == url]
    return item


def lane_row(engine: Engine) -> dict:  # type: ignore[type-arg]
    (row,) = engine.bench.rows("lane")
    return row


# --- the lane ---


async def test_a_page_that_is_whole_over_plain_http_never_sees_the_browser() -> None:
    engine = Engine({"/": PLAIN, "/i.png": image()}, lane="auto", script=leaving(""))
    page = await engine.visit()
    assert engine.browser is not None and engine.browser.plans == []
    assert (page.lane, page.completeness.kept, engine.bench.rows("lane")) == (Lane.HTTP, 1, [])


async def test_evidence_leads_to_the_browser_and_stands_in_the_ledger() -> None:
    engine = Engine({"/": APP}, lane="auto", script=leaving("<p>full"))
    page = await engine.visit()
    row = lane_row(engine)
    assert (page.lane, row["lane"], row["capture_id"]) == (Lane.BROWSER, "browser", page.capture_id)
    assert [sign["name"] for sign in row["signs"]] == ["emptyRoot", "littleText"]


async def test_lane_http_starts_no_browser_and_says_what_it_saw() -> None:
    engine = Engine({"/": APP, "/app.js": image()}, lane="http", script=leaving(""))
    page = await engine.visit()
    row = lane_row(engine)
    assert engine.browser is not None and engine.browser.plans == []
    assert (page.lane, row["lane"], row["setting"], page.completeness.kept) == (Lane.HTTP, "http", "http", 1)


async def test_lane_browser_takes_any_page_there_but_one_that_says_come_back() -> None:
    engine = Engine({"/": PLAIN, "/no": Answer(status=404, headers={"Content-Type": "text/html"}, body=b"no"),
                     "/busy": Answer(status=503, headers={"Content-Type": "text/html"}, body=b"busy")},
                    lane="browser", script=leaving("<p>x"))  # fmt: skip
    lanes = [(await engine.visit(path)).lane for path in ("/", "/no")]
    assert lanes == [Lane.BROWSER, Lane.BROWSER]
    assert (await engine.visit("/busy")).lane is Lane.HTTP


@pytest.mark.parametrize("how", ["none", "broken"])
async def test_auto_without_a_browser_gets_what_it_can_and_names_the_way_to_one(how: str) -> None:
    script = None if how == "none" else leaving("")
    engine = Engine({"/": APP, "/app.js": image()}, lane="auto", script=script)
    if engine.browser is not None:
        engine.browser.broken = "/usr/bin/chromium: it does not start"
    page = await engine.visit()
    (gap,) = page.completeness.matter
    assert gap.url == f"{SITE}/" and gap.rule.startswith("needs a browser: ")
    assert ("make setup" in gap.rule) == (how == "none")
    assert page.completeness.kept == 1, "its requisites over plain HTTP"
    assert (page.lane, lane_row(engine)["lane"]) == (Lane.HTTP, "http") and lane_row(engine)["unavailable"]


async def test_lane_browser_without_a_browser_ends_the_run() -> None:
    with pytest.raises(BrowserError) as told:
        await Engine({"/": APP}, lane="browser").visit()
    assert told.value.exit_code == 10 and "make setup" in str(told.value)


async def test_a_browser_that_died_leaves_the_rest_to_plain_http() -> None:
    engine = Engine({"/": APP, "/app.js": image()}, lane="auto", script=leaving("", failed="crashed"))
    page = await engine.visit()
    assert page.completeness.kept == 1 and "/app.js" in engine.asked
    assert [gap.rule for gap in page.completeness.matter] == ["in the browser: crashed"]


async def test_the_browsers_own_error_page_is_nobodys_text() -> None:
    async def script(tab: Tab) -> Rendered:
        return Rendered(final_url="chrome-error://chromewebdata/", dom=b"<a href=/x>", title="a.test", views=(TEXT,))

    engine = Engine({"/": APP}, lane="auto", script=script)
    page = await engine.visit()
    assert page.title != "a.test" and "text" not in made(engine)


async def test_pages_of_one_kind_are_not_looked_at_each_time() -> None:
    pages = {f"/news/{number}": APP for number in range(5)} | {f"/about/{number}": PLAIN for number in range(5)}
    engine = Engine(pages, lane="auto", script=leaving("<p>x"))
    for path in pages:
        await engine.visit(path)
    rows = engine.bench.rows("lane")
    assert [("signs" in row, row.get("remembered")) for row in rows] == [
        *[(True, None)] * 3, *[(False, f"{SITE}/news/*")] * 2
    ]  # fmt: skip


async def test_a_sample_of_a_known_kind_is_looked_at_again() -> None:
    pages = {f"/news/{number}": APP for number in range(3)} | {f"/news/{number}": PLAIN for number in range(3, 15)}
    engine = Engine(pages, lane="auto", script=leaving("<p>x"))
    lanes = [(await engine.visit(path)).lane for path in pages]
    assert lanes == [*[Lane.BROWSER] * 13, *[Lane.HTTP] * 2], "three looks, ten by memory, then what they are"


@pytest.mark.parametrize(
    ("url", "pattern"),
    [
        ("https://a.test/news/2026/11/x-y-z?id=7#top", "https://a.test/news/*/*/*"),
        ("https://a.test/", "https://a.test/"),
        ("https://a.test/page7", "https://a.test/page*"),
        ("https://a.test/a-headline-that-names-one-article", "https://a.test/*"),
        ("https://a.test/a/deadbeef01/", "https://a.test/a/*/"),
        ("https://a.test:8080/a/b", "https://a.test:8080/a/*"),
    ],
    ids=["dated", "home", "number", "slug", "hex", "port"],
)
def test_what_pages_of_one_kind_are(url: str, pattern: str) -> None:
    assert pattern_of(url) == pattern


async def test_without_requisites_there_is_no_browser() -> None:
    engine = Engine({"/": APP}, lane="auto", script=leaving(""), want_requisites=False)
    assert (await engine.visit()).lane is Lane.HTTP


# --- what the document in the browser says ---


async def test_links_of_both_documents_are_found() -> None:
    engine = Engine({"/": APP, "/raw": PLAIN, "/built": PLAIN}, lane="auto",
                    script=leaving("<a href=/built>x</a>", title="Built"))  # fmt: skip
    await engine.crawl()
    found = {row["url"].removeprefix(SITE) for row in engine.bench.rows("discovered")}
    assert found == {"/raw", "/built"} and {"/raw", "/built"} <= set(engine.asked)
    assert engine.told[0].title == "Built"


@pytest.mark.parametrize("where", ["raw", "dom"])
async def test_a_noarchive_of_either_document_binds_everything_that_was_made(where: str) -> None:
    meta = "<meta name=robots content=noarchive>"
    raw = html((meta if where == "raw" else "") + "<div id=root></div><script></script>")
    engine = Engine({"/": raw}, lane="auto", script=leaving(meta if where == "dom" else "<p>x"))
    page = await engine.visit()
    assert page.access is Access.DARK
    assert {item.access for item in engine.bench.recorder.items} == {Access.DARK}
    assert {"view", "text", "pageinfo", "consent"} <= set(made(engine))


async def test_what_is_made_of_a_page_names_its_response() -> None:
    engine = Engine({"/": APP}, lane="auto", script=leaving("<p>x"))
    page = await engine.visit()
    item = made(engine)["view"]
    assert item.concurrent_to == capture(engine, f"{SITE}/").response_id and item.about == {"scale": 1}
    assert page.consent is CONSENT and engine.bench.rows("visit")[0]["consent"]["outcome"] == "rejected"
    (row,) = engine.bench.rows("consent")
    assert (row["stage"], row["outcome"], row["policy"]) == ("outcome", "rejected", "reject")


async def test_a_picture_is_as_dark_as_what_it_shows() -> None:
    frame = html("<meta name=robots content=noarchive>")
    engine = Engine({"/": APP, "/f": frame}, lane="auto", script=leaving("<p>x", frame=f"{SITE}/f"))
    page = await engine.visit()
    access = {name: item.access for name, item in made(engine).items() if name != "policy"}
    assert page.access is Access.OPEN
    assert access == {"view": Access.DARK, "text": Access.OPEN, "pageinfo": Access.OPEN, "consent": Access.OPEN}


async def test_of_what_is_not_to_be_stored_nothing_is_made() -> None:
    from dataclasses import replace as changed

    meta = "<meta name=robots content=noarchive>"
    engine = Engine({"/": html(meta + "<div id=root></div><script></script>")}, lane="auto",
                    script=leaving(meta, title="Secret"))  # fmt: skip
    judge = engine.bench.gate.judge
    engine.bench.gate.judge = lambda fetched, elements: dropped(judge(fetched, elements), changed)  # type: ignore[method-assign]
    await engine.visit()
    assert set(made(engine)) == {"pageinfo", "consent"} and b"Secret" not in made(engine)["pageinfo"].payload


def dropped(fetched, changed):  # type: ignore[no-untyped-def]
    return changed(fetched, keep=changed(fetched.keep, drop_body=True))


async def test_a_verdict_after_a_full_spool_changes_who_sees_it_and_no_file() -> None:
    async def script(tab: Tab) -> Rendered:
        await tab.go(tab.plan.url)
        await tab.ask(f"{SITE}/big.png")
        return Rendered(final_url=tab.url, dom=b"<meta name=robots content=noarchive>", views=(PICTURE,))

    big = Answer(headers={"Content-Type": "image/png"}, body=b"x" * 3000)
    engine = Engine({"/": APP, "/big.png": big}, lane="auto", script=script, spool=2500)
    page = await engine.visit()
    item = capture(engine, f"{SITE}/")
    assert (item.access, page.access) == (Access.OPEN, Access.DARK), "it lay in its file already"
    (row,) = engine.bench.rows("access")
    assert (row["url"], row["access"], row["reason"]) == (f"{SITE}/", "dark", "noarchive")
    assert row["record"]["record_id"] == item.response_id and row["record"]["file"] == "open.warc.gz"
    assert made(engine)["view"].access is Access.DARK


async def test_a_page_out_of_lists_takes_its_views_with_it() -> None:
    until = datetime(2030, 1, 1, tzinfo=UTC)
    robots = f"noindex, unavailable_after: {until:%d %b %Y %H:%M:%S} GMT"
    engine = Engine({"/": html("<div id=root></div><script></script>", **{"X-Robots-Tag": robots})}, lane="auto",
                    script=leaving("<p>x"))  # fmt: skip
    await engine.visit()
    rows = engine.bench.rows("access")
    assert {row["target"].split(":")[1] for row in rows} == {"view", "text", "pageinfo", "consent"}
    assert all(row["listed"] is False and row["expires"].startswith("2030-01-01") for row in rows)


# --- challenges ---


@pytest.mark.parametrize("lane", ["auto", "http", "browser"])
async def test_a_challenge_is_kept_and_is_no_page(lane: str) -> None:
    engine = Engine({"/": CHALLENGE}, lane=lane, script=leaving(""))
    await engine.crawl()
    (page,) = engine.told
    assert engine.asked == ["/"] and engine.browser is not None and engine.browser.plans == []
    assert (page.status, page.failure and page.failure.code) == (Status.FAILED, FailureCode.CHALLENGE)
    assert page.failure is not None and page.failure.message.startswith("botblock:cloudflare: ")
    item = capture(engine, f"{SITE}/")
    assert not item.dedupe and b'"challenge":"cloudflare"' in item.policy_json
    (outcome,) = [row for row in engine.bench.rows("outcome") if row["url"] == f"{SITE}/"]
    assert outcome["challenge"] == lane_row(engine)["challenge"] == "cloudflare"
    assert engine.log.added == [] and engine.bench.rows("discovered") == []


async def test_one_that_a_script_puts_up_is_told_too() -> None:
    dom = "<title>x</title><div id=anubis_challenge></div>".replace("id=anubis_challenge", 'id="anubis_challenge"')
    engine = Engine({"/": APP}, lane="auto", script=leaving(dom))
    page = await engine.visit()
    assert page.status is Status.FAILED and lane_row(engine)["challenge"] == "anubis"
    assert not capture(engine, f"{SITE}/").dedupe and engine.bench.rows("discovered") == []


async def test_one_among_pages_of_a_known_kind_is_told() -> None:
    wall = html('<title>x</title><div id="anubis_challenge"></div>')
    pages = {f"/news/{number}": PLAIN for number in range(4)} | {"/news/9": wall}
    engine = Engine(pages, lane="auto", script=leaving(""))
    pages_told = [await engine.visit(path) for path in pages]
    assert [page.status for page in pages_told] == [*[Status.CAPTURED] * 4, Status.FAILED]


async def test_without_requisites_a_challenge_is_told_all_the_same() -> None:
    engine = Engine({"/": CHALLENGE}, lane="auto", script=leaving(""), want_requisites=False)
    assert (await engine.visit()).status is Status.FAILED
