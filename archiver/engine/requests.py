"""A browser's request in our words: what kind of thing it asks for, and which of its headers go on."""

from __future__ import annotations

from archiver.model import Candidate
from archiver.ports.browser import Announced, BrowserRequest

_BY_DESTINATION = {
    b"document": "document", b"iframe": "frame", b"frame": "frame", b"embed": "frame", b"object": "frame",
    b"style": "stylesheet", b"xslt": "stylesheet", b"script": "script", b"image": "image", b"font": "font",
    b"audio": "media", b"video": "media", b"track": "media", b"manifest": "manifest", b"worker": "script",
    b"sharedworker": "script", b"serviceworker": "script", b"audioworklet": "script", b"paintworklet": "script",
}  # fmt: skip
_BY_WORD = {
    "document": "frame", "stylesheet": "stylesheet", "image": "image", "media": "media", "font": "font",
    "script": "script", "texttrack": "media", "xhr": "fetch", "fetch": "fetch", "eventsource": "fetch",
    "manifest": "manifest", "ping": "ping", "cspviolationreport": "ping",
}  # fmt: skip
_BY_ACCEPT = (
    (b"text/html", "frame"),
    (b"text/css", "stylesheet"),
    (b"image/", "image"),
    (b"text/event-stream", "fetch"),
)

_BY_SCRIPTS = frozenset({"fetch", "ping", "websocket", "preflight"})

# Said by the gateway, the same on every request; or about Chromium, of which `strict` says nothing. Conditions come
# from the browser's cache, and a 304 would leave nothing to replay.
_LEFT_OUT = frozenset(
    {
        b"user-agent", b"from", b"sec-gpc", b"dnt", b"accept-encoding", b"accept-language", b"if-none-match",
        b"if-modified-since", b"priority",
    }
)  # fmt: skip


def is_navigation(request: BrowserRequest, announced: Announced | None) -> bool:
    """Whether it is the page itself that goes on, not a frame, a worker or an image of it.

    The browser has to say so, and the request not otherwise: a worker may ask for what the page navigated to before.
    """
    return announced is not None and announced.main and request.header(b"sec-fetch-dest") in (None, b"document")


def is_ahead(request: BrowserRequest) -> bool:
    """Whether it is asked for only in case that somebody goes there (Fetch standard, `Sec-Purpose`)."""
    return b"prefetch" in (request.header(b"sec-purpose") or request.header(b"purpose") or b"")


def is_shared(candidate: Candidate) -> bool:
    """Whether the answer stands for its URL: what another page of the job would be given for it.

    What scripts ask for by themselves, other methods, parts and WebSockets share URLs with pages and are none of them.
    """
    if candidate.method != "GET" or candidate.resource_type in _BY_SCRIPTS:
        return False
    return all(name.lower() != b"range" for name, _ in candidate.headers)


def type_of(request: BrowserRequest, announced: Announced | None) -> str:
    """The resource type as ledger and completeness name it (docs/auditor/ledger.md)."""
    if request.upgrade:
        return "websocket"
    if request.method == "OPTIONS" and request.header(b"access-control-request-method") is not None:
        return "preflight"
    destination = (request.header(b"sec-fetch-dest") or b"").lower()
    if destination in _BY_DESTINATION:
        return _BY_DESTINATION[destination]
    if announced is not None and announced.resource_type in _BY_WORD:
        return _BY_WORD[announced.resource_type]
    accept = request.header(b"accept") or b""
    return next((word for mark, word in _BY_ACCEPT if mark in accept), "fetch")


def passed_on(request: BrowserRequest, *, navigation: bool) -> tuple[tuple[bytes, bytes], ...]:
    """The browser's headers as they go to the site, in its order.

    A navigation asks for what plain HTTP asks for, so that both lanes get the same document. `Range: bytes=0-` is how
    media players ask for all of it: asked for without, it is kept whole.
    """
    kept = []
    for name, value in request.headers:
        low = name.lower()
        if low in _LEFT_OUT or low.startswith(b"sec-ch-") or (navigation and low == b"accept"):
            continue
        if low == b"range" and value.strip() == b"bytes=0-":
            continue
        kept.append((name, value))
    return tuple(kept)
