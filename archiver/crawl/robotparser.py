"""Our robots.txt parser for any Scrapy project: `ROBOTSTXT_PARSER = "archiver.crawl.robotparser.ArchiverRobotParser"`.

It answers what Scrapy's own RobotsTxtMiddleware asks; fetching, redirects and caching stay that middleware's. Under the
add-on and in our own crawls it is not used: there the gateway asks robots.txt.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Self

from scrapy.crawler import Crawler
from scrapy.robotstxt import RobotParser
from scrapy.utils.python import to_unicode

from archiver.errors import ConfigError
from archiver.policy.robots import Mode, parse

MODE_SETTING = "ARCHIVER_ROBOTS_MODE"
"""The project's choice: `rfc9309` (default), `google`, or `both`: allowed only where both allow."""
_MODES: dict[str, tuple[Mode, ...]] = {
    "rfc9309": ("rfc9309",),
    "google": ("google",),
    "both": ("rfc9309", "google"),
}

_compatible = re.compile(r"[(;]\s*compatible\s*;\s*([^\s/;()]+)", re.IGNORECASE).search
_first_product = re.compile(r"\s*([^\s/;()]+)").match
_token = re.compile(r"[A-Za-z_\-]*").match


class ArchiverRobotParser(RobotParser):
    """One robots.txt. Any bytes will do; a body of which nothing can be read allows all."""

    def __init__(self, robotstxt_body: bytes, modes: tuple[Mode, ...] = ("rfc9309",)) -> None:
        self._files = tuple(parse(robotstxt_body, mode) for mode in modes)

    @classmethod
    def from_crawler(cls, crawler: Crawler, robotstxt_body: bytes) -> Self:
        """Raises ConfigError where `ARCHIVER_ROBOTS_MODE` names no mode: at start, when Scrapy tries the parser."""
        name = str(crawler.settings.get(MODE_SETTING, "rfc9309")) if crawler else "rfc9309"
        if name not in _MODES:
            raise ConfigError(f"{MODE_SETTING}: one of {', '.join(_MODES)}, not {name!r}")
        return cls(robotstxt_body, _MODES[name])

    def allowed(self, url: str | bytes, user_agent: str | bytes) -> bool:
        """Whether the agent, a product token or a whole User-Agent header, may fetch the absolute URL."""
        agents = product_tokens(to_unicode(user_agent, errors="replace"))
        where = to_unicode(url, errors="replace")
        return all(file.match(agents, where).allowed for file in self._files)

    def crawl_delay(self, user_agent: str | bytes) -> float | None:
        """Seconds between request starts, the largest of those declared for the agent."""
        agents = product_tokens(to_unicode(user_agent, errors="replace"))
        delays = (file.crawl_delay(agents) for file in self._files)
        return max((delay for delay in delays if delay is not None), default=None)


@lru_cache(maxsize=64)
def product_tokens(user_agent: str) -> tuple[str, ...]:
    """The names a robots.txt may call this agent by, best first (RFC 9309, 2.2.1).

    Of a whole header the crawler's name counts: the one after `compatible;`, else the first product. A browser's
    `Mozilla` names nobody, and words of the contact URL neither: for such an agent the `*` groups hold. A name like
    `Foo2` is also tried as the token that it begins with.
    """
    found = _compatible(user_agent) or _first_product(user_agent)
    if found is None or found[1].lower() == "mozilla":
        return ()
    start = _token(found[1])
    return tuple(dict.fromkeys(name for name in (found[1], start[0] if start else "") if name))
