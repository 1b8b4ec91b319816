"""One line in a foreign project's settings: `ADDONS = {"archiver.crawl.addon.ArchiverAddon": 300}`."""

from __future__ import annotations

from scrapy.settings import BaseSettings

from archiver.crawl.settings import REPLACED, SAFE


class ArchiverAddon:
    """Its scheduler, dupe filter and middlewares stay; every request passes the gateway and is recorded.

    Turned off: Scrapy's robots.txt, cache and proxy middlewares, handlers for file, data, s3 and ftp, remote control,
    telnet; retries for 429 and 503, which the gateway's back-off answers. Options: the setting `ARCHIVER`, a mapping of
    the config file's keys.
    """

    def update_settings(self, settings: BaseSettings) -> None:
        for name, value in SAFE.items():
            settings.set(name, value, "addon")
        middlewares = dict(settings.getdict("DOWNLOADER_MIDDLEWARES"))
        middlewares.update(REPLACED)
        settings.set("DOWNLOADER_MIDDLEWARES", middlewares, "addon")
        retried = [int(code) for code in settings.getlist("RETRY_HTTP_CODES") if int(code) not in (429, 503)]
        settings.set("RETRY_HTTP_CODES", retried, "addon")
        # The cookie middleware would fetch the public suffix list by itself.
        settings.set("COOKIES_PUBLIC_SUFFIX_URLS", (), "addon")
