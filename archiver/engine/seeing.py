"""Whether a page has to be seen in a browser, and what it turns out to be there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from archiver.engine.allowance import Allowance
from archiver.engine.browser_place import BrowserPlace
from archiver.engine.gathered import Gathered
from archiver.engine.lanes import Choice, Lanes
from archiver.engine.read import read_dom
from archiver.engine.turn import Turn
from archiver.errors import BrowserError
from archiver.extract.html import HtmlFacts
from archiver.extract.text import text_facts
from archiver.model import NO_ELEMENTS, Candidate, Elements, Reason
from archiver.policy.challenge import challenge_of, has_marks
from archiver.ports import Admitted, Gateway

NO_CHROMIUM = "there is no Chromium: `make setup`, or set ARCHIVER_CHROMIUM"
OK = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What a page's rendering shares with its visit; `write` records what is gathered so far."""

    allowance: Allowance
    turn: Turn
    page_id: str
    place: BrowserPlace | None
    write: Callable[[], Awaitable[None]]


class Seeing:
    """One a visit."""

    def __init__(self, lanes: Lanes, gateway: Gateway, gathered: Gathered, around: Around) -> None:
        self._lanes = lanes
        self._gateway = gateway
        self._gathered = gathered
        self._around = around

    async def choose(self, candidate: Candidate) -> Choice:
        """The lane of a page that came over plain HTTP. A challenge is told here, whatever else is wanted."""
        gathered, reading = self._gathered, self._gathered.reading
        assert reading is not None
        choice = await self._lanes.choose(
            candidate, gathered.document, is_html=reading.is_html, title=reading.title
        )  # fmt: skip
        gathered.lane_why = choice.why
        if choice.challenge is not None:
            gathered.challenged(choice.challenge)
        return choice

    async def see(self, choice: Choice, admitted: Admitted) -> bool:
        """Whether a browser saw the page. Where there is none, or it died, plain HTTP gets what it can.

        Raises BrowserError where the operator asked for a browser and there is none.
        """
        gathered, around = self._gathered, self._around
        rendering = self._lanes.rendering(
            gathered, around.allowance, around.turn, page_id=around.page_id, spill=around.write
        )  # fmt: skip
        try:
            if rendering is None or around.place is None:
                raise BrowserError(NO_CHROMIUM)
            await rendering.run(admitted, around.place)
        except BrowserError as error:
            if choice.asked_for:
                raise
            gathered.lane_why = {**choice.why, "unavailable": str(error)}
            gathered.gap(gathered.document.candidate.url, "document", Reason.FAILED, f"needs a browser: {error}")
            return False
        return await self._read()

    async def _read(self) -> bool:
        """The final document beside the one that came: links of both, and what either says about its use binds.

        False where the browser failed and left nothing behind.
        """
        gathered = self._gathered
        rendered, raw, document = gathered.rendered, gathered.reading, gathered.document
        assert rendered is not None and raw is not None
        if rendered.failed:
            gathered.failed += 1
            gathered.gap(document.candidate.url, "document", Reason.FAILED, f"in the browser: {rendered.failed}")
        if rendered.final_url and not rendered.final_url.startswith(("http://", "https://")):
            rendered = gathered.rendered = replace(rendered, dom=b"", text="", title="", views=())  # its error page
        if not rendered.dom:
            return not rendered.failed
        final = await read_dom(document.candidate.url, rendered.dom)
        elements = Elements(
            metas=_once(raw.elements.metas + final.elements.metas),
            licenses=_once(raw.elements.licenses + final.elements.licenses),
        )
        gathered.reading = replace(
            final,
            title=rendered.title or final.title or raw.title,
            links=tuple((dict(raw.links) | dict(final.links)).items()),
            elements=elements,
        )
        if elements != NO_ELEMENTS:
            gathered.fetched[-1] = self._gateway.judge(document, elements)
            gathered.spread_access()
        await self._look_for_a_challenge(rendered.dom, gathered.reading.title)
        return True

    async def _look_for_a_challenge(self, dom: bytes, title: str) -> None:
        """Some are put up by a script: the page that came did not show them."""
        if not has_marks(dom):
            return
        facts = await asyncio.to_thread(text_facts, dom, HtmlFacts(base="", charset="utf-8", title=title))
        vendor = challenge_of(status=OK, headers=(), body=dom, visible=facts.visible)
        if vendor is not None:
            self._gathered.challenged(vendor)
            self._gathered.lane_why = {**(self._gathered.lane_why or {}), "challenge": vendor}


Said = TypeVar("Said")


def _once(said: tuple[Said, ...]) -> tuple[Said, ...]:
    """What the document said as it came it mostly still says at the end: one signal, not two."""
    return tuple(dict.fromkeys(said))
