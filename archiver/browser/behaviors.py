"""What a reader would do to see all of a page: scroll, open what is folded, wait for pictures. Bounded and recorded.

The document is left as it was: what was opened is closed again, pictures that only a script would load later are asked
for beside the document.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from playwright.async_api import Error

from archiver.browser.steps import Guard, OnPage
from archiver.browser.world import call

STEPS = 60
CALL_SECONDS = 5.0
REST_SECONDS = 1.5
PICTURES = 200

_SCROLL = """async (most, seconds) => {
  const root = document.scrollingElement || document.documentElement;
  if (!root) return {at: 0, height: 0, end: true, steps: 1};
  const last = performance.now() + seconds * 1000;
  let steps = 0, end = false;
  do {
    if (steps) await new Promise(done => setTimeout(done, 50));
    root.scrollBy({top: Math.max(200, innerHeight * 0.9), behavior: 'instant'});
    steps += 1;
    end = root.scrollTop + innerHeight >= root.scrollHeight - 2;
  } while (!end && steps < most && performance.now() < last);
  return {at: root.scrollTop, height: root.scrollHeight, end, steps};
}"""
_TO_TOP = "() => { scrollTo({top: 0, behavior: 'instant'}); }"
_OPEN = """() => {
  const folded = [...document.querySelectorAll('details:not([open])')].slice(0, 200);
  for (const one of folded) one.open = true;
  globalThis.__folded = folded;
  return folded.length;
}"""
_CLOSE = "() => { for (const one of globalThis.__folded || []) one.open = false; globalThis.__folded = []; }"

# each picture once, whatever its density, and none that the page has asked for by itself: what a service worker serves
# is in no cache of the browser
_PICTURES = r"""(kinds, most) => {
  const found = new Set();
  const had = new Set(performance.getEntriesByType('resource').map(entry => entry.name));
  const add = value => {
    if (!value || /^(data|blob|about):/.test(value)) return;
    try { const url = new URL(value, document.baseURI).href; if (!had.has(url)) found.add(url); } catch {}
  };
  const addAll = value => { for (const one of (value || '').split(/,\s+/)) add(one.trim().split(/\s+/)[0]); };
  if (kinds.includes('lazy')) {
    for (const img of document.querySelectorAll('img')) {
      if (img.loading === 'lazy' && !img.complete) add(img.currentSrc || img.src);
      for (const name of ['data-src', 'data-lazy-src', 'data-original']) add(img.getAttribute(name));
      addAll(img.getAttribute('data-srcset'));
    }
  }
  if (kinds.includes('media')) for (const video of document.querySelectorAll('video[poster]')) add(video.poster);
  return [...found].slice(0, most);
}"""
_LOAD = """(urls, most) => {
  const load = url => new Promise(done => {
    const one = new Image();
    one.onload = one.onerror = done;
    one.src = url;
  });
  const late = new Promise(done => setTimeout(done, most));
  return Promise.race([late, Promise.all(urls.map(load))]).then(() => urls.length);
}"""


Act = Callable[[], Awaitable[Mapping[str, Any]]]


class Behaviors:
    """`steps.BehaviorStep`."""

    async def run(self, on: OnPage, guard: Guard) -> Mapping[str, Any]:
        """`{name: what was done}` in order; `ended` says why the rest was left out (`time`, `consent`, an error)."""
        loop = asyncio.get_running_loop()
        until = min(loop.time() + on.plan.behavior_seconds, on.deadline)
        done: dict[str, Any] = {}
        for name, act in self._wanted(on, until):
            if loop.time() >= until:
                done["ended"] = "time"
                break
            try:
                async with asyncio.timeout_at(until + CALL_SECONDS):
                    done[name] = await act()
            except (Error, TimeoutError) as error:
                done["ended"] = f"{name}: {type(error).__name__}"
                break
            if not await guard():
                done["ended"] = "consent"
                break
        return done

    def _wanted(self, on: OnPage, until: float) -> list[tuple[str, Act]]:
        names = on.plan.behaviors
        pictures: list[str] = [kind for kind in ("lazy", "media") if kind in names]
        acts: list[tuple[str, Act]] = []
        if "scroll" in names:
            acts.append(("scroll", lambda: self._scroll(on, until)))
        if "details" in names:
            acts.append(("details", lambda: self._details(on)))
        if pictures:
            acts.append(("+".join(pictures), lambda: self._pictures(on, pictures)))
        return acts

    async def _scroll(self, on: OnPage, until: float) -> Mapping[str, Any]:
        """A screen at a time until the end stays the end; back to the top."""
        loop = asyncio.get_running_loop()
        steps = 0
        seen: dict[str, Any] = {"at": -1, "height": 0}
        while steps < STEPS and (left := until - loop.time()) > 0:
            now = await call(on.session, _SCROLL, STEPS - steps, left, seconds=left + CALL_SECONDS)
            steps += now["steps"]
            moved = now["at"] != seen["at"] or now["height"] != seen["height"]
            seen = now
            if not now["end"] or not moved:
                break
            await on.quiet(min(REST_SECONDS, max(0.1, until - loop.time())))
        await call(on.session, _TO_TOP, seconds=CALL_SECONDS)
        return {"steps": steps, "height": seen["height"], "whole": bool(seen.get("end"))}

    async def _details(self, on: OnPage) -> Mapping[str, Any]:
        opened = await call(on.session, _OPEN, seconds=CALL_SECONDS)
        if opened:
            await on.quiet(REST_SECONDS)
            await call(on.session, _CLOSE, seconds=CALL_SECONDS)
        return {"opened": opened}

    async def _pictures(self, on: OnPage, kinds: list[str]) -> Mapping[str, Any]:
        urls = await call(on.session, _PICTURES, list(kinds), PICTURES, seconds=CALL_SECONDS)
        if urls:
            most = max(1.0, min(10.0, on.deadline - asyncio.get_running_loop().time()))
            await call(on.session, _LOAD, urls, most * 1000, seconds=most + 1.0)
        return {"asked": len(urls)}
