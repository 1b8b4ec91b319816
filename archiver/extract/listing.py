"""Lists of pages that sites offer to machines: what sitemaps and feeds have in common. Pure and bounded.

XML is read by lxml as a stream: no entity is expanded, no DTD loaded, nothing fetched, no tree kept. A feed library
would parse and clean all that the entries hold; wanted here are addresses and dates.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Generator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from io import BytesIO
from typing import NamedTuple

from lxml import etree

from archiver import urls

MAX_BYTES = 50 << 20
"""Of one list, unpacked: sitemaps.org allows 50 MiB; what is beyond is not looked at."""
MAX_ENTRIES = 50_000
"""Entries of one list (sitemaps.org's bound)."""
MAX_ELEMENTS = 750_000
"""Elements of one list that are looked at: fifteen an entry."""
PAGE, SITEMAP, FEED = "", "sitemap", "feed"

_CUT = frozenset({"ERR_TAG_NOT_FINISHED", "ERR_GT_REQUIRED", "ERR_DOCUMENT_END"})
_GZIP = b"\x1f\x8b\x08"
_MAX_URL = 4096
_MAX_DATE = 40
_MONTH = re.compile(r"(\d{4})(?:-(\d\d))?")


class Listed(NamedTuple):
    """One entry. `kind`: a page, or another list (`sitemap`, `feed`). `lastmod` as written, at most 40 characters."""

    url: str
    lastmod: str = ""
    kind: str = PAGE


class Listing(NamedTuple):
    """What a list holds, in order, each URL once. `capped`: there is more than was looked at, or it cannot be read to
    its end."""

    entries: tuple[Listed, ...] = ()
    capped: bool = False


class Entries:
    """Collects entries: absolute, http(s), each once, at most `MAX_ENTRIES`."""

    def __init__(self, base_url: str) -> None:
        self._base = urls.base_of(base_url)
        self._found: dict[str, Listed] = {}
        self.capped = False

    @property
    def is_full(self) -> bool:
        return len(self._found) >= MAX_ENTRIES

    def add(self, reference: str | None, lastmod: str | None = None, kind: str = PAGE, *, base: str = "") -> None:
        """`base`: an `xml:base` that is in force. What is no http(s) URL is passed over."""
        text = (reference or "").strip()
        if not text or len(text) > _MAX_URL:
            return
        if self.is_full:
            self.capped = True
            return
        inner = urls.base_of(str(self._base.href), base) if base and self._base is not None else self._base
        url = urls.resolve(inner, text.partition("#")[0]) if inner is not None else None
        if url is not None:
            self._found.setdefault(url, Listed(url, (lastmod or "").strip()[:_MAX_DATE], kind))

    def listing(self) -> Listing:
        return Listing(tuple(self._found.values()), self.capped)


def unpacked(body: bytes) -> tuple[bytes, bool]:
    """The body, inflated where it is gzip whatever its name or type says; whether it was cut at `MAX_BYTES` or broken
    off. Never raises for what a site sends."""
    if not body.startswith(_GZIP):
        return body[:MAX_BYTES], len(body) > MAX_BYTES
    inflate = zlib.decompressobj(31)
    try:
        data = inflate.decompress(body, MAX_BYTES)
    except zlib.error:
        return b"", True
    return data, not inflate.eof


def is_xml(body: bytes) -> bool:
    """By its first character, behind a byte order mark and blanks."""
    start = body[:1024]
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return True
    return start.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<")


class Broken(Exception):
    """The XML cannot be read further; what came before counts."""


def elements(body: bytes, wanted: frozenset[str]) -> Generator[tuple[str, etree._Element], None, None]:
    """(local name, element) of the root at its start, named `wanted` or not, then of each wanted element when it ends
    and lies in no other wanted one.

    What was yielded is forgotten at the next step. Raises Broken.
    """
    text = body if body[:2] in (b"\xff\xfe", b"\xfe\xff") else body.lstrip()
    events = etree.iterparse(
        BytesIO(text), events=("start", "end"), resolve_entities=False, load_dtd=False, no_network=True,
        huge_tree=False, recover=True, remove_comments=True, remove_pis=True, collect_ids=False,
    )  # fmt: skip
    root: etree._Element | None = None
    held: etree._Element | None = None  # until more is seen: what a cut ended may be half an address
    inside = 0
    try:
        for (event, element), _ in zip(events, range(2 * MAX_ELEMENTS), strict=False):
            name = local_name(element)
            if root is None:
                root = element
                yield name, element
                continue
            if element is root and any(fault.type_name in _CUT for fault in events.error_log):
                raise Broken("the document is cut")
            if held is not None:
                yield local_name(held), held
                _forget(held)
                held = None
            if element is root:
                return
            if name in wanted:
                inside += 1 if event == "start" else -1
                held = None if inside else element
            elif event == "end" and not inside:
                _forget(element)
    except etree.XMLSyntaxError as error:
        raise Broken(str(error)) from None
    raise Broken("the document has no end, or too many elements")


def _forget(element: etree._Element) -> None:
    """Free it and its elder siblings: lxml keeps the tree otherwise."""
    element.clear()
    parent = element.getparent()
    while parent is not None and element.getprevious() is not None:
        del parent[0]


def local_name(element: etree._Element) -> str:
    """In lower case, without namespace; "" for what is no element."""
    tag = element.tag
    return tag.rpartition("}")[2].lower() if isinstance(tag, str) else ""


def text_of(element: etree._Element) -> str:
    """Its text, where it holds nothing but text: what an entity stood in is no address."""
    return (element.text or "").strip() if len(element) == 0 else ""


def namespace(element: etree._Element) -> str:
    tag = element.tag
    return tag.partition("}")[0].lstrip("{") if isinstance(tag, str) and tag.startswith("{") else ""


def moment(text: str) -> datetime | None:
    """A W3C date of any precision, or an RFC 822 one (RSS); without a zone it is UTC. None for anything else."""
    plain = _MONTH.fullmatch(text)
    try:
        if plain:
            return datetime(int(plain[1]), int(plain[2] or 1), 1, tzinfo=UTC)
        found = datetime.fromisoformat(text)
    except ValueError:
        try:
            found = parsedate_to_datetime(text)
        except (ValueError, TypeError, IndexError):
            return None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
