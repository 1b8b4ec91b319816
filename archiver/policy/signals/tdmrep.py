"""TDM Reservation Protocol (W3C CG final report 2024-05-10): has the right to mine this been reserved?

Carriers from weak to strong: `/.well-known/tdmrep.json`, response header, HTML meta. A later one overrides an earlier
one and an absent one resets nothing; in strict reading a later one may only add a reservation, never lift it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from archiver.policy.robots.pattern import Pattern, rfc_target


@dataclass(frozen=True, slots=True)
class Tdm:
    """What one carrier says: `reservation` 1, 0 or None (unset), `policy` a URL as written; `error` if unreadable."""

    reservation: int | None = None
    policy: str | None = None
    error: str | None = None


UNSET = Tdm()


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


def read_file(document: Any, url: str) -> Tdm:
    """What a decoded tdmrep.json says of `url`: the first entry in sequence whose `location` matches."""
    if not isinstance(document, list):
        return Tdm(error="not-an-array")
    target = rfc_target(url)
    for entry in document:
        location = entry.get("location") if isinstance(entry, dict) else None
        if isinstance(location, str) and location[:1] in ("/", "*") and Pattern(location, "rfc9309").matches(target):
            policy = entry.get("tdm-policy")
            return Tdm(read_reservation(entry.get("tdm-reservation")), policy if isinstance(policy, str) else None)
    return UNSET


def read_json(body: bytes | str, url: str) -> Tdm:
    """The same from the file's bytes. Never raises."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return Tdm(error="not-json")
    return read_file(document, url)


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
