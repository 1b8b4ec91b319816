"""The documents as tests see them: pages, fenced blocks with their marks, and what the demo prints."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_BLOCK = re.compile(r"^(?:<!-- example: (?P<name>[\w-]+) -->\n)?```(?P<info>[^\n`]*)\n(?P<text>.*?)^```$", re.M | re.S)
_PORT = re.compile(r"(?<=127\.0\.0\.1:)\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A fenced block. `info` is what follows the fence (`sh run needs=pywb`); `name` that of a comment before it."""

    page: Path
    line: int
    info: str
    text: str
    name: str = ""

    @property
    def words(self) -> list[str]:
        return self.info.split()

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def pages() -> list[Path]:
    """Every document that ships, Markdown."""
    return sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text("utf-8")
    for found in _BLOCK.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        yield Block(page=page, line=line, info=found["info"], text=found["text"], name=found["name"] or "")


def with_ports(text: str) -> str:
    """Loopback ports as the documents write them."""
    return _PORT.sub("PORT", text)
