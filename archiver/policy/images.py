"""What a page asks of the images on it: `noimageindex` and `noimageai` stand on the page and speak of what it shows.

Pure. An image that several pages show is kept with the verdict of the visit that fetched it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from archiver.model import Fetched, Keep
from archiver.model.usage import combined_usage

_UNLISTED = "noimageindex"
_NO_AI = "noimageai"


class ImageWish:
    """The wish of one page: `on` gives an image's verdict with it. Made by `wish_of`, where there is any."""

    def __init__(self, url: str, signals: tuple[Mapping[str, Any], ...], rules: frozenset[str]) -> None:
        self._signals = tuple({**one, "source": {"page": url}} for one in signals)
        self._listed = _UNLISTED not in rules
        label = {"ai-train": {"value": "disallow", "sources": [f"page {_NO_AI}"]}}
        self._usage = label if _NO_AI in rules else {}

    def on(self, keep: Keep) -> Keep:
        """The page's restriction is added, whatever the image says itself."""
        return replace(
            keep,
            listed=keep.listed and self._listed,
            usage=combined_usage(keep.usage, self._usage),
            signals=(*keep.signals, *self._signals),
        )


def wish_of(page: Fetched) -> ImageWish | None:
    """None for nearly every page."""
    keep = page.keep
    if keep is None or not keep.signals:
        return None
    signals = tuple(one for one in keep.signals if _rules(one))
    return ImageWish(page.candidate.url, signals, frozenset().union(*map(_rules, signals))) if signals else None


def is_image(fetched: Fetched) -> bool:
    """By the type that the answer names, or by what the page wanted it as."""
    exchange = fetched.exchange
    if exchange is None or fetched.keep is None:
        return False
    named = (exchange.header(b"content-type") or b"")[:6].lower() == b"image/"
    return named or fetched.candidate.resource_type == "image"


def _rules(signal: Mapping[str, Any]) -> frozenset[str]:
    """Those of a signal that binds and speak of images."""
    kind = str(signal.get("kind", ""))
    parsed = signal.get("parsed")
    if not (kind == "x-robots-tag" or kind.startswith("meta ")) or not isinstance(parsed, Mapping):
        return frozenset()
    return frozenset({_UNLISTED, _NO_AI}.intersection(parsed.get("rules", ())))
