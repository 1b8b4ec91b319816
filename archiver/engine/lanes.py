"""Which lane a page is captured in: plain HTTP first, a browser on evidence, remembered for pages of the same kind."""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from archiver.coding import decode
from archiver.engine.allowance import Allowance
from archiver.engine.browser_place import BrowserPlace
from archiver.engine.gathered import Gathered
from archiver.engine.outcome import COME_BACK
from archiver.engine.rendering import Rendering, RenderTools
from archiver.engine.turn import Turn
from archiver.extract import charset
from archiver.extract.html import HtmlFacts
from archiver.extract.text import TextFacts, tells, text_facts
from archiver.model import Candidate, Exchange, Fetched, Lane
from archiver.policy.challenge import challenge_of, has_marks
from archiver.policy.lane import needs_browser, signs

OFF_LOOP = 32_768
WALL = 16_384
"""Bytes on the wire up to which an answer is looked at for a challenge, whatever is known of its kind."""
SURE_AFTER = 3
"""Pages of one kind in a row that needed the same lane: then most of that kind are not looked at again."""
SAMPLE = 10
KINDS = 5_000
_VARIES = re.compile(r"[0-9a-f]{8,}|[0-9]+|[^/]{25,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The lane and, for the ledger, why. `challenge` names the vendor of a page that keeps robots out.

    `asked_for`: the operator wants a browser, so that there is no way without one.
    """

    lane: Lane = Lane.HTTP
    why: Mapping[str, Any] = field(default_factory=dict)
    challenge: str | None = None
    asked_for: bool = False


PLAIN = Choice()
NOTHING_TOLD = TextFacts()


@dataclass(slots=True)
class _Kind:
    lane: Lane
    run: int = 0
    since: int = 0


class Lanes:
    """One a run. `mode` is the key `lane`; `tools` None = no browser in this run (dry runs, tests, none installed)."""

    def __init__(self, *, mode: str, tools: RenderTools | None) -> None:
        self._mode = mode
        self._tools = tools
        self._kinds: OrderedDict[str, _Kind] = OrderedDict()

    async def choose(self, candidate: Candidate, document: Fetched, *, is_html: bool, title: str = "") -> Choice:
        """After the document came over plain HTTP. Most pages of a kind that is known cost a look into a table, those
        without a script or anything else that could tell a look at their bytes."""
        exchange = document.exchange
        if exchange is None or not is_html:
            return PLAIN
        kind = self._kind(candidate)
        known = kind.run >= SURE_AFTER and kind.since < SAMPLE and exchange.status == 200
        if known and self._mode != "browser" and not _may_be_a_challenge(exchange):
            kind.since += 1
            return PLAIN if kind.lane is Lane.HTTP else self._browser({"remembered": pattern_of(candidate.url)})
        if exchange.entity_size > OFF_LOOP:
            facts, body = await asyncio.to_thread(_facts, document.candidate.url, exchange, title)
        else:
            facts, body = _facts(document.candidate.url, exchange, title)
        vendor = challenge_of(
            status=exchange.status, headers=exchange.headers, body=body, visible=facts.visible
        )  # fmt: skip
        if vendor is not None:
            return Choice(why={"challenge": vendor}, challenge=vendor)
        if exchange.status in COME_BACK:  # nothing more is asked there now
            return PLAIN
        if self._mode == "browser":
            return Choice(lane=Lane.BROWSER, why={"setting": "browser"}, asked_for=True)
        found = signs(facts)
        lane = Lane.BROWSER if needs_browser(found) and exchange.status < 400 else Lane.HTTP
        self._learn(kind, lane)
        why = {"signs": [{"name": sign.name, "detail": sign.detail[:200], "weak": sign.weak} for sign in found]}
        return self._browser(why) if lane is Lane.BROWSER else (Choice(why=why) if found else PLAIN)

    def _browser(self, why: Mapping[str, Any]) -> Choice:
        if self._mode == "http":
            return Choice(why={**why, "setting": "http"})
        return Choice(lane=Lane.BROWSER, why=why)

    def place(self) -> BrowserPlace | None:
        """A place in the browser, not taken yet; None where this run has no browser."""
        return BrowserPlace(self._tools.at_once) if self._tools is not None and self._mode != "http" else None

    def expects_browser(self, candidate: Candidate) -> bool:
        """Whether the page will most likely be seen in the browser, judged before it is asked for."""
        return self._mode == "browser" or self._kind(candidate).lane is Lane.BROWSER

    def rendering(
        self,
        gathered: Gathered,
        allowance: Allowance,
        turn: Turn,
        *,
        page_id: str,
        spill: Callable[[], Awaitable[None]],
    ) -> Rendering | None:
        """None where this run has no browser."""
        if self._tools is None:
            return None
        return Rendering(self._tools, gathered, allowance, turn, page_id=page_id, spill=spill)

    def _kind(self, candidate: Candidate) -> _Kind:
        pattern = pattern_of(candidate.url)
        kind = self._kinds.get(pattern)
        if kind is None:
            kind = self._kinds[pattern] = _Kind(Lane.HTTP)
            if len(self._kinds) > KINDS:
                self._kinds.popitem(last=False)
        return kind

    def _learn(self, kind: _Kind, lane: Lane) -> None:
        kind.run = kind.run + 1 if kind.lane is lane else 1
        kind.lane, kind.since = lane, 0


def pattern_of(url: str) -> str:
    """Pages of one kind: `https://a.test/news/2026/11/x-y-z?id=7` is `https://a.test/news/*/*/*`.

    What varies from page to page: numbers, long words, hexadecimal ids, and the last part of a path of several.
    """
    path = url.partition("?")[0].partition("#")[0]
    scheme, _, rest = path.partition("://")
    host, _, tail = rest.partition("/")
    segments = [_VARIES.sub("*", segment) for segment in tail.split("/")]
    if len(segments) > 1 and segments[-1]:
        segments[-1] = "*"
    return f"{scheme}://{host}/{'/'.join(segments)}"


def _facts(url: str, exchange: Exchange, title: str) -> tuple[TextFacts, bytes]:
    """What the text tells, and the body (decoded, its first MiB). Most documents hold nothing that could tell."""
    body = _body(exchange, 1 << 20)
    if not tells(body) and not has_marks(body):
        return NOTHING_TOLD, body
    label = (exchange.header(b"content-type") or b"").decode("latin-1")
    codec = charset.html_codec(body, charset.label_of(label))
    return text_facts(body, HtmlFacts(base=url, charset=codec, title=title)), body


def _body(exchange: Exchange, limit: int) -> bytes:
    coding = b", ".join(exchange.header_all(b"content-encoding"))
    return decode(exchange.entity_chunks(), coding, limit=limit).data if coding else exchange.entity_bytes()[:limit]


def _may_be_a_challenge(exchange: Exchange) -> bool:
    """Among pages of a known kind one may be a wall that answers 200. These are small."""
    return exchange.entity_size <= WALL and has_marks(_body(exchange, OFF_LOOP))
