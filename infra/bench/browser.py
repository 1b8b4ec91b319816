"""What a page costs in the browser lane: CPU seconds of the whole tree, beside plain Playwright on the same pages.

    .venv/bin/python infra/bench/browser.py [--rounds 3] [--only A,B,bare,all,save]

Twenty pages, 380 responses: ten static ones of 7 requests, ten applications of 31 whose scripts fetch in turn.
`A` is Playwright waiting for each page's done mark, `B` the same with a shot of the viewport, one of the full page, a
thumbnail and the DOM. `bare` is our browser and proxy without views, `all` with them and the behaviours, both without
policy and records; `save` is the command line with all of it, `plain` the same without views and consent.
The server runs apart and is not counted. A run in which the server saw other than 380 requests is void.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from aiohttp import web

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from archiver.browser.tree import below, look_at  # noqa: E402
from archiver.browser_binary import find_chromium  # noqa: E402
from infra.bench.sites import png  # noqa: E402

STATIC, APPS = 10, 10
REQUESTS = STATIC * 7 + APPS * 31
PAGES = [f"/static/{number}/" for number in range(STATIC)] + [f"/app/{number}/" for number in range(APPS)]
_TICKS = os.sysconf("SC_CLK_TCK")
_NO_ICON = '<link rel="icon" href="data:,">'


# --- the pages --------------------------------------------------------------------------------------------------------


def static_page(number: int) -> str:
    """A document, a style sheet, a script, four pictures."""
    text = "".join(f"<p>{'words of paragraph ' * 30}{line}</p>" for line in range(30))
    images = "".join(f'<img src="image-{image}.png" width=200 height=150>' for image in range(4))
    head = f"<title>static {number}</title>{_NO_ICON}<link rel=stylesheet href=style.css><script src=x.js></script>"
    return f"<!doctype html><meta charset=utf-8>{head}<h1>Page {number}</h1>{images}{text}"


APP = """<!doctype html><meta charset=utf-8><title>app</title>ICON<link rel=stylesheet href=style.css>
<div id=app></div><script src=app.js></script>"""
APP_SCRIPT = """
(async () => {
  const root = document.getElementById('app');
  for (let turn = 0; turn < 7; turn++) {
    const parts = await Promise.all([0, 1, 2, 3].map(n => fetch(`data-${turn}-${n}.json`).then(r => r.json())));
    for (const part of parts) {
      const section = document.createElement('section');
      section.innerHTML = `<h2>${part.title}</h2>` + part.lines.map(line => `<p>${line}</p>`).join('');
      root.append(section);
    }
  }
  document.title = 'done';
})();"""


class Pages:
    """Serves them, and counts."""

    def __init__(self) -> None:
        draw = random.Random(4)
        self.seen = 0
        self._image = png(draw)
        self._data = json.dumps({"title": "part", "lines": ["text of a line " * 8] * 20}).encode()

    async def answer(self, request: web.BaseRequest) -> web.Response:
        if request.path == "/seen":
            seen, self.seen = self.seen, 0
            return web.Response(text=str(seen))
        if request.path == "/robots.txt":
            return web.Response(status=404)
        self.seen += 1
        kind, body = self._body(request.path)
        return web.Response(body=body, content_type=kind)

    def _body(self, path: str) -> tuple[str, bytes]:
        name = path.rpartition("/")[2]
        if not name:
            number = int(path.split("/")[2])
            text = static_page(number) if path.startswith("/static") else APP.replace("ICON", _NO_ICON)
            return "text/html", text.encode()
        kinds = {"png": ("image/png", self._image), "css": ("text/css", b"p { margin: 1em }\n" * 50),
                 "json": ("application/json", self._data)}  # fmt: skip
        done = b"addEventListener('load', () => { document.title = 'done'; });"
        script = APP_SCRIPT.encode() if name == "app.js" else done
        return kinds.get(name.rpartition(".")[2], ("text/javascript", script))


async def serve() -> None:
    pages = Pages()
    server = await asyncio.get_running_loop().create_server(web.Server(pages.answer, access_log=None), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


# --- the contestants, each in a process of its own --------------------------------------------------------------------


def tree_cpu() -> float:
    """CPU seconds of this process, its living descendants, and those that they have reaped."""
    ticks = 0
    for pid in (os.getpid(), *(one.pid for one in below(os.getpid()))):
        if look_at(pid) is not None:
            fields = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(")")[2].split()
            ticks += sum(map(int, fields[11:15]))
    return ticks / _TICKS


async def playwright(base: str, *, shots: bool) -> list[float]:
    from playwright.async_api import async_playwright

    waits = []
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=find_chromium(os.environ), chromium_sandbox=False)
        context = await browser.new_context(viewport={"width": 1280, "height": 1024})
        for path in PAGES:
            page = await context.new_page()
            await page.goto(base + path)
            await page.wait_for_function("document.title === 'done'")
            loaded = time.monotonic()
            if shots:
                await _shots(context, page)
            waits.append(time.monotonic() - loaded)
            await page.close()
        report(waits)
        await browser.close()
    return waits


async def _shots(context: Any, page: Any) -> None:
    session = await context.new_cdp_session(page)
    metrics = await session.send("Page.getLayoutMetrics")
    size = metrics["cssContentSize"]
    view = {"format": "png", "optimizeForSpeed": True}
    clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
    small = {"x": 0, "y": 0, "width": 1280, "height": 1024, "scale": 0.25}
    for wanted in (view, {**view, "captureBeyondViewport": True, "clip": clip},
                   {"format": "jpeg", "quality": 75, "optimizeForSpeed": True, "clip": small}):  # fmt: skip
        base64.b64decode((await session.send("Page.captureScreenshot", wanted))["data"])
    await page.title()
    (await page.content()).encode()


async def ours(base: str, *, everything: bool) -> list[float]:
    from archiver.browser.flags import has_sandbox
    from tests.browser.kit import PLAN, Rig

    path = find_chromium(os.environ)
    assert path is not None
    plan = replace(PLAN, views=frozenset(), behaviors=(), seconds=60)
    if everything:
        views = frozenset({"view", "fullPage", "thumbnail", "text", "dom"})
        plan = replace(plan, views=views, behaviors=("scroll", "lazy", "details", "media"))
    waits = []
    with tempfile.TemporaryDirectory() as spool:
        rig = Rig.make(path, spool=Path(spool), sandbox=has_sandbox(os.environ))
        for address in PAGES:
            visit = rig.visit()
            page = await rig.chromium.page(visit.answer, site="bench", plan=replace(plan, url=base + address))
            rendered = await page.render(replace(plan, url=base + address), visit, visit.rows.append)
            assert not rendered.failed and rendered.settled, rendered
            waits.append(rendered.seconds)
            await rig.chromium.release(page)
        report(waits)
        await rig.close()
    return waits


def report(waits: Sequence[float]) -> None:
    print(json.dumps({"cpu": tree_cpu(), "wait": statistics.median(waits)}), flush=True)


async def save(base: str, *, everything: bool) -> None:
    """The command line, one run of twenty seeds; its tree is looked at until it ends."""
    with tempfile.TemporaryDirectory() as out:
        config = {"version": 1, "seeds": [base + path for path in PAGES]}
        if not everything:
            config |= {"views": [], "behaviors": []}
        (Path(out) / "c.yaml").write_text(json.dumps(config), encoding="utf-8")
        host = base.removeprefix("http://")
        command = [
            sys.executable, "-m", "archiver", "save", *config["seeds"], "--lane", "browser",
            "--allow-address", host, "--out", out,
        ]  # fmt: skip
        child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
        most = 0.0
        while child.poll() is None:
            most = max(most, tree_cpu())
            await asyncio.sleep(0.05)
        print(json.dumps({"cpu": most, "wait": 0.0}), flush=True)


CONTESTANTS: dict[str, Callable[[str], Awaitable[Any]]] = {
    "A": lambda base: playwright(base, shots=False),
    "B": lambda base: playwright(base, shots=True),
    "bare": lambda base: ours(base, everything=False),
    "all": lambda base: ours(base, everything=True),
    "plain": lambda base: save(base, everything=False),
    "save": lambda base: save(base, everything=True),
}


# --- the comparison ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """`wait`: median seconds after load (A, B) or of the whole rendering (ours)."""

    cpu: float
    wall: float
    wait: float
    seen: int


def measured(name: str, base: str) -> Result:
    started = time.monotonic()
    command = [sys.executable, __file__, "--contestant", name, "--base", base]
    said = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True, timeout=600).stdout
    told = json.loads(said.splitlines()[-1])
    with urllib.request.urlopen(f"{base}/seen", timeout=10) as answer:
        seen = int(answer.read())
    return Result(cpu=told["cpu"], wall=time.monotonic() - started, wait=told["wait"], seen=seen)


def compare(names: Sequence[str], rounds: int) -> None:
    server = subprocess.Popen([sys.executable, __file__, "--serve"], cwd=ROOT, stdout=subprocess.PIPE)
    assert server.stdout is not None
    base = f"http://127.0.0.1:{int(server.stdout.readline())}"
    results: dict[str, list[Result]] = {name: [] for name in names}
    try:
        for turn in range(rounds):
            for name in names:
                result = measured(name, base)
                void = "" if result.seen == REQUESTS else f"  void: {result.seen} requests"
                print(f"{turn + 1} {name:<6} {result.cpu:6.2f} s CPU  {result.wall:6.2f} s{void}", flush=True)
                results[name].append(result)
    finally:
        server.terminate()
        server.wait()
    print(f"\n{'':<6} {'CPU s':>7} {'/A':>6} {'/B':>6} {'wall s':>7} {'wait s':>7}")
    cpu = {name: statistics.median(one.cpu for one in several) for name, several in results.items()}
    for name, several in results.items():
        beside = [f"{cpu[name] / cpu[other]:6.2f}" if other in cpu else f"{'-':>6}" for other in "AB"]
        wall, wait = (statistics.median(getattr(one, field) for one in several) for field in ("wall", "wait"))
        print(f"{name:<6} {cpu[name]:7.2f} {' '.join(beside)} {wall:7.2f} {wait:7.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="A,B,bare,all", help=f"of {', '.join(CONTESTANTS)}")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--contestant", help=argparse.SUPPRESS)
    parser.add_argument("--base", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve())
    elif options.contestant:
        asyncio.run(CONTESTANTS[options.contestant](options.base))  # type: ignore[arg-type]
    else:
        compare(options.only.split(","), options.rounds)


if __name__ == "__main__":
    main()
