"""The seams of the browser lane: what the recording proxy, the browser and a visit tell each other.

A browser asks the proxy; the proxy gives each request to the visit that owns its listener; the visit asks the gateway,
and the answer flows back while it is still coming in (`Tap`). Nothing here names Playwright or a socket.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from archiver.model import ConsentOutcome, Fetched, LedgerEntry
from archiver.spooled import Spool

# --- the wire, followed while it comes in -----------------------------------------------------------------------------


class Control(Protocol):
    """What may be done to an exchange in hand."""

    def send(self, data: bytes) -> None:
        """Bytes of our side after an upgrade (101); ignored once the exchange is over."""
        ...

    def stop(self) -> None:
        """End it now: what came stays, marked truncated (an event stream when its page is left)."""
        ...


class Tap(Protocol):
    """Follows one answer. Called on the event loop, cheap, never raises. `raw` grows until `exchange` returns.

    `begin` is called once, before the first byte; `head` when the final head is complete (names in lower case); `grew`
    whenever `raw` has more bytes. `raw` begins with the status line, interim answers first, as the server sends it.
    """

    def begin(self, raw: Spool, control: Control) -> None: ...

    def head(self, status: int, headers: Sequence[tuple[bytes, bytes]]) -> None: ...

    def grew(self) -> None: ...


# --- the recording proxy ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class BrowserRequest:
    """A request as the browser made it. `url` is absolute; `ws` and `wss` have become `http` and `https`.

    `headers` in wire order and case, without those between browser and proxy. `upgrade`: a WebSocket handshake.
    """

    url: str
    method: str
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes = b""
    upgrade: bool = False

    def header(self, name: bytes) -> bytes | None:
        """The first value; `name` in lower case."""
        return next((value for key, value in self.headers if key.lower() == name), None)


Answerer = Callable[[BrowserRequest, Tap], Awaitable[Fetched]]
"""Gives what became of a request. An exchange that the tap did not follow (a document fetched before) is sent from its
bytes; a refusal becomes a 451 of ours that is never a record; a failure breaks the connection, as it would live."""


class Listener(Protocol):
    """One loopback port for one browser context; only this user's own processes are answered."""

    @property
    def port(self) -> int: ...

    def serve(self, answer: Answerer) -> None:
        """From now on `answer` answers: the context has come to another visit."""
        ...

    async def settle(self) -> None:
        """End what is in hand and give up what was not begun. Until the next `serve` every request is cut off."""
        ...

    async def close(self) -> None:
        """Settle, and stop listening."""
        ...


class RecordingProxy(Protocol):
    """One a run. `spki` pins the key of its certificates: base64 of the SHA-256, for Chromium's flag of that name."""

    @property
    def spki(self) -> str: ...

    async def listen(self) -> Listener:
        """A port that cuts everything off until it is told who answers."""
        ...

    async def close(self) -> None: ...


# --- the browser ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """What the browser itself says of a request it is about to make.

    `resource_type` is Chromium's word in lower case (`document`, `stylesheet`, `image`, `media`, `font`, `script`,
    `xhr`, `fetch`, `eventsource`, `websocket`, `manifest`, `ping`, `other`); `main` = navigates the page's main frame;
    `popup` = belongs to a window that the page opened.
    """

    url: str
    method: str
    resource_type: str
    main: bool = False
    navigation: bool = False
    popup: bool = False
    initiator: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """What the browser claims to be, truthfully sent and recorded. Pixels; `lang` BCP 47, `timezone` IANA."""

    width: int = 1280
    height: int = 1024
    scale: float = 1.0
    lang: str = ""
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is wanted of one page. `views` names what is kept: `view`, `fullPage`, `thumbnail`, `pdf`, `text`, `dom`.

    `seconds` bounds all of it. `consent` is the policy for this site: `reject`, `leave`, `hide`, or `accept`, the last
    only where the operator chose it in writing.
    """

    url: str
    page_id: str
    seconds: float
    screen: Screen = field(default_factory=Screen)
    user_agent: str = ""
    gpc: bool = True
    consent: str = "reject"
    consent_set_by: str = "policy"
    behaviors: tuple[str, ...] = ("scroll", "lazy", "details", "media")
    behavior_seconds: float = 15.0
    views: frozenset[str] = frozenset({"view", "fullPage", "thumbnail", "text", "dom"})


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Something made from the page; `name` as in `urn:<name>:<url>`, one of `Plan.views`, `viewBefore` too.

    `about` says under which conditions: viewport, scale, locale, time zone, when, before or after consent.
    """

    name: str
    content_type: str
    payload: bytes
    about: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """What a browser made of a page. `dom` is the final document serialised, UTF-8; `text` without the notice.

    `notes` tell dialogs, downloads, popups, permission prompts, time-outs, `navigator.webdriver`; `behaviors` what was
    done and how long. `failed` names what went wrong (`crashed`, `hung`, `navigation: ...`), empty when nothing did.
    """

    final_url: str
    title: str = ""
    dom: bytes = b""
    text: str = ""
    views: Sequence[View] = ()
    consent: ConsentOutcome | None = None
    behaviors: Mapping[str, Any] = field(default_factory=dict)
    notes: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    settled: bool = True
    failed: str = ""


Tell = Callable[[LedgerEntry], None]
"""Writes a row at once; an intent is told before the click."""


class Activity(Protocol):
    """What a visit knows of the network of its page, for whoever waits until it is quiet."""

    @property
    def in_flight(self) -> int:
        """Requests not answered yet, event streams and WebSockets left out."""
        ...

    @property
    def missing(self) -> int:
        """Requisites that were refused or failed so far."""
        ...

    def failed_urls(self) -> Sequence[str]:
        """Addresses of what was refused, failed, or answered with an error so far."""
        ...

    def idle_for(self) -> float:
        """Seconds since the last request began or ended, 0 while one is in flight."""
        ...


class BrowserPage(Protocol):
    """One page in a context of its own job and site."""

    def announced(self, url: str, method: str) -> Announced | None:
        """What the browser said of this request, None when it has said nothing (yet)."""
        ...

    async def render(self, plan: Plan, activity: Activity, tell: Tell) -> Rendered:
        """Load, handle consent, run behaviours, keep views. Never raises for what a page does."""
        ...


class Browser(Protocol):
    """One a run, started at the first page. Its contexts are fresh for each job and site (decision 17)."""

    async def page(self, answer: Answerer, *, site: str, plan: Plan) -> BrowserPage:
        """A page whose requests, and those of its context's workers, `answer` answers. Raises BrowserError."""
        ...

    async def release(self, page: BrowserPage) -> None:
        """Close the page and settle its listener: afterwards every request of the visit has been answered."""
        ...

    @property
    def facts(self) -> Mapping[str, Any]:
        """Product, version, path, flags, versions and hashes of the consent rules: for the `run` row and records."""
        ...

    async def close(self) -> None:
        """No process of it is left afterwards."""
        ...

