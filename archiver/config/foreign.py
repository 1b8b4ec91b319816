"""Keys that Browsertrix users know and that mean nothing here, or not yet: each with what to do instead."""

from __future__ import annotations

from archiver.config.layers import Layer
from archiver.policy.profiles import PROFILES

_BROWSER = "has no counterpart in the browser lane here; remove it"
_ALWAYS = "is always on here and cannot be turned off; remove it"
_EXPORT = "is not made by a crawl; make it afterwards from the collection"
_PROXY = "proxies are not supported: the gateway dials what it has checked itself"
_LOGIN = "logins are not supported: credentials and profiles would make every capture restricted"

HARMLESS: dict[str, tuple[str, ...]] = {
    "useRobots": ("true",), "robots": ("true",), "generateCDX": ("true",), "headless": ("true",),
    "reportSkipped": ("true",), "failOnFailedSeed": ("true",), "saveState": ("always", "partial"),
    "combineWARC": ("false",), "useSHA1": ("false",), "overwrite": ("false",),
    "allowHashUrls": ("false",), "blockAds": ("false",), "failOnInvalidStatus": ("false",), "waitOnDone": ("false",),
    "restartsOnError": ("false",),
}  # fmt: skip
"""Values with which a key asks for what happens anyway."""

MESSAGES: dict[str, str] = {
    **dict.fromkeys(
        ("customBehaviors", "waitUntil", "postLoadDelay", "pageExtraDelay",
         "netIdleWait", "netIdleMaxRequests", "blockRules", "blockMessage", "blockAds", "adBlockMessage",
         "mobileDevice", "windowSize", "headless", "selectLinks", "clickSelector",
         "extraChromeArgs", "serviceWorker", "allowHashUrls", "failOnContentCheck", "screencastPort"),
        _BROWSER,
    ),
    **dict.fromkeys(("reportSkipped", "generateCDX", "failOnFailedSeed"), _ALWAYS),
    **dict.fromkeys(("combineWARC",), _EXPORT),
    **dict.fromkeys(("proxyServer", "proxyServerConfig", "proxyMap", "proxyServerPreferSingleProxy",
                     "sshProxyPrivateKeyFile", "sshProxyKnownHostsFile", "originOverride"), _PROXY),
    **dict.fromkeys(("auth", "saveProfile"), _LOGIN),
    **dict.fromkeys(("redisStoreUrl", "logErrorsToRedis", "writePagesToRedis", "debugAccessRedis", "screencastRedis"),
                    "one machine needs no Redis here; remove it"),
    **dict.fromkeys(("rateLimitWait", "rateLimitMax", "rateLimitMaxWait", "rateLimit", "rateLimitInterval"),
                    "429 and 503 always slow a host down; set retryAfterCap for how long that is waited for"),
    **dict.fromkeys(("logging", "logLevel", "context", "logContext", "logExcludeContext", "logBehaviorsToRedis"),
                    "logging is not part of a crawl's config; remove it"),
    **dict.fromkeys(("warcPrefix",), "WARC files are named ARCH-<time>-<serial>-<job>-<host>; remove it"),
    **dict.fromkeys(("saveState", "saveStateInterval", "saveStateHistory"),
                    "state is always kept: the same crawl started again goes on; remove it"),
    **dict.fromkeys(("seedFile", "urlFile"), "list the URLs under seeds:"),
    **dict.fromkeys(("failOnFailedLimit", "failOnInvalidStatus", "restartsOnError", "waitOnDone", "overwrite"),
                    "is not supported; exit codes say what became of the seeds (docs/operator/exit-codes.md)"),
    **dict.fromkeys(("healthCheckPort", "statsFilename", "cwd", "saveStorage", "qaSource", "qaDebugImageDiff",
                     "debugAccessBrowser", "dedupeIndexUrl", "dedupePolicy"), "is not supported; remove it"),
    "generateWacz": "is written generateWACZ",
    "timeout": "is called visitTimeout here",
    "windowSize": "is called viewport here",
    "useSHA1": "digests are SHA-256 here; remove it",
    "maxPageLimit": "is called pageLimit here",
    "userAgentPrefix": "is called userAgentSuffix here",
    "ignoreRobots": "robots.txt is obeyed by every policy but where the line of a `policy` says so; remove it",
    "ignore_robots": "robots.txt is obeyed by every policy but where the line of a `policy` says so; remove it",
    **dict.fromkeys(("override",), "overrides are for one URL and one person: "
                    "archiver save URL --override ... --because ... --by ..."),
}  # fmt: skip

_WORDS = {"yes": "true", "on": "true", "no": "false", "off": "false", "[]": ""}

_ROBOTS_OFF = (
    "robots.txt cannot be switched off. What binds is set by `policy` (strict, research, legal-deposit); one that "
    "loosens needs legalBasis and operator"
)


def explain(name: str, value: object) -> str | None:
    """Why a known foreign key is refused; None when it is not foreign, or asks for what happens anyway."""
    text = _WORDS.get(str(value).lower(), str(value).lower())
    if text in HARMLESS.get(name, ()):
        return None
    if name in ("useRobots", "robots"):
        return _ROBOTS_OFF
    if name == "profile":
        if text in PROFILES:
            return f"is a browser login profile, as in Browsertrix; for the rules of the crawl write policy: {text}"
        return _LOGIN
    return MESSAGES.get(name)


def is_foreign(name: str) -> bool:
    return name in MESSAGES or name in HARMLESS or name == "profile"


def without_foreign(layer: Layer, prefix: str = "") -> Layer:
    """The layer without harmless foreign keys. Raises for the others (ConfigError or UsageError)."""
    kept: Layer = {}
    for name, entry in layer.items():
        if not is_foreign(name) or (name == "robots" and isinstance(entry.value, dict)):
            kept[name] = entry
            continue
        said = explain(name, entry.plain()) if entry.value is not None else None
        if said is not None:
            raise entry.where.error(prefix + name, said)
    return kept
