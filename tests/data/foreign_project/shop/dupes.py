from scrapy.dupefilters import RFPDupeFilter


class CountingDupeFilter(RFPDupeFilter):
    """The project's own: says so in the stats."""

    @classmethod
    def from_crawler(cls, crawler):
        made = super().from_crawler(crawler)
        made.stats = crawler.stats
        return made

    def request_seen(self, request):
        seen = super().request_seen(request)
        self.stats.inc_value(f"shop/{'seen' if seen else 'new'}")
        return seen

