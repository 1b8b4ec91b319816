"""Chromium is killed, its driver is killed, we are killed: the next page works, and no process of ours is left."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web

from archiver.browser.pool import Chromium
from archiver.browser.tree import Found, Tree, below, command, everyone, kill, look_at
from archiver.clock import SYSTEM
from archiver.errors import BrowserError
from archiver.wire.proxy import Proxy
from tests.browser.kit import PLAN, Rig, Site, steps

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium"), pytest.mark.asyncio(loop_scope="session")]

ROOT = Path(__file__).parents[2]
PAGE = "<!doctype html><title>T</title><p>here<script>onload = () => fetch('/now')</script>"
ENDLESS = """<!doctype html><script>
const told = new XMLHttpRequest(); told.open('GET', '/begun', false); told.send(); while (true) {}</script>"""
"""Says that it has begun, and never ends."""


def tree_of(rig: Rig) -> Tree:
    process = rig.chromium._process
    assert process is not None
    return process.tree


def left(members: Iterable[Found]) -> list[Found]:
    """Those that live on, zombies left out."""
    return [one for one in members if (now := look_at(one.pid)) and now.born == one.born and now.state not in "ZX"]


async def gone(members: Iterable[Found], within: float = 60.0) -> bool:
    members = list(members)
    until = time.monotonic() + within
    while left(members):
        if time.monotonic() > until:
            return False
        await asyncio.sleep(0.05)
    return True


async def rendered_while(rig: Rig, site: Site, then: object) -> str:
    """What failed of a page in whose middle `then` is done."""

    async def now(request: web.Request) -> web.Response:
        then()  # type: ignore[operator]
        return web.Response()

    site.pages = {"/": PAGE, "/now": now, "/next": "<!doctype html><title>next</title>"}
    return (await rig.see(site.url(), seconds=60, behaviors=("scroll",))).failed


def endless(site: Site) -> asyncio.Event:
    """Serves a page whose scripts never end; what it gives is set when they run."""
    begun = asyncio.Event()

    async def note(request: web.Request) -> web.Response:
        begun.set()
        return web.Response()

    site.pages = {"/": ENDLESS, "/begun": note}
    return begun


async def next_title(rig: Rig, site: Site) -> str:
    return (await rig.see(site.url("/next"))).title


async def test_a_killed_renderer(own_rig: Rig, site: Site) -> None:
    def kill_renderers() -> None:
        for one in tree_of(own_rig).members():
            if b"--type=renderer" in command(one.pid):
                kill(one)

    assert await rendered_while(own_rig, site, kill_renderers) == "crashed"
    assert await next_title(own_rig, site) == "next"


async def test_a_killed_browser(own_rig: Rig, site: Site) -> None:
    members: list[Found] = []

    def kill_browser() -> None:
        members.extend(tree_of(own_rig).members())
        os.kill(tree_of(own_rig).session, signal.SIGKILL)

    assert await rendered_while(own_rig, site, kill_browser) == "crashed"
    assert await gone(members)
    assert await next_title(own_rig, site) == "next"


async def test_a_killed_driver(own_rig: Rig, site: Site) -> None:
    members: list[Found] = []

    def kill_driver() -> None:
        members.extend(tree_of(own_rig).members())
        driver = own_rig.chromium._driver
        assert driver is not None and len(driver._processes) == 1
        kill(driver._processes[0])

    assert await rendered_while(own_rig, site, kill_driver) == "crashed"
    assert await gone(members)
    assert await next_title(own_rig, site) == "next"


async def test_close_ends_everything_even_what_hangs(own_rig: Rig, site: Site) -> None:
    begun = endless(site)
    visit = own_rig.visit()
    page = await own_rig.chromium.page(visit.answer, site="s", plan=replace(PLAN, url=site.url()))
    rendering = asyncio.get_running_loop().create_task(
        page.render(replace(PLAN, url=site.url()), visit, visit.rows.append)
    )
    await asyncio.wait_for(begun.wait(), 60)
    driver = own_rig.chromium._driver
    assert driver is not None
    members = tree_of(own_rig).members() + driver._processes  # not those of a rig that other tests share
    assert len(members) > 3
    await own_rig.chromium.close()
    assert await gone(members)
    assert (await rendering).failed


async def test_close_touches_nobody_else(own_rig: Rig, rig: Rig, site: Site) -> None:
    """Another Chromium of this user, a child of this very process, lives on."""
    site.pages = {"/": "<!doctype html><title>other</title>"}
    await rig.see(site.url())
    await own_rig.see(site.url())
    before = tree_of(rig).members()
    await own_rig.chromium.close()
    assert left(before) == before
    assert (await rig.see(site.url())).title == "other"


async def test_a_number_that_went_to_another_process_is_left_alone() -> None:
    child = subprocess.Popen(["sleep", "60"], start_new_session=True)
    try:
        found = look_at(child.pid)
        assert found is not None and found.session == child.pid
        earlier = replace(found, born=found.born - 1)
        kill(earlier)
        assert Tree(earlier).members() == [] and Tree(earlier).kill() == 0
        assert child.poll() is None
        assert Tree(found).kill() == 1
        assert child.wait(60) == -signal.SIGKILL
        assert Tree(found).members() == [] and found not in everyone()
    finally:
        child.kill()
        child.wait()


async def test_what_does_not_start_says_why(tmp_path: Path) -> None:
    fake = tmp_path / "chromium"
    fake.write_text("#!/bin/sh\necho no display here >&2\nexit 3\n", encoding="ascii")
    fake.chmod(0o755)
    proxy = Proxy(SYSTEM)
    chromium = Chromium(fake, proxy, steps(), sandbox=False)
    with pytest.raises(BrowserError, match="no display here"):
        await chromium.page(Rig.make(fake, spool=tmp_path, sandbox=False).visit().answer, site="s", plan=PLAN)
    await chromium.close()
    await proxy.close()


async def test_a_page_that_eats_memory_is_ended(own_rig: Rig, site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archiver.browser.process.RENDERER_LIMIT", 600 << 20)
    monkeypatch.setattr("archiver.browser.process._WATCH_SECONDS", 0.3)
    site.pages = {
        # it changes all the while, so that nobody takes it for loaded before its memory is looked at
        "/": "<!doctype html><body><script>const all = []; setInterval(() => { all.push(new Uint8Array(2e7).fill(1));"
        "document.body.append(document.createElement('p')); }, 20)</script>",
        "/next": "<!doctype html><title>next</title>",
    }
    assert (await own_rig.see(site.url(), seconds=60)).failed == "crashed"
    assert await next_title(own_rig, site) == "next"


_CHILD = """
import asyncio, sys
from pathlib import Path
from dataclasses import replace
from tests.browser.kit import PLAN, Rig

