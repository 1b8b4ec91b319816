"""The text of each page of a PDF that Chromium wrote: plain objects, deflated streams, fonts with a ToUnicode map.

Nothing else is read (ISO 32000-1, 9.4.3 and 9.10.3): it is enough to see what stands on which page.
"""

from __future__ import annotations

import re
import zlib

_OBJECT = re.compile(rb"(\d+) 0 obj\s(.*?)\sendobj", re.DOTALL)
_LENGTH = re.compile(rb"/Length (\d+)")
_SHOWN = re.compile(rb"/(\w+) [\d.]+ Tf|<([0-9A-Fa-f]+)>(?=[^\[\]]*(?:Tj|\]\s*TJ))|<([0-9A-Fa-f]+)>")
_HEX = rb"<([0-9A-Fa-f]+)>"


def pages(pdf: bytes) -> list[str]:
    """One text a page, in the order in which the page draws it, blanks as the fonts have them."""
    objects = {int(number): body for number, body in _OBJECT.findall(pdf)}
    tree = next(body for body in objects.values() if b"/Type /Pages" in body and b"/Parent" not in body)
    return [_page(objects, number) for number in _kids(objects, tree)]


def _kids(objects: dict[int, bytes], node: bytes) -> list[int]:
    found: list[int] = []
    kids = re.search(rb"/Kids \[(.*?)\]", node, re.DOTALL)
    for number in map(int, re.findall(rb"(\d+) 0 R", kids[1] if kids else b"")):
        found += _kids(objects, objects[number]) if b"/Type /Pages" in objects[number] else [number]
    return found


def _page(objects: dict[int, bytes], number: int) -> str:
    page = objects[number]
    fonts = {name: _unicode(objects, int(font)) for name, font in re.findall(rb"/(F\d+) (\d+) 0 R", page)}
    contents = re.search(rb"/Contents (\d+) 0 R", page)
    assert contents is not None
    text: list[str] = []
    map_: dict[int, str] = {}
    for name, *glyphs in _SHOWN.findall(_stream(objects[int(contents[1])])):
        if name:
            map_ = fonts.get(name, {})
        codes = next(filter(None, glyphs), b"")
        text += [map_.get(int(codes[at : at + 4], 16), "") for at in range(0, len(codes), 4)]
    return "".join(text)


def _unicode(objects: dict[int, bytes], font: int) -> dict[int, str]:
    named = re.search(rb"/ToUnicode (\d+) 0 R", objects[font])
    if named is None:
        return {}
    cmap, found = _stream(objects[int(named[1])]), dict[int, str]()
    for block in re.findall(rb"beginbfchar(.*?)endbfchar", cmap, re.DOTALL):
        found |= {int(code, 16): _text(text) for code, text in re.findall(_HEX + rb"\s*" + _HEX, block)}
    for block in re.findall(rb"beginbfrange(.*?)endbfrange", cmap, re.DOTALL):
        for first, last, text in re.findall(_HEX + rb"\s*" + _HEX + rb"\s*" + _HEX, block):
            start = int(text, 16)
            found |= {int(first, 16) + at: chr(start + at) for at in range(int(last, 16) - int(first, 16) + 1)}
    return found


def _text(digits: bytes) -> str:
    return bytes.fromhex(digits.decode()).decode("utf-16-be", "replace")


def _stream(body: bytes) -> bytes:
    head, _, rest = body.partition(b"stream\n")
    length = _LENGTH.search(head)
    assert length is not None
    data = rest[: int(length[1])]
    return zlib.decompress(data) if b"/FlateDecode" in head else data
