"""What a page's text and scripts tell about how it must be seen: facts only, the lanes judge them.

Asked for on demand: most pages never need it. What a reader would not see as prose (scripts, styles, templates, code
samples, form text) is left out before placeholders are looked for.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from archiver.extract.document import Attributes
from archiver.extract.html import Enough, HtmlFacts, parse_events, utf8
from archiver.scan import words

MAX_TEXT = 1 << 20
"""Characters of text looked at."""
_UNSEEN = frozenset(("script", "style", "template", "noscript", "title", "svg", "iframe", "object"))
_QUOTED = frozenset(("pre", "code", "textarea", "samp", "kbd"))
_PLACEHOLDER = re.compile(r"\{\{[^{}]{0,200}\}\}|<%=[^%]{0,200}%>|\$\{[^{}]{0,200}\}")
_ROOTS = frozenset(("root", "app", "__next", "__nuxt", "svelte", "gatsby-focus-wrapper"))
_ASKS = re.compile(r"javascript|java script|\bJS\b", re.IGNORECASE)
_MOVES = re.compile(r"\blocation(?:\.href)?\s*=[^=]|\blocation\.(?:replace|assign)\s*\(")
_STUB = 2_000
_TELLING = words(
    rb"<script|<noscript|<app-root|\{\{|\$\{|%=|&#(?:0*(?:36|37|60|61|123)|x0*(?:24|25|3c|3d|7b))(?:[^0-9a-f]|$)|"
    rb"id\s*=\s*[\"']?(?:root|app|__next|__nuxt|svelte|gatsby-focus-wrapper)|\x00"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TextFacts:
    """Counts are characters of white-space-collapsed text, and elements.

    `placeholders` are template expressions left in title or visible text; `empty_root` names an application root
    without content; `noscript_asks` whether a <noscript> asks for JavaScript; `script_moves` whether a page of little
    text has an inline script that leads elsewhere; `ratio` is visible text over the document's bytes.
    """

    visible: int = 0
    scripts: int = 0
    ratio: float = 0.0
    placeholders: tuple[str, ...] = ()
    empty_root: str | None = None
    noscript_asks: bool = False
    script_moves: bool = False


def tells(body: bytes) -> bool:
    """Whether a document may hold what the lanes look for: a script, a placeholder, a root. A tenth of a parse.

    A body with NULs may be in UTF-16, where nothing looks as it does in ASCII.
    """
    return _TELLING.search(body) is not None


def text_facts(body: bytes, facts: HtmlFacts) -> TextFacts:
    """Read a document again, for its text. `facts` is what `html.extract` said about the same body. Never raises."""
    target = _Prose()
    parse_events(utf8(body, facts.charset), target)
    prose = " ".join("".join(target.prose).split())
    visible = len(prose) + len(" ".join("".join(target.quoted).split()))
    return TextFacts(
        visible=visible,
        scripts=target.scripts,
        ratio=visible / len(body) if body else 0.0,
        placeholders=tuple(found[0] for found in _PLACEHOLDER.finditer(f"{facts.title}\n{prose}"))[:20],
        empty_root=target.empty_root,
        noscript_asks=_ASKS.search("".join(target.noscript)) is not None,
        script_moves=visible < _STUB and any(_MOVES.search(code[:65_536]) for code in target.code),
    )


class _Prose:
    """Parser events to texts, by where they stand."""

    def __init__(self) -> None:
        self.prose: list[str] = []
        self.quoted: list[str] = []
        self.noscript: list[str] = []
        self.code: list[str] = []
        self.scripts = 0
        self.empty_root: str | None = None
        self._left = MAX_TEXT
        self._open: Counter[str] = Counter()
        self._into = self.prose
        self._root = ""
        self._root_tag = ""

    def start(self, tag: str, attributes: Attributes) -> None:
        self._root = ""
        if tag in _UNSEEN or tag in _QUOTED:
            self._open[tag] += 1
            self.scripts += tag == "script"
            self._into = self._where()
        elif self.empty_root is None:
            name = tag if tag == "app-root" else ((attributes.get("id") if attributes else None) or "").lower()
            if name in _ROOTS or name == "app-root":
                self._root, self._root_tag = name, tag

    def end(self, tag: str) -> None:
        if self._open.get(tag):
            self._open[tag] -= 1
            self._into = self._where()
        if self._root and tag == self._root_tag:
            self.empty_root, self._root = self._root, ""
        self.prose.append(" ")

    def data(self, text: str) -> None:
        self._left -= len(text)
        if self._left < 0:
            raise Enough
        if self._root and not text.isspace():
            self._root = ""
        self._into.append(text)

    def _where(self) -> list[str]:
        """Where text goes while these elements are open."""
        for tag, texts in (("script", self.code), ("noscript", self.noscript)):
            if self._open[tag]:
                return texts
        inside = [tag for tag, count in self._open.items() if count]
        if not inside:
            return self.prose
        return self.quoted if _QUOTED.issuperset(inside) else []

    def close(self) -> None:
        """Nothing is built."""
