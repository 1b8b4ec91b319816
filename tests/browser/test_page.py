"""Whatever a page does, `render` comes back in its time and says what happened; the next page is not hurt by it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

import pytest
from aiohttp import web

from archiver.browser.incidents import NOTED
from tests.browser.kit import PLAN, Rig, Site

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium"), pytest.mark.asyncio(loop_scope="session")]

LATENESS = 50.0
"""Seconds past the plan's own: closing, and a machine that others use too."""


def page(script: str = "", body: str = "<p>here</p>") -> str:
    return f"<!doctype html><title>T</title><body>{body}<script>{script}</script>"


@dataclass(frozen=True, slots=True)
class Odd:
    """A page that misbehaves, and what may be expected of its rendering."""

    name: str
    html: str
    notes: tuple[str, ...] = ()
    failed: str = ""
    seconds: float = 60.0


ODD = (
    Odd("endless-loop", page("while (true) {}"), failed="hung", seconds=12.0),
    Odd("endless-loop-later", page("setTimeout(() => { while (true) {} }, 300)"), failed="hung", seconds=12.0),
    Odd("endless-microtasks", page("const f = () => Promise.resolve().then(f); f()"), failed="hung", seconds=12.0),
    Odd("alerts", page("for (let i = 0; i < 30; i++) alert('a' + i)"), notes=("dialogs",)),
    Odd("alerts-for-ever", page("while (true) alert('again')"), notes=("dialogs",), failed="hung"),
    Odd("confirm-and-prompt", page("confirm('c'); prompt('p', 'x')"), notes=("dialogs",)),
    Odd("beforeunload", page("addEventListener('beforeunload', e => { e.preventDefault(); e.returnValue = 'x'; })")),
    Odd("window-open", page("for (let i = 0; i < 20; i++) window.open('/popup' + i)"), notes=("popups",)),
    Odd("blank-target", page("document.querySelector('a').click()", "<a href=/popup target=_blank>x</a>"), ("popups",)),
    Odd("opener-less", page("window.open('/popup', '_blank', 'noopener')"), notes=("popups",)),
    Odd(
        "blob-download",
        page("const a = document.createElement('a'); a.href = URL.createObjectURL(new Blob(['x']));"
             "a.download = 'x.bin'; a.click()"),
        notes=("downloads",),
    ),
    Odd(
        "permissions",
        page("navigator.geolocation.getCurrentPosition(() => {}, () => {}); Notification.requestPermission();"
             "navigator.mediaDevices?.getUserMedia({video: true, audio: true}).catch(() => {});"
             "navigator.clipboard?.readText().catch(() => {}); navigator.requestMIDIAccess?.().catch(() => {})"),
    ),
    Odd("print", page("print(); print()")),
    Odd("fullscreen-and-locks", page("document.documentElement.requestFullscreen().catch(() => {});"
                                     "document.documentElement.requestPointerLock()")),
    Odd("worker-that-spins", page("new Worker(URL.createObjectURL(new Blob(['while (true) {}'])))")),
    Odd("closes-itself", page("setTimeout(() => window.close(), 100)")),
    Odd("huge-dom", page("document.body.innerHTML += '<b>x</b>'.repeat(40000)")),
    Odd("tall", page(body="<div style='height:30000px;background:linear-gradient(red,blue)'></div>")),
    Odd(
        "deep-shadow",
        page("let e = document.body; for (let i = 0; i < 400; i++) {"
             "const d = document.createElement('div'); e.append(d); e = d.attachShadow({mode: 'open'}); }"),
    ),
)  # fmt: skip


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: odd.name)
async def test_comes_back_and_says_what_happened(rig: Rig, site: Site, odd: Odd) -> None:
    site.pages = {"/": odd.html}
    async with asyncio.timeout(odd.seconds + LATENESS):
        rendered = await rig.see(
            site.url(), seconds=odd.seconds, behaviors=("scroll",), views=frozenset({"dom", "view", "fullPage"})
        )
    assert rendered.failed == odd.failed
    assert set(odd.notes) <= set(rendered.notes)


@pytest.mark.parametrize("script", ["while (true) {}", "const f = () => Promise.resolve().then(f); f()"])
async def test_scripts_without_end_are_ended_and_the_page_is_kept(rig: Rig, site: Site, script: str) -> None:
    site.pages = {"/": page(script, "<h1>headline</h1>")}
    rendered = await rig.see(site.url(), seconds=16, views=frozenset({"dom", "view"}))
    assert (rendered.failed, rendered.notes["scriptsEnded"]) == ("hung", 1)
    assert b"<h1>headline</h1>" in rendered.dom and {view.name for view in rendered.views} == {"dom", "view"}


