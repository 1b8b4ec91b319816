"""A candidate as one short line of JSON: only what differs from the default, URLs without their own origin."""

from __future__ import annotations

import base64
from dataclasses import fields
from hashlib import blake2b
from typing import Any

import orjson

from archiver.model import Candidate, Kind, Lane, Origin

_FIELDS = [(field.name, getattr(Candidate, field.name).__set__, field.default) for field in fields(Candidate)]
_PLAIN = ("url", "key", "origin", "depth", "via", "path")
_PUT_URL, _PUT_KEY, _PUT_ORIGIN, _PUT_DEPTH, _PUT_VIA, _PUT_PATH = (
    next(put for name, put, _ in _FIELDS if name == plain) for plain in _PLAIN
)
_REST = [(put, default) for name, put, default in _FIELDS if name not in _PLAIN]


def digest(key: str) -> bytes:
    """What a URL is known by: 16 bytes of BLAKE2b over its canonical key."""
    return blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def encode(candidate: Candidate, prefix: str) -> str:
    """`prefix` is the text of the candidate's origin; URLs that begin with it are kept from their path on."""
    url, key, via = candidate.url, candidate.key, candidate.via
    row: dict[str, Any] = {"url": _shorten(url, prefix)}
    if key is not url and key != url:
        row["key"] = _shorten(key, prefix)
    if via is not None:
        row["via"] = _shorten(via, prefix)
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
    url = _lengthen(row.pop("url"), prefix)
    key, via, path = row.pop("key", None), row.pop("via", None), row.pop("path", "")
    key = url if key is None else _lengthen(key, prefix)
    via = None if via is None else _lengthen(via, prefix)
    if not row:
        return _plain(url, key, origin, depth, via, path)
    row.update(url=url, key=key, origin=origin, depth=depth, via=via, path=path)
    return _made(_uncommon_read(row))


def _uncommon_read(row: dict[str, Any]) -> dict[str, Any]:
    if "kind" in row:
        row["kind"] = Kind(row["kind"])
    if "lane" in row:
        row["lane"] = Lane(row["lane"])
    if "headers" in row:
        row["headers"] = tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in row["headers"])
    if "body" in row:
        row["body"] = base64.b64decode(row["body"])
    return row


def _plain(url: str, key: str, origin: Origin, depth: int, via: str | None, path: str) -> Candidate:
    """`Candidate(...)` at a third of its cost: a frozen class sets every field by a call that looks it up first."""
    candidate = Candidate.__new__(Candidate)
    _PUT_URL(candidate, url)
    _PUT_KEY(candidate, key)
    _PUT_ORIGIN(candidate, origin)
    _PUT_DEPTH(candidate, depth)
    _PUT_VIA(candidate, via)
    _PUT_PATH(candidate, path)
    for put, default in _REST:
        put(candidate, default)
    return candidate


def _made(row: dict[str, Any]) -> Candidate:
    candidate = Candidate.__new__(Candidate)
    for name, put, default in _FIELDS:
        put(candidate, row.get(name, default))
    return candidate


def _shorten(url: str, prefix: str) -> str:
    # A key is any text; one that begins with "/" itself would come back changed, so it is marked with a space.
    cut = len(prefix)
    if url.startswith("/", cut) and url.startswith(prefix):
        return url[cut:]
    return f" {url}" if url[:1] in ("/", " ") else url


def _lengthen(text: str, prefix: str) -> str:
    if text.startswith("/"):
        return prefix + text
    return text[1:] if text.startswith(" ") else text
