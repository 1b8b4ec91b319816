"""URLs: parsing by the WHATWG standard (C++, as browsers do), the capture key, and strict reading of what users type.

Three forms of one URL:

- *url*: absolute, WHATWG-serialised, http(s), no fragment, no userinfo. This is what goes on the wire and what robots
  rules are matched against (RFC 9309, 2.2.2).
- *key*: `canonical(url)`, what duplicates are found by. Never sent.
- *origin*: scheme, host, effective port; the unit of robots.txt and of pace.

The key is the url with: scheme and host in lower case (A-labels), the host's trailing dot gone, default port gone,
dot segments resolved, an empty path as `/`, escapes in upper-case hex with unreserved characters decoded (RFC 3986,
6.2.2), fragment and userinfo gone. The order of query parameters, an empty query, double slashes and the case of the
path are kept: servers tell these apart.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import can_ada

from archiver.errors import UsageError
from archiver.model import Origin

MAX_URL = 65_535
"""Characters a URL may have once serialised; longer ones are nobody's page."""

_LOWER_ESCAPE = re.compile(r"%(?:[a-f][0-9A-Fa-f]|[0-9A-F][a-f])")
# Behind a stray "%" or "%4" nothing is decoded: "%%37E" would become an escape, and the key's key another one.
_UNRESERVED_ESCAPE = re.compile(r"(?<!%)(?<!%[0-9A-Fa-f])%(2[DE]|3[0-9]|4[1-9A-F]|5[0-9AF]|6[1-9A-F]|7[0-9AE])")
_USERINFO = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*:)?([/\\]*)[^/\\?#]*@")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_HOST_PORT = re.compile(r"(?!(?:tel|sms|data|javascript):)[^/?#:@\[\]]+:[0-9]{1,5}(?:[/?#]|$)")
_ZERO_WIDTH_JOINERS = "\u200c\u200d"


@dataclass(frozen=True, slots=True, kw_only=True)
class Url:
    """One URL in its three forms (see the module's docstring)."""

    url: str
    key: str
    origin: Origin


def parse(text: str) -> Url | None:
    """The three forms of an absolute http(s) URL; None for anything else, and past `MAX_URL`. Never raises."""
    href = _serialise(_ada(text))
    return None if href is None else of(href)


def of(url: str) -> Url:
    """The three forms of a URL that `join`, `parse` or `seed_url` gave."""
    return Url(url=url, key=canonical(url), origin=origin_of(url))


def join(base: str, href: str) -> str | None:
    """`href` as found on a page, absolute: the *url* form. None when it is not http(s), not a URL, or too long.

    Credentials in a link are cut: a page cannot lend us somebody's password, nor may it reach a log.
    """
    parent = _ada(base)
    return None if parent is None else resolve(parent, href)


def resolve(parent: can_ada.URL, href: str) -> str | None:
    """`join` for many links of one page: `parent` is `base_of(page url)`, parsed once."""
    if len(href) > MAX_URL:
        return None
    try:
        return _serialise(parent + href)
    except ValueError:
        return None
    except TypeError:
        try:
            return _serialise(parent + _scalar_values(href))
        except ValueError:
            return None


def of_header(value: bytes) -> str:
    """A URL as a header field holds it: UTF-8, else its bytes past ASCII escaped, so that the server gets them back."""
    try:
        return value.decode("utf-8").strip()
    except UnicodeDecodeError:
        return "".join(chr(byte) if byte < 0x80 else f"%{byte:02X}" for byte in value).strip()


def base_of(url: str, href: str | None = None) -> can_ada.URL | None:
    """A parsed base for `resolve`: `url`, moved by the document's `<base href>` when there is one that parses.

    Only an http(s) base counts (HTML, 4.2.3 refuses data: and javascript: bases).
    """
    parent = _ada(url)
    if parent is None or href is None:
        return parent
    moved = resolve(parent, href)
    return parent if moved is None else can_ada.parse(moved)


def canonical(url: str) -> str:
    """The documented key (module docstring). Idempotent. A text that is no http(s) URL is its own key."""
    href = _serialise(_ada(url))
    if href is None:
        return url
    if "./" in href or ".:" in href:
        href = _without_trailing_dot(href)
    if "%" in href:
        href = _LOWER_ESCAPE.sub(lambda found: found[0].upper(), href)
        href = _UNRESERVED_ESCAPE.sub(lambda found: chr(int(found[1], 16)), href)
    return href


def origin_of(url: str) -> Origin:
    """The origin of a *url* form. The host's trailing dot goes: `h.` and `h` are one server. Raises ValueError."""
    return _origin(url[: _path_start(url)])


def request_target(url: str) -> bytes:
    """Path and query of a *url* form, as the request line has them (origin-form; RFC 9112, 3.2.1). ValueError."""
    return url[_path_start(url) :].encode("ascii")


def host_header(url: str) -> bytes:
    """The Host field's value for a *url* form: host, and the port when it is not the default. ValueError."""
    end = _path_start(url)
    return url[url.index("//") + 2 : end].encode("ascii")


def has_credentials(text: str) -> bool:
    """Whether a URL from outside (Scrapy, API) carries userinfo."""
    return "@" in text and _USERINFO.match(text) is not None


def redacted(text: str) -> str:
    """A URL fit for a message: userinfo cut, control and bidi characters escaped, at most 200 characters."""
    shown = _USERINFO.sub(r"\1\2", text[:4096])
    shown = "".join(char if _is_plain(char) else char.encode("unicode_escape").decode("ascii") for char in shown)
    return shown if len(shown) <= 200 else shown[:197] + "..."


def seed_url(text: str) -> str:
    """What a user typed as the *url* form, strictly. Without a scheme, https is assumed. Raises UsageError.

    Nothing is repaired in silence, as browsers do (they drop tabs and line ends, and turn backslashes): a seed is a
    person's statement and is either understood or refused.
    """
    text = text.strip(" ")
    _refuse_characters(text)
    given = text
    if text.startswith("//"):
        text = f"https:{text}"
    scheme = _SCHEME.match(text)
    if scheme is None or _HOST_PORT.match(text):
        text = f"https://{text}"
    elif scheme[1].lower() not in ("http", "https"):
        raise UsageError(f"{redacted(given)}: the scheme {scheme[1]!r} is not supported; use http:// or https://")
    _refuse_shape(given, text)
    parsed = _ada(text)
    if parsed is not None and len(parsed.href) > MAX_URL:
        raise UsageError(f"{redacted(given)}: longer than {MAX_URL} characters once escaped; shorten it")
    href = _serialise(parsed)
    if parsed is None or href is None:
        raise UsageError(f"{redacted(given)}: not a valid URL; check the host name and the port (1 to 65535)")
    _refuse_host(given, parsed.hostname.removesuffix("."), parsed.port)
    return href


def _refuse_characters(text: str) -> None:
    if not text:
        raise UsageError("the URL is empty; give one such as https://example.org/")
    if len(text) > MAX_URL:
        raise UsageError(f"{redacted(text)}: longer than {MAX_URL} characters; shorten it")
    for char in text:
        if not _is_plain(char):
            raise UsageError(f"{redacted(text)}: holds the control character U+{ord(char):04X}; remove or escape it")
        if char.isspace():
            raise UsageError(f"{redacted(text)}: holds white space; write %20, or give one URL at a time")


def _refuse_shape(given: str, text: str) -> None:
    authority_on = text.partition(":")[2]
    if not authority_on.startswith("//") or authority_on.startswith("///"):
        raise UsageError(f"{redacted(given)}: no host; write it as https://example.org/")
    if "\\" in text.partition("?")[0]:
        raise UsageError(f"{redacted(given)}: holds a backslash; write / or %5C")
    if has_credentials(text):
        raise UsageError(f"{redacted(given)}: holds a user name or password; remove them, logins are not supported")


def _refuse_host(given: str, host: str, port: str) -> None:
    if not host:
        raise UsageError(f"{redacted(given)}: no host; write it as https://example.org/")
    if len(host) > 253 or any(len(label) > 63 for label in host.split(".")):
        raise UsageError(f"{redacted(given)}: the host name is too long for DNS (253 characters, 63 a label)")
    if port == "0":
        raise UsageError(f"{redacted(given)}: port 0 cannot be connected to; name the server's port")


def _ada(text: str) -> can_ada.URL | None:
    try:
        return can_ada.parse(text)
    except ValueError:
        return None
    except TypeError:  # a lone surrogate has no UTF-8
        try:
            return can_ada.parse(_scalar_values(text))
        except ValueError:
            return None


def _scalar_values(text: str) -> str:
    """Lone surrogates become U+FFFD, as WebIDL's USVString has it."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _serialise(parsed: can_ada.URL | None) -> str | None:
    if parsed is None:
        return None
    href: str = parsed.href
    if not href.startswith(("https://", "http://")):
        return None
    if "#" in href:
        href = href[: href.index("#")]
    if "@" in href and parsed.has_credentials():
        parsed.username = parsed.password = ""
        href = parsed.href.partition("#")[0]
    if ".." in href or "/." in href[:9]:
        host = parsed.hostname
        if ".." in host or host.startswith("."):  # an empty label: no DNS name, and "1.." would turn into an address
            return None
    return href if len(href) <= MAX_URL else None


def _path_start(url: str) -> int:
    start = url.find("/", 8)
    if start < 0 or not url.startswith(("https://", "http://")):
        raise ValueError(f"not a serialised http(s) URL: {redacted(url)}")
    return start


@lru_cache(maxsize=4096)
def _origin(prefix: str) -> Origin:
    parsed = can_ada.parse(prefix)
    scheme = parsed.protocol[:-1]
    port = int(parsed.port) if parsed.port else (443 if scheme == "https" else 80)
    return Origin(scheme=scheme, host=parsed.hostname.removesuffix(".").strip("[]"), port=port)


def _without_trailing_dot(href: str) -> str:
    start = _path_start(href)
    head, colon, port = href[:start].rpartition(":")
    if not port.isdigit():
        head, colon, port = href[:start], "", ""
    return f"{head.removesuffix('.')}{colon}{port}{href[start:]}"


def _is_plain(char: str) -> bool:
    """False for controls, bidi and other invisible format characters, line separators, surrogates."""
    if char.isascii():
        return " " <= char != "\x7f"
    return char in _ZERO_WIDTH_JOINERS or unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Zl", "Zp")
