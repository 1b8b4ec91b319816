"""A candidate as one short line of JSON: only what differs from the default, URLs without their own origin."""

from __future__ import annotations

import base64
from hashlib import blake2b
from typing import Any

import orjson

from archiver.model import Candidate, Kind, Lane, Origin

# Model field -> key in the row, for fields that are kept when they differ from the default. `url`, `key` and `via` are
# handled apart, `depth` and `origin` are columns.
_PLAIN = {
    "resource_type": "type",
    "initiator": "page",
    "path": "path",
    "method": "method",
    "seed": "seed",
    "hops": "hops",
}
_DEFAULTS = {"resource_type": "document", "initiator": None, "path": "", "method": "GET", "seed": False, "hops": 0}


def digest(key: str) -> bytes:
    """What a URL is known by: 16 bytes of BLAKE2b over its canonical key."""
    return blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def encode(candidate: Candidate, prefix: str) -> str:
    """`prefix` is the text of the candidate's origin; URLs that begin with it are kept from their path on."""
    row: dict[str, Any] = {"url": _shorten(candidate.url, prefix)}
    if candidate.key != candidate.url:
        row["key"] = _shorten(candidate.key, prefix)
    if candidate.via is not None:
        row["via"] = _shorten(candidate.via, prefix)
    for name, short in _PLAIN.items():
        value = getattr(candidate, name)
        if value != _DEFAULTS[name]:
            row[short] = value
    if candidate.kind is not Kind.DOCUMENT:
        row["kind"] = candidate.kind.value
    if candidate.lane is not Lane.HTTP:
        row["lane"] = candidate.lane.value
    if candidate.headers:
        row["headers"] = [[name.decode("latin-1"), value.decode("latin-1")] for name, value in candidate.headers]
    if candidate.body:
        row["body"] = base64.b64encode(candidate.body).decode("ascii")
    return orjson.dumps(row).decode("utf-8")


def decode(data: str, origin: Origin, prefix: str, depth: int) -> Candidate:
    """The inverse of `encode`."""
    row = orjson.loads(data)
    get = row.get
    url = _lengthen(row["url"], prefix)
    key, via = get("key"), get("via")
    headers = get("headers", ())
    return Candidate(
        url=url,
        key=url if key is None else _lengthen(key, prefix),
        origin=origin,
        kind=Kind(row["kind"]) if "kind" in row else Kind.DOCUMENT,
        resource_type=get("type", "document"),
        depth=depth,
        via=None if via is None else _lengthen(via, prefix),
        initiator=get("page"),
        path=get("path", ""),
        lane=Lane(row["lane"]) if "lane" in row else Lane.HTTP,
        method=get("method", "GET"),
        headers=tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in headers),
        body=base64.b64decode(get("body", "")),
        seed=get("seed", False),
        hops=get("hops", 0),
    )


def _shorten(url: str, prefix: str) -> str:
    # A key is any text; one that begins with "/" itself would come back changed, so it is marked with a space.
    if url.startswith(prefix) and url[len(prefix) : len(prefix) + 1] == "/":
        return url[len(prefix) :]
    return f" {url}" if url[:1] in ("/", " ") else url


def _lengthen(text: str, prefix: str) -> str:
    first = text[:1]
    if first == "/":
        return prefix + text
    return text[1:] if first == " " else text
