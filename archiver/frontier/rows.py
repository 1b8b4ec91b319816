"""A candidate as one short line of JSON: only what differs from the default, URLs without their own origin."""

from __future__ import annotations

import base64
from dataclasses import fields
from hashlib import blake2b
from typing import Any

import orjson

from archiver.model import Candidate, Kind, Lane, Origin

_FIELDS = [(field.name, getattr(Candidate, field.name).__set__, field.default) for field in fields(Candidate)]


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
    if candidate.path:
        row["path"] = candidate.path
    # One comparison for what nearly every link has in common: this runs once a link.
    if _uncommon(candidate) != _COMMON:
        _add_uncommon(row, candidate)
    return orjson.dumps(row).decode("utf-8")


def _uncommon(candidate: Candidate) -> tuple[object, ...]:
    return (
        candidate.resource_type, candidate.kind, candidate.lane, candidate.seed, candidate.hops, candidate.method,
        candidate.initiator, candidate.headers, candidate.body,
    )  # fmt: skip


_COMMON = ("document", Kind.DOCUMENT, Lane.HTTP, False, 0, "GET", None, (), b"")


def _add_uncommon(row: dict[str, Any], candidate: Candidate) -> None:
    for name, value, default in (
        ("resource_type", candidate.resource_type, "document"),
        ("initiator", candidate.initiator, None),
        ("method", candidate.method, "GET"),
        ("seed", candidate.seed, False),
        ("hops", candidate.hops, 0),
    ):
        if value != default:
            row[name] = value
    if candidate.kind is not Kind.DOCUMENT:
        row["kind"] = candidate.kind.value
    if candidate.lane is not Lane.HTTP:
        row["lane"] = candidate.lane.value
    if candidate.headers:
        row["headers"] = [[name.decode("latin-1"), value.decode("latin-1")] for name, value in candidate.headers]
    if candidate.body:
        row["body"] = base64.b64encode(candidate.body).decode("ascii")


def decode(data: str, origin: Origin, prefix: str, depth: int) -> Candidate:
    """The inverse of `encode`. Raises KeyError, ValueError on what it did not write."""
    row: dict[str, Any] = orjson.loads(data)
    url = row["url"] = _lengthen(row["url"], prefix)
    row["key"] = _lengthen(row["key"], prefix) if "key" in row else url
    if "via" in row:
        row["via"] = _lengthen(row["via"], prefix)
    if "kind" in row:
        row["kind"] = Kind(row["kind"])
    if "lane" in row:
        row["lane"] = Lane(row["lane"])
    if "headers" in row:
        row["headers"] = tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in row["headers"])
    if "body" in row:
        row["body"] = base64.b64decode(row["body"])
    row["origin"], row["depth"] = origin, depth
    return _made(row)


def _made(row: dict[str, Any]) -> Candidate:
    """`Candidate(**row)` at half its cost: a frozen class sets every field by a call that looks it up first."""
    candidate = Candidate.__new__(Candidate)
    for name, put, default in _FIELDS:
        put(candidate, row.get(name, default))
    return candidate


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
