"""`scrapy crawl feed -a url=https://example.org/feed.xml`: the pages that a feed (RSS, Atom, JSON Feed) leads to."""

from archiver.crawl.spider import ArchiverSpider


class FeedSpider(ArchiverSpider):
    name = "feed"
    scope_type = "host"
    defaults = {"seedType": "feed", "depth": "0"}  # noqa: RUF012 - as Scrapy declares its own
