"""What a stored page is made of: its requisites read out of its own record, as the run that made it did."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from archiver.coding import decode
from archiver.extract import requisites_of
from archiver.framing import header_fields
from archiver.warc.http import ChunkDecoder, CodingDecoder, parse_head

READ = 16 << 20
"""Bytes of a decoded body that are looked at."""


def may_refer(content_type: str) -> bool:
    """Whether a body of this media type (as an index line has it) may name requisites."""
    return content_type.startswith(("text/html", "application/xhtml", "text/css", "image/svg", "application/manifest"))


def requisites(url: str, block: bytes, resource_type: str = "") -> list[str]:
    """Absolute URLs, in order, that an HTTP answer of `url` needs to be shown. Never raises for what a site sent."""
    head = parse_head(block)
    body = block[head.end :]
    if head.chunked:
        body = b"".join(ChunkDecoder().feed(body))
    if head.coding:
        body = b"".join(CodingDecoder(head.coding).feed(body))
    fields = [(name.lower(), value) for name, value in header_fields(block[head.start : head.end])]
    coding = b", ".join(value for name, value in fields if name == b"content-encoding")
    content_type = next((value for name, value in fields if name == b"content-type"), b"").decode("latin-1")
    decoded = decode(body, coding or None, limit=READ).data
    return [found for found, _ in requisites_of(content_type, decoded, base_url=url, resource_type=resource_type)]


def page_info_urls(block: bytes) -> Iterator[str]:
    """Every URL that a `urn:pageinfo:` record lists as asked for by the page."""
    try:
        info = orjson.loads(block)
    except orjson.JSONDecodeError:
        return
    listed = info.get("urls") if isinstance(info, dict) else None
    if isinstance(listed, dict):
        yield from (url for url in listed if isinstance(url, str))
