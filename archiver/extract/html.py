"""What an HTML document links to, needs and says about itself, in one pass over one lxml tree.

The parser gets no network, no external entities and no more than `MAX_BODY` bytes. Three things are kept from it, all
found by trying: tags with thousands of attributes (libxml2 takes quadratic time: 100,000 of them, four minutes),
nesting past its own limit (it gives up and drops the rest), and millions of elements (half a gigabyte of tree). The
first are cut, for the others the document is reduced to the tags that matter and parsed again.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from archiver.extract import charset
from archiver.extract.page import MAX_METAS, Link, References, Rel, Requisite

MAX_BODY = 8 << 20
"""Bytes of a document that are looked at."""
MAX_TAGS = 150_000
MAX_ATTRIBUTES = 512
_GAP = 2_048


@dataclass(frozen=True, slots=True, kw_only=True)
class HtmlFacts:
    """What one document says. URLs are in url form (`archiver.urls`), deduplicated, in document order.

    `metas` holds (name or property or http-equiv in lower case, content) as they stand, `meta_refresh` (seconds, url).
    `capped` tells that a limit was met and something left out. `root` is the parsed tree, for `extract.text`: drop the
    facts when the visit ends.
    """

    base: str
    charset: str
    title: str = ""
    lang: str = ""
    links: tuple[Link, ...] = ()
    requisites: tuple[Requisite, ...] = ()
    rels: tuple[Rel, ...] = ()
    metas: tuple[tuple[str, str], ...] = ()
    meta_refresh: tuple[float, str] | None = None
    capped: bool = False
    size: int = 0
    root: Any = field(default=None, repr=False, compare=False)

    def meta(self, name: str) -> list[str]:
        """The contents of all metas of this name (lower case): `robots`, `tdm-reservation`, `tdm-policy` ..."""
        return [content for key, content in self.metas if key == name]


def extract(body: bytes, *, base_url: str, charset_hint: str | None = None) -> HtmlFacts:
    """Read a content-decoded HTML document. `base_url` is where it came from, `charset_hint` the HTTP header's label.

    Never raises for what is in the body.
    """
    codec = charset.html_codec(body, charset_hint)
    root, cut = _parse(body, codec)
    document = _Document(root, base_url, body)
    if root is not None:
        document.read(root)
    return HtmlFacts(
        base=document.base_url,
        charset=codec,
        title=document.title,
        lang=document.lang,
        links=tuple(document.refs.links.values()),
        requisites=tuple(document.refs.requisites.values()),
        rels=tuple(document.refs.rels),
        metas=tuple(document.metas),
        meta_refresh=document.refresh,
        capped=cut or document.refs.capped,
        size=len(body),
        root=root,
    )


# --- parsing ----------------------------------------------------------------------------------------------------------

_TAG = (
    rb"<[a-zA-Z][^\s/>]*+(?:[\s/]++[^\s/>=]++"
    rb"(?:\s*+=\s*+(?:\"[^\"]{0,65536}+\"|'[^']{0,65536}+'|[^\s>]*+))?+){%d}" % MAX_ATTRIBUTES
)
_MANY_ATTRIBUTES = re.compile(_TAG)


def _parse(body: bytes, codec: str) -> tuple[Any, bool]:
    """The tree's root (None: an empty document), and whether something was left out."""
    cut = len(body) > MAX_BODY
    body = body[:MAX_BODY]
    if codec != "utf-8":
        body = charset.decode(body, codec).encode("utf-8", "replace")
    if any(body.find(b">", at, at + _GAP) < 0 for at in range(0, len(body), _GAP)):
        # somewhere is a long stretch without ">": only there can a tag have too many attributes
        body = _MANY_ATTRIBUTES.sub(rb"\g<0> >", body)
    if len(body) > MAX_TAGS and body.count(b"<") > MAX_TAGS:
        return _tree(_reduced(body))[0], True
    root, complete = _tree(body)
    return (root, cut) if complete else (_tree(_reduced(body))[0], cut)


def _tree(body: bytes) -> tuple[Any, bool]:
    """The root, and False when the parser gave up on nesting. A parser a document: parsers lock and keep a log."""
    parser = etree.HTMLParser(encoding="utf-8", no_network=True, huge_tree=True)
    try:
        root = etree.fromstring(body, parser)
    except etree.LxmlError:  # an empty document, or nothing but comments
        return None, True
    last = parser.error_log.last_error
    return root, last is None or last.type != etree.ErrorTypes.ERR_RESOURCE_LIMIT


