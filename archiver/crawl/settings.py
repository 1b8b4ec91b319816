"""Scrapy settings: UPPER_CASE lives here, in `project`, and nowhere else."""

from __future__ import annotations

from typing import Any

HANDLER = "archiver.crawl.handler.GatewayHandler"
SCHEDULER = "archiver.crawl.scheduler.FrontierScheduler"

HANDLERS: dict[str, str | None] = {
    "http": HANDLER,
    "https": HANDLER,
    "file": None,
    "data": None,
    "s3": None,
    "ftp": None,
}
"""A redirect to file: or s3: must find nobody who serves it (Scrapy GHSA-23j4)."""

SAFE: dict[str, Any] = {
    "DOWNLOAD_HANDLERS": HANDLERS,
    # A localhost server that runs Python sent to it, and a telnet shell: on by default.
    "REMOTE_CONTROL_ENABLED": False,
    "TELNETCONSOLE_ENABLED": False,
    # robots.txt is asked by the gateway, for every request of every lane.
    "ROBOTSTXT_OBEY": False,
    # An answer served from Scrapy's cache would be told as fetched.
    "HTTPCACHE_ENABLED": False,
    # No slots and no delays of Scrapy's: pace is the gateway's, and one slow host must not hold back free ones.
    "DOWNLOADER": "archiver.crawl.downloader.GatewayDownloader",
    "DOWNLOAD_DELAY": 0,
}
"""Ours and add-on mode alike: without one of these something would go around the gateway."""

_MIDDLEWARE = "scrapy.downloadermiddlewares."

REPLACED = (
    f"{_MIDDLEWARE}robotstxt.RobotsTxtMiddleware",
    f"{_MIDDLEWARE}httpcache.HttpCacheMiddleware",
    f"{_MIDDLEWARE}httpproxy.HttpProxyMiddleware",
)
"""Downloader middlewares whose work the gateway does; the rest of a project's stay."""

GATEWAYS_OWN = frozenset({429, 503})
"""Statuses that the host budget answers; a retry of Scrapy's on top would ask a host that wants a rest."""

OURS: dict[str, Any] = {
    **SAFE,
    "SCHEDULER": SCHEDULER,
    "CONCURRENT_REQUESTS": 0,
    # The handler enforces its own limits; Scrapy's would cut what the wire client still records.
    "DOWNLOAD_TIMEOUT": 3600,
    "DOWNLOAD_MAXSIZE": 0,
    "DOWNLOAD_WARNSIZE": 0,
    # Redirects, retries, cookies and compression happen below, where they are recorded.
    "DOWNLOADER_MIDDLEWARES_BASE": {},
    "SPIDER_MIDDLEWARES_BASE": {"archiver.crawl.middleware.FoundOn": 0},
    # Each response starts this many workers for what its callback yields; ours yields next to nothing.
    "CONCURRENT_ITEMS": 1,
    "SCRAPER_SLOT_MAX_ACTIVE_SIZE": 64_000_000,
    "WARN_ON_GENERATOR_RETURN_VALUE": False,
    "LOG_LEVEL": "WARNING",
    "EXTENSIONS_BASE": {"scrapy.extensions.corestats.CoreStats": 0},
}
"""Our own crawls: `archiver crawl` and `scrapy crawl site`."""
