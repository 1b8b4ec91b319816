"""From an exchange to what a visit needs of it: title, links, requisites, meta elements."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from archiver.coding import decode
from archiver.extract import charset
from archiver.extract.html import extract
from archiver.extract.page import References
from archiver.model import Exchange

OFF_LOOP = 65_536  # bytes on the wire past which parsing takes longer than the loop may be held (decision 15)

_HTML = frozenset({"text/html", "application/xhtml+xml", "image/svg+xml"})
_CSS = "text/css"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """`requisites` are (URL, type), `links` (URL, nofollow), `metas` (name, content), `refresh` (seconds, URL).

    URLs are absolute, without fragment.
    """

    title: str = ""
    requisites: tuple[tuple[str, str], ...] = ()
    links: tuple[tuple[str, bool], ...] = ()
    metas: tuple[tuple[str, str], ...] = ()
    is_html: bool = False
    refresh: tuple[float, str] | None = None


EMPTY = Reading()


async def read(url: str, exchange: Exchange, *, limit: int, type_hint: str = "") -> Reading:
    """Decode (at most `limit` bytes) and parse, in a thread when big. Never raises for what a site sent."""
    label = (exchange.header(b"content-type") or b"").decode("latin-1")
    kind = _kind(label, type_hint)
    if not kind or exchange.entity_size == 0:
        return EMPTY
    if exchange.entity_size > OFF_LOOP:
        return await asyncio.to_thread(_read, url, exchange, kind, label, limit)
    return _read(url, exchange, kind, label, limit)


def _kind(content_type: str, type_hint: str) -> str:
    """`html`, `css` or nothing. Without a Content-Type the element that asked for it says what it is."""
    essence = content_type.partition(";")[0].strip().lower()
    if essence in _HTML:
        return "html"
    if essence == _CSS or (type_hint == "stylesheet" and not essence):
        return "css"
    return "html" if not essence and type_hint in ("", "document", "frame") else ""


def _read(url: str, exchange: Exchange, kind: str, label: str, limit: int) -> Reading:
    coding = exchange.header(b"content-encoding")
    body = decode(exchange.entity_chunks(), coding, limit=limit).data if coding else exchange.entity_bytes()[:limit]
    hint = charset.label_of(label)
    if kind == "css":
        return _style(url, body, hint)
    facts = extract(body, base_url=url, charset_hint=hint)
    return Reading(
        title=facts.title,
        requisites=facts.requisites,
        links=tuple((link.url, "nofollow" in link.rel) for link in facts.links),
        metas=facts.metas,
        refresh=facts.meta_refresh,
        is_html=True,
    )


def _style(url: str, body: bytes, hint: str | None) -> Reading:
    references = References(url)
    references.style(charset.decode(body, charset.css_codec(body, hint)))
    return Reading(requisites=tuple(references.requisites.values()))
