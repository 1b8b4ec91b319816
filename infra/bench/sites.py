"""The sites that are fetched: made the same way every time, or installed by the system."""

from __future__ import annotations

import random
import struct
import zlib
from pathlib import Path

PAGES, LINKS, IMAGES = 600, 40, 10
PAGE_BYTES = 5_000
POSTGRESQL = Path("/usr/share/doc/postgresql-doc-15/html")

_TEXT = """
archive page robots record crawl the of and to is in that it was for on are with as his they be at one have this from by
hot but some what there we can out other were all your when up use word how said an each she which their
"""
_WORDS = _TEXT.split()


def site(name: str, folder: Path) -> Path:
    """The folder to serve for `s5`, `pg`, `empty` or `plain`; made below `folder` unless the system has it.

    Raises FileNotFoundError when Debian's postgresql-doc-15 is not installed.
    """
    if name == "pg":
        if not (POSTGRESQL / "index.html").is_file():
            raise FileNotFoundError(f"{POSTGRESQL} is missing: apt-get install postgresql-doc-15")
        return POSTGRESQL
    folder.mkdir(parents=True)
    if name == "s5":
        _linked(folder)
    elif name == "empty":
        _write(folder / "index.html", "<!DOCTYPE html><title>empty</title><p>Nothing here.")
    elif name == "plain":
        text = _text(random.Random(1), PAGE_BYTES)
        _write(folder / "index.html", f"<!DOCTYPE html><title>plain</title><p>{text}")
    else:
        raise ValueError(f"no site {name!r}")
    return folder


def _linked(folder: Path) -> None:
    """`s5`: an index and 600 pages of about 5 KB with 40 links each, 10 images, one style sheet: 612 URLs."""
    draw = random.Random(5)
    _write(folder / "style.css", "body { margin: 2em; font-family: serif }\n")
    for number in range(IMAGES):
        (folder / f"image-{number}.png").write_bytes(png(draw))
    _write(folder / "index.html", _page(draw, "index", range(LINKS)))
    for number in range(PAGES):
        others = [(number + 1) % PAGES, *(draw.randrange(PAGES) for _ in range(LINKS - 1))]
        _write(folder / f"page-{number}.html", _page(draw, f"page {number}", others))


def _page(draw: random.Random, title: str, links: range | list[int]) -> str:
    items = "\n".join(f'<li><a href="page-{number}.html">{_text(draw, 24)}</a></li>' for number in links)
    images = "".join(f'<img src="image-{draw.randrange(IMAGES)}.png" alt="">' for _ in range(2))
    head = f'<!DOCTYPE html>\n<html><head><title>{title}</title><link rel="stylesheet" href="style.css"></head>\n'
    body = f"<body><h1>{title}</h1>{images}\n<ul>\n{items}\n</ul>\n"
    return f"{head}{body}<p>{_text(draw, PAGE_BYTES - len(head) - len(body) - 30)}</p></body></html>\n"


def _text(draw: random.Random, size: int) -> str:
    words: list[str] = []
    length = 0
    while length < size:
        words.append(draw.choice(_WORDS))
        length += len(words[-1]) + 1
    return " ".join(words)


def png(draw: random.Random) -> bytes:
    """A grey 32x32 image of noise (PNG, 11.2)."""
    rows = b"".join(b"\0" + draw.randbytes(32) for _ in range(32))
    chunks = ((b"IHDR", struct.pack(">IIBBBBB", 32, 32, 8, 0, 0, 0, 0)), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
