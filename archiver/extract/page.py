"""What a document refers to, collected: absolute, deduplicated, in order, bounded."""

from __future__ import annotations

from typing import NamedTuple

import can_ada

from archiver import urls
from archiver.extract import css, srcset

MAX_LINKS = 20_000
MAX_REQUISITES = 5_000
MAX_METAS = 1_000
MAX_LICENSES = 100
MEMO = 5_000
MEMOS = 200


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


_new = tuple.__new__
_memos: dict[str, dict[str, str | None]] = {}


def _memo(base: can_ada.URL | None) -> dict[str, str | None]:
    """References of a folder by how they are written: the pages of a site repeat their navigation."""
    if base is None:
        return {}
    folder = str(base.href).partition("?")[0].rpartition("/")[0]
    if folder not in _memos:
        if len(_memos) >= MEMOS:
            _memos.clear()
        _memos[folder] = {}
    return _memos[folder]


class References:
    """Collects what one document refers to; each raw reference is resolved once, whatever its fragment."""

    def __init__(self, base_url: str) -> None:
        self.own_url = base_url
        self.base = urls.base_of(base_url)
        self.links: dict[str, Link] = {}
        self.requisites: dict[str, Requisite] = {}
        self.rels: list[Rel] = []
        self._more_links = False
        self._more_requisites = False
        self._resolved = _memo(self.base)

    @property
    def capped(self) -> bool:
        """Whether there are more links or requisites than were taken."""
        return self._more_links or self._more_requisites

    def rebase(self, href: str) -> None:
        """What follows is relative to `href`, when that is an http(s) URL."""
        self.base = urls.base_of(self.own_url, href)
        self._resolved = _memo(self.base)

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
        # A query alone keeps the page's own path, which other pages of the folder do not share.
        if not is_data and not stripped.startswith("?"):
            if len(self._resolved) >= MEMO:
                self._resolved.clear()
            self._resolved[raw] = url
        return url

    def link(self, raw: str | None, rel: str | None, kind: str) -> None:
        if self._more_links:
            return
        url = self.absolute(raw)
        if url is None:
            return
        # Commas count as spaces: `nofollow,ugc` is common, and meant.
        tokens = tuple(rel.lower().replace(",", " ").split()) if rel else ()
        seen = self.links.get(url)
        if seen is not None:
            # one link that may be followed is enough, whatever another one says
            if "nofollow" in seen.rel and "nofollow" not in tokens:
                self.links[url] = Link(url, tokens, kind)
        elif len(self.links) < MAX_LINKS:
            self.links[url] = Link(url, tokens, kind)
        else:
            self._more_links = True

    def plain(self, raw: str | None) -> None:
        """`link(raw, None, "a")`, which most links of most pages are, at a third of the cost where it is known."""
        url = self._resolved.get(raw) if raw is not None else None
        if url is None or url in self.links or len(self.links) >= MAX_LINKS:
            self.link(raw, None, "a")
        else:
            self.links[url] = _new(Link, (url, (), "a"))

    def requisite(self, raw: str | None, kind: str) -> None:
        url = self.absolute(raw)
        if url is None or url in self.requisites:
            return
        if len(self.requisites) < MAX_REQUISITES:
            self.requisites[url] = Requisite(url, kind)
        else:
            self._more_requisites = True

    def srcset(self, text: str | None, kind: str = "image") -> None:
        for raw in srcset.parse(text or ""):
            if self._more_requisites:
                return
            self.requisite(raw, kind)

    def style(self, text: str | None) -> None:
        for raw, kind in css.parse(text or ""):
            if self._more_requisites:
                return
            self.requisite(raw, kind)
