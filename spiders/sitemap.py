"""`scrapy crawl sitemap -a url=https://example.org/sitemap.xml`: what a sitemap, its index or a robots.txt lists."""

from archiver.crawl.spider import ArchiverSpider


class SitemapSpider(ArchiverSpider):
    name = "sitemap"
    scope_type = "host"
    defaults = {"seedType": "sitemap", "depth": "0"}  # noqa: RUF012 - as Scrapy declares its own
