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
MAX_REFERENCES = 1_500_000
"""Ampersands of one list: each may become a node of the tree, and no event tells of it."""
MAX_PIECE = 4 << 20
"""Bytes from one `<` to the next: a tag is read as a whole, with all its attributes, before anybody hears of it."""
MAX_MEMBERS = 10_000
"""Members of one gzip file: some tools pack a list in pieces."""
PAGE, SITEMAP, FEED = "", "sitemap", "feed"

_CUT = frozenset({"ERR_TAG_NOT_FINISHED", "ERR_GT_REQUIRED", "ERR_DOCUMENT_END"})
_GZIP = b"\x1f\x8b\x08"
_UTF16 = ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"), (b"<\0", "utf-16-le"), (b"\0<", "utf-16-be"))
_CDATA_OR_BARE = re.compile(
    rb"<!\[CDATA\[(?:.*?\]\]>|.*)|&(?!(?:[A-Za-z_][A-Za-z0-9_.-]{0,63}|#[0-9]{1,8}|#x[0-9A-Fa-f]{1,8});)", re.DOTALL
)
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

    @property
    def is_empty(self) -> bool:
        return not self._found

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
    data, rest = bytearray(), memoryview(body)
    for _ in range(MAX_MEMBERS):
        inflate = zlib.decompressobj(31)
        try:
            data += inflate.decompress(rest, MAX_BYTES - len(data))
        except zlib.error:
            return bytes(data), True
        rest = rest[len(rest) - len(inflate.unused_data) :]
        if not inflate.eof or len(data) >= MAX_BYTES or rest[:3] != _GZIP:
            return bytes(data), not inflate.eof or rest[:3] == _GZIP
    return bytes(data), True


def utf8(data: bytes) -> tuple[bytes, bool]:
    """The data in UTF-8 where it is UTF-16, known by a mark or by how its first `<` is written; whether it was."""
    for start, encoding in _UTF16:
        if data.startswith(start):
            return data.decode(encoding, "replace").removeprefix("\ufeff").encode("utf-8", "replace"), True
    return data, False


def is_xml(data: bytes) -> bool:
    """By its first character, behind a byte order mark and blanks. The data as `utf8` gives it."""
    return data[:1024].removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<")


class Broken(Exception):
    """The XML cannot be read further; what came before counts."""


def elements(body: bytes, wanted: frozenset[str]) -> Generator[tuple[str, etree._Element], None, None]:
    """(local name, element) of the root at its start, named `wanted` or not, then of each wanted element when it ends
    and lies in no other wanted one.

    What was yielded is forgotten at the next step. `body` may be UTF-16. Raises Broken.
    """
    data, was_utf16 = utf8(body)
    text = _with_ampersands(_bounded(data.lstrip()))
    events = etree.iterparse(
        BytesIO(text), events=("start", "end"), resolve_entities=False, load_dtd=False, no_network=True,
        huge_tree=False, recover=True, remove_comments=True, remove_pis=True, collect_ids=False,
        encoding="utf-8" if was_utf16 else None,
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
            if element is root and _is_cut(events, f"</{_qualified(root)}".encode() in text):
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


def _is_cut(events: etree.iterparse, has_end: bool) -> bool:
    """Something behind the root's end tag is the same fault to libxml2 as no end at all."""
    return not has_end and any(fault.type_name in _CUT for fault in events.error_log)


def _bounded(text: bytes) -> bytes:
    """The text, if no tag and no number of references in it would fill the memory. Raises Broken."""
    if text.count(b"&") > MAX_REFERENCES:
        raise Broken("too many references")
    start = 0
    while len(text) - start > MAX_PIECE:
        start = text.rfind(b"<", start, start + MAX_PIECE) + 1
        if not start:
            raise Broken("a piece that is too long")
    return text


def _with_ampersands(text: bytes) -> bytes:
    """`?a=1&b=2` as many sites write it, mended: libxml2 would leave out `&b`, and an address would be another. What
    stands in CDATA is as it is meant."""
    return _CDATA_OR_BARE.sub(lambda found: b"&amp;" if found[0] == b"&" else found[0], text)


def _qualified(element: etree._Element) -> str:
    name = str(element.tag).rpartition("}")[2]
    return f"{element.prefix}:{name}" if element.prefix else name


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
