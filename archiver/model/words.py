"""The words that values use: every verdict, reason, class and code there is."""

from __future__ import annotations

from enum import StrEnum


class Verdict(StrEnum):
    ALLOW = "allow"
    REFUSE = "refuse"
    DEFER = "defer"


class Lane(StrEnum):
    HTTP = "http"
    BROWSER = "browser"


class Access(StrEnum):
    """Who may see a record at replay; one WARC stream and one folder each (`archive/`, `restricted/`, `dark/`)."""

    OPEN = "open"
    RESTRICTED = "restricted"
    DARK = "dark"


class Kind(StrEnum):
    """What a candidate is fetched for. Scope binds documents; robots binds all but `robots`.

    `signals`: a file in which a site says how its pages may be used (tdmrep.json, a licence), after its page.
    """

    DOCUMENT = "document"
    REQUISITE = "requisite"
    ROBOTS = "robots"
    SITEMAP = "sitemap"
    WEBHOOK = "webhook"
    SIGNALS = "signals"


class Reason(StrEnum):
    """Why a URL was allowed, kept, hidden, refused, deferred or left. Browsertrix's strings where it has one."""

    ALLOWED = "allowed"
    OUT_OF_SCOPE = "outOfScope"
    USER_EXCLUSION = "outOfScopeUserExclusion"
    REDIRECT_TO_EXCLUDED = "redirectToExcluded"
    PAGE_LIMIT = "pageLimit"
    DEPTH_LIMIT = "depthLimit"
    TIME_LIMIT = "timeLimit"
    INTERRUPTED = "interrupted"
    DISK_UTILIZATION = "diskUtilization"
    SPOOL_LIMIT = "spoolLimit"
    DUPLICATE = "duplicate"
    NOFOLLOW = "nofollow"
    ROBOTS_TXT = "robotsTxt"
    ROBOTS_UNREACHABLE = "robotsUnreachable"
    RATE_LIMITED = "rateLimited"
    CRAWL_DELAY_BUDGET = "crawlDelayBudget"
    VISIT_TIME = "visitTime"
    REQUISITE_LIMIT = "requisiteLimit"
    SIZE_LIMIT = "sizeLimit"
    PRIVATE_ADDRESS = "privateAddress"
    BAD_PORT = "badPort"
    UNSUPPORTED_SCHEME = "unsupportedScheme"
    CREDENTIALS_IN_URL = "credentialsInUrl"
    TOO_MANY_REDIRECTS = "tooManyRedirects"
    TRAP = "trap"
    HIDDEN = "hidden"
    OVERRIDE = "override"
    NOARCHIVE = "noarchive"
    NOINDEX = "noindex"
    TDM_RESERVED = "tdmReserved"
    CREDENTIALED = "credentialed"
    UNAVAILABLE_FOR_LEGAL_REASONS = "unavailableForLegalReasons"
    CONSENT_BLOCKED = "consentBlocked"
    FAILED = "failed"


class FailureCode(StrEnum):
    """Why an exchange has no usable answer: facts about the network, never a policy."""

    DNS_ERROR = "dnsError"
    CONNECT_ERROR = "connectError"
    CONNECT_TIMEOUT = "connectTimeout"
    TLS_ERROR = "tlsError"
    IDLE_TIMEOUT = "idleTimeout"
    TOTAL_TIMEOUT = "totalTimeout"
    DISCONNECTED = "disconnected"
    PROTOCOL_ERROR = "protocolError"
    HEADER_LIMIT = "headerLimit"
    TOO_MANY_REDIRECTS = "tooManyRedirects"
    CHALLENGE = "challenge"
    INTERNAL = "internal"


class Truncated(StrEnum):
    """WARC-Truncated values (WARC 1.1, 5.13)."""

    LENGTH = "length"
    TIME = "time"
    DISCONNECT = "disconnect"
    UNSPECIFIED = "unspecified"
