"""How much one visit may take (decision 12)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitLimits:
    """Seconds, counts and bytes of one visit. `declared_seconds` replaces `seconds` where a site declares a delay."""

    seconds: float = 90.0
    declared_seconds: float = 300.0
    requisites: int = 300
    requisite_bytes: int = 100_000_000
    in_flight: int = 4
    place: float = 10.0  # how long a requisite waits for one where other visits ask too
    hops: int = 20
    decoded: int = 16 << 20  # twice what is looked at of any one document
    frame_depth: int = 3
    spool: int = 1_000_000_000
    want_requisites: bool = True
