"""`scrapy crawl site -a url=https://example.org/docs/`: everything below a prefix, or what `-a scopeType=` says."""

from archiver.crawl.spider import ArchiverSpider


class SiteSpider(ArchiverSpider):
    name = "site"
