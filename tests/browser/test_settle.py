"""When a page counts as having come to rest: what loads late is there, what never ends is not waited for."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web

from tests.browser.kit import IN_FLIGHT, Rig, Site

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium"), pytest.mark.asyncio(loop_scope="session")]

CHAIN = """<!doctype html><title>chain</title><div id=app></div><script>
const step = async n => {
  const text = await (await fetch('/step/' + n)).text();
  app.insertAdjacentHTML('beforeend', `<p>step ${n}</p>`);
  if (n < 6) setTimeout(step, 30, n + 1);
};
setTimeout(step, 30, 0);
</script>"""


async def slowly(request: web.Request) -> web.Response:
    await asyncio.sleep(0.1)
    return web.Response(text="x")


async def test_a_page_that_loads_late(rig: Rig, site: Site) -> None:
    site.pages = {"/": CHAIN} | {f"/step/{number}": slowly for number in range(7)}
    rendered = await rig.see(site.url())
    assert rendered.settled and b"<p>step 6</p>" in rendered.dom


async def test_a_clock_that_ticks(rig: Rig, site: Site) -> None:
    script = "<script>setInterval(() => clock.textContent = Date.now(), 20)</script>"
    site.pages = {"/": f"<!doctype html><title>t</title><body><p id=clock>{script}"}
    rendered = await rig.see(site.url())
    assert (rendered.failed, rendered.settled) == ("", False)


async def test_animations_of_style_sheets_are_rest(rig: Rig, site: Site) -> None:
    site.pages = {
        "/": "<!doctype html><title>t</title><style>@keyframes turn { to { transform: rotate(1turn) } }"
        "p { animation: turn 1s infinite }</style><p>x</p><marquee>y</marquee>"
    }
    assert (await rig.see(site.url())).settled


async def test_streams_and_media_are_not_waited_for(rig: Rig, site: Site) -> None:
    """An open event stream, a paused video of 20 MB, thirty requisites of one origin, four at a time."""
    video = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(20 << 20)
    gone = asyncio.Event()

    async def events(request: web.Request) -> web.StreamResponse:
        stream = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await stream.prepare(request)
        try:
            while True:
                await stream.write(b"data: tick\n\n")
                await asyncio.sleep(0.05)
        except ConnectionError:
            gone.set()
        return stream

    images = "".join(f"<img src=/image/{number}>" for number in range(30))
    site.pages = {
        "/": "<!doctype html><title>t</title><script>const all = new EventSource('/events');"
        "all.onmessage = () => document.body.dataset.ticked = 1</script>"
        f"<video preload=metadata src=/video></video>{images}",
        "/events": events,
        "/video": ("video/mp4", video),
        **{f"/image/{number}": slowly for number in range(30)},
    }
    rendered = await rig.see(site.url())
    assert (rendered.failed, rendered.settled) == ("", True) and b"data-ticked" in rendered.dom
    assert rig.last is not None
    whole = {one.candidate.url: one.exchange for one in rig.last.fetched}
    assert {site.url(f"/image/{number}") for number in range(30)} <= set(whole)
    assert site.most_at_once <= IN_FLIGHT + 1  # the event stream gave its place back
    kept = whole[site.url("/events")]
    assert kept is not None and kept.truncated is not None and b"data: tick" in kept.response.read()
    shown = [one.exchange for one in rig.last.fetched if one.candidate.url == site.url("/video") and one.exchange]
    assert any(one.truncated is None and one.response.size > len(video) for one in shown)
    async with asyncio.timeout(60):
        await gone.wait()
