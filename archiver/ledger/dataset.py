"""Data sets: tables of captures made for analysis, and what never goes into one. Pure.

A usage label (text and data mining, training, input of AI systems) binds here and nowhere else: replay, evidence,
verification and the WARCs themselves carry it and are not changed by it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from archiver.ledger.index import Capture
from archiver.ledger.report_urls import cell
from archiver.model import Reason

FORMAT = "archiver-dataset/1"
LABELS = ("tdm", "ai-train", "ai-input", "search")
RESERVING = ("tdm", "ai-train", "ai-input")
"""Labels of which one `disallow` reserves a capture against analysis; `search` speaks of search engines."""

EXPIRED = "expired"
UNLABELLED = "unlabelled"

CODEBOOK: dict[str, str] = {
    "url": "the URL that was asked for",
    "final_url": "where its redirects led",
    "timestamp": "begin of the visit, UTC",
    "http_status": "status of the answer at final_url",
    "mime": "media type that the answer names",
    "size": "bytes of the visit from the wire, requisites included",
    "payload_digest": "SHA-256 of the page's payload, transfer coding taken off; empty when its body was not kept",
    "title": "title of the page; in CSV, control characters are escaped and a formula begins with an apostrophe",
    "access": "open: nothing else goes into a data set",
    "tdm": "text and data mining: allow, disallow, or empty where the site says nothing",
    "tdm_sources": "where it says so",
    "ai_train": "training of AI systems",
    "ai_train_sources": "where it says so",
    "ai_input": "input of AI systems (grounding, retrieval)",
    "ai_input_sources": "where it says so",
    "search": "search engines",
    "search_sources": "where it says so",
    "capture_id": "the capture, as `archiver list --format jsonl` has it",
    "collection": "its collection",
    "job": "the job that made it",
    "file": "WARC file of the visit's first record",
    "offset": "its byte offset there",
}
"""Columns of the CSV and what they hold. In JSON lines the labels stand in one object, `labels`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """`usage` is the policy's line: `exclude`, `art3` (left out unless `art3` is claimed) or `label` (all go in)."""

    usage: str
    art3: bool
    now: str

    @property
    def takes_reserved(self) -> bool:
        return self.usage == "label" or (self.usage == "art3" and self.art3)


def reserved(capture: Capture) -> tuple[str, ...]:
    """The labels that reserve it."""
    usage = capture.usage or {}
    return tuple(name for name in RESERVING if name in usage and usage[name].get("value") == "disallow")


def left_out(capture: Capture, rules: Rules) -> str:
    """Why it does not go in, empty when it does. Only a reservation may be overcome, by the policy's line."""
    if capture.hidden:
        return Reason.HIDDEN.value
    if capture.access != "open":
        return capture.access_reason or capture.access
    if capture.expires is not None and capture.expires <= rules.now:
        return EXPIRED
    if rules.takes_reserved:
        return ""
    if capture.usage is None:  # of a time when rows had no labels: whether it is reserved cannot be told
        return UNLABELLED
    return Reason.TDM_RESERVED.value if reserved(capture) else ""


def as_json(capture: Capture) -> dict[str, Any]:
    """One line of JSON lines."""
    return {**_plain(capture), "labels": {name: (capture.usage or {}).get(name) for name in LABELS}, **_where(capture)}


def as_cells(capture: Capture) -> list[object]:
    """One line of CSV, by the columns of the codebook; no cell is a formula, none holds a control character."""
    found = {**_plain(capture), **_where(capture)}
    for name in LABELS:
        label: Mapping[str, Any] = (capture.usage or {}).get(name) or {}
        column = name.replace("-", "_")
        found[column] = label.get("value")
        found[f"{column}_sources"] = "; ".join(map(str, label.get("sources", ())))
    return [cell(found[name]) for name in CODEBOOK]


def _plain(capture: Capture) -> dict[str, Any]:
    return {
        "url": capture.url,
        "final_url": capture.final_url,
        "timestamp": capture.t,
        "http_status": capture.http_status,
        "mime": capture.mime,
        "size": capture.size,
        "payload_digest": capture.payload_digest,
        "title": capture.title,
        "access": capture.access,
    }


def _where(capture: Capture) -> dict[str, Any]:
    return {
        "capture_id": capture.capture_id,
        "collection": capture.collection,
        "job": capture.job,
        "file": capture.file,
        "offset": capture.offset,
    }
