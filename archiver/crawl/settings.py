"""Scrapy settings: UPPER_CASE lives here and nowhere else."""

from __future__ import annotations

from typing import Any

HANDLER = "archiver.crawl.handler.GatewayHandler"

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
}

_NO_MIDDLEWARE = "scrapy.downloadermiddlewares."

REPLACED: dict[str, None] = {
    f"{_NO_MIDDLEWARE}robotstxt.RobotsTxtMiddleware": None,
    f"{_NO_MIDDLEWARE}httpcache.HttpCacheMiddleware": None,
    f"{_NO_MIDDLEWARE}httpproxy.HttpProxyMiddleware": None,
}
"""Downloader middlewares whose work the gateway does; the rest of a project's stay."""

OURS: dict[str, Any] = {
    **SAFE,
    "SCHEDULER": "archiver.crawl.scheduler.FrontierScheduler",
    "SPIDER_MODULES": ["spiders"],
    # Pace is the frontier's and the budget's: a slot of Scrapy's must never hold back a free host (decision 4).
    "CONCURRENT_REQUESTS": 0,
    "CONCURRENT_REQUESTS_PER_DOMAIN": 100_000,
    "DOWNLOAD_DELAY": 0,
    "DOWNLOAD_DELAY_JITTER": 0,
    # The handler enforces its own limits; Scrapy's would cut what the wire client still records.
    "DOWNLOAD_TIMEOUT": 3600,
    "DOWNLOAD_MAXSIZE": 0,
    "DOWNLOAD_WARNSIZE": 0,
    # Redirects, retries, cookies and compression happen below, where they are recorded.
    "DOWNLOADER_MIDDLEWARES_BASE": {},
    "SPIDER_MIDDLEWARES_BASE": {},
    # Each response starts this many workers for what its callback yields; ours yields next to nothing.
    "CONCURRENT_ITEMS": 2,
    "SCRAPER_SLOT_MAX_ACTIVE_SIZE": 64_000_000,
    "ASYNCIO_EVENT_LOOP": "uvloop.Loop",
    "LOG_LEVEL": "WARNING",
    "EXTENSIONS_BASE": {"scrapy.extensions.corestats.CoreStats": 0},
}
"""Our own crawls: `archiver crawl` and `scrapy crawl site`."""
