"""The spiders that ship: found by name, thin, and nothing of their own but a scope."""

from __future__ import annotations

from scrapy.settings import Settings
from scrapy.spiderloader import SpiderLoader

from archiver.crawl.spider import ArchiverSpider


def loader() -> SpiderLoader:
    settings = Settings()
    settings.setmodule("archiver.crawl.project")
    return SpiderLoader.from_settings(settings)


def test_all_are_found_by_name_and_are_ours() -> None:
    found = loader()
    assert sorted(found.list()) == ["feed", "page", "site", "sitemap"]
    assert all(issubclass(found.load(name), ArchiverSpider) for name in found.list())


def test_a_spider_says_its_scope_and_no_more() -> None:
    found = loader()
    for name, scope in (("page", "page"), ("site", ""), ("sitemap", "host"), ("feed", "host")):
        spider = found.load(name)
        assert spider(url="http://127.0.0.1/").scope_type == scope
        own = {key for key in vars(spider) if not key.startswith("__")}
        assert own <= {"name", "scope_type", "defaults"}