def _reduced(body: bytes) -> bytes:
    """The tags that matter, each closed at once: flat, however deep the document was. Linear, and blind to quoting."""
    kept = [b"<html>"]
    at = 0
    while len(kept) < 2 * MAX_TAGS:
        end = body.find(b">", at) + 1
        if not end:
            break
        found = _INTERESTING.search(body, at, end)
        if found:
            kept += (body[found.start() : end], b"</%s>" % found[1])
        at = end
    return b"".join(kept)


# --- reading ----------------------------------------------------------------------------------------------------------

# fmt: off
_LINK_RELS = frozenset((
    "next", "prev", "previous", "alternate", "canonical", "amphtml", "help", "license", "author", "bookmark", "up",
    "contents", "toc", "index", "start", "first", "last", "chapter", "section", "subsection", "appendix", "glossary",
    "copyright", "archives", "search", "terms-of-service", "privacy-policy",
))
_ICON_RELS = frozenset((
    "icon", "apple-touch-icon", "apple-touch-icon-precomposed", "apple-touch-startup-image", "mask-icon", "fluid-icon",
))
_PRELOAD_AS = {
    "style": "stylesheet", "script": "script", "worker": "script", "image": "image", "font": "font", "video": "media",
    "audio": "media", "track": "texttrack", "document": "frame", "object": "object", "embed": "object",
}
# fmt: on
_REFRESH = re.compile(
    r"\s*(\d*\.?\d*)[\s;,]*(?:url\s*=\s*)?(?:\"([^\"]*)\"?|'([^']*)'?|(.*))", re.IGNORECASE | re.DOTALL
)
_STYLE_ATTRIBUTES: Any = etree.XPath("//@style", smart_strings=False)
_BACKGROUNDS: Any = etree.XPath("//@background", smart_strings=False)


