"""A ledger in a folder, a clock that is moved by hand, and a short story written into it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from archiver.clock import ManualClock
from archiver.ledger.segments import JsonlLedger
from archiver.model import Actor, Labels, LedgerEntry

RECORD = "urn:uuid:00000000-0000-4000-8000-00000000000{}"
SITE = "https://example.org"

Open = Callable[..., JsonlLedger]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    return tmp_path / "logs"


@pytest.fixture
def open_ledger(logs: Path, clock: ManualClock) -> Open:
    def opened(job: str = "0123456789abcdef", **more: Any) -> JsonlLedger:
        labels = Labels(note="for the record", case="C-1", tags=("a", "b"))
        return JsonlLedger(logs, clock, job=job, actor=Actor(name="Ann"), labels=labels, **more)

    return opened


def decision(path: str, verdict: str = "allow", reason: str = "allowed", **more: Any) -> LedgerEntry:
    url = SITE + path
    data = {"key": url, "verdict": verdict, "reason": reason, "kind": "document", "policy": "strict", **more}
    return LedgerEntry(event="decision", url=url, data=data)


def captured(path: str, number: int = 1, **more: Any) -> LedgerEntry:
    url = SITE + path
    record = {"file": "ARCH-1.warc.gz", "offset": 100 * number, "length": 90, "record_id": RECORD.format(number)}
    data = {"key": url, "kind": "document", "status": "captured", "http_status": 200, "access": "open", "size": 1234}
    return LedgerEntry(event="outcome", url=url, data={**data, "reason": "allowed", "record": record, **more})


def failed(path: str, code: str = "dnsError", message: str = "no such host") -> LedgerEntry:
    failure = {"code": code, "message": message, "transient": True}
    data = {"key": SITE + path, "kind": "document", "status": "failed", "reason": "failed", "failure": failure}
    return LedgerEntry(event="outcome", url=SITE + path, data=data)


def visit(path: str, capture_id: str, **more: Any) -> LedgerEntry:
    data = {
        "key": SITE + path,
        "capture_id": capture_id,
        "status": "captured",
        "http_status": 200,
        "title": "A page",
        "access": "open",
        "completeness": {"verdict": "complete", "kept": 3, "refused": 0, "failed": 0},
        "record": {"file": "ARCH-1.warc.gz", "offset": 100, "record_id": RECORD.format(1)},
        **more,
    }
    return LedgerEntry(event="visit", url=SITE + path, data=data)


def story() -> list[LedgerEntry]:
    """A small crawl: kept, dark, refused by robots, failed, deferred, out of scope, left over."""
    robots = {"rule": "Disallow: /private", "line": 3, "evidence": RECORD.format(9)}
    return [
        LedgerEntry(event="seed", url=f"{SITE}/", data={"key": f"{SITE}/"}),
        decision("/robots.txt", kind="robots"),
        captured("/robots.txt", 9, kind="robots"),
        decision("/"),
        captured("/", 1),
        visit("/", "c1"),
        decision("/dark"),
        captured("/dark", 2, access="dark", reason="noarchive", rule="X-Robots-Tag: noarchive"),
        visit("/dark", "c2", access="dark"),
        decision("/private/a", "refuse", "robotsTxt", **robots),
        decision("/gone"),
        failed("/gone"),
        decision("/later", "defer", "robotsUnreachable", not_before="2026-11-23T12:00:00.000Z"),
        LedgerEntry(event="discovered", url="https://other.org/", data={"reason": "outOfScope", "rule": "prefix"}),
        LedgerEntry(event="pending", url=f"{SITE}/left", data={"key": f"{SITE}/left", "reason": "pageLimit"}),
        decision("/cut"),
    ]
