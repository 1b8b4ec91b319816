"""What a style sheet loads, in one linear pass: a tokenizer for the few tokens that matter (CSS Syntax, 4)."""

from __future__ import annotations

import re
from collections.abc import Iterator

MAX_CSS = 4 << 20
"""Characters looked at; longer sheets are read up to here."""

_STRING = r'"(?:[^"\\\n]++|\\.)*+"?|' + r"'(?:[^'\\\n]++|\\.)*+'?"
_BARE = r"(?:[^\"'()\\\s]++|\\[0-9A-Fa-f]{1,6}+\s?|\\.)*+"
# Every alternative is possessive and a bad url() is eaten whole (CSS Syntax, 4.3.14): no character is read often. A
# function is found at its parenthesis, looking back: letters are what a sheet is made of, and none begins a token.
_TOKEN = re.compile(
    r"(?=[/\"'(@;}])(?:"
    r"(?P<comment>/\*(?:.*?\*/|.*+))"
    rf"|(?P<string>{_STRING})"
    r"|(?P<end>[;}])"
    r"|(?:(?<=url)(?<![\w-]url)|(?<=src)(?<![\w-]src))"
    rf"\(\s*+(?:(?P<quoted>{_STRING})|(?P<bare>{_BARE})\s*+\)|(?P<bad>(?:[^)\\]++|\\.)*+))"
    r"|(?P<at>@(?:import|namespace|font-face)\b)"
    r"|(?P<set>(?<=image-set)\()"
    r"|(?P<type>(?<=type)\()"
    r")",
    re.IGNORECASE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?:([0-9A-Fa-f]{1,6})(?:\r\n|\s)?|(\r\n|[\n\r\f])|(.))", re.DOTALL)
_LOADS = re.compile(r"(?:url|src|image-set)\(|@import", re.IGNORECASE)


def parse(text: str) -> Iterator[tuple[str, str]]:
    """(reference, type) pairs in order: `stylesheet` for imports, `font` inside @font-face, else `image`.

    References are unescaped, neither resolved nor deduplicated; fragments of the sheet itself (`url(#id)`) are left
    out, `@namespace` names load nothing.
    """
    text = text[:MAX_CSS]
    if not _LOADS.search(text):
        return
    rule, inside = "", ""
    for token in _TOKEN.finditer(text):
        kind = token.lastgroup or ""
        if kind == "at":
            rule = token["at"].lower()
        elif kind == "end":
            inside = ""
            rule = rule if rule == "@font-face" and token["end"] == ";" else ""
        elif kind == "set" or (kind == "type" and inside):
            inside = kind
        elif kind == "string" and inside == "type":  # image-set("a.avif" type("image/avif"), ...)
            inside = "set"
        elif kind in ("quoted", "bare") or (kind == "string" and (inside or rule == "@import")):
            reference = "" if rule == "@namespace" else _value(token, kind)
            if reference and not reference.startswith("#"):
                yield reference, _TYPES.get(rule, "image")
            rule = rule if rule == "@font-face" else ""


_TYPES = {"@import": "stylesheet", "@font-face": "font"}


def _value(token: re.Match[str], kind: str) -> str:
    text = token[kind]
    if kind != "bare":
        if len(text) > 1 and text[-1] == text[0]:
            text = text[1:-1]
        elif token.end() < len(token.string):
            return ""  # a line ends in the string; only the sheet's end closes one
        else:
            text = text[1:]
    if "\\" in text:
        text = _ESCAPE.sub(_unescape, text)
    return text.strip()


def _unescape(found: re.Match[str]) -> str:
    if found[1]:
        code = int(found[1], 16)
        return chr(code) if 0 < code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF else "\ufffd"
    return found[3] or ""
