"""Which robots.txt a URL has: scheme, lower-case A-label host, effective port; never userinfo (RFC 9309, 2.3)."""

from __future__ import annotations

import re

import can_ada

from archiver.model import Origin

_PORTS = {"http": 80, "https": 443}
# Already canonical, the common case: no userinfo, no escape, no capital, no dot-digit end that could be an address.
_simple = re.compile(r"(https?)://([a-z0-9\-]+(?:\.[a-z0-9\-]+)*\.[a-z][a-z0-9]*)(?::([0-9]{1,4}))?(?=[/?#]|$)").match


def origin_of(url: str) -> Origin | None:
    """The origin of an http or https URL by WHATWG parsing; None for anything else."""
    found = _simple(url)
    if found is not None and "xn--" not in found[2]:
        scheme = found[1]
        return Origin(scheme, found[2], int(found[3]) if found[3] else _PORTS[scheme])
    try:
        parsed = can_ada.parse(url)
    except ValueError:
        return None
    scheme = parsed.protocol[:-1]
    if scheme not in _PORTS or not parsed.hostname:
        return None
    return Origin(scheme, parsed.hostname.strip("[]"), int(parsed.port) if parsed.port else _PORTS[scheme])


def same_robots(one: str, other: str) -> bool:
    """Whether two URLs are ruled by the same robots.txt."""
    origin = origin_of(one)
    return origin is not None and origin == origin_of(other)
