"""Which headers pass between browser and pywb, and what is added to an answer. Pure.

An archived header that would act on the replay's origin instead of on the archived site (cookies, CORS, reports,
preconnects, credentials dialogs ...) is kept under pywb's own prefix, `X-Archive-Orig-`: nothing is lost, nothing acts.
pywb does the same for many of them, but not in raw (`id_`) replay.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urljoin

from archiver.replay.layout import CSP, SANDBOX

Headers = list[tuple[str, str]]

PREFIX = "X-Archive-Orig-"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_TO_PYWB = _words(
    "accept accept-datetime accept-encoding accept-language content-type host if-match if-none-match if-range origin "
    "prefer range referer user-agent x-pywb-requested-with x-requested-with"
)
"""What a visitor may tell pywb. Not among them: Cookie, and `X-Pywb-ACL-User`, by which anybody could lift access
rules; `X-Forwarded-Proto` and `X-Wombat-History-Page`, which change what is asked for."""

_HOP_BY_HOP = _words("connection keep-alive proxy-connection te trailer transfer-encoding upgrade")  # RFC 9110, 7.6.1
_ACTING = _words(
    "alt-svc cache-control clear-site-data content-security-policy content-security-policy-report-only "
    "cross-origin-embedder-policy cross-origin-embedder-policy-report-only cross-origin-opener-policy "
    "cross-origin-opener-policy-report-only cross-origin-resource-policy document-policy expires feature-policy link "
    "nel origin-agent-cluster permissions-policy pragma proxy-authenticate public-key-pins referrer-policy refresh "
    "report-to reporting-endpoints require-document-policy service-worker-allowed set-cookie set-cookie2 "
    "speculation-rules strict-transport-security www-authenticate x-dns-prefetch-control x-frame-options "
    "x-robots-tag"
)
_QUIET: Headers = [
    ("X-Robots-Tag", "noindex, noarchive"),
    ("Referrer-Policy", "same-origin"),
    ("X-DNS-Prefetch-Control", "off"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=(), display-capture=()"),
    ("Cache-Control", "private, no-cache"),
]
_ARCHIVED = re.compile(r"/[^/]+/(\d*(?:[a-z]+_|\$[a-z0-9:.-]+))/{1,3}(.+)", re.DOTALL)
_NO_TOKEN = re.compile(r"[^!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_SCHEME = re.compile(r"https?:/+", re.IGNORECASE)


def archived(target: str) -> tuple[str, str] | None:
    """(timestamp and modifier, archived URL) of a path that shows an archived body; None for pywb's own pages."""
    found = _ARCHIVED.fullmatch(target)
    return (found[1], found[2]) if found else None


def to_pywb(headers: Iterable[tuple[str, str]]) -> Headers:
    """A visitor's headers, those alone that pywb needs."""
    return [(name, value) for name, value in headers if name.lower() in _TO_PYWB]


def to_visitor(headers: Headers, *, target: str, origin: str) -> Headers:
    """The answer's headers: pywb's and the archived ones, what acts renamed, the replay's own added.

    `origin` is `http://main.replay.localhost:8090`; a Location that leads elsewhere is turned into the replay of it.
    """
    out: Headers = []
    memento = _memento_link(headers)
    for position, (name, value) in enumerate(headers):
        low = name.strip().lower()
        value = _CONTROL.sub(" ", value)
        if low in _HOP_BY_HOP or low == "content-length" or (low == "content-security-policy" and value == CSP):
            continue
        if low == "location":
            out += _location(value, target=target, origin=origin)
        elif position == memento or not _acts(low):
            out.append((_token(name), value))
        else:
            out.append((PREFIX + _token(name), value))
    return [*out, *_QUIET, ("Content-Security-Policy", policy(headers, target))]


def policy(headers: Headers, target: str) -> str:
    """The CSP. PDF stays outside the sandbox: browsers do not open their viewer in one."""
    kind = next((value for name, value in headers if name.lower() == "content-type"), "").partition(";")[0].strip()
    return CSP + SANDBOX if archived(target) and kind.lower() != "application/pdf" else CSP


def _acts(low: str) -> bool:
    return low in _ACTING or low.startswith("access-control-")


def _token(name: str) -> str:
    """A name that a server may send; archived ones may be anything (`X-Foo `, `a b`)."""
    return _NO_TOKEN.sub("-", name.strip()) or "X-Nameless"


def _memento_link(headers: Headers) -> int | None:
    """The position of pywb's own Link header (RFC 7089, 2.2): the last one, after the archived ones."""
    links = [at for at, (name, value) in enumerate(headers) if name.lower() == "link" and 'rel="original"' in value]
    return links[-1] if links else None


def _location(value: str, *, target: str, origin: str) -> Headers:
    """Location headers that stay inside the origin; the archived value is kept beside a changed one."""
    if value.startswith(origin + "/"):
        return [("Location", value)]
    shown = archived(target)
    if shown is None:
        return [("Location", value)] if value.startswith("/") and value[1:2] not in ("/", "\\") else []
    where, url = shown
    collection = target.split("/", 2)[1]
    if value.startswith(f"/{collection}/") and archived(value) is not None:  # pywb's form of `Location: /path`
        return [("Location", origin + value)]
    absolute = urljoin(_SCHEME.sub(lambda scheme: scheme[0].rstrip("/") + "//", url, count=1), value)
    kept = (f"{PREFIX}Location", value)
    if not absolute.lower().startswith(("http://", "https://")):
        return [kept]
    return [("Location", f"{origin}/{collection}/{where}/{absolute}"), kept]
