from scrapy import FormRequest, Request, Spider


class TourSpider(Spider):
    """Asks for one of everything; each answer or errback is an item."""

    name = "tour"

    def __init__(self, url, **kwargs):
        super().__init__(**kwargs)
        self.url = url

    async def start(self):
        meta = {"key": lambda text: text.upper()}
        yield self.ask("/", meta=meta)
        yield self.ask("/", meta=meta)
        yield FormRequest(self.url + "form", formdata={"q": "tea"}, callback=self.seen, errback=self.failed)
        yield self.ask("/account", cookies={"session": "s3cret"})
        for path in ("/hop", "/local", "/private", "/busy", "/flaky", "/gone", "/login"):
            yield self.ask(path)
        yield Request("gopher://127.0.0.1/", callback=self.seen, errback=self.failed)

    def ask(self, path, **kwargs):
        return Request(self.url.rstrip("/") + path, callback=self.seen, errback=self.failed, **kwargs)

    def seen(self, response):
        shout = response.meta.get("key", str)
        found = {"path": response.url.removeprefix(self.url), "status": response.status, "flags": response.flags}
        found["kind"] = type(response).__name__
        found["text"] = shout(response.text[:40]) if hasattr(response, "text") else ""
        found["redirects"] = len(response.meta.get("redirect_urls", []))
        found["retries"] = response.meta.get("retry_times", 0)
        if response.url == self.url:
            found["file_urls"] = [self.url + "files/a.pdf", self.url + "private/b.pdf"]
        yield found

    def failed(self, failure):
        decision = getattr(failure.value, "decision", None)
        yield {
            "failed": failure.request.url.removeprefix(self.url),
            "error": type(failure.value).__name__,
            "verdict": decision.verdict.value if decision else None,
            "reason": decision.reason.value if decision else None,
            "not_before": str(getattr(failure.value, "not_before", "")),
        }

    def closed(self, reason):
        stats = self.crawler.stats
        new, seen = stats.get_value("shop/new"), stats.get_value("shop/seen")
        self.logger.warning("shop new=%s seen=%s reason=%s", new, seen, reason)
