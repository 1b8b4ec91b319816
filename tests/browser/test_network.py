"""Requests of every kind that a browser makes: seen by the proxy, answered, attributed to their visit."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from aiohttp import WSMsgType, web

from tests.browser.kit import PLAN, Rig, Site

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium"), pytest.mark.asyncio(loop_scope="session")]

SCRIPT = "text/javascript"


def page(script: str) -> str:
    """Its title becomes what the script gives."""
    return f"""<!doctype html><title>none</title><link rel=icon href="data:,"><script>
        (async () => {{ {script} }})().then(said => document.title = said, error => document.title = 'error ' + error);
        </script>"""


async def echo(request: web.Request) -> web.WebSocketResponse:
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    async for message in socket:
        if message.type is WSMsgType.TEXT:
            await socket.send_str(f"echo {message.data}")
    return socket


SOCKET = """
const socket = new WebSocket(location.origin.replace('http', 'ws') + '/socket');
return new Promise(done => {
  socket.onopen = () => socket.send('hello ' + 'x'.repeat(70000));
  socket.onmessage = event => done(event.data.slice(0, 10));
  socket.onerror = () => done('refused');
});"""


@pytest.mark.parametrize("kind", ["site", "secure"])
async def test_a_web_socket(rig: Rig, kind: str, site: Site, secure: Site) -> None:
    chosen = site if kind == "site" else secure
    chosen.pages = {"/": page(SOCKET), "/socket": echo}
    rendered = await rig.see(chosen.url())
    assert rendered.title == "echo hello" and rendered.settled
    assert rig.last is not None
    kept = next(one.exchange for one in rig.last.fetched if one.candidate.url == chosen.url("/socket"))
    assert kept is not None and kept.status == 101 and b"\r\n\r\n\xc1" in kept.response.read()  # a compressed frame


async def test_an_upgrade_that_the_server_refuses(rig: Rig, site: Site) -> None:
    site.pages = {"/": page(SOCKET)}
    assert (await rig.see(site.url())).title == "refused"


@pytest.mark.parametrize("kind", ["site", "secure"])
async def test_workers_are_seen(rig: Rig, kind: str, site: Site, secure: Site) -> None:
    """The worker of the service, what it fetches by itself, and what it fetches for the page."""
    chosen = site if kind == "site" else secure
    service = "addEventListener('install', event => { skipWaiting(); event.waitUntil(fetch('/by-service')) });" \
        "addEventListener('activate', event => event.waitUntil(clients.claim()));" \
        "addEventListener('fetch', event => event.respondWith(fetch(event.request)));"  # fmt: skip
    other = (
        "importScripts('/imported-NAME.js'); fetch('/by-NAME').then(() => (self.postMessage || (() => {}))('done'));"
    )

    async def when_all_have_asked(request: web.Request) -> web.Response:
        """Until then the page is not at rest, and its workers have their time."""
        while not set(chosen.pages) <= set(chosen.paths()):
            await asyncio.sleep(0.01)
        return web.Response(text="through")

    chosen.pages = {
        "/": page("""
            new Worker('/dedicated.js'); new SharedWorker('/shared.js').port.start();
            await navigator.serviceWorker.register('/service.js');
            await new Promise(done => {
              if (navigator.serviceWorker.controller) done();
              navigator.serviceWorker.addEventListener('controllerchange', done);
            });
            return (await (await fetch('/through-service')).text())"""),
        "/service.js": (SCRIPT, service.encode()),
        "/through-service": when_all_have_asked,
        "/by-service": ("text/plain", b"x"),
    }
    for name in ("dedicated", "shared"):
        chosen.pages[f"/{name}.js"] = (SCRIPT, other.replace("NAME", name).encode())
        chosen.pages[f"/imported-{name}.js"] = (SCRIPT, b"1")
        chosen.pages[f"/by-{name}"] = ("text/plain", b"x")
    rendered = await rig.see(chosen.url(), site=f"workers {kind}")
    assert rendered.title == "through"
    assert rig.last is not None
    asked = {url.removeprefix(chosen.url("")) for url in rig.last.urls()}
    assert asked == set(chosen.pages) == {str(one.path) for one in chosen.seen}


async def test_a_worker_that_outlives_its_page_gets_nothing(rig: Rig, site: Site) -> None:
    """What it asks for after the visit is cut off: no request without a visit reaches a server."""
    service = "addEventListener('install', () => skipWaiting()); let n = 0;" \
        "setInterval(() => fetch('/late' + n++).catch(() => {}), 30);"  # fmt: skip
    site.pages = {
        "/": page("await navigator.serviceWorker.register('/s.js'); return 'on'"),
        "/s.js": (SCRIPT, service.encode()),
    }
    rendered = await rig.see(site.url(), site="outlived", seconds=20)
    assert rendered.title == "on"
    seen = len(site.seen)
    await asyncio.sleep(0.5)
    assert len(site.seen) == seen


async def test_a_preflight_goes_before_what_it_asks_for(rig: Rig, site: Site, other: Site) -> None:
    async def answer(request: web.Request) -> web.Response:
        headers = {"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "x-odd",
                   "Access-Control-Allow-Methods": "PUT"}  # fmt: skip
        return web.Response(text=f"{request.method} {await request.text()}", headers=headers)

    url = other.url("/api")
    site.pages = {"/": page(f"const put = {{method: 'PUT', body: 'b', headers: {{'x-odd': '1'}}}};"
                            f"return (await fetch('{url}', put)).text()")}  # fmt: skip
    other.pages = {"/api": answer}
    assert (await rig.see(site.url())).title == "PUT b"
    assert [one.method for one in other.seen] == ["OPTIONS", "PUT"]
    assert rig.last is not None and [one.method for one in rig.last.asked] == ["GET", "OPTIONS", "PUT"]


async def test_a_range(rig: Rig, site: Site) -> None:
    async def part(request: web.Request) -> web.Response:
        assert request.headers["Range"] == "bytes=2-4"
        return web.Response(status=206, body=b"cde", headers={"Content-Range": "bytes 2-4/10"})

    site.pages = {
        "/": page("const answer = await fetch('/part', {headers: {Range: 'bytes=2-4'}});"
                  "return answer.status + await answer.text()"),
        "/part": part,
    }  # fmt: skip
    assert (await rig.see(site.url())).title == "206cde"


async def test_an_origin_that_asks_for_a_proxys_password(rig: Rig, site: Site) -> None:
    """Taken for one of the proxy's: what asked is not answered, and nobody waits for it."""

    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=407, headers={"Proxy-Authenticate": "Basic realm=x"}, text="no")

    site.pages = {"/": page("return 'after ' + await fetch('/407').then(a => a.status, () => 'error')"), "/407": answer}
    rendered = await rig.see(site.url(), seconds=20)
    assert (rendered.failed, rendered.settled, rendered.title) == ("", True, "none")
    assert site.count()["/407"] == 1


