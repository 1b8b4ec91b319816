import os

BOT_NAME = "shop"
SPIDER_MODULES = ["shop.spiders"]
USER_AGENT = "shop (+https://example.org/)"

# the one line
ADDONS = {"archiver.crawl.addon.ArchiverAddon": 300}
# and its options
ARCHIVER = {
    "contact": "shop@example.org",
    "allowAddresses": [os.environ.get("SHOP_ADDRESS", "127.0.0.1:1")],
    "delay": 0,
}

# what such projects set
ROBOTSTXT_OBEY = True
HTTPCACHE_ENABLED = True
CONCURRENT_REQUESTS = 4
DOWNLOAD_DELAY = 30
AUTOTHROTTLE_ENABLED = True
AUTOTHROTTLE_START_DELAY = 30
RETRY_TIMES = 1
RETRY_HTTP_CODES = [500, 503, 429]
REDIRECT_MAX_TIMES = 3
DUPEFILTER_CLASS = "shop.dupes.CountingDupeFilter"
DOWNLOADER_MIDDLEWARES = {"shop.middlewares.Stamp": 560}
ITEM_PIPELINES = {"scrapy.pipelines.files.FilesPipeline": 1}
FILES_STORE = "files"
FEEDS = {"items.jsonl": {"format": "jsonlines"}}
DOWNLOAD_HANDLERS = {"gopher": "shop.middlewares.Gopher"}
