"""Scrapy glue and nothing else: Scrapy drives, the gateway fetches.

Two ways in. `archiver crawl` and our spiders: the frontier is the scheduler, a request is a visit (`scheduler`,
`handler`). Add-on mode in a foreign project: its scheduler, dupe filter and middlewares stay, every request passes the
gateway one by one (`addon`).
"""
