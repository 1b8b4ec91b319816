"""Sitemaps and their indexes (sitemaps.org 0.90; plain text too), packed or not; Sitemap lines of a robots.txt."""

from __future__ import annotations

import re
from io import StringIO

from lxml import etree

from archiver.extract import listing
from archiver.extract.feed import read_feed_xml
from archiver.extract.listing import PAGE, SITEMAP, Broken, Entries, Listing, elements, local_name

_WANTED = frozenset({"url", "sitemap"})
_ROOTS = frozenset({"urlset", "sitemapindex"})
_ELSEWHERE = ("sitemap-image", "sitemap-video", "sitemap-news")
_LINE = re.compile(r"site-?map\s*:\s*(\S+)", re.IGNORECASE)


def read_sitemap(body: bytes, *, base_url: str) -> Listing:
    """Pages and further sitemaps. A feed may stand for a sitemap (sitemaps.org). Anything else holds nothing, and is
    `capped`."""
    data, cut = listing.unpacked(body)
    text, _ = listing.utf8(data)
    entries = Entries(base_url)
    if listing.is_xml(text):
        try:
            _xml(data, entries)
        except Broken:
            cut = True
    else:
        _text(text, entries, cut=cut)
        cut = cut or bool(entries.is_empty and text.strip())
    entries.capped = entries.capped or cut
    return entries.listing()


def _xml(data: bytes, entries: Entries) -> None:
    """Raises Broken."""
    rows = elements(data, _WANTED)
    root, _ = next(rows, ("", None))
    if root not in _ROOTS:
        rows.close()
        read_feed_xml(data, entries)
        return
    for name, element in rows:
        if entries.is_full:
            entries.capped = True
            return
        _entry(element, SITEMAP if name == "sitemap" else PAGE, entries)


def _entry(element: etree._Element, kind: str, entries: Entries) -> None:
    found: dict[str, str] = {}
    alternates = []
    for child in element:
        name = local_name(child)
        if name == "link" and (child.get("rel") or "alternate").lower() == "alternate":
            alternates.append(child.get("href"))
        elif not any(word in listing.namespace(child) for word in _ELSEWHERE):
            found.setdefault(name, listing.text_of(child))
    entries.add(found.get("loc"), found.get("lastmod"), kind)
    for href in alternates:
        entries.add(href, found.get("lastmod"), kind)


def _text(data: bytes, entries: Entries, *, cut: bool) -> None:
    """One URL a line (sitemaps.org), or the `Sitemap:` lines of a robots.txt (RFC 9309, 2.2.4)."""
    lines = StringIO(data.decode("utf-8-sig", "replace"), newline=None)
    for _, line in zip(range(listing.MAX_ELEMENTS), lines, strict=False):
        if entries.is_full:
            break
        if cut and not line.endswith("\n"):
            return  # where it was cut the last may be half an address
        text = line.strip()
        named = _LINE.match(text)
        if named:
            entries.add(named[1], kind=SITEMAP)
        elif text.startswith(("http://", "https://")) and not any(char.isspace() for char in text):
            entries.add(text)
    entries.capped = entries.capped or bool(next(lines, ""))
