"""What the settings say about themselves."""

from __future__ import annotations

from scrapy.utils.misc import load_object

from archiver.crawl.settings import HANDLER, OURS, REPLACED, SAFE, SCHEDULER


def test_every_class_that_is_named_is_there() -> None:
    for path in (HANDLER, SCHEDULER, OURS["DOWNLOADER"], *REPLACED, *OURS["SPIDER_MIDDLEWARES_BASE"]):
        assert load_object(path).__name__ == path.rpartition(".")[2]


def test_ours_hold_what_is_safe() -> None:
    assert SAFE.items() <= OURS.items()
    assert [scheme for scheme, handler in SAFE["DOWNLOAD_HANDLERS"].items() if handler] == ["http", "https"]
