"""What each HTML element says about its document. `html` feeds the elements in, from a tree or from parser events."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Protocol

from archiver.extract.page import MAX_LICENSES, MAX_METAS, References, Rel
from archiver.model import NO_ELEMENTS, Elements

# fmt: off
_NO_LINK_RELS = frozenset(("dns-prefetch", "preconnect"))  # name a host, not a document
_ICON_RELS = frozenset((
    "icon", "apple-touch-icon", "apple-touch-icon-precomposed", "apple-touch-startup-image", "mask-icon", "fluid-icon",
))
_LAZY = ("data-src", "data-original", "data-lazy-src")
_LAZY_SETS = ("data-srcset", "data-lazy-srcset")
_MORE_IMAGES = frozenset(("srcset", "lowsrc", *_LAZY, *_LAZY_SETS))
_PRELOAD_AS = {
    "style": "stylesheet", "script": "script", "worker": "script", "image": "image", "font": "font", "video": "media",
    "audio": "media", "track": "texttrack", "document": "frame", "object": "object", "embed": "object",
}
# fmt: on
_REFRESH = re.compile(
    r"\s*(\d*\.?\d*)[\s;,]*(?:url\s*=\s*)?(?:\"([^\"]*)\"?|'([^']*)'?|(.*))", re.IGNORECASE | re.DOTALL
)


class Attributes(Protocol):
    """An element of a tree, or the mapping that parser events bring."""

    def get(self, name: str, /) -> str | None: ...
    def keys(self) -> Collection[str]: ...


class Document:
    """Collects what the elements say. `nested` is the document of an `<iframe srcdoc>`: it has no say in its page's
    title and metas, and no further nested ones."""

    def __init__(self, base_url: str, *, nested: bool = False) -> None:
        self.refs = References(base_url)
        self.metas: list[tuple[str, str]] = []
        self.named: list[tuple[str, str]] = []
        self.licenses: list[tuple[str, str, str]] = []
        self.templates = 0
        self.refresh: tuple[float, str] | None = None
        self.title = ""
        self.lang = ""
        self.nested_documents: list[str] = []
        self._nested = nested
        self._moved = False
        self._container = ""
        self._in_graphic = False
        self._plain: set[str | None] = set()

    def html(self, element: Attributes) -> None:
        self.lang = self.lang or (element.get("lang") or element.get("xml:lang") or "").strip()[:100]

    def base(self, element: Attributes) -> None:
        """The first one counts, for what follows it (HTML, 4.2.3)."""
        href = element.get("href")
        if href is not None and not self._moved:
            self._moved = True
            self._plain.clear()
            self.refs.rebase(href)

    def anchor(self, element: Attributes) -> None:
        href = element.get("href") or element.get("xlink:href")
        rel = element.get("rel")
        if rel is not None:
            self._license(rel, element)
            self.refs.link(href, rel, "a")
        elif href not in self._plain:
            self._plain.add(href)
            self.refs.plain(href)

    def area(self, element: Attributes) -> None:
        self.refs.link(element.get("href"), element.get("rel"), "area")

    def image(self, element: Attributes) -> None:
        self.refs.requisite(element.get("src"), "image")
        if not _MORE_IMAGES.isdisjoint(element.keys()):
            self.refs.srcset(element.get("srcset"))
            self.refs.requisite(element.get("lowsrc"), "image")
            self.lazy(element)

    def lazy(self, element: Attributes) -> None:
        """What a lazy-loading script would put in place: without it the replayed page shows blanks."""
        for name in _LAZY:
            raw = element.get(name)
            if raw and "{" not in raw:
                self.refs.requisite(raw, "image")
        for name in _LAZY_SETS:
            self.refs.srcset(element.get(name))

    def container(self, element: Attributes) -> None:
        self._container = "image"

    def source(self, element: Attributes) -> None:
        self.refs.requisite(element.get("src"), self._container or "media")
        self.refs.srcset(element.get("srcset"))
        self.lazy(element)

    def media(self, element: Attributes) -> None:
        self._container = "media"
        self.refs.requisite(element.get("poster"), "image")
        self.refs.requisite(element.get("src"), "media")

    def track(self, element: Attributes) -> None:
        self.refs.requisite(element.get("src"), "texttrack")

    def script(self, element: Attributes) -> None:
        self.refs.requisite(element.get("src") or element.get("href") or element.get("xlink:href"), "script")

    def frame(self, element: Attributes) -> None:
        self.refs.requisite(element.get("src"), "frame")
        nested = element.get("srcdoc")
        if nested and not self._nested:
            self.nested_documents.append(nested)

    def object(self, element: Attributes) -> None:
        self.refs.requisite(element.get("data") or element.get("src"), "object")

    def applet(self, element: Attributes) -> None:
        codebase = self.refs.absolute(element.get("codebase"))
        for raw in [element.get("code"), *(element.get("archive") or "").split(",")[:100]]:
            if raw:
                inner = References(codebase) if codebase else self.refs
                self.refs.requisite(inner.absolute(raw), "object")

    def input(self, element: Attributes) -> None:
        if (element.get("type") or "").strip().lower() == "image":
            self.refs.requisite(element.get("src"), "image")

    def graphic(self, element: Attributes) -> None:
        self._in_graphic = True

    def svg_image(self, element: Attributes) -> None:
        self.refs.requisite(element.get("href") or element.get("xlink:href") or element.get("src"), "image")

    def link(self, element: Attributes) -> None:
        href = element.get("href")
        rel = element.get("rel") or ""
        self._license(rel, element)
        tokens = rel.lower().split()[:20]
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
        elif _NO_LINK_RELS.isdisjoint(tokens):
            self.refs.link(url, " ".join(tokens), "link")

    def meta(self, element: Attributes) -> None:
        content = element.get("content")
        if content is None or self._nested or len(self.metas) >= MAX_METAS:
            return
        pragma = (element.get("http-equiv") or "").strip().lower()
        if pragma == "refresh" and self.refresh is None:
            self._refresh(content[:65_536])
        own = element.get("name")
        if own and not self.templates:
            self.named.append((own.strip().lower()[:200], content[:4096]))
        for name in (own, element.get("property"), pragma):
            if name:
                self.metas.append((name.strip().lower()[:200], content[:4096]))

    def _license(self, rel: str, element: Attributes) -> None:
        """A link to the licence of the page (RSL 1.0; HTML, 4.6.7.9), as written."""
        if "license" in rel.lower() and not (self._nested or self.templates or len(self.licenses) >= MAX_LICENSES):
            href = element.get("href")
            if href:
                self.licenses.append((rel[:200], href[:4096], (element.get("type") or "")[:200]))

    def forget_elements(self) -> None:
        """The document is read anew."""
        self.metas.clear()
        self.named.clear()
        self.licenses.clear()
        self.templates = 0

    @property
    def elements(self) -> Elements:
        if not (self.named or self.licenses):
            return NO_ELEMENTS
        return Elements(metas=tuple(self.named), licenses=tuple(self.licenses))

    def _refresh(self, content: str) -> None:
        found = _REFRESH.match(content)
        if found is None or not found[1]:
            return
        raw = found[2] or found[3] or found[4] or ""
        url = self.refs.absolute(raw) or self.refs.own_url
        try:
            seconds = float(found[1])
        except ValueError:  # "."
            return
        self.refresh = (min(seconds, 1e9), url)
        if raw:
            self.refs.link(raw, None, "refresh")

    def text(self, tag: str, text: str) -> None:
        """The content of a `style` or `title` element."""
        if tag == "style":
            self.refs.style(text)
        elif not (self.title or self._in_graphic or self._nested):
            self.title = " ".join(text[:4096].split())[:1000]


def _requisite_kind(tokens: list[str], element: Attributes) -> str | None:
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


Reader = Callable[[Document, Attributes], None]

READERS: dict[str, Reader] = {
    "a": Document.anchor, "area": Document.area, "img": Document.image, "source": Document.source,
    "picture": Document.container, "video": Document.media, "audio": Document.media, "bgsound": Document.media,
    "track": Document.track, "script": Document.script, "iframe": Document.frame, "frame": Document.frame,
    "object": Document.object, "embed": Document.object, "applet": Document.applet, "input": Document.input,
    "link": Document.link, "svg": Document.graphic, "image": Document.svg_image, "use": Document.svg_image,
    "feimage": Document.svg_image, "meta": Document.meta, "html": Document.html, "base": Document.base,
}  # fmt: skip
TEXTS = frozenset(("style", "title"))
