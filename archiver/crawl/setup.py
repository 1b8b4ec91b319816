"""From Scrapy's settings and a spider's arguments to a configuration of ours."""

from __future__ import annotations

import os
from typing import Any

from scrapy.crawler import Crawler

from archiver.config import Config, contact_needed, load
from archiver.crawl.runtime import Runtime, attach, runtime_of
from archiver.errors import UsageError
from archiver.model import Actor

CONFIG_SETTING = "ARCHIVER_CONFIG"
OPTIONS_SETTING = "ARCHIVER"
ACTOR_SETTING = "ARCHIVER_ACTOR"


def runtime_for(crawler: Crawler, *, own_scheduler: bool) -> Runtime:
    """The crawler's runtime. Its configuration: a ready `Config` from `archiver crawl`, else the setting `ARCHIVER`
    (a mapping of the YAML keys) with the spider's arguments over it. Raises ConfigError, UsageError."""
    known = runtime_of(crawler)
    if known is not None:
        return known
    actor = crawler.settings.get(ACTOR_SETTING) or Actor(name=_account(), through="scrapy")
    return attach(crawler, config_for(crawler, own_scheduler=own_scheduler), actor, own_scheduler=own_scheduler)


def config_for(crawler: Crawler, *, own_scheduler: bool) -> Config:
    ready = crawler.settings.get(CONFIG_SETTING)
    if ready is not None:
        assert isinstance(ready, Config)
        return ready
    options: dict[str, Any] = dict(crawler.settings.getdict(OPTIONS_SETTING))
    spider = crawler.spider
    if spider is not None and own_scheduler:
        options.update(getattr(spider, "archiver_options", {}))
    if not own_scheduler:
        # A foreign project's requests are its own; each is a page by itself, and the scope is whatever it asks for.
        options = {"scopeType": "any", "seeds": ["https://addon.invalid/"], **options}
    config = load(None, options, dict(os.environ))
    if own_scheduler and contact_needed(config):
        raise UsageError("contact: give -a contact=you@example.org, or the setting ARCHIVER = {'contact': ...}")
    if not own_scheduler and not config.identity.contact and not config.network.allow_addresses:
        raise UsageError(
            "contact: site owners must be able to reach you; set ARCHIVER = {'contact': 'you@example.org'}"
        )
    return config


def _account() -> str:
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"
