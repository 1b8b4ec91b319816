"""From Scrapy's settings and a spider's arguments to a configuration and a runtime of ours."""

from __future__ import annotations

import os
import pwd
from typing import Any

from scrapy.crawler import Crawler

from archiver.config import Config, without_seeds
from archiver.config.foreign import MESSAGES
from archiver.crawl.arguments import config_of
from archiver.crawl.runtime import Runtime, attach, runtime_of
from archiver.crawl.settings import SCHEDULER
from archiver.errors import ConfigError, UsageError
from archiver.model import Actor

CONFIG_SETTING = "ARCHIVER_CONFIG"
OPTIONS_SETTING = "ARCHIVER"
ACTOR_SETTING = "ARCHIVER_ACTOR"
_OVERRIDE = "ARCHIVER_OVERRIDE"


def is_ours(crawler: Crawler) -> bool:
    """Whether our frontier schedules; False in add-on mode."""
    return bool(crawler.settings.get("SCHEDULER") == SCHEDULER)


def runtime_for(crawler: Crawler) -> Runtime:
    """The crawler's runtime, made at the first call. Its configuration: a ready `Config` from the command, else the
    spider's arguments over the setting `ARCHIVER` (a mapping of the YAML keys). Raises ConfigError, UsageError."""
    known = runtime_of(crawler)
    if known is not None:
        return known
    actor = crawler.settings.get(ACTOR_SETTING) or Actor(name=account(), through="scrapy")
    ours = is_ours(crawler)
    config = _crawl_config(crawler) if ours else addon_config(crawler)
    return attach(crawler, config, actor, own_scheduler=ours, logs_fault=not crawler.settings.get(CONFIG_SETTING))


def _crawl_config(crawler: Crawler) -> Config:
    ready = crawler.settings.get(CONFIG_SETTING)
    if isinstance(ready, Config):
        return ready
    arguments = getattr(crawler.spider, "archiver_arguments", {})
    scope, own = getattr(crawler.spider, "scope_type", ""), getattr(crawler.spider, "defaults", {})
    defaults = {**own, **_options(crawler)}
    return config_of(arguments, defaults, dict(os.environ), scope_type=scope)


def addon_config(crawler: Crawler) -> Config:
    """A foreign project's requests are its own: no seeds, no scope of ours. Raises ConfigError naming the setting."""
    options = _options(crawler)
    for name in ("seeds", "url"):
        if name in options:
            raise ConfigError(f"setting ARCHIVER: {name}: what is crawled is the spider's business")
    try:
        config = without_seeds(options, dict(os.environ))
    except UsageError as error:
        raise ConfigError(f"setting ARCHIVER: {error}") from None
    if not config.identity.contact:
        raise ConfigError(
            "setting ARCHIVER: contact: site owners must be able to reach you; "
            "ARCHIVER = {'contact': 'you@example.org'} (or an https URL)"
        )
    return config


def _options(crawler: Crawler) -> dict[str, Any]:
    """Raises ConfigError for a setting that tries to lift something for every URL."""
    for name in crawler.settings:
        if str(name).startswith(_OVERRIDE):
            raise ConfigError(f"setting {name}: {MESSAGES['override']}")
    return dict(crawler.settings.getdict(OPTIONS_SETTING))


def account() -> str:
    """The account's name, as the operating system has it."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"
