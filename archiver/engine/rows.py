"""Ledger rows that tell of visits and discoveries. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archiver.clock import iso
from archiver.model import Candidate, Keep, LedgerEntry, Outlink, Page, Reason, StoredObject

MATTER_SHOWN = 100


def visit_entry(page: Page, *, discovered: int, repeats: int) -> LedgerEntry:
    """The end of a visit. `discovered` counts URLs new to the job, `repeats` links to what it already knew."""
    completeness = page.completeness
    data: dict[str, Any] = {
        "key": page.candidate.key,
        "capture_id": page.capture_id,
        "status": page.status,
        "reason": page.decision.reason,
        "lane": page.lane,
        "http_status": page.http_status,
        "final_url": page.final_url,
        "title": page.title,
        "access": page.access,
        "started_at": iso(page.started_at),
        "seconds": round(page.seconds, 3),
        "size": page.wire_bytes,
        "fetched": page.fetched,
        "discovered": discovered,
        "repeats": repeats,
        "usage": page.usage,
    }
    if page.mime:
        data["mime"] = page.mime
    if page.payload_digest:
        data["payload_digest"] = page.payload_digest
    if page.fetched:
        data["completeness"] = {
            "verdict": completeness.verdict,
            "kept": completeness.kept,
            "refused": completeness.refused,
            "failed": completeness.failed,
        }
    data.update(_said_of(page))
    if completeness.matter:
        data["matter"] = [
            {"url": gap.url, "type": gap.type, "reason": gap.reason, "rule": gap.rule}
            for gap in completeness.matter[:MATTER_SHOWN]
        ]
    if page.records:
        files = {ref.file: ref for ref in reversed(page.records)}
        places = [{"file": ref.file, "offset": ref.offset, "record_id": ref.record_id} for ref in files.values()]
        data["record"] = next(place for place in places if place["file"] == page.records[0].file)
        if len(places) > 1:
            data["records"] = places
    if page.keep is not None:
        data.update(_shown(page.keep))
    if page.failure is not None:
        data["failure"] = {"code": page.failure.code, "message": page.failure.message}
    return LedgerEntry(event="visit", url=page.candidate.url, data=data)


def _said_of(page: Page) -> dict[str, Any]:
    """What few pages have."""
    said: dict[str, Any] = {}
    if page.consent is not None:
        said["consent"] = {"outcome": page.consent.outcome, "engine": page.consent.engine}
    if page.overridden:
        said["overridden"] = list(page.overridden)
    return said


def _shown(keep: Keep) -> dict[str, Any]:
    """What bounds how a capture is shown, where anything does."""
    said: dict[str, Any] = {}
    if keep.reason is not Reason.ALLOWED:
        said["keep_reason"] = keep.reason
    if not keep.listed:
        said["listed"] = False
    if keep.expires is not None:
        said["expires"] = iso(keep.expires)
    if keep.review:
        said["review"] = True
    return said


def discovered_entries(outlinks: Sequence[Outlink], fresh: frozenset[str]) -> list[LedgerEntry]:
    """A row for each URL seen for the first time: with what keeps it out, or that it waits for its turn.

    Those that wait are told too: of a run that is killed, only what stands here says that it knew of them.
    """
    rows = []
    left = set(fresh)
    for outlink in outlinks:
        candidate, objection = outlink.candidate, outlink.objection
        if candidate.key not in left:
            continue
        left.discard(candidate.key)
        data = {"key": candidate.key, "reason": Reason.ALLOWED, "via": candidate.via, "path": candidate.path}
        if objection is not None:
            data |= {"verdict": objection.verdict, "reason": objection.reason, "rule": objection.rule}
        if outlink.lastmod:
            data["lastmod"] = outlink.lastmod
        rows.append(LedgerEntry(event="discovered", url=candidate.url, data=data))
    return rows


def seed_entry(candidate: Candidate) -> LedgerEntry:
    """What the user asked for."""
    return LedgerEntry(event="seed", url=candidate.url, data={"key": candidate.key})


def pending_entry(candidate: Candidate, reason: Reason) -> LedgerEntry:
    """A URL that was found, was in scope, and was not asked for in this run."""
    data = {"key": candidate.key, "reason": reason, "via": candidate.via, "path": candidate.path}
    return LedgerEntry(event="pending", url=candidate.url, data=data)


def stored_entry(stored: StoredObject) -> LedgerEntry:
    """A file that is where it belongs, checked against what the store really holds."""
    name = stored.uri.rpartition("/")[2]
    return LedgerEntry(
        event="stored", data={"file": name, "uri": stored.uri, "sha256": stored.sha256, "size": stored.size}
    )


def salvage_entry(file: str, *, kept: int, cut: int) -> LedgerEntry:
    """A WARC that a killed process left open: `kept` whole records, `cut` its size since then."""
    return LedgerEntry(event="salvage", data={"file": file, "kept": kept, "cut": cut})