async def main():
    rig = Rig.make(Path(sys.argv[1]), spool=Path(sys.argv[2]), sandbox=sys.argv[3] == "True")
    visit = rig.visit()
    plan = replace(PLAN, url=sys.argv[4], seconds=90.0)
    page = await rig.chromium.page(visit.answer, site="s", plan=plan)
    rendering = asyncio.get_running_loop().create_task(page.render(plan, visit, print))
    print(rig.chromium._process.tree.session, flush=True)
    await rendering
    await asyncio.sleep(100)

asyncio.run(main())
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
async def test_when_we_are_killed_nothing_is_left(
    number: signal.Signals, tmp_path: Path, own_rig: Rig, site: Site
) -> None:
    """In the middle of a page whose scripts never end. The user's own processes ending is the only way that is left."""
    begun = endless(site)
    arguments = [str(own_rig.chromium._path), str(tmp_path), str(own_rig.chromium._sandbox), site.url()]
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _CHILD, *arguments,
        stdout=asyncio.subprocess.PIPE, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert child.stdout is not None
    session = int(await child.stdout.readline())
    await asyncio.wait_for(begun.wait(), 60)
    members = below(child.pid)
    assert session in {one.session for one in members} and len(members) > 4
    child.send_signal(number)
    await child.wait()
    assert await gone(members)
    assert await gone(one for one in everyone() if one.session == session)
