"""Scrapy commands of this project: `crawl`, with our configuration, signals and exit codes."""
