"""From an exchange to what a visit needs of it: title, links, requisites, what its elements say about it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from archiver.coding import decode
from archiver.extract import charset, kind_of, requisites_of
from archiver.extract.feed import read_feed
from archiver.extract.html import extract
from archiver.extract.listing import MAX_BYTES, SITEMAP, Listed
from archiver.extract.sitemap import read_sitemap
from archiver.model import NO_ELEMENTS, Elements, Exchange

OFF_LOOP = 65_536  # bytes of body past which parsing takes longer than the loop may be held (decision 15)
COMPRESSED_OFF_LOOP = 12_288  # the same on the wire, where a content coding may hide several times as much


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """`requisites` are (URL, type), `links` (URL, nofollow), `elements` what the judge is asked about,
    `refresh` (seconds, URL), `listed` what a sitemap or feed holds.

    URLs are absolute, without fragment. `capped`: the document holds more than is looked at.
    """

    title: str = ""
    requisites: tuple[tuple[str, str], ...] = ()
    links: tuple[tuple[str, bool], ...] = ()
    elements: Elements = NO_ELEMENTS
    is_html: bool = False
    refresh: tuple[float, str] | None = None
    capped: bool = False
    listed: tuple[Listed, ...] = ()


EMPTY = Reading()
_ANY_HTML = b"<html"


async def read(url: str, exchange: Exchange, *, limit: int, type_hint: str = "") -> Reading:
    """Decode (at most `limit` bytes) and parse, in a thread when big. Never raises for what a site sent."""
    label = (exchange.header(b"content-type") or b"").decode("latin-1")
    if exchange.entity_size == 0 or not may_hold(label, type_hint):
        return EMPTY
    heavy = COMPRESSED_OFF_LOOP if exchange.header(b"content-encoding") else OFF_LOOP
    if exchange.entity_size > heavy:
        return await asyncio.to_thread(_read, url, exchange, label, limit, type_hint)
    return _read(url, exchange, label, limit, type_hint)


async def read_list(url: str, exchange: Exchange, *, kind: str) -> Reading:
    """A sitemap or feed, whatever its Content-Type says; `kind` is `sitemap` or `feed`. In a thread: a small one may
    be packed, whatever it says. Never raises for what a site sent."""
    if exchange.entity_size == 0 or not 200 <= exchange.status < 300:
        return EMPTY
    return await asyncio.to_thread(_read_list, url, exchange, kind)


def _read_list(url: str, exchange: Exchange, kind: str) -> Reading:
    coding = b", ".join(exchange.header_all(b"content-encoding"))
    body = decode(exchange.entity_chunks(), coding or None, limit=MAX_BYTES + 1).data
    found = read_sitemap(body, base_url=url) if kind == SITEMAP else read_feed(body, base_url=url)
    return Reading(listed=found.entries, capped=found.capped)


async def read_dom(url: str, dom: bytes) -> Reading:
    """The document as a browser left it (UTF-8). Never raises for what is in it."""
    if len(dom) > OFF_LOOP:
        return await asyncio.to_thread(_of_html, url, dom, "utf-8")
    return _of_html(url, dom, "utf-8")


def may_hold(content_type: str, type_hint: str) -> bool:
    """Whether a body of this kind is worth looking at: all but images, media, scripts and other plain data."""
    return bool(kind_of(content_type, _ANY_HTML, type_hint))


def _read(url: str, exchange: Exchange, label: str, limit: int, type_hint: str) -> Reading:
    coding = b", ".join(exchange.header_all(b"content-encoding"))
    body = decode(exchange.entity_chunks(), coding, limit=limit).data if coding else exchange.entity_bytes()[:limit]
    kind = kind_of(label, body, type_hint)
    if kind != "html":
        return Reading(requisites=requisites_of(label, body, base_url=url, resource_type=type_hint)) if kind else EMPTY
    return _of_html(url, body, charset.label_of(label))


def _of_html(url: str, body: bytes, charset_hint: str | None) -> Reading:
    facts = extract(body, base_url=url, charset_hint=charset_hint)
    return Reading(
        title=facts.title,
        requisites=facts.requisites,
        links=tuple((link.url, "nofollow" in link.rel) for link in facts.links),
        elements=facts.elements,
        refresh=facts.meta_refresh,
        is_html=True,
        capped=facts.capped,
    )
