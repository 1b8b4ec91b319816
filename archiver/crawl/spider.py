"""The base of our spiders: arguments become configuration, the frontier brings the pages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from scrapy import Spider
from scrapy.http import Response

from archiver.crawl.settings import OURS


class ArchiverSpider(Spider):
    """`-a url=...` and any key of the config file as `-a key=value`.

    A page's links are extracted and enqueued with the visit, so `parse` has nothing to do unless a subclass wants to.
    """

    custom_settings = dict(OURS)  # noqa: RUF012 - Scrapy's own declaration of it
    scope_type = ""
    defaults: Mapping[str, str] = {}
    """Keys of the config file that this spider sets where nobody says otherwise."""

    def __init__(self, **arguments: str) -> None:
        super().__init__()
        self.archiver_arguments = arguments

    @property
    def reads_pages(self) -> bool:
        """Whether `parse` wants each page's body. Where nobody does, none is decoded: responses then carry status and
        headers only (flag `unread`). A subclass whose middlewares or signal handlers read bodies sets this to True."""
        return type(self).parse is not ArchiverSpider.parse

    async def start(self) -> AsyncIterator[Any]:
        """Seeds are in the frontier already."""
        nothing: tuple[Any, ...] = ()
        for one in nothing:
            yield one

    def parse(self, response: Response, **kwargs: Any) -> Any:
        """Nothing to extract: the visit has done it."""
        return None
