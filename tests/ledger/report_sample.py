"""A report with something in every part: built from rows, as the verb builds it."""

from __future__ import annotations

from typing import Any

from archiver.ledger.report import Report
from archiver.ledger.report_words import reason_rows

SITE = "https://www.example.org"
RECORD = "urn:uuid:6f1ad1c2-0f5c-4f2e-9a43-0d4d5a1f{:04x}"
COUNTS = {"discovered": 1_284, "fetched": 1_102, "refused": 143, "failed": 17, "pending": 22}
REASONS = {
    ("fetched", "allowed"): 1_089, ("fetched", "noarchive"): 13, ("refused", "outOfScope"): 96,
    ("refused", "robotsTxt"): 41, ("refused", "requisiteLimit"): 6, ("failed", "connectTimeout"): 12,
    ("failed", "dnsError"): 5, ("pending", "rateLimited"): 18, ("pending", "robotsUnreachable"): 4,
}  # fmt: skip
POLICY = {"name": "research/1", "sha256": "4be1" * 16}
CONFIG = {
    "basis": {"operator": "Library of the Example Institute", "legal_basis": "Section 60d UrhG, text and data mining"},
    "policy": {"robots": {"disallowed": "obey"}},
}


def at(second: float) -> str:
    return f"2026-11-23T12:{int(second) // 60:02d}:{second % 60:06.3f}Z"


def rows(note: str = "Coverage of the municipal election, for the press archive") -> list[dict[str, Any]]:
    """A crawl of two minutes: three origins, a 429, an override, a transclusion, gaps, labels, a hide."""
    told: list[dict[str, Any]] = [
        {"event": "run", "t": at(0), "actor": {"name": "Ann Archivist", "through": "cli"}, "policy": POLICY,
         "software": {"archiver": "0.1.0"}, "clock": {"synchronised": True}, "note": note, "case": "EL-2026",
         "tags": ["election", "press"], "config": {"sha256": "9c0d" * 16, "document": CONFIG}},
        {"event": "seed", "t": at(0), "url": f"{SITE}/"},
    ]  # fmt: skip
    for number in range(120):
        told += request(number)
    told += [
        {"event": "decision", "verdict": "refuse", "reason": "robotsTxt", "t": at(50),
         "url": f"{SITE}/private/{number}", "rule": "Disallow: /private/", "line": 7, "evidence": RECORD.format(1),
         "notes": {"robots": {"state": "fresh"}}}
        for number in range(41)
    ]  # fmt: skip
    instead = {"verdict": "refuse", "reason": "robotsTxt", "rule": "Disallow: /minutes/", "line": 9}
    told += [
        {"event": "decision", "verdict": "defer", "reason": "robotsUnreachable", "t": at(51),
         "url": "https://slow.example.net/", "rule": "HTTP 503", "notes": {"robots": {"state": "unreachable"}}},
        {"event": "override", "t": at(60), "url": f"{SITE}/minutes/2026", "what": "robots", "by": "Ann Archivist",
         "because": "public minutes, asked for by the council itself", "instead": instead},
        {"event": "decision", "verdict": "allow", "reason": "allowed", "t": at(61), "url": f"{SITE}/logo.svg",
         "via": f"{SITE}/", "notes": {"transcluded": {"rule": "Disallow: /*.svg", "line": 12}}},
        {"event": "visit", "t": at(70), "url": f"{SITE}/", "fetched": 12, "completeness": {"verdict": "gaps"},
         "repeats": 40, "matter": [{"url": f"{SITE}/map.js", "type": "script", "reason": "robotsTxt",
                                    "rule": "Disallow: /*.js"}]},
        {"event": "visit", "t": at(71), "url": f"{SITE}/2", "fetched": 3, "completeness": {"verdict": "complete"}},
        {"event": "hide", "t": at(72), "target": f"{SITE}/people/", "match": "prefix", "because": "request of 3 May"},
        {"event": "end", "t": at(130), "stopped": None},
    ]  # fmt: skip
    return told


def request(number: int) -> list[dict[str, Any]]:
    """A decision and its answer."""
    origin = (SITE, "https://media.example.org", "https://cdn.example.com")[(number % 7 > 3) + (number % 11 == 0)]
    mime = ("text/html", "image/webp", "text/css", "application/javascript", "image/jpeg")[number % 5]
    url = f"{origin}/item/{number}"
    status = 429 if number == 100 else 200
    labels = {"ai-train": {"value": "disallow"}} if number % 3 == 0 else {}
    return [
        {"event": "decision", "verdict": "allow", "reason": "allowed", "t": at(number * 1.05), "url": url,
         "evidence": RECORD.format(2), "notes": {"robots": {"state": "fresh"}}},
        {"event": "outcome", "t": at(number * 1.05 + 0.2), "url": url, "status": "captured", "http_status": status,
         "size": 900 + 1_377 * (number % 17), "mime": mime, "usage": labels,
         "access": "dark" if number % 9 == 0 else "open", "reason": "noarchive" if number % 9 == 0 else "allowed",
         "record": {"file": f"ARCH-20261123120000000-0000{number // 60}-9f3a2b1c-host1.warc.gz"}},
    ]  # fmt: skip


def sample(note: str | None = None, **more: Any) -> Report:
    made = Report(job="9f3a2b1c44d0", collection="election-2026", generated="2026-11-23T13:00:00.000Z", counts=COUNTS)
    for row in rows() if note is None else rows(note):
        made.take(row)
    made.reasons = reason_rows(REASONS)
    made.began([(f"{SITE}/{number}", at(number * 3.2)) for number in range(20)])
    made.rows, made.segments, made.stored = 3_911, 2, set(made.files)
    for name, value in more.items():
        setattr(made, name, value)
    return made
