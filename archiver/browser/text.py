"""The text of a page's main part, by trafilatura; all visible text where that would leave headlines out.

An extractor made for articles takes the teasers of a listing for furniture. What is kept for a reader may hold too
much, never too little: then everything visible is taken.
"""

from __future__ import annotations

import re
from typing import Any

from lxml import etree, html

LIMIT = 2 << 20
"""Characters of a document that are looked at, and of text that are kept."""
_ENOUGH = 0.7
_HEADLINES = "//h1|//h2|//h3"
_FURNITURE = frozenset(("nav", "footer", "aside", "template", "noscript", "dialog"))
_BLANKS = re.compile(r"[ \t\r\f\v]+")
_LINES = re.compile(r"\n{3,}")
_SPACE = re.compile(r"\s+")
_UNREAD = frozenset(
    ("head", "script", "style", "noscript", "template", "svg", "iframe", "object", "select", "textarea", "footer")
)
_INLINE = frozenset(
    ("a", "abbr", "b", "bdi", "bdo", "cite", "code", "del", "em", "font", "i", "img", "ins", "kbd", "label", "mark",
     "q", "s", "small", "span", "strong", "sub", "sup", "time", "u", "wbr")
)  # fmt: skip


def main_text(document: str, url: str) -> str:
    """Plain text, paragraphs apart by line ends, the title first. Never raises; "" when there is nothing to read.

    Costs 20 to 200 ms: call it in a thread.
    """
    import trafilatura  # 0.3 s of imports that most runs never need

    document = document[:LIMIT]
    try:
        tree: Any = html.document_fromstring(document)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError):
        return ""
    title = " ".join((tree.findtext(".//title") or "").split())
    headlines = [text for text in (_words(node) for node in tree.xpath(_HEADLINES) if _is_shown(node)) if text]
    try:
        found = trafilatura.extract(tree, url=url, favor_recall=True, include_comments=False, fast=True) or ""
        if _kept(headlines, found) < _ENOUGH:
            found = _all_lines(html.document_fromstring(document))
    except Exception:  # an extractor is fed whatever the web holds
        found = ""
    text = _LINES.sub("\n\n", _BLANKS.sub(" ", found)).strip()
    return (text if not title or text.startswith(title) else f"{title}\n\n{text}")[:LIMIT].strip()


def _all_lines(tree: Any) -> str:
    """What a reader sees, a line for each block; the extractor's own way leaves lists beside the main part out."""
    parts: list[str] = []
    walk = etree.iterwalk(tree, events=("start", "end", "comment", "pi"))
    for event, node in walk:
        if event == "start":
            if node.tag in _UNREAD or node.get("hidden") is not None:
                walk.skip_subtree()
            else:
                parts.append(("" if node.tag in _INLINE else "\n") + _SPACE.sub(" ", node.text or ""))
        else:
            parts.append(
                ("\n" if event == "end" and node.tag not in _INLINE else "") + _SPACE.sub(" ", node.tail or "")
            )
    lines = (_BLANKS.sub(" ", line).strip() for line in "".join(parts).split("\n"))
    return "\n".join(line for line in lines if line)


def _words(node: Any) -> str:
    return " ".join("".join(node.itertext()).split())


def _is_shown(node: Any) -> bool:
    return not any(parent.tag in _FURNITURE for parent in node.iterancestors())


def _kept(headlines: list[str], text: str) -> float:
    """Which part of the headlines the text still holds."""
    if not headlines:
        return 1.0 if text else 0.0
    flat = " ".join(text.split())
    return sum(headline in flat for headline in headlines) / len(headlines)
