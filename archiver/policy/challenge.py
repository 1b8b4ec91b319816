"""Pages that stand between a robot and the site: recognised, named, never solved and never taken for the article.

A name is given only on what no ordinary page carries: a header of the vendor, or its own script or form together with
a page that holds little else. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from archiver.scan import words

LOOKED_AT = 262_144
"""Bytes of a content-decoded body that are looked at."""
_LITTLE = 2_500
"""Visible characters above which a page with a captcha in it is an ordinary page with a form."""

_HEADERS: tuple[tuple[bytes, bytes, str], ...] = (
    (b"cf-mitigated", b"challenge", "cloudflare"),
    (b"x-amzn-waf-action", b"", "aws-waf"),
    (b"x-datadome-cid", b"", "datadome"),
)


@dataclass(frozen=True, slots=True)
class _Mark:
    """`pattern` anywhere in the body; `alone` = only on a page of little text, or with a refusing status."""

    vendor: str
    pattern: re.Pattern[bytes]
    alone: bool = True


def _mark(vendor: str, pattern: str, *, alone: bool = True) -> _Mark:
    return _Mark(vendor, re.compile(pattern.encode(), re.IGNORECASE), alone)


_MARKS = (
    _mark(
        "cloudflare",
        r"/cdn-cgi/challenge-platform/[^\"']{0,80}orchestrate|window\._cf_chl_opt|"
        r"id=[\"']challenge-(?:form|running|error)",
    ),
    _mark("anubis", r"id=[\"']anubis_challenge|/\.within\.website/x/(?:cmd/anubis|xess)", alone=False),
    _mark("akamai", r"sec-if-cpt-container|/_sec/(?:cp_challenge|verify)|errors\.edgesuite\.net/"),
    _mark("datadome", r"(?:geo|ct)\.captcha-delivery\.com"),
    _mark("perimeterx", r"id=[\"']px-captcha|captcha\.px-cdn\.net|_pxAppId"),
    _mark("imperva", r"_Incapsula_Resource|Incapsula incident ID"),
    _mark("aws-waf", r"awsWafCookieDomainList|token\.awswaf\.com[^\"']{0,120}challenge"),
    _mark("friendly-captcha", r"class=[\"'][^\"']{0,80}\bfrc-captcha"),
    _mark(
        "captcha",
        r"class=[\"'][^\"']{0,80}\b(?:g-recaptcha|h-captcha|cf-turnstile)\b|hcaptcha\.com/1/api\.js|"
        r"challenges\.cloudflare\.com/turnstile|recaptcha/(?:api|enterprise)\.js",
    ),
)
_WORDS = words(
    rb"challenge-|_cf_chl_opt|anubis_challenge|/\.within\.website/x/|sec-if-cpt-container|/_sec/|"
    rb"errors\.edgesuite\.net/|captcha|px-cdn\.net|_pxappid|incapsula|awswaf|turnstile"
)
"""Whatever one of the marks matches holds one of these, and all of them are looked for in one pass."""
_REFUSING = frozenset({401, 403, 405, 429, 503})


def challenge_of(*, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes, visible: int) -> str | None:
    """The vendor whose challenge an answer is, None for a page.

    `headers` with lower-case names; `body` content-decoded, its first `LOOKED_AT` bytes; `visible` characters of text.
    """
    for name, value in headers:
        for wanted, word, vendor in _HEADERS:
            if name == wanted and word in value.lower():
                return vendor
    body = body[:LOOKED_AT]
    if not has_marks(body):
        return None
    bare = visible < _LITTLE and (status in _REFUSING or visible < _LITTLE // 5)
    for mark in _MARKS:
        if (bare or not mark.alone) and mark.pattern.search(body):
            return mark.vendor
    return None


def has_marks(body: bytes) -> bool:
    """Whether any mark may be in it; for most bodies not, and then `challenge_of` needs no text to be measured."""
    return _WORDS.search(body[:LOOKED_AT]) is not None
