"""SURT keys as pywb and cdxj-indexer sort by: `com,example)/path?a=1`.

The rules are those of the Internet Archive's default canonicaliser, for http(s) URLs: lower case, `www.` and default
ports dropped, dot segments and doubled slashes resolved, escapes minimal, session ids cut, query sorted. Everything
is done in bytes. The `surt` package itself would pull in a public suffix list and resolves numeric hosts through DNS.
"""

from __future__ import annotations

import re
import socket
from functools import lru_cache
from urllib.parse import quote_from_bytes, unquote_to_bytes

_SPLIT = re.compile(rb"(?:https?://)*([hH][tT][tT][pP][sS]?)://([^/?#]*)([^?#]*)(?:\?([^#]*))?(?:#.*)?", re.S)
_PLAIN = re.compile(
    r"(https?)://([a-z0-9.\-]+(?::[0-9]+)?)(/[A-Za-z0-9/_.\-~+,:;=@!$&'*]*)(?:\?([A-Za-z0-9/_.\-~+,:;=@!$'*]*))?"
)
_UNUSUAL = re.compile(rb"[\x00-\x20#%\x7f-\xff]")
_SAFE = b"!\"$&'()*+,-./:;<=>?@[\\]^_`{|}~"
_WWW = re.compile(rb"www\d*\.")
_DOTS = re.compile(rb"/\.{0,2}(?=/)|/\.{1,2}$")
_PATH_SESSION = (
    re.compile(rb"(.*/)\((?:[a-z]\([0-9a-z]{24}\))+\)/([^?]+\.aspx.*)", re.I | re.S),
    re.compile(rb"(.*/)\([0-9a-z]{24}\)/([^?]+\.aspx.*)", re.I | re.S),
)
_QUERY_SESSION = tuple(
    re.compile(rb"(.*)(?:" + pattern + rb")(?:&(.*))?", re.I | re.S)
    for pattern in (
        rb"jsessionid=[0-9a-z]{32}",
        rb"phpsessid=[0-9a-z]{32}",
        rb"sid=[0-9a-z]{32}",
        rb"aspsessionid[a-z]{8}=[a-z]{24}",
        rb"cfid=[^&]+&cftoken=[^&]+",
    )
)
_SESSION_HINT = re.compile(rb"sid=|sessionid|cfid=", re.I)
_DEFAULT_PORT = {b"http": 80, b"https": 443}


def surt(url: str) -> str:
    """The key of an http(s) URL. Anything else, and a URL whose port is no number, is its own key (`urn:...`)."""
    return _plain(url) or _any(url)


def _plain(url: str) -> str | None:
    """The key of a URL with nothing to unescape, resolve, cut or sort; None for any other."""
    match = _PLAIN.fullmatch(url)
    if match is None:
        return None
    scheme, authority, path, query = match.groups()
    if "//" in path or "/." in path or (query and _SESSION_HINT.search(query.encode())):
        return None
    try:
        key = _host_text(scheme, authority) + path.lower()
    except ValueError:
        return None
    if path != "/" and path.endswith("/"):
        key = key[:-1]
    return f"{key}?{query.lower()}" if query else key


def _any(url: str) -> str:
    if not (url.isascii() and url.isprintable()):
        url = re.sub(r"[\n\r\t]", "", url)
    match = _SPLIT.fullmatch(url.strip().encode("utf-8", "surrogatepass"))
    if match is None:
        return url
    scheme, authority, path, query = match[1].lower(), match[2], match[3], match[4]
    if not authority.rpartition(b"@")[2].strip(b":"):
        authority, _, rest = path.lstrip(b"/").partition(b"/")
        path = b"/" + rest
    try:
        key = _host(scheme, authority) + _path(path)
    except ValueError:
        return url
    tail = _query(query) if query else b""
    return (key + b"?" + tail if tail else key).decode("utf-8", "surrogateescape")


@lru_cache(maxsize=4096)
def _host_text(scheme: str, authority: str) -> str:
    return _host(scheme.encode(), authority.encode()).decode()


@lru_cache(maxsize=4096)
def _host(scheme: bytes, authority: bytes) -> bytes:
    """`com,example)` or `com,example:8080)`. Raises ValueError for a port that is none."""
    host = authority.rpartition(b"@")[2].rstrip(b":")
    port: int | None = None
    bracket = host.rfind(b"]")
    if b":" in host[bracket + 1 :]:
        head, _, digits = host[bracket + 1 :].partition(b":")
        host, port = host[: bracket + 1] + head, _port(digits)
    if port == _DEFAULT_PORT[scheme]:
        port = None
    host = _plain_host(host.strip(b"[]"))
    www = _WWW.match(host)
    host = host[www.end() :] if www else host
    suffix = b":%d)" % port if port else b")"
    return b",".join(reversed(host.split(b"."))) + suffix


def _port(digits: bytes) -> int:
    if not digits.isdigit() or int(digits) > 65_535:
        raise ValueError(digits)
    return int(digits)


def _plain_host(host: bytes) -> bytes:
    host = _unescape(host)
    if not host.isascii():
        try:
            host = host.decode("utf-8", "ignore").encode("idna")
        except ValueError:  # not a name IDNA knows: kept, escaped below
            host = bytes(host)
    host = host.replace(b"..", b".").strip(b".")
    if host.isdigit():
        return socket.inet_ntoa((int(host) & 0xFFFFFFFF).to_bytes(4, "big")).encode()
    if host.replace(b".", b"").isdigit():
        try:
            return socket.inet_ntoa(socket.inet_aton(host.decode())).encode()
        except OSError:
            return host
    return _escape(host.lower()).lower()


def _path(path: bytes) -> bytes:
    if not path or path == b"/":
        return b"/"
    path = _unescape(path)
    if (b"//" in path or b"/." in path) and _DOTS.search(path):
        path = _resolve(path)
    path = _escape(path).lower()
    if b"(" in path:
        for pattern in _PATH_SESSION:
            found = pattern.fullmatch(path)
            path = found[1] + found[2] if found else path
    return path[:-1] if len(path) > 1 and path.endswith(b"/") else path


def _resolve(path: bytes) -> bytes:
    """Dot segments resolved, empty segments dropped; a leading `..` stays, as the original rule has it."""
    kept: list[bytes] = []
    segments = path.split(b"/")[1:]
    for segment in segments:
        if segment == b".":
            continue
        if segment == b".." and kept:
            kept.pop()
        else:
            kept.append(segment)
    if not kept:
        return b"/"
    return b"/" + b"".join(segment + b"/" for segment in kept[:-1] if segment) + kept[-1]


def _query(query: bytes) -> bytes:
    query = _escape(_unescape(query))
    if _SESSION_HINT.search(query):
        for pattern in _QUERY_SESSION:
            found = pattern.fullmatch(query)
            query = found[1] + (found[2] or b"") if found else query
    query = query.lower()
    if b"&" not in query:
        return query
    pairs = sorted(tuple(argument.split(b"=", 1)) for argument in query.split(b"&"))
    return b"&".join(b"=".join(pair) for pair in pairs)


def _unescape(text: bytes) -> bytes:
    while b"%" in text:
        plain = unquote_to_bytes(text)
        if plain == text:
            break
        text = plain
    return text


def _escape(text: bytes) -> bytes:
    return quote_from_bytes(text, safe=_SAFE).encode("ascii") if _UNUSUAL.search(text) else text
