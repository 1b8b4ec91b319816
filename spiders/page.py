"""`scrapy crawl page -a url=https://example.org/`: one page with what it needs to be shown."""

from archiver.crawl.spider import ArchiverSpider


class PageSpider(ArchiverSpider):
    name = "page"
    scope_type = "page"
