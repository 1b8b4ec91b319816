"""A spider middleware: what a callback yields remembers the page it was found on."""

from __future__ import annotations

from scrapy import Request
from scrapy.http import Response
from scrapy.spidermiddlewares.base import BaseSpiderMiddleware

from archiver.crawl.meta import META, ArchiverMeta


class FoundOn(BaseSpiderMiddleware):
    """Sets `ArchiverMeta.via`, which the frontier keeps as `via` and counts depth from."""

    def get_processed_request(self, request: Request, response: Response | None) -> Request | None:
        origin = response.request.meta.get(META) if response is not None and response.request is not None else None
        found = ArchiverMeta()
        if isinstance(origin, ArchiverMeta):
            found.via = origin.document or (origin.claim.candidate if origin.claim is not None else None)
        request.meta[META] = found
        return request