async def test_dialogs_are_told_and_counted(rig: Rig, site: Site) -> None:
    site.pages = {"/": page("document.title = [confirm('sure?'), prompt('name', 'x') === null];"
                            "for (let i = 0; i < 30; i++) alert('a' + i)")}  # fmt: skip
    rendered = await rig.see(site.url())
    assert rendered.title == "false,true"
    assert rendered.notes["dialogs"][:2] == [
        {"type": "confirm", "message": "sure?"}, {"type": "prompt", "message": "name"},
    ]  # fmt: skip
    assert (len(rendered.notes["dialogs"]), rendered.notes["dialogsCount"]) == (NOTED, 32)


async def test_nothing_is_permitted(rig: Rig, site: Site) -> None:
    names = ["geolocation", "notifications", "camera", "microphone", "clipboard-read", "midi"]
    site.pages = {"/": page(f"""
        Promise.all({names}.map(name => navigator.permissions.query({{name}}).then(s => s.state, e => 'none')))
          .then(states => document.title = states.join(' '))""")}  # fmt: skip
    rendered = await rig.see(site.url())
    assert "granted" not in rendered.title and len(rendered.title.split()) == len(names)


async def test_an_answer_that_is_a_download(rig: Rig, site: Site) -> None:
    async def attachment(request: web.Request) -> web.Response:
        return web.Response(body=b"x" * 100, headers={"Content-Disposition": "attachment; filename=a.bin"})

    site.pages = {"/": attachment}
    rendered = await rig.see(site.url(), seconds=60)
    assert rendered.failed.startswith("navigation: ") and rendered.notes["downloads"][0]["name"] == "a.bin"


@pytest.mark.parametrize(
    ("answer", "said"),
    [("refused", "451"), ("broken", "ERR_"), ("nothing", "")],
)
async def test_a_document_that_does_not_come(rig: Rig, site: Site, answer: str, said: str) -> None:
    async def broken(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async def nothing(request: web.Request) -> web.Response:
        await asyncio.sleep(600)
        return web.Response()

    site.pages = {"/": nothing if answer == "nothing" else broken}
    visit = rig.visit(refuse=lambda request: answer == "refused")
    rendered = await rig.see(site.url(), seconds=6 if answer == "nothing" else 60, visit=visit)
    if answer == "refused":
        assert b"outOfScope" in rendered.dom
    else:
        assert rendered.failed.startswith("navigation: ") and said in rendered.failed


async def test_the_crash_of_a_page_is_told_and_hurts_nobody_else(rig: Rig, site: Site, other: Site) -> None:
    site.pages = {"/": page("onload = () => fetch('/now')")}
    other.pages = {"/": page()}
    visit = rig.visit()
    plan = replace(PLAN, url=site.url(), seconds=60)
    opened = await rig.chromium.page(visit.answer, site="crash", plan=plan)

    async def crash(request: web.Request) -> web.Response:
        await opened._session.send("Page.crash")  # type: ignore[attr-defined]
        return web.Response()

    site.pages["/now"] = crash
    rendered = await opened.render(plan, visit, visit.rows.append)
    await rig.chromium.release(opened)
    assert rendered.failed == "crashed"
    assert (await rig.see(other.url())).failed == ""


async def test_a_page_that_leads_on_and_on(rig: Rig, site: Site) -> None:
    site.pages = {"/": page("location.href = '/?' + Math.random()")}
    rendered = await rig.see(site.url(), seconds=6)
    assert rendered.failed or not rendered.settled
    site.pages = {"/": page("if (!location.search) location.href = '/?end'", "<h1>end</h1>")}
    rendered = await rig.see(site.url())
    assert (rendered.failed, rendered.final_url) == ("", site.url("/?end"))


async def test_a_next_document_that_does_not_come_is_no_hang(rig: Rig, site: Site) -> None:
    async def slow(request: web.Request) -> web.Response:
        await asyncio.sleep(600)  # until the test is over
        return web.Response()

    site.pages = {"/": page("setTimeout(() => location.href = '/slow', 10)", "<h1>headline</h1>"), "/slow": slow}
    rendered = await rig.see(site.url(), seconds=18)
    assert (rendered.failed, rendered.settled) == ("", False)
    assert "scriptsEnded" not in rendered.notes and b"headline" in rendered.dom


async def test_two_pages_of_one_context_know_their_own_windows(rig: Rig, site: Site) -> None:
    site.pages = {"/": page("window.open('/popup')"), "/quiet": page()}
    first, second = await rig.see(site.url(), site="same"), await rig.see(site.url("/quiet"), site="same")
    assert len(first.notes["popups"]) == 1 and not second.notes


@pytest.mark.parametrize("script", ["history.pushState({}, '', '/p' + Math.random())", "window.open('/popup')"])
async def test_a_flood_ends_in_time(own_rig: Rig, site: Site, script: str) -> None:
    site.pages = {"/": page(f"setInterval(() => {script}, 2)")}
    async with asyncio.timeout(100):  # it ends by itself: how late is the machine's matter
        rendered = await own_rig.see(site.url(), seconds=8, behaviors=("scroll",))
    site.pages = {"/": page()}
    assert rendered.final_url and (await own_rig.see(site.url(), site="next")).failed == ""
