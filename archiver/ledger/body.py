"""The text of a row's body: what every row says (when, what, which URL, who, for what), then the entry's own data."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import PurePath
from typing import Any

import orjson

from archiver.clock import iso
from archiver.model import Actor, Labels, LedgerEntry

RESERVED = frozenset({"t", "event", "url", "job", "actor", "note", "case", "tags", "tenant"})
"""Keys that an entry's data may not set: they say who did what when."""

_OPTIONS = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_NON_STR_KEYS
_INT64 = 1 << 63


class Stamp:
    """Who acts and for what job: encoded once, then spliced into each body."""

    def __init__(self, *, job: str, actor: Actor, labels: Labels, tenant: str = "main") -> None:
        common = {
            "job": job,
            "actor": {"name": actor.name, "through": actor.through},
            "note": labels.note,
            "case": labels.case,
            "tags": labels.tags,
            "tenant": tenant,
        }
        self._common = _dumps(common)[1:-1]

    def body(self, entry: LedgerEntry, moment: datetime) -> bytes:
        """JSON text of one row. Raises ValueError when `data` sets a reserved key, TypeError for what is no data.

        Text without a UTF-8 form (a lone surrogate from a hostile page) is written with U+FFFD: a row that cannot be
        written would be worse.
        """
        data = entry.data
        if not RESERVED.isdisjoint(data):
            names = ", ".join(sorted(RESERVED.intersection(data)))
            raise ValueError(f"the data of a {entry.event} row may not set {names}: the ledger sets these itself")
        head: dict[str, Any] = {"t": iso(moment), "event": entry.event}
        if entry.url is not None:
            head["url"] = entry.url
        text = _dumps(head)[:-1] + b"," + self._common
        return text + b"," + _dumps(data)[1:] if data else text + b"}"


def _dumps(value: Any) -> bytes:
    try:
        return orjson.dumps(value, default=_plain, option=_OPTIONS)
    except TypeError:
        return orjson.dumps(_scrubbed(value), default=_plain, option=_OPTIONS)


def _plain(value: Any) -> Any:
    """What orjson does not know: times with milliseconds as everywhere, mappings, sets in order, paths."""
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, frozenset | set):
        return sorted(value)
    if isinstance(value, PurePath):
        return str(value)
    raise TypeError(f"{type(value).__name__} is not JSON-able")


def _scrubbed(value: Any) -> Any:
    """The same value with what JSON cannot hold replaced: surrogates by U+FFFD, integers past 64 bits by text."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if -_INT64 <= value < 2 * _INT64 else str(value)
    if isinstance(value, Mapping):
        return {_scrubbed(key): _scrubbed(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_scrubbed(item) for item in value]
    return value
