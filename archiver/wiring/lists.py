"""From the configuration to the seeds, and to the lists (sitemaps, feeds) that are read for more."""

from __future__ import annotations

from datetime import datetime

from archiver import urls
from archiver.config import Config
from archiver.engine.lists import ListRules, Lists
from archiver.engine.scopes import SeedScopes
from archiver.extract.listing import moment
from archiver.model import Candidate, Kind


def lists_of(config: Config, scopes: SeedScopes) -> Lists:
    limits = config.limits
    rules = ListRules(
        since=_moment(limits.sitemap_from),
        until=_moment(limits.sitemap_to),
        most=limits.sitemap_limit,
        seeds={urls.canonical(seed.url): seed.sitemap for seed in config.seeds if seed.sitemap},
    )
    return Lists(rules, scopes.check, scopes.takes if scopes.has_extra_hops else None)


def seeds_of(config: Config) -> list[Candidate]:
    """In order, each canonical URL once."""
    found: dict[str, Candidate] = {}
    for seed in config.seeds:
        key, origin = urls.canonical(seed.url), urls.origin_of(seed.url)
        kind, resource_type = Kind.DOCUMENT, "document"
        if seed.seed_type != "page":
            kind, resource_type = Kind.SITEMAP, seed.seed_type
        candidate = Candidate(url=seed.url, key=key, origin=origin, kind=kind, resource_type=resource_type, seed=True)
        found.setdefault(key, candidate)
    return list(found.values())


def _moment(text: str) -> datetime | None:
    return moment(text) if text else None
