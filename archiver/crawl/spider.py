"""The base of our spiders: arguments become configuration, the frontier brings the pages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from scrapy import Spider
from scrapy.http import Response

from archiver.crawl.settings import OURS

_LISTS = ("include", "exclude", "tags", "allowAddresses", "ownHosts")


class ArchiverSpider(Spider):
    """`-a url=...` and any key of the config file as `-a key=value` (lists parted by commas).

    A page's links are extracted and enqueued with the visit, so `parse` has nothing to do unless a subclass wants to.
    """

    custom_settings = dict(OURS)  # noqa: RUF012 - Scrapy's own declaration of it
    scope_type = "prefix"

    def __init__(self, url: str | None = None, **options: str) -> None:
        super().__init__()
        self.archiver_options: dict[str, Any] = {"scopeType": self.scope_type}
        for name, value in options.items():
            self.archiver_options[name] = value.split(",") if name in _LISTS else _number(value)
        if url:
            self.archiver_options["seeds"] = url.split()

    async def start(self) -> AsyncIterator[Any]:
        """Seeds are in the frontier already."""
        nothing: tuple[Any, ...] = ()
        for one in nothing:
            yield one

    def parse(self, response: Response, **kwargs: Any) -> Any:
        """Nothing to extract: the visit has done it."""
        return None


def _number(text: str) -> str | int | float:
    """Scrapy hands over text only; the configuration wants numbers as numbers."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
