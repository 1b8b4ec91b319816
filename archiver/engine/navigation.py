"""Where an answer leads, and whether a browser would show it in the place of its page. Pure but for one spool."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from archiver import urls
from archiver.model import Exchange, Fetched, Framing
from archiver.spooled import Spool

REDIRECTS = frozenset({301, 302, 303, 307, 308})
_EMPTY = frozenset({204, 205})
_SHOWN = (b"text/", b"image/", b"application/xhtml", b"application/xml", b"application/json", b"multipart/x-mixed")
_NOTHING = b"HTTP/1.1 204 No Content\r\n\r\n"


def redirect_target(fetched: Fetched) -> str | None:
    """Where a redirect leads: absolute http(s), None when it is no redirect or leads nowhere we go."""
    exchange = fetched.exchange
    if exchange is None or exchange.status not in REDIRECTS:
        return None
    location = exchange.header(b"location")
    if not location:
        return None
    return urls.join(fetched.candidate.url, urls.of_header(location))


def is_shown(exchange: Exchange) -> bool:
    """Whether the answer takes the place of the page: no empty one does, nor does a download."""
    if exchange.status in _EMPTY or exchange.status in REDIRECTS:
        return False
    if (exchange.header(b"content-disposition") or b"").strip().lower().startswith(b"attachment"):
        return False
    label = (exchange.header(b"content-type") or b"text/html").strip().lower()
    return label.startswith(_SHOWN)


def nothing(fetched: Fetched, now: datetime) -> Fetched:
    """The answer to a navigation that leads nowhere: with 204 a browser stays where it is (HTML, 7.4.5). Ours, never a
    record; the candidate and its verdict are those of `fetched`."""
    exchange = Exchange(
        url=fetched.candidate.url,
        method=fetched.candidate.method,
        request=b"",
        response=Spool(_NOTHING),
        head_start=0,
        body_start=len(_NOTHING),
        status=204,
        reason="No Content",
        headers=(),
        framing=Framing.NONE,
        ip="",
        port=0,
        started_at=now,
        seconds=0.0,
        synthetic=True,
    )
    return replace(fetched, exchange=exchange, failure=None)
