"""What an HTML document links to, needs and says about itself, in one pass, by libxml2's parser.

Small documents are read from a tree, which is fastest. Larger ones are read from parser events: a tree of a hostile
document takes quadratic time (100,000 attributes in one tag: four minutes) and thirty times its size. Either way there
is no network, no entity of the document's own, and never more than `MAX_BODY` bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from lxml import etree

from archiver.extract import charset
from archiver.extract.document import READERS, TEXTS, Attributes, Document
from archiver.extract.page import Link, Rel, Requisite
from archiver.model import NO_ELEMENTS, Elements

MAX_BODY = 8 << 20
"""Bytes of a document that are looked at."""
MAX_ELEMENTS = 500_000
TREE_UP_TO = 65_536
"""Bytes: here the worst tags cost 75 ms, while most pages of most sites are below."""

_STYLES: Any = etree.XPath("//@style", smart_strings=False)
_BACKGROUNDS: Any = etree.XPath("//@background", smart_strings=False)
_TAGS = (*READERS, *TEXTS)
_SPEAK = frozenset(("meta", "link", "a"))
_INTERESTING = re.compile(rf"<({'|'.join(_TAGS)})(?=[\s/])".encode(), re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class HtmlFacts:
    """What one document says. URLs are in url form (`archiver.urls`), deduplicated, in document order.

    `base` is the document base URL; `metas` hold (name or property or http-equiv in lower case, content) as they
    stand; `elements` what speaks about the use of the page: metas by name, and links that name a licence, none of them
    from a `<template>`, which is no part of the page (HTML, 4.12.3); `meta_refresh` is (seconds, url). `capped` tells
    that a limit was met and something left out.
    """

    base: str
    charset: str
    title: str = ""
    lang: str = ""
    links: tuple[Link, ...] = ()
    requisites: tuple[Requisite, ...] = ()
    rels: tuple[Rel, ...] = ()
    metas: tuple[tuple[str, str], ...] = ()
    elements: Elements = NO_ELEMENTS
    meta_refresh: tuple[float, str] | None = None
    capped: bool = False

    def meta(self, name: str) -> list[str]:
        """The contents of all metas of this name (lower case): `robots`, `tdm-reservation`, `tdm-policy` ..."""
        return [content for key, content in self.metas if key == name]


def extract(body: bytes, *, base_url: str, charset_hint: str | None = None) -> HtmlFacts:
    """Read a content-decoded HTML document. `base_url` is where it came from, `charset_hint` the HTTP header's label.

    Never raises for what is in the body. Bodies past 64 KB belong in a thread (about 25 us a KB).
    """
    codec = charset.html_codec(body, charset_hint)
    text = utf8(body, codec)
    document = Document(base_url)
    whole = _read(text, document)
    for nested in document.nested_documents:
        inner = Document(base_url, nested=True)
        inner.refs = document.refs
        whole &= _read_events(nested.encode("utf-8", "replace"), inner)
    refs = document.refs
    return HtmlFacts(
        base=base_url if refs.base is None else refs.base.href.partition("#")[0],
        charset=codec,
        title=document.title,
        lang=document.lang,
        links=tuple(refs.links.values()),
        requisites=tuple(refs.requisites.values()),
        rels=tuple(refs.rels),
        metas=tuple(document.metas),
        elements=document.elements,
        meta_refresh=document.refresh,
        capped=refs.capped or not whole or len(body) > MAX_BODY,
    )


def utf8(body: bytes, codec: str) -> bytes:
    """The part of a body that is looked at, in UTF-8. Each NUL costs the parser an event: runs of them become one."""
    body = body[:MAX_BODY]
    if codec == "utf-8" and b"\0\0" in body:
        body = _NULS.sub(b"\0", body)
    return _whole(body if codec == "utf-8" else charset.decode(body, codec).encode("utf-8", "replace"))


_NULS = re.compile(rb"\0{2,}+")
_ENDS = re.compile(rb"</(?:body|html)[^<>]*+>", re.IGNORECASE)  # not across "<": that would be quadratic


def _whole(body: bytes) -> bytes:
    """libxml2 drops what stands behind </html>; browsers show it (HTML, 13.2.6.4.19): then the end tags go."""
    lower = body.lower()
    ends = [at for at in (lower.find(b"</body"), lower.find(b"</html")) if at >= 0]
    if not ends or not _ENDS.sub(b"", body[min(ends) :]).strip():
        return body
    return _ENDS.sub(b"", body)


def parse_events(body: bytes, target: Any) -> bool:
    """Feed a parser target (`start(tag, attributes)`, `data(text)`, `close()`); it may stop by raising `Enough`.

    False when the parser gave up on nesting (past 2048 levels it drops the rest).
    """
    parser = etree.HTMLParser(encoding="utf-8", no_network=True, huge_tree=True, target=target)
    try:
        etree.fromstring(body, parser)
    except (etree.LxmlError, Enough):  # LxmlError: nothing in it but white space or comments
        return True
    return not _gave_up(parser)


class Enough(Exception):
    """Raised by a parser target that has seen what it wants."""


def _read(body: bytes, document: Document) -> bool:
    """False when something was left out."""
    if len(body) > TREE_UP_TO:
        return _read_events(body, document)
    parser = etree.HTMLParser(encoding="utf-8", no_network=True, huge_tree=True)
    try:
        root = etree.fromstring(body, parser)
    except etree.LxmlError:  # an empty document, or nothing but comments
        return True
    if _gave_up(parser):
        return _read_events(body, document)
    if root is not None:
        _read_tree(root, document, body)
    return True


def _gave_up(parser: Any) -> bool:
    last = parser.error_log.last_error
    return last is not None and last.type == etree.ErrorTypes.ERR_RESOURCE_LIMIT


def _read_tree(root: Any, document: Document, body: bytes) -> None:
    templates = b"<template" in body or b"<TEMPLATE" in body
    readers = READERS
    for element in root.iter(*_TAGS):
        tag = element.tag
        if templates and tag in _SPEAK:
            document.templates = sum(1 for _ in element.iterancestors("template"))
        if tag in TEXTS:
            document.text(tag, element.text or "")
        else:
            readers[tag](document, element)
    if b"url(" in body or b"URL(" in body:
        for style in _STYLES(root):
            document.refs.style(style)
    if b"background=" in body or b"BACKGROUND=" in body:
        for raw in _BACKGROUNDS(root):
            document.refs.requisite(raw, "image")


def _read_events(body: bytes, document: Document) -> bool:
    target = _Target(document)
    if not parse_events(body, target):
        # Too deep: the tags that matter alone, flat. What was read already is read again, and known.
        document.forget_elements()
        target = _Target(document)
        parse_events(_flattened(body), target)
    return target.left > 0


def _flattened(body: bytes) -> bytes:
    """The tags that matter, each closed at once. Linear, and blind to quoting."""
    kept = [b"<html>"]
    at = 0
    while len(kept) < MAX_ELEMENTS:
        end = body.find(b">", at) + 1
        if not end:
            break
        found = _INTERESTING.search(body, at, end)
        if found:
            kept += (body[found.start() : end], b"</%s>" % found[1])
        at = end
    return b"".join(kept)


class _Target:
    """Parser events to a document."""

    def __init__(self, document: Document) -> None:
        self.left = MAX_ELEMENTS
        self._document = document
        self._tag = ""
        self._text: list[str] = []

    def start(self, tag: str, attributes: Attributes) -> None:
        self.left -= 1
        if not self.left:
            raise Enough
        if tag in TEXTS:
            self._tag = tag
        elif tag == "template":
            self._document.templates += 1
        reader = READERS.get(tag)
        if reader is not None:
            reader(self._document, attributes)
        if attributes:
            style = attributes.get("style")
            if style:
                self._document.refs.style(style)
            self._document.refs.requisite(attributes.get("background"), "image")

    def data(self, text: str) -> None:
        if self._tag:
            self._text.append(text)

    def end(self, tag: str) -> None:
        if tag == self._tag:
            self.close()
        elif tag == "template":
            self._document.templates -= 1

    def close(self) -> None:
        if self._tag:
            self._document.text(self._tag, "".join(self._text))
        self._tag = ""
        self._text.clear()
