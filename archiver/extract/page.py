"""What a document refers to, collected: absolute, deduplicated, in order, bounded."""

from __future__ import annotations

from typing import NamedTuple

from archiver import urls
from archiver.extract import css, srcset

MAX_LINKS = 20_000
MAX_REQUISITES = 5_000
MAX_METAS = 1_000


class Link(NamedTuple):
    """Something to go to. `rel` holds lower-case tokens (`nofollow`, `next` ...); `kind`: a, area, link, refresh."""

    url: str
    rel: tuple[str, ...]
    kind: str


class Requisite(NamedTuple):
    """Something the document is shown with.

    `type`: stylesheet, script, image, font, media, texttrack, manifest, frame, object, fetch.
    """

    url: str
    type: str


class Rel(NamedTuple):
    """A `<link>` element as a statement about the page (canonical, license, icon, alternate ...); one a rel token."""

    rel: str
    url: str
    type: str


class References:
    """Collects what one document refers to; each raw reference is resolved once, whatever its fragment."""

    def __init__(self, base_url: str) -> None:
        self.own_url = base_url
        self.base = urls.base_of(base_url)
        self.links: dict[str, Link] = {}
        self.requisites: dict[str, Requisite] = {}
        self.rels: list[Rel] = []
        self.capped = False
        self._resolved: dict[str, str | None] = {}

    def rebase(self, href: str) -> None:
        """What follows is relative to `href`, when that is an http(s) URL."""
        self.base = urls.base_of(self.own_url, href)
        self._resolved.clear()

    def absolute(self, raw: str | None) -> str | None:
        """The url form of a reference; None for what is empty, a mere fragment, or no http(s) URL."""
        if not raw or self.base is None:
            return None
        if "#" in raw:
            raw = raw[: raw.index("#")]
        if raw in self._resolved:
            return self._resolved[raw]
        stripped = raw.strip(" \t\n\f\r")
        is_data = stripped[:5].lower() == "data:"
        url = urls.resolve(self.base, stripped) if stripped and not is_data else None
        if not is_data:
            self._resolved[raw] = url
        return url

    def link(self, raw: str | None, rel: str | None, kind: str) -> None:
        if len(self.links) >= MAX_LINKS and self.capped:
            return
        url = self.absolute(raw)
        if url is None:
            return
        tokens = tuple(rel.lower().split()) if rel else ()
        seen = self.links.get(url)
        if seen is not None:
            # one link that may be followed is enough, whatever another one says
            if "nofollow" in seen.rel and "nofollow" not in tokens:
                self.links[url] = Link(url, tokens, kind)
        elif len(self.links) < MAX_LINKS:
            self.links[url] = Link(url, tokens, kind)
        else:
            self.capped = True

    def requisite(self, raw: str | None, kind: str) -> None:
        url = self.absolute(raw)
        if url is None or url in self.requisites:
            return
        if len(self.requisites) < MAX_REQUISITES:
            self.requisites[url] = Requisite(url, kind)
        else:
            self.capped = True

    def srcset(self, text: str | None, kind: str = "image") -> None:
        for raw in srcset.parse(text or ""):
            if self.capped:
                return
            self.requisite(raw, kind)

    def style(self, text: str | None) -> None:
        for raw, kind in css.parse(text or ""):
            if self.capped:
                return
            self.requisite(raw, kind)
