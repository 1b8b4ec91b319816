"""Scrapy spiders. Thin: no policy, no storage, no settings of their own; `archiver crawl` finds them by name."""
