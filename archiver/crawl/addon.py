"""One line in a foreign project's settings: `ADDONS = {"archiver.crawl.addon.ArchiverAddon": 300}`."""

from __future__ import annotations

from scrapy.crawler import Crawler
from scrapy.downloadermiddlewares import cookies
from scrapy.settings import BaseSettings
from scrapy.utils.misc import load_object
from tldextract import TLDExtract

from archiver.crawl.settings import GATEWAYS_OWN, REPLACED, SAFE
from archiver.crawl.setup import addon_config
from archiver.errors import ConfigError

_PRIORITY = "cmdline"  # over the project's own: an add-on's usual priority loses against settings.py
_REACTOR = "twisted.internet.asyncioreactor.AsyncioSelectorReactor"
IN_FLIGHT = 256


class ArchiverAddon:
    """Its scheduler, dupe filter and middlewares stay; every request passes the gateway and is recorded.

    Turned off: Scrapy's robots.txt, cache and proxy middlewares, handlers for file, data, s3 and ftp, remote control,
    telnet; retries for 429 and 503, which the gateway's back-off answers. Options: the setting `ARCHIVER`, a mapping of
    the config file's keys.
    """

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> ArchiverAddon:
        return cls(crawler)

    def update_settings(self, settings: BaseSettings) -> None:
        """Raises ConfigError before anything is fetched: no contact, an unknown key, a reactor without asyncio."""
        addon_config(self._crawler)
        if settings.getbool("TWISTED_REACTOR_ENABLED") and settings["TWISTED_REACTOR"] != _REACTOR:
            raise ConfigError(f"TWISTED_REACTOR: the gateway runs on asyncio; leave the default, {_REACTOR}")
        for name, value in SAFE.items():
            settings.set(name, value, _PRIORITY)
        self._foreign_handlers(settings)
        for path in REPLACED:
            settings.set_in_component_priority_dict("DOWNLOADER_MIDDLEWARES", load_object(path), None)
        retried = [int(code) for code in settings.getlist("RETRY_HTTP_CODES") if int(code) not in GATEWAYS_OWN]
        settings.set("RETRY_HTTP_CODES", retried, _PRIORITY)
        # Requests that wait for their host's turn are in flight for Scrapy; they must not use up its places.
        own = settings.getint("CONCURRENT_REQUESTS")
        settings.set("CONCURRENT_REQUESTS", max(own, IN_FLIGHT) if own else 0, _PRIORITY)
        # Scrapy's cookie middleware would fetch the public suffix list by itself, past the gateway.
        cookies._split_domain = TLDExtract(cache_dir=None, suffix_list_urls=(), include_psl_private_domains=True)

    def _foreign_handlers(self, settings: BaseSettings) -> None:
        """Handlers that the project has for other schemes go too: nothing is fetched but by the gateway."""
        handlers = dict(settings.getdict("DOWNLOAD_HANDLERS"))
        others = {scheme: None for scheme in handlers if scheme not in SAFE["DOWNLOAD_HANDLERS"]}
        settings.set("DOWNLOAD_HANDLERS", {**others, **SAFE["DOWNLOAD_HANDLERS"]}, _PRIORITY)
