"""From an exchange to what a visit needs of it: title, links, requisites, meta elements."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from archiver import extract
from archiver.coding import decode
from archiver.model import Exchange

OFF_LOOP = 65_536  # bytes on the wire past which parsing takes longer than the loop may be held (decision 15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """`requisites` are (URL, type), `links` (URL, nofollow), `metas` (name, content); URLs absolute, no fragment."""

    title: str = ""
    requisites: tuple[tuple[str, str], ...] = ()
    links: tuple[tuple[str, bool], ...] = ()
    metas: tuple[tuple[str, str], ...] = ()
    is_html: bool = False


EMPTY = Reading()


async def read(url: str, exchange: Exchange, *, limit: int, type_hint: str = "") -> Reading:
    """Decode (at most `limit` bytes) and parse, in a thread when big. Never raises for what a site sent."""
    content_type = (exchange.header(b"content-type") or b"").decode("latin-1")
    if exchange.entity_size == 0 or not extract.is_readable(content_type, type_hint):
        return EMPTY
    if exchange.entity_size > OFF_LOOP:
        return await asyncio.to_thread(_read, url, exchange, content_type, limit)
    return _read(url, exchange, content_type, limit)
