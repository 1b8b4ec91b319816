"""The browser lane of a run: nothing of it is imported or started before a page needs it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from archiver.browser_binary import find_chromium
from archiver.clock import Clock
from archiver.config import Config
from archiver.engine.lanes import Lanes
from archiver.engine.registry import Registry
from archiver.engine.rendering import RenderTools
from archiver.errors import BrowserError
from archiver.model import Candidate
from archiver.ports import Gateway
from archiver.ports.browser import Answerer, Browser, BrowserPage, Plan, Screen


class LateBrowser:
    """`ports.browser.Browser` that becomes one at its first page: Playwright alone takes 0.3 s to import."""

    def __init__(self, path: Path, clock: Clock, environ: Mapping[str, str]) -> None:
        self._path = path
        self._clock = clock
        self._environ = environ
        self._made: Browser | None = None
        self._proxy: Any = None

    def _browser(self) -> Browser:
        if self._made is None:
            from archiver.browser import Chromium
            from archiver.browser.behaviors import Behaviors
            from archiver.browser.consent import Consent
            from archiver.browser.consent_package import Package, find_package
            from archiver.browser.flags import has_sandbox, told_without_sandbox
            from archiver.browser.steps import Steps
            from archiver.browser.text import main_text
            from archiver.browser.views import Views
            from archiver.wire.proxy import Proxy

            warning = told_without_sandbox(self._environ)
            if warning is not None:
                logging.getLogger(__name__).warning("archiver: note: %s", warning)
            self._proxy = Proxy(self._clock)
            rules = find_package(self._environ)
            consent = Consent(self._clock, Package.load(rules) if rules is not None else None)
            steps = Steps(consent=consent, behaviors=Behaviors(), views=Views(self._clock, main_text))
            self._made = Chromium(self._path, self._proxy, steps, sandbox=has_sandbox(self._environ))
        return self._made

    async def page(self, answer: Answerer, *, site: str, plan: Plan) -> BrowserPage:
        return await self._browser().page(answer, site=site, plan=plan)

    async def release(self, page: BrowserPage) -> None:
        await self._browser().release(page)

    @property
    def facts(self) -> Mapping[str, Any]:
        return self._browser().facts

    async def close(self) -> None:
        if self._made is not None:
            await self._made.close()
            await self._proxy.close()


def lanes_of(
    config: Config,
    environ: Mapping[str, str],
    gateway: Gateway,
    registry: Registry,
    clock: Clock,
    stack: contextlib.AsyncExitStack,
) -> Lanes:
    """Raises BrowserError where `lane: browser` is asked for and there is no Chromium."""
    path = find_chromium(environ) if config.job.lane != "http" else None
    if path is None:
        if config.job.lane == "browser":
            raise BrowserError("lane: browser, and there is no Chromium: `make setup`, or set ARCHIVER_CHROMIUM")
        return Lanes(mode=config.job.lane, tools=None)
    browser = LateBrowser(path, clock, environ)
    stack.push_async_callback(browser.close)
    tools = RenderTools(
        gateway=gateway,
        registry=registry,
        clock=clock,
        browser=browser,
        policy=config.policy.label,
        plan_of=lambda candidate, page_id, seconds: plan_of(config, candidate, page_id, seconds),
        at_once=asyncio.Semaphore(MOST_PAGES),
    )
    return Lanes(mode=config.job.lane, tools=tools)


MOST_PAGES = 3
"""Pages in Chromium at a time, whatever the concurrency over plain HTTP: each takes a process and 100 MB."""


def plan_of(config: Config, candidate: Candidate, page_id: str, seconds: float) -> Plan:
    """What is wanted of one page, by the configuration and by what is set for its host."""
    browsing, width_height = config.browsing, config.browsing.size
    named = dict(browsing.consent_for)
    consent = named.get(candidate.origin.host, config.policy.signals.consent)
    return Plan(
        url=candidate.url,
        page_id=page_id,
        seconds=seconds,
        screen=Screen(
            width=width_height[0], height=width_height[1], lang=config.job.lang, timezone=config.job.timezone
        ),
        user_agent=config.identity.user_agent,
        gpc=config.policy.signals.gpc,
        consent=consent,
        consent_set_by="consentFor" if candidate.origin.host in named else f"policy {config.policy.label}",
        behaviors=browsing.behaviors,
        behavior_seconds=browsing.behavior_timeout,
        views=browsing.views,
    )
