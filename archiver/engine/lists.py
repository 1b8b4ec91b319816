"""Sitemaps and feeds as a source of URLs: which lists a seed leads to, and what is taken from a list.

A list is visited like a page: robots.txt, pace, record and rows are the same. Exclusions bind it, the scope does not;
what it lists is judged like any link. Its entries are as deep as the list: `depth` counts links from listed pages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urljoin

from archiver import urls
from archiver.extract.listing import PAGE, SITEMAP, Listed, moment
from archiver.model import Candidate, Kind, Objection, Outlink, Reason, Verdict

MAX_DEPTH = 3
"""Sitemap indexes within each other; sitemaps.org allows one."""
MAX_PAGES = 50
"""Pages of one feed (RFC 5005)."""
DETECT = "detect"
LETTER = "M"
"""In hop paths: found in a list (Heritrix's letter for manifests)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRules:
    """`since`, `until`: entries that say to be older or newer are left out; those that say nothing are taken. `most`:
    entries in all, 0 = no limit. `seeds`: by canonical key, the sitemap of a seed: a URL, or `DETECT`."""

    since: datetime | None = None
    until: datetime | None = None
    most: int = 0
    seeds: Mapping[str, str] = field(default_factory=dict)


class Lists:
    """One a run. `check` is the job's scope; `takes` as in `Discoverer`."""

    def __init__(
        self,
        rules: ListRules,
        check: Callable[[Candidate], Objection | None],
        takes: Callable[[str, str], bool] | None = None,
    ) -> None:
        self._rules = rules
        self._check = check
        self._takes = takes
        self._taken = 0
        self._named: dict[str, tuple[str, ...]] = {}

    def remember(self, candidate: Candidate, sitemaps: Sequence[str]) -> None:
        """What the robots.txt of a seed's origin names."""
        if candidate.seed and self._rules.seeds.get(candidate.key) == DETECT:
            self._named[candidate.key] = tuple(sitemaps)

    def of_seed(self, seed: Candidate) -> list[Outlink]:
        """The sitemaps of a seed that was visited: the one named, those of robots.txt, or `/sitemap.xml`."""
        wanted = self._rules.seeds.get(seed.key) if seed.seed else None
        if wanted is None:
            return []
        robots = f"{seed.origin}/robots.txt"
        if wanted != DETECT:
            return [self._list(seed, Listed(wanted, "", SITEMAP), via=seed.url)]
        named = self._named.pop(seed.key, ())
        base = urls.base_of(robots)
        found = [url for one in named if base is not None and (url := urls.resolve(base, one)) is not None]
        fallback = [] if found else [urljoin(robots, "/sitemap.xml")]
        return [self._list(seed, Listed(url, "", SITEMAP), via=robots) for url in found or fallback]

    def outlinks(self, page: Candidate, listed: Sequence[Listed], objection: Objection | None) -> list[Outlink]:
        """Entries as outlinks. `objection`: what speaks against following anything from here (nofollow)."""
        found = []
        for entry in listed:
            outlink = self._page(page, entry) if entry.kind == PAGE else self._list(page, entry, via=page.url)
            if outlink.objection is None and objection is not None:
                outlink = Outlink(candidate=outlink.candidate, objection=objection, lastmod=outlink.lastmod)
            elif outlink.objection is None and entry.kind == PAGE:
                self._taken += 1
            found.append(outlink)
        return found

    def _page(self, page: Candidate, entry: Listed) -> Outlink:
        key = urls.canonical(entry.url)
        letter = LETTER if self._takes is None or self._takes(entry.url, key) else "X"
        candidate = Candidate(
            url=entry.url, key=key, origin=urls.origin_of(entry.url), depth=page.depth, via=page.url,
            path=page.path + letter,
        )  # fmt: skip
        return Outlink(candidate=candidate, objection=self._check(candidate) or self._date(entry) or self._full(),
                       lastmod=entry.lastmod)  # fmt: skip

    def _list(self, parent: Candidate, entry: Listed, *, via: str) -> Outlink:
        """Another list. How many lists led here stands in the hop path."""
        candidate = Candidate(
            url=entry.url, key=urls.canonical(entry.url), origin=urls.origin_of(entry.url), kind=Kind.SITEMAP,
            resource_type=entry.kind, depth=parent.depth, via=via, path=parent.path + LETTER,
        )  # fmt: skip
        objection = self._check(candidate) or self._too_deep(candidate)
        if objection is None and parent.kind is Kind.SITEMAP and entry.kind == SITEMAP:
            objection = self._date(Listed(entry.url, entry.lastmod), newer=False)
        return Outlink(candidate=candidate, objection=objection, lastmod=entry.lastmod)

    def _too_deep(self, candidate: Candidate) -> Objection | None:
        most = MAX_DEPTH if candidate.resource_type == SITEMAP else MAX_PAGES
        if candidate.path.count(LETTER) <= most:
            return None
        return _refuse(Reason.DEPTH_LIMIT, f"more than {most} {candidate.resource_type}s that lead to each other")

    def _date(self, entry: Listed, *, newer: bool = True) -> Objection | None:
        """What the entry's own date says against it; a list that changed lately may hold what is older (`newer`)."""
        rules = self._rules
        when = moment(entry.lastmod) if entry.lastmod and (rules.since or rules.until) else None
        if when is None:
            return None
        if rules.since is not None and when < rules.since:
            return _refuse(Reason.OUT_OF_SCOPE, f"lastmod {entry.lastmod} is before sitemapFromDate")
        if newer and rules.until is not None and when > rules.until:
            return _refuse(Reason.OUT_OF_SCOPE, f"lastmod {entry.lastmod} is after sitemapToDate")
        return None

    def _full(self) -> Objection | None:
        if not self._rules.most or self._taken < self._rules.most:
            return None
        return _refuse(Reason.PAGE_LIMIT, f"sitemapLimit: {self._rules.most:,} URLs were taken from lists")


def _refuse(reason: Reason, rule: str) -> Objection:
    return Objection(verdict=Verdict.REFUSE, reason=reason, rule=rule)
