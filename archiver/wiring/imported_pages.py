"""Page lists that came with a WACZ: kept as somebody else's word, in a list of their own beside the collection's."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

import orjson

from archiver.config import Places
from archiver.model import Access
from archiver.warc.files import make_folder, write_atomic

_PREFIX = "imported-"
_UNUSUAL = re.compile(r"[^A-Za-z0-9._-]+")
_MOST = 200_000
"""Pages of one list that are kept; some 60 MB."""


class Page(Protocol):
    """A row as it came."""

    @property
    def url(self) -> str: ...
    @property
    def ts(self) -> str: ...
    @property
    def title(self) -> str: ...


def pages_folder(places: Places, access: Access) -> Path:
    """`pages/` for what is open, else the class's own: nobody is told of a page that he may not see."""
    return places.pages if access is Access.OPEN else places.warcs(access) / "pages"


def write_pages(places: Places, access: Access, name: str, sha256: str, pages: Iterable[Page]) -> int:
    """Write the list of one WACZ (json-pages-1.0; WACZ 1.1.1, 5.3); number of pages. Raises OSError."""
    stem = _UNUSUAL.sub("-", name.removesuffix(".wacz")).strip(".-")[:100] or "wacz"
    lines = [orjson.dumps({"format": "json-pages-1.0", "id": f"{_PREFIX}{sha256[:12]}", "title": f"Pages of {name}"})]
    for page, _ in zip(pages, range(_MOST), strict=False):
        lines.append(orjson.dumps({"url": page.url, "ts": page.ts, "title": page.title, "origin": "imported"}))
    if len(lines) == 1:
        return 0
    folder = pages_folder(places, access)
    make_folder(folder, access)
    target = folder / f"{_PREFIX}{stem}-{sha256[:12]}.jsonl"
    write_atomic(target, b"\n".join(lines) + b"\n", mode=0o644 if access is Access.OPEN else 0o600)
    return len(lines) - 1


def page_lists(places: Places, access: Access) -> list[Path]:
    """The lists of imported pages of a class."""
    folder = pages_folder(places, access)
    return sorted(path for path in folder.glob(f"{_PREFIX}*.jsonl") if path.is_file()) if folder.is_dir() else []


def titles(places: Places) -> dict[str, str]:
    """Titles by URL, of all imported page lists."""
    found: dict[str, str] = {}
    for access in Access:
        for path in page_lists(places, access):
            for row in _rows(path):
                found[str(row["url"])] = str(row.get("title") or "")
    return found


def _rows(path: Path) -> Iterator[dict[str, object]]:
    with path.open("rb") as file:
        next(file, None)
        for line in file:
            try:
                row = orjson.loads(line)
            except orjson.JSONDecodeError:
                continue
            if isinstance(row, dict) and "url" in row:
                yield row
