"""What is done with a page once it is loaded, in the order of `page`: seams between the parts of this package."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from playwright.async_api import BrowserContext, CDPSession
from playwright.async_api import Page as PlaywrightPage

from archiver.model import ConsentOutcome
from archiver.ports.browser import Plan, Tell, View

Shoot = Callable[[str], Awaitable[None]]
"""Takes a shot of the viewport now and keeps it as the view of that name; never raises."""

Quiet = Callable[[float], Awaitable[bool]]
"""Waits until network and DOM are at rest, at most so many seconds; False when they were not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnPage:
    """A loaded page and what a step may do with it. `deadline` is the event loop's time."""

    page: PlaywrightPage
    session: CDPSession
    plan: Plan
    tell: Tell
    shoot: Shoot
    quiet: Quiet
    deadline: float
    missing: Callable[[], int]
    """How many requisites of this visit were refused or failed so far."""
    failed: Callable[[], Sequence[str]] = tuple
    """Their addresses, and those of what was answered with an error."""


class ConsentStep(Protocol):
    """Consent notices: detect, tell the intent, act by policy, prove by state."""

    async def prepare(self, context: BrowserContext) -> None:
        """Once a context, before its first page."""
        ...

    async def handle(self, on: OnPage) -> ConsentOutcome:
        """After the page came to rest. Never raises for what a page does."""
        ...

    async def guard(self, on: OnPage, before: ConsentOutcome) -> ConsentOutcome | None:
        """After a behaviour: an outcome that has become worse (`accepted-implied`), None while it stands."""
        ...

    async def without_notice(self, on: OnPage) -> str | None:
        """A copy of the document, serialised, from which what is left of the notice is cut; None = there is none.

        The page itself is never edited.
        """
        ...

    @property
    def facts(self) -> Mapping[str, Any]:
        """Versions, hashes and age of the rules."""
        ...


Guard = Callable[[], Awaitable[bool]]
"""Asked after each behaviour; False ends them all."""


class BehaviorStep(Protocol):
    async def run(self, on: OnPage, guard: Guard) -> Mapping[str, Any]:
        """Scroll, open, load: bounded in steps and time. What was done and how long it took. Never raises."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What a page holds at the end."""

    title: str = ""
    dom: bytes = b""
    text: str = ""
    views: Sequence[View] = ()


class ViewStep(Protocol):
    async def shot(self, on: OnPage, name: str) -> View | None:
        """A picture of the viewport (`view`, `viewBefore`) or of all of the page (`fullPage`); None when it failed."""
        ...

    async def take(self, on: OnPage, without_notice: str | None) -> Taken:
        """The final DOM, its text (of the copy without the notice, if given), thumbnail, PDF. Never raises."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Steps:
    """All of them; None = not built in (consent without its rules)."""

    consent: ConsentStep
    behaviors: BehaviorStep
    views: ViewStep
