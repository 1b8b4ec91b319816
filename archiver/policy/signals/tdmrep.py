"""TDM Reservation Protocol (W3C CG final report 2024-05-10): has the right to mine this been reserved?

Carriers from weak to strong: `/.well-known/tdmrep.json`, response header, HTML meta. A later one overrides an earlier
one and an absent one resets nothing; in strict reading a later one may only add a reservation, never lift it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from archiver.policy.robots.index import PatternIndex
from archiver.policy.robots.pattern import Pattern, rfc_target

MAX_BYTES = 1 << 20
MAX_ENTRIES = 1_000
"""Entries of a file that are looked at: each URL of its origin is compared with them."""
_MAX_LOCATION = 2_000


@dataclass(frozen=True, slots=True)
class Tdm:
    """What one carrier says: `reservation` 1, 0 or None (unset), `policy` a URL as written; `error` if unreadable."""

    reservation: int | None = None
    policy: str | None = None
    error: str | None = None


UNSET = Tdm()


@dataclass(frozen=True, slots=True)
class TdmEntry:
    """One entry of a tdmrep.json: `location` as written, the pattern it is, what it says; `rank` falls from the first
    on."""

    location: str
    pattern: Pattern
    says: Tdm
    rank: int


@dataclass(frozen=True, slots=True)
class TdmFile:
    """A tdmrep.json, read once. `error`: `not-json`, `not-an-array`, `too-large`, `too-many-entries`."""

    entries: tuple[TdmEntry, ...] = ()
    error: str | None = None
    _index: PatternIndex[TdmEntry] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_index", PatternIndex(self.entries))

    def entry(self, url: str) -> TdmEntry | None:
        """The first entry in sequence that covers `url`; the first, not the longest (TDMRep, tdmrep.json)."""
        return self._index.best(rfc_target(url))


def read_reservation(value: Any) -> int | None:
    """1 or 0, as number or text; anything else is unset."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        value = value.strip(" \t\r\n\f")
        return int(value) if value in ("0", "1") else None
    return int(value) if isinstance(value, int | float) and value in (0, 1) else None


def read_values(reservations: Iterable[str], policies: Iterable[str]) -> Tdm:
    """Header fields or meta elements of one response; of several reservations, 1 holds."""
    read = [value for value in map(read_reservation, reservations) if value is not None]
    policy = next((text for text in (one.strip() for one in policies) if text), None)
    return Tdm(max(read, default=None), policy)


def parse_document(document: Any) -> TdmFile:
    """A decoded tdmrep.json. Entries without a usable location are passed over, those past the bound not read."""
    if not isinstance(document, list):
        return TdmFile(error="not-an-array")
    entries = []
    for number, entry in enumerate(document[:MAX_ENTRIES]):
        location = entry.get("location") if isinstance(entry, dict) else None
        if isinstance(location, str) and location[:1] in ("/", "*") and len(location) <= _MAX_LOCATION:
            policy = entry.get("tdm-policy")
            named = policy.strip() or None if isinstance(policy, str) else None
            says = Tdm(read_reservation(entry.get("tdm-reservation")), named)
            entries.append(TdmEntry(location, Pattern(location, "rfc9309"), says, MAX_ENTRIES - number))
    return TdmFile(tuple(entries), "too-many-entries" if len(document) > MAX_ENTRIES else None)


def parse_file(body: bytes | str) -> TdmFile:
    """The same from the file's bytes, at most 1 MiB. Never raises."""
    if len(body) > MAX_BYTES:
        return TdmFile(error="too-large")
    try:
        return parse_document(json.loads(body))
    except (ValueError, RecursionError):
        return TdmFile(error="not-json")


def read_file(document: Any, url: str) -> Tdm:
    """What a decoded tdmrep.json says of `url`: the first entry in sequence whose `location` matches."""
    return _said(parse_document(document), url)


def read_json(body: bytes | str, url: str) -> Tdm:
    """The same from the file's bytes. Never raises."""
    return _said(parse_file(body), url)


def _said(file: TdmFile, url: str) -> Tdm:
    entry = file.entry(url)
    if entry is not None:
        return entry.says
    return UNSET if file.error is None or file.entries else Tdm(error=file.error)


def resolve(carriers: Iterable[Tdm], *, strict: bool = True) -> Tdm:
    """All carriers together, weakest first. A policy is read beside a reservation of 1 only."""
    reservation: int | None = None
    policy: str | None = None
    error: str | None = None
    for one in carriers:
        error = error or one.error
        if one.reservation is not None and not (strict and reservation == 1):
            reservation = one.reservation
        if one.policy is not None and one.reservation != 0:
            policy = one.policy
    return Tdm(reservation, policy if reservation == 1 else None, error)
