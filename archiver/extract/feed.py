"""Feeds: RSS 0.9x, 1.0 and 2.0, Atom (RFC 4287), JSON Feed 1.1; their entries, and the feed's next page (RFC 5005)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
from lxml import etree

from archiver.extract import listing
from archiver.extract.listing import FEED, Broken, Entries, Listing, elements, local_name

_WANTED = frozenset({"item", "entry", "link"})
_ROOTS = frozenset({"rss", "rdf", "feed"})
_NEXT = frozenset({"next", "prev-archive"})
_PAGE_RELS = frozenset({"", "alternate"})
_DATES = ("updated", "modified", "published", "pubdate", "date")
_XML_BASE = "{http://www.w3.org/XML/1998/namespace}base"


def read_feed(body: bytes, *, base_url: str) -> Listing:
    """Entries' pages, and the next page of the feed as an entry of kind `feed`. Enclosures are not pages. Anything else
    holds nothing, and is `capped`."""
    data, cut = listing.unpacked(body)
    entries = Entries(base_url)
    text, _ = listing.utf8(data)
    try:
        if listing.is_xml(text):
            read_feed_xml(data, entries)
        else:
            _json(text, entries)
    except Broken:
        cut = True
    entries.capped = entries.capped or cut
    return entries.listing()


def read_feed_xml(data: bytes, entries: Entries) -> None:
    """Raises Broken, as for what is no feed."""
    rows = elements(data, _WANTED)
    root, top = next(rows, ("", None))
    if root not in _ROOTS or top is None:
        rows.close()
        raise Broken("neither a sitemap nor a feed")
    base = top.get(_XML_BASE) or ""
    for name, element in rows:
        if entries.is_full:
            entries.capped = True
            return
        if name == "link":
            _paging(element, entries, base)
        else:
            _entry(element, entries, base)


def _paging(element: etree._Element, entries: Entries, base: str) -> None:
    """A link of the feed itself; in RSS it is Atom's, or has text."""
    if (element.get("rel") or "").lower() in _NEXT:
        entries.add(element.get("href"), kind=FEED, base=base)


def _entry(element: etree._Element, entries: Entries, base: str) -> None:
    base = element.get(_XML_BASE) or base
    said: dict[str, str] = {}
    link = permanent = ""
    for child in element:
        name = local_name(child)
        if name == "link" and not link and (child.get("rel") or "").lower() in _PAGE_RELS:
            link = (child.get("href") or listing.text_of(child)).strip()
        elif name == "guid" and (child.get("ispermalink") or child.get("isPermaLink") or "true").lower() == "true":
            permanent = listing.text_of(child)
        elif name in _DATES:
            said.setdefault(name, listing.text_of(child))
    if not link and permanent.startswith(("http://", "https://")):
        link = permanent
    entries.add(link, next((said[name] for name in _DATES if name in said), None), base=base)


def _json(data: bytes, entries: Entries) -> None:
    try:
        feed = orjson.loads(data.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError:
        raise Broken("neither XML nor JSON") from None
    if not isinstance(feed, dict):
        return
    for item in _items(feed):
        date = item.get("date_modified") or item.get("date_published")
        entries.add(_text(item.get("url")), _text(date))
    entries.add(_text(feed.get("next_url")), kind=FEED)


def _items(feed: dict[str, Any]) -> Iterator[dict[str, Any]]:
    items = feed.get("items")
    if isinstance(items, list):
        yield from (item for item in items if isinstance(item, dict))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
