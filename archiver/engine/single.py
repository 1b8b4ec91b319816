"""One request by itself, recorded at once: what a foreign Scrapy project's requests are."""

from __future__ import annotations

import asyncio

from archiver.clock import Clock
from archiver.gateway import Gate
from archiver.model import Candidate, Fetched
from archiver.ports import HostBudget, Wait


async def fetch_single(gate: Gate, budget: HostBudget, candidate: Candidate, *, clock: Clock) -> Fetched:
    """Admit, wait for the host's turn, fetch, record. Redirects are the caller's, hop by hop. Raises DiskError."""
    admitted = await gate.admit(candidate)
    if not admitted.decision.allowed:
        fetched = gate.refuse(candidate, admitted.decision)
        await gate.record([fetched])
        return fetched
    while isinstance(slot := await budget.begin_visit(candidate.origin, admitted.rules), Wait):
        await asyncio.sleep(max(0.005, slot.until - clock.epoch()))
    try:
        fetched = await gate.fetch(candidate, admitted)
    finally:
        await budget.end_visit(slot, admitted.rules, burst=0.0)
    await gate.record([fetched])
    return fetched
