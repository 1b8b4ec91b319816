"""Marks that a consent library leaves in a page, and which rules of the engine are for which page. Data and pure rules.

"No banner" is not "no library": what is found is recorded, and a library that was asked for and did not come is never
taken for an absent notice.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import re2

HOSTS = (
    r"cookielaw\.org|onetrust\.|optanon|cookiebot\.|consensu\.org|didomi\.|privacy-center\.org|usercentrics\.|"
    r"quantcast\.mgr|cmp\.quantcast|inmobi\.com/choice|trustarc\.|truste\.com|osano\.com|iubenda\.|cookieyes\.com|"
    r"termly\.io|cookiefirst\.|axept\.io|axeptio|consentmanager\.net|privacy-mgmt\.com|sp-prod\.net|sourcepoint|"
    r"fundingchoices|cookie-script\.com|cookiehub\.|secureprivacy|evidon|civiccomputing|cookiepro\.com|transcend-cdn|"
    r"ketch|cookieinformation|cookiecontrol|consentframework|sirdata|appconsent|traffective|cmp\.|consent\.|silktide"
)
NAMES = (
    r"cookie[-_.]?(consent|notice|banner|bar|law|manager|control|box|script|info|first|yes|hub|though|alert|policy|"
    r"choice|pref|wall|modal|popup|compliance|dialog|settings|privacy)|consent[-_.]?(manager|mode|banner|tool|box|"
    r"popup|"
    r"notice|sdk|modal|management|solution|layer)|(^|[/_.-])(cmp|gdpr|dsgvo|rgpd|ccpa|tcf|iabtcf|klaro|orejime|"
    r"tarteaucitron|borlabs|complianz|cookiebot|onetrust|otsdkstub|osano|didomi|axeptio|usercentrics|termly|iubenda|"
    r"silktide|cookies-eu-banner|eu-cookie|ihavecookies|moove|vanilla-cookieconsent|biscotti|consent|cookies)"
    r"[\w.-]*\.(m?js|css|json)|privacy[-_.](banner|manager|consent|popup|notice|sdk)"
)
"""Of the address of a script, style sheet or frame."""

INLINE = (
    r"cookie ?consent|cookieconsent|initCookieConsent|tarteaucitron|__tcfapi|__gpp|__uspapi|OneTrust|Optanon|"
    r"Cookiebot|"
    r"Didomi|UC_UI|usercentrics|klaro|orejime|iubenda|_iub|axeptio|Osano|CookieControl|silktide|(we|our) use cookies|"
    r"we and our partners|verwenden? cookies|utilis(e|ons) des cookies|usamos cookies|utilizza(no)? (i )?cookie|"
    r"gebruik(t|en)? (van )?cookies|plik(i|ów) cookie|cookie[-_ ]?(banner|notice|bar\b|popup)|consent[-_ ]?(banner|"
    r"manager)"
)
"""Of the text of a script in the page."""

GLOBALS: Sequence[str] = (
    "__tcfapi", "__gpp", "__uspapi", "OneTrust", "Optanon", "OptanonWrapper", "Cookiebot", "CookieConsent", "Didomi",
    "didomiOnReady", "UC_UI", "usercentrics", "klaro", "klaroConfig", "orejime", "tarteaucitron", "cookieconsent",
    "initCookieConsent", "_iub", "Osano", "axeptio", "_axcb", "CookieControl", "CookieFirst", "CookieScript", "cmp_id",
    "__cmp", "truste", "_sp_", "getCkyConsent", "silktideCookieBannerManager", "Termly", "BorlabsCookie", "complianz",
    "googlefc", "cookiehub", "ketch", "transcend", "CookieInformation", "Evidon", "airgap",
)  # fmt: skip

_LIBRARY = re.compile(f"//[^/]*({HOSTS})|({NAMES})", re.IGNORECASE)
_FILE = re.compile(r"\.(png|jpe?g|gif|svg|webp|avif|ico|woff2?|ttf|mp4|html?)$", re.IGNORECASE)


def is_library(url: str) -> bool:
    """Whether an address looks like a part of a consent library (its pictures and fonts do not count)."""
    bare = url.partition("#")[0].partition("?")[0]
    return _LIBRARY.search(bare) is not None and _FILE.search(urlsplit(bare).path) is None


def missing_libraries(failed: Iterable[str]) -> list[str]:
    """Of the requests that were refused or failed, those of a consent library."""
    return sorted({url for url in failed if is_library(url)})


def for_page() -> dict[str, Any]:
    """What the look in the page searches for."""
    return {"urls": f"//[^/]*({HOSTS})|({NAMES})", "inline": INLINE}


# --- rules of the engine ----------------------------------------------------------------------------------------------

_PRESS = frozenset({"click", "waitForThenClick", "eval"})
_HIDE = frozenset({"hide", "removeClass", "setStyle", "addStyle"})


def rules_for(rules: Iterable[Mapping[str, Any]], url: str, *, main: bool, cosmetic: bool) -> list[Mapping[str, Any]]:
    """Rules without an address pattern and those whose pattern fits `url`, of this kind of frame.

    A pattern that RE2 cannot read is left to the engine, which looks at patterns again.
    """
    found = []
    for rule in rules:
        context = rule.get("runContext") or {}
        if (rule.get("cosmetic") and not cosmetic) or not context.get("main" if main else "frame", main):
            continue
        if _fits(context.get("urlPattern"), url):
            found.append(rule)
    return found


def _fits(pattern: str | None, url: str) -> bool:
    if not pattern:
        return True
    compiled = _compiled(pattern)
    return compiled is None or compiled.search(url) is not None


@cache
def _compiled(pattern: str) -> re2._Regexp[str] | None:
    """Hundreds of them for each frame: made once, and by the matcher that is quick to make. None: it cannot be read."""
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options=options)
    except re2.error:
        return None


def nature_of(rule: Mapping[str, Any] | None) -> str:
    """`acts`, `may hide` or `hides only`: what a rule's way of refusing comes to. Rules in code, not data: `acts`."""
    if rule is None:
        return "acts"
    done = {key for step in _steps(rule.get("optOut")) for key in step}
    if rule.get("cosmetic") or (done & _HIDE and not done & _PRESS):
        return "hides only"
    return "may hide" if done & _HIDE else "acts"


def _steps(steps: Any) -> Iterable[Mapping[str, Any]]:
    for step in steps or ():
        yield step
        for name in ("then", "else", "any"):
            yield from _steps(step.get(name))
