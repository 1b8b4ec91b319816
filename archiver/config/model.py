"""The one configuration. Every field with a key can be set in YAML, most on the command line; the rest is derived."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

from archiver.config.identity import Identity
from archiver.config.kinds import (
    ADDRESS,
    COLLECTION_NAME,
    FLAG,
    FOLDER,
    HOST,
    PATTERN,
    SECONDS,
    SIZE,
    TEXT,
    choice,
    list_of,
    whole,
)
from archiver.config.schema import key
from archiver.config.secret import Secret
from archiver.config.special import DATE, DEPTH, LANGUAGE, SITE_CONSENT, SITEMAP, TIMEZONE, VIEWPORT
from archiver.config.storage import Storage
from archiver.model import Labels
from archiver.policy.profiles import STRICT, Profile, canonical

SCOPES = ("page", "page-spa", "prefix", "host", "domain", "any", "custom")


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedRules:
    """What a seed's scope is; at the top level the same keys are the default of all seeds."""

    scope_type: str = key(choice(*SCOPES), "Which links are followed", default="prefix")
    include: tuple[str, ...] = key(
        list_of(PATTERN), "With `custom`: URLs in scope match one of these", default=(), aliases=("scopeIncludeRx",)
    )
    exclude: tuple[str, ...] = key(
        list_of(PATTERN), "URLs that match one of these are left out", default=(), aliases=("scopeExcludeRx",)
    )
    depth: int = key(DEPTH, "Links away from the seed; -1 = no bound", default=-1)
    extra_hops: int = key(whole(high=10), "Hops past the scope that are still fetched", default=0)
    sitemap: str = key(
        SITEMAP, "What the seed's sitemaps list is taken too: `true` = those its robots.txt names, else /sitemap.xml",
        default="", aliases=("useSitemap",),
    )  # fmt: skip
    seed_type: str = key(
        choice("page", "sitemap", "feed"), "Whether the seed is a page, or a list of pages", default="page"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Seed(SeedRules):
    """One thing the user asked for. `url` is serialised as in `archiver.urls`."""

    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Where a job ends, and what one visit may take. 0 = no limit, but for the visit's own."""

    page_limit: int = key(whole(), "Pages in all; 0 = no limit", default=0, aliases=("limit",))
    time_limit: float = key(SECONDS, "The job ends gracefully after this; 0 = no limit", default=0.0, unit="s")
    size_limit: int = key(SIZE, "The job ends once it wrote this much; 0 = no limit", default=0, unit="bytes")
    disk_utilization: int = key(
        whole(high=100), "The job ends when the disk is this full; 0 = not watched", default=90, unit="%"
    )
    visit_timeout: float = key(
        SECONDS,
        "One visit: a document, its hops and requisites",
        default=90.0,
        unit="s",
        aliases=("pageLoadTimeout",),
        browsertrix="`pageLoadTimeout` covers the browser's navigation only",
    )
    max_visit_seconds: float = key(SECONDS, "The same where the site declares a delay", default=300.0, unit="s")
    visit_requisites: int = key(whole(low=1, high=10_000), "Requisites of one visit from one origin", default=300)
    visit_bytes: int = key(SIZE, "Bytes of requisites of one visit from one origin", default=100_000_000, unit="bytes")
    visit_spool: int = key(
        SIZE, "What a visit keeps on disk before its verdict; past it records are written at once",
        default=1_000_000_000, unit="bytes",
    )  # fmt: skip
    max_body_size: int = key(SIZE, "One answer; more is cut and marked `WARC-Truncated`", default=1 << 30, unit="bytes")
    max_redirects: int = key(whole(high=50), "Hops of one document", default=20)
    sitemap_from: str = key(
        DATE, "Of sitemaps and feeds: nothing that says to be older", default="", name="sitemapFromDate",
        aliases=("sitemapFrom", "since"),
    )  # fmt: skip
    sitemap_to: str = key(
        DATE, "Of sitemaps and feeds: nothing that says to be newer", default="", name="sitemapToDate",
        aliases=("sitemapTo",),
    )  # fmt: skip
    sitemap_limit: int = key(whole(), "URLs taken from sitemaps and feeds in all; 0 = no limit", default=1_000_000)
    rollover_size: int = key(SIZE, "A WARC is closed at this size", default=10**9, unit="bytes")
    rollover_seconds: float = key(SECONDS, "A WARC is closed at this age", default=300.0, unit="s")


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Seconds of one exchange."""

    connect: float = key(SECONDS, "Until the connection stands", default=15.0, unit="s", name="connectTimeout")
    idle: float = key(SECONDS, "Without a byte", default=30.0, unit="s", name="idleTimeout")
    total: float = key(SECONDS, "From the first byte sent to the last received", default=300.0, unit="s",
                       name="requestTimeout")  # fmt: skip
    robots: float = key(SECONDS, "All of a robots.txt", default=20.0, unit="s", name="robotsTimeout")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How hard a host is asked. What a host declares itself always binds as well."""

    delay: float = key(
        SECONDS,
        "Between two visits to an origin; under 1 s only for `allowAddresses` and `ownHosts`",
        default=1.0,
        unit="s",
        browsertrix="there `delay` (pageExtraDelay) is a wait after each page, whatever the host",
    )
    concurrency: int = key(
        whole(low=1, high=512), "Visits at a time over all origins", default=16, aliases=("workers",)
    )
    parallel: int = key(
        whole(low=1, high=64), "Visits at a time to one origin; over 1 only for `allowAddresses`, `ownHosts`", default=1
    )
    requisite_concurrency: int = key(whole(low=1, high=4), "Requisites in flight to one origin", default=4)
    retry_after_cap: float = key(SECONDS, "Longest Retry-After that is waited for", default=86_400.0, unit="s")
    retries: int = key(
        whole(high=20), "Further tries after a failure that may pass", default=2, aliases=("maxPageRetries",)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """Which addresses may be dialled besides public ones, and which roots are trusted."""

    allow_addresses: tuple[str, ...] = key(
        list_of(ADDRESS), "Private or loopback HOST:PORT that may be dialled", default=()
    )
    own_hosts: tuple[str, ...] = key(list_of(HOST), "Your own hosts: `delay` under 1 s and `parallel` hold", default=())
    ca_file: str = key(TEXT, "PEM file of further roots for sites", default="", name="tls.caFile")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What the run is called, where it goes, and how it is driven."""

    collection: str = key(COLLECTION_NAME, "Folder and replay name", default="main")
    out: str = key(FOLDER, "Folder that holds `collections/`", default="crawls")
    tenant: str = key(COLLECTION_NAME, "Whose job this is", default="main")
    crawl_id: str = key(COLLECTION_NAME, "A name for this run; made up when empty", default="", aliases=("id",))
    note: str = key(TEXT, "Stands in every ledger row of the job", default="")
    case: str = key(TEXT, "A case or file number; in every row", default="")
    tags: tuple[str, ...] = key(list_of(TEXT), "Words to find the job by; in every row", default=())
    title: str = key(TEXT, "Title of the collection", default="")
    description: str = key(TEXT, "What the collection is; the warcinfo's too where that has none", default="")
    lane: str = key(choice("auto", "http", "browser"), "Plain HTTP, Chromium, or what the page needs", default="auto")
    driver: str = key(
        choice("scrapy", "pump"), "What drives a crawl", default="scrapy",
        browsertrix="there a script of yours that drives the page",
    )  # fmt: skip
    lang: str = key(LANGUAGE, "Accept-Language; empty = none is sent", default="")
    timezone: str = key(TIMEZONE, "Time zone of the browser and of reports", default="UTC")
    require: str = key(choice("none", "complete"), "`complete`: exit 31 when a page has gaps", default="none")
    generate_wacz: bool = key(
        FLAG, "Pack a WACZ when the run ends: `save` one a capture, `crawl` one of the collection", default=False,
        name="generateWACZ",
    )  # fmt: skip
    dry_run: bool = key(
        FLAG, "Ask robots.txt only and say what would happen", default=False,
        browsertrix="there pages are fetched and nothing is written",
    )  # fmt: skip

    @property
    def labels(self) -> Labels:
        return Labels(note=self.note, case=self.case, tags=self.tags)

    @property
    def require_complete(self) -> bool:
        return self.require == "complete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Browsing:
    """The browser lane: what Chromium claims to be, what is done with a page, what is kept of it."""

    viewport: str = key(VIEWPORT, "Size of the window, sent truthfully and recorded", default="1280x1024")
    behaviors: tuple[str, ...] = key(
        list_of(choice("scroll", "lazy", "details", "media")),
        "What is done to see all of a page; each is recorded",
        default=("scroll", "lazy", "details", "media"),
        browsertrix="there autoplay, autofetch, autoscroll, siteSpecific",
    )
    behavior_timeout: float = key(SECONDS, "For all behaviours of a page together", default=15.0, unit="s")
    screenshot: tuple[str, ...] = key(
        list_of(choice("view", "fullPage", "thumbnail")),
        "Pictures that are kept: of the window, of all of the page, a small one",
        default=("view", "fullPage", "thumbnail"),
    )
    text: bool = key(
        FLAG, "Keep the text of the rendered page, without the notice", default=True,
        browsertrix="there a list: to-pages, to-warc, final-to-warc",
    )  # fmt: skip
    dom: bool = key(FLAG, "Keep the document as it stood at the end", default=True)
    pdf: bool = key(FLAG, "Keep the page as a PDF", default=False)
    consent_for: tuple[tuple[str, str], ...] = key(
        list_of(SITE_CONSENT),
        "What to do with consent notices of single hosts; the only place for `accept`, and it needs `legalBasis`",
        default=(),
    )

    @property
    def size(self) -> tuple[int, int]:
        width, _, height = self.viewport.partition("x")
        return int(width), int(height)

    @property
    def views(self) -> frozenset[str]:
        """Names as in `urn:<name>:<url>`."""
        extra = {name for name in ("text", "dom", "pdf") if getattr(self, name)}
        return frozenset(self.screenshot) | extra


@dataclass(frozen=True, slots=True, kw_only=True)
class WarcInfo:
    """Fields of the `warcinfo` record (WARC 1.1, 6.2 and Heritrix's)."""

    publisher: str = key(TEXT, "Who publishes the collection", default="")
    audience: str = key(TEXT, "Whom it is for", default="")
    description: str = key(TEXT, "What it is", default="")
    is_part_of: str = key(TEXT, "The larger collection", default="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """Who answers for the crawl, on what ground."""

    operator: str = key(TEXT, "Person or institution that answers for the crawl", default="")
    legal_basis: str = key(TEXT, "The ground on which a policy loosens; stands in every warcinfo", default="")
    overrides: bool = key(FLAG, "Whether `save --override` is allowed", default=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Everything a run is told. Frozen and checked; `sha256` names it in warcinfo and ledger."""

    seeds: tuple[Seed, ...] = ()
    limits: Limits = field(default_factory=Limits)
    timeouts: Timeouts = field(default_factory=Timeouts)
    pace: Pace = field(default_factory=Pace)
    policy: Profile = STRICT
    identity: Identity = field(default_factory=Identity)
    network: Network = field(default_factory=Network)
    job: Job = field(default_factory=Job)
    browsing: Browsing = field(default_factory=Browsing)
    warcinfo: WarcInfo = field(default_factory=WarcInfo)
    basis: Basis = field(default_factory=Basis)
    storage: Storage | None = None
    warnings: tuple[str, ...] = field(default=(), compare=False)

    def document(self) -> dict[str, Any]:
        """The configuration as JSON-able data, secrets left out."""
        found = _plain(self)
        assert isinstance(found, dict)
        found.pop("warnings")
        return found

    @property
    def sha256(self) -> str:
        """Hash of the canonical JSON of `document()`, hex."""
        return hashlib.sha256(canonical(self.document())).hexdigest()


SECTIONS: tuple[tuple[str, str, type], ...] = (
    ("", "limits", Limits),
    ("", "timeouts", Timeouts),
    ("", "pace", Pace),
    ("", "identity", Identity),
    ("", "network", Network),
    ("", "job", Job),
    ("", "browsing", Browsing),
    ("", "basis", Basis),
    ("warcinfo", "warcinfo", WarcInfo),
    ("storage", "storage", Storage),
)
"""(YAML mapping the keys stand in, field of Config, type)."""


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        named = {one.name: getattr(value, one.name) for one in fields(value)}
        return {name: _plain(item) for name, item in named.items() if not isinstance(item, Secret)}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value
