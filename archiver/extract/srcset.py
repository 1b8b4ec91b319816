"""The srcset attribute (HTML, 4.8.4.2.2), in linear time."""

from __future__ import annotations

import re
from collections.abc import Iterator

_SKIP = re.compile(r"[\s,]*")
_URL = re.compile(r"\S+")
_DESCRIPTORS = re.compile(r"(?:[^,(]++|\([^)]*+\)?)*+")
_DESCRIPTOR = re.compile(r"[1-9]\d*[wh]|(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?x")


def parse(text: str) -> Iterator[str]:
    """The candidates' URLs as they stand there, but those whose descriptors no browser understands."""
    at, end = 0, len(text)
    while True:
        at = _SKIP.match(text, at).end()  # type: ignore[union-attr]  # matches the empty string
        found = _URL.match(text, at)
        if found is None or at >= end:
            return
        url, at = found[0], found.end()
        if url.endswith(","):
            yield url.rstrip(",")
            continue
        rest = _DESCRIPTORS.match(text, at)
        descriptors = rest[0].split() if rest else []
        at = rest.end() if rest else end
        if all(_DESCRIPTOR.fullmatch(one) for one in descriptors):
            yield url