async def test_an_origin_that_asks_for_a_password(rig: Rig, site: Site) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=401, headers={"WWW-Authenticate": "Basic realm=x"}, text="no")

    site.pages = {"/": answer}
    rendered = await rig.see(site.url(), seconds=20)
    assert b"no" in rendered.dom or rendered.failed


async def test_answers_that_close(rig: Rig, site: Site) -> None:
    async def answer(request: web.Request) -> web.Response:
        response = web.Response(text="ok")
        response.force_close()
        return response

    site.pages = {"/": page("const all = await Promise.all([...Array(12).keys()].map(n => fetch('/close' + n)"
                            ".then(answer => answer.text()))); return all.join('')")}  # fmt: skip
    site.pages |= {f"/close{number}": answer for number in range(12)}
    assert (await rig.see(site.url())).title == "ok" * 12


async def test_heads_past_the_limit_are_cut_off(rig: Rig, site: Site) -> None:
    site.pages = {
        "/": page(
            "const headers = {'x-flood': 'x'.repeat(2000000)};"
            "return await fetch('/flood', {headers}).then(() => 'answered', () => 'cut off')"
        ),
        "/flood": "x",
    }
    assert (await rig.see(site.url())).title == "cut off"
    assert "/flood" not in site.paths()


async def test_a_big_body_goes_up(rig: Rig, site: Site) -> None:
    async def size(request: web.Request) -> web.Response:
        return web.Response(text=str(len(await request.read())))

    site.pages = {
        "/": page("return (await fetch('/up', {method: 'POST', body: new Uint8Array(900000)})).text()"),
        "/up": size,
    }
    assert (await rig.see(site.url())).title == "900000"


async def test_nothing_of_one_page_is_left_for_the_next(rig: Rig, site: Site) -> None:
    """One tab serves a context: the next page finds no storage of its session, no name, no history."""
    look = "[sessionStorage.length, window.name, history.length, document.referrer, !!window.opener].join()"
    site.pages = {
        "/": page(
            "sessionStorage.x = 1; window.name = 'n'; history.pushState({}, '', '/2'); localStorage.y = 1; return 'set'"
        ),
        "/next": page(f"return {look} + localStorage.length"),
    }
    assert (await rig.see(site.url(), site="left")).title == "set"
    later, fresh = [(await rig.see(site.url("/next"), site=name)).title for name in ("left", "another site")]
    assert later == fresh[:-1] + "1" and fresh.startswith("0,,") and fresh.endswith(",,false0")


async def test_what_a_page_says_as_it_leaves_is_its_own(rig: Rig, site: Site) -> None:
    visit = rig.visit()
    site.pages = {
        "/": page("addEventListener('pagehide', () => navigator.sendBeacon('/bye')); return 'x'"),
        "/bye": slow_ok,
    }
    await rig.see(site.url(), visit=visit, site="leaves")
    site.pages["/next"] = page("return 'next'")
    await rig.see(site.url("/next"), site="leaves")
    assert rig.last is not None and rig.last.urls() == [site.url("/next")]


async def slow_ok(request: web.Request) -> web.Response:
    return web.Response(text="ok")


async def test_screen_language_and_agent_are_what_the_plan_says(rig: Rig, site: Site) -> None:
    site.pages = {"/": page("return [navigator.userAgent === 'UA/1', navigator.language, innerWidth, devicePixelRatio,"
                            "Intl.DateTimeFormat().resolvedOptions().timeZone, navigator.globalPrivacyControl,"
                            "navigator.webdriver, 'userAgentData' in navigator].join()")}  # fmt: skip
    screen = replace(PLAN.screen, width=800, height=600, scale=2.0, lang="de-DE", timezone="Europe/Berlin")
    rendered = await rig.see(site.url(), screen=screen, user_agent="UA/1")
    assert rendered.title == "true,de-DE,800,2,Europe/Berlin,true,true,false"
    headers = site.seen[0].headers
    assert headers["User-Agent"] == "UA/1" and headers["Accept-Language"].startswith("de-DE")
    assert not [name for name in headers if name.lower().startswith("sec-ch-")]