class _Document:
    """One pass: each interesting element goes to the reader of its tag."""

    def __init__(self, root: Any, base_url: str, body: bytes) -> None:
        hrefs = () if root is None else (element.get("href") for element in root.iter("base"))
        base = next((href for href in hrefs if href is not None), None)
        self.refs = References(base_url, base)
        self.base_url = base_url if self.refs.base is None else self.refs.base.href.partition("#")[0]
        self.metas: list[tuple[str, str]] = []
        self.refresh: tuple[float, str] | None = None
        self.title = ""
        self.lang = ""
        self._styled = b"url(" in body or b"URL(" in body

    def read(self, root: Any, *, nested: bool = False) -> None:
        link, readers, plain = self.refs.link, _READERS, set[str]()
        self.lang = self.lang or (root.get("lang") or root.get("xml:lang") or "").strip()[:100]
        for element in root.iter(*_TAGS):
            tag = element.tag
            if tag == "a":
                href = element.get("href") or element.get("xlink:href")
                rel = element.get("rel")
                if rel is not None:
                    link(href, rel, "a")
                elif href not in plain:
                    plain.add(href)
                    link(href, None, "a")
            elif not (nested and tag in _NOT_NESTED):
                readers[tag](self, element)
        if self._styled:
            for style in _STYLE_ATTRIBUTES(root):
                self.refs.style(style)
        if next(root.iter("table"), None) is not None:
            for raw in _BACKGROUNDS(root):
                self.refs.requisite(raw, "image")

    def area(self, element: Any) -> None:
        self.refs.link(element.get("href"), element.get("rel"), "area")

    def image(self, element: Any) -> None:
        self.refs.requisite(element.get("src"), "image")
        self.refs.srcset(element.get("srcset"))
        self.refs.requisite(element.get("lowsrc"), "image")
        self.lazy(element)

    def lazy(self, element: Any) -> None:
        """What a lazy-loading script would put in place: without it the replayed page shows blanks."""
        for name in ("data-src", "data-original", "data-lazy-src"):
            raw = element.get(name)
            if raw and "{" not in raw:
                self.refs.requisite(raw, "image")
        for name in ("data-srcset", "data-lazy-srcset"):
            self.refs.srcset(element.get(name))

    def source(self, element: Any) -> None:
        parent = element.getparent()
        self.refs.requisite(element.get("src"), "image" if parent is not None and parent.tag == "picture" else "media")
        self.refs.srcset(element.get("srcset"))
        self.lazy(element)

    def body(self, element: Any) -> None:
        self.refs.requisite(element.get("background"), "image")

    def media(self, element: Any) -> None:
        self.refs.requisite(element.get("poster"), "image")
        self.refs.requisite(element.get("src"), "media")

    def track(self, element: Any) -> None:
        self.refs.requisite(element.get("src"), "texttrack")

    def script(self, element: Any) -> None:
        self.refs.requisite(element.get("src") or element.get("href") or element.get("xlink:href"), "script")

    def style(self, element: Any) -> None:
        self.refs.style(element.text)

    def frame(self, element: Any) -> None:
        self.refs.requisite(element.get("src"), "frame")
        nested = element.get("srcdoc")
        if nested:
            root = _parse(nested.encode("utf-8", "replace"), "utf-8")[0]
            if root is not None:
                self.read(root, nested=True)

    def object(self, element: Any) -> None:
        self.refs.requisite(element.get("data") or element.get("src"), "object")

    def applet(self, element: Any) -> None:
        codebase = self.refs.absolute(element.get("codebase"))
        for raw in [element.get("code"), *(element.get("archive") or "").split(",")[:100]]:
            if raw:
                inner = References(codebase) if codebase else self.refs
                self.refs.requisite(inner.absolute(raw), "object")

    def input(self, element: Any) -> None:
        if (element.get("type") or "").strip().lower() == "image":
            self.refs.requisite(element.get("src"), "image")

    def svg_image(self, element: Any) -> None:
        self.refs.requisite(element.get("href") or element.get("xlink:href") or element.get("src"), "image")

    def link(self, element: Any) -> None:
        href = element.get("href")
        tokens = (element.get("rel") or "").lower().split()[:20]
        if "preload" in tokens:
            self.refs.srcset(element.get("imagesrcset"))
        url = self.refs.absolute(href)
        if url is None:
            return
        of_type = (element.get("type") or "").strip().lower()
        if len(self.refs.rels) < MAX_METAS:
            self.refs.rels.extend(Rel(token, url, of_type) for token in tokens)
        kind = _requisite_kind(tokens, element)
        if kind:
            self.refs.requisite(url, kind)
        elif not _LINK_RELS.isdisjoint(tokens):
            self.refs.link(url, " ".join(tokens), "link")

    def meta(self, element: Any) -> None:
        content = element.get("content")
        if content is None or len(self.metas) >= MAX_METAS:
            return
        pragma = (element.get("http-equiv") or "").strip().lower()
        if pragma == "refresh" and self.refresh is None:
            self._refresh(content[:65_536])
        for name in (element.get("name"), element.get("property"), pragma):
            if name:
                self.metas.append((name.strip().lower()[:200], content[:4096]))

    def _refresh(self, content: str) -> None:
        found = _REFRESH.match(content)
        if found is None or not found[1]:
            return
        raw = found[2] or found[3] or found[4] or ""
        url = self.refs.absolute(raw) or self.base_url
        try:
            seconds = float(found[1])
        except ValueError:  # "."
            return
        self.refresh = (min(seconds, 1e9), url)
        if raw:
            self.refs.link(url, None, "refresh")

    def heading(self, element: Any) -> None:
        parent = element.getparent()
        if not self.title and (parent is None or parent.tag != "svg"):
            self.title = " ".join((element.text or "")[:4096].split())[:1000]


def _requisite_kind(tokens: list[str], element: Any) -> str | None:
    if "stylesheet" in tokens:
        return "stylesheet"
    if not _ICON_RELS.isdisjoint(tokens):
        return "image"
    if "modulepreload" in tokens:
        return "script"
    if "manifest" in tokens:
        return "manifest"
    if "preload" in tokens:
        return _PRELOAD_AS.get((element.get("as") or "").strip().lower(), "fetch")
    return None


_READERS: dict[str, Callable[[_Document, Any], None]] = {
    "area": _Document.area, "img": _Document.image, "source": _Document.source, "video": _Document.media,
    "audio": _Document.media, "bgsound": _Document.media, "track": _Document.track, "script": _Document.script,
    "style": _Document.style, "iframe": _Document.frame, "frame": _Document.frame, "object": _Document.object,
    "embed": _Document.object, "applet": _Document.applet, "input": _Document.input, "link": _Document.link,
    "image": _Document.svg_image, "use": _Document.svg_image, "feimage": _Document.svg_image, "meta": _Document.meta,
    "title": _Document.heading, "body": _Document.body,
}  # fmt: skip
_TAGS = ("a", *_READERS)
_NOT_NESTED = frozenset(("iframe", "title", "meta"))
_INTERESTING = re.compile(rf"<({'|'.join(_TAGS)}|base)(?=[\s/])".encode(), re.IGNORECASE)
