"""In a real browser: whatever an archived page asks for stays on its own origin."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from archiver.model import Access
from tests.needs import need
from tests.replay.conftest import command
from tests.replay.hostile import live_server, page
from tests.replay.samples import SITE, STAMP, head, made, places, replaying, save

pytestmark = [
    pytest.mark.system, pytest.mark.replay, pytest.mark.browser, pytest.mark.needs("pywb", "chromium"),
]  # fmt: skip

EVERY_WAY_OUT = {
    "stylesheet", "preload", "image", "video", "object", "frame", "script", "import", "form", "fetch", "opaque",
    "beacon", "events", "socket", "module", "worker", "data-image", "top",
}  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    arguments = ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE *.localhost, EXCLUDE 127.0.0.1"]
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=need("chromium"), args=arguments, timeout=90_000)
        yield running
        running.close()


def new_tab(browser: Browser, **options: Any) -> Page:
    """A page of a context of its own, on a machine that others use too."""
    tab = browser.new_page(**options)
    tab.set_default_timeout(90_000)
    return tab


def test_the_page_gets_out_where_nothing_holds_it(browser: Browser) -> None:
    """Otherwise the next test would show nothing."""
    with live_server() as (live, asked):
        tab = new_tab(browser)
        deadline = time.monotonic() + 60
        with live_server(page(live, live + "/other", patience=60)) as (site, _):
            tab.goto(site, wait_until="commit")  # it goes elsewhere by itself
            while not {path[1:] for path in asked} >= EVERY_WAY_OUT and time.monotonic() < deadline:
                tab.wait_for_timeout(50)
        tab.close()
        assert {path[1:] for path in asked} >= EVERY_WAY_OUT


def test_nothing_leaves_the_origin(browser: Browser, tmp_path: Path) -> None:
    secret = made(
        "/secret", b"the secret", first=head(Access_Control_Allow_Origin="*"), access=Access.DARK
    )  # as the archived site sent it
    save(places(tmp_path, "other"), [secret])
    with (
        live_server() as (live, asked),
        replaying(command(tmp_path, "other"), tmp_path / "other.log") as (_, other),
    ):
        stolen = f"{other}{STAMP}id_/{SITE}/secret"
        save(places(tmp_path, "main"), [made("/hostile", page(live, stolen))])
        with replaying(command(tmp_path, "main"), tmp_path / "main.log") as (_, main):
            tab = new_tab(browser, viewport={"width": 900, "height": 700})
            tab.goto(f"{main}{STAMP}/{SITE}/hostile")
            frame = tab.frame_locator("#replay_iframe").locator("#log")
            expect(frame).to_contain_text("end:", timeout=90_000)
            outcomes = frame.text_content() or ""
            tab.wait_for_timeout(1500)  # the page's last attempt: its own frame's address
            tab.screenshot(path=tmp_path / "hostile.png")
            assert tab.url == f"{main}{STAMP}/{SITE}/hostile"
            assert len(tab.context.pages) == 1
            assert not tab.context.cookies()
            assert browser.contexts and "the secret" not in outcomes
            tab.close()
    assert asked == []
    for name in ("fetch", "opaque", "other", "socket", "module", "worker", "service worker", "window", "top"):
        assert f"{name}: stopped" in outcomes, outcomes


def test_other_sites_in_the_browser_cannot_read_the_replay(browser: Browser, tmp_path: Path) -> None:
    """A live page knows the port; the archived answer even allowed every origin."""
    dark = made("/secret", b"the secret", first=head(Access_Control_Allow_Origin="*"), access=Access.DARK)
    save(places(tmp_path), [dark])
    with live_server(b"<p>live</p>") as (live, _), replaying(command(tmp_path), tmp_path / "log") as (port, main):
        tab = new_tab(browser)
        tab.goto(live)
        for origin in (main, f"http://127.0.0.1:{port}/main/"):
            for mode in ("cors", "no-cors"):
                got = tab.evaluate(
                    "([url, mode]) => fetch(url, {mode}).then(a => a.type + a.text(), e => 'stopped: ' + e)",
                    [f"{origin}{STAMP}id_/{SITE}/secret", mode],
                )
                assert "the secret" not in got
                assert got.startswith("stopped") or origin != main, (mode, got)
        tab.close()


def test_a_page_is_shown_with_its_own_script_and_picture(browser: Browser, tmp_path: Path) -> None:
    picture = b'<svg xmlns="http://www.w3.org/2000/svg" width="80" height="80"><circle cx="40" cy="40" r="40"/></svg>'
    html = (
        b"<!doctype html><title>Town news</title><link rel=stylesheet href=/style.css><h1>Town news</h1>"
        b"<p id=p>before</p><img src=/round.svg><a href=http://away.test/ id=away>away</a><script src=/app.js></script>"
    )
    items = [
        made("/", html),
        made("/style.css", b"body { background: #eef; font-family: serif }", first=head(kind="text/css")),
        made("/round.svg", picture, first=head(kind="image/svg+xml")),
        made("/data.json", b'{"say": "fetched from the archive"}', first=head(kind="application/json")),
        made(
            "/app.js",
            b"fetch('/data.json').then(a => a.json()).then(d => { document.getElementById('p').textContent = d.say })",
            first=head(kind="text/javascript"),
        ),
    ]
    save(places(tmp_path), items)
    with replaying(command(tmp_path), tmp_path / "log") as (_, main):
        tab = new_tab(browser, viewport={"width": 900, "height": 600})
        tab.goto(f"{main}{STAMP}/{SITE}/")
        inside = tab.frame_locator("#replay_iframe")
        expect(inside.locator("#p")).to_have_text("fetched from the archive", timeout=60_000)
        expect(inside.locator("img")).to_have_js_property("naturalWidth", 80, timeout=60_000)
        expect(inside.locator("body")).to_have_css("background-color", "rgb(238, 238, 255)", timeout=60_000)
        expect(tab.get_by_role("note")).to_contain_text("Owner's view", timeout=60_000)
        tab.screenshot(path=tmp_path / "page.png")
        assert inside.locator("#away").evaluate("link => link.href") == "http://away.test/"  # as the page sees it
        inside.locator("#away").click()
        expect(tab.frame_locator("#replay_iframe").locator("body")).to_contain_text("http://away.test/", timeout=60_000)
        assert tab.url.startswith(main)
        tab.close()
