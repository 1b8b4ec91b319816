"""Captures to write: exchanges made from given bytes, without a network."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from archiver.clock import ManualClock
from archiver.ids import new_record_id
from archiver.model import CaptureItem, DocumentItem, Exchange, Framing, TlsInfo
from archiver.spooled import Spool
from archiver.warc.streams import SegmentSettings, Streams

START = datetime(2026, 11, 23, 12, 0, 0, 123_000, UTC)
POLICY = b'{"verdict": "allow",\n "reason": "allowed"}'
INFO = {"software": "archiver/0.1.0", "operator": "A. Tester", "robots": "obey"}
SETTINGS = SegmentSettings(job="0123456789abcdef", host="host1")


def exchange(
    url: str = "http://example.org/",
    *,
    head: bytes = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n",
    body: bytes = b"<p>hello</p>",
    interim: bytes = b"",
    entity: bytes | None = None,
    **changes: Any,
) -> Exchange:
    """`entity` is given when it differs from `body` (chunked); `interim` are 1xx heads."""
    values: dict[str, Any] = {
        "url": url,
        "method": "GET",
        "request": b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n",
        "response": Spool(interim + head + body),
        "head_start": len(interim),
        "body_start": len(interim) + len(head),
        "status": 200,
        "reason": "OK",
        "headers": (),
        "framing": Framing.CLOSE if entity is None else Framing.CHUNKED,
        "ip": "127.0.0.1",
        "port": 80,
        "started_at": START,
        "seconds": 0.1,
        "entity": None if entity is None else Spool(entity),
    }
    return Exchange(**(values | changes))


def capture(made: Exchange | None = None, **changes: Any) -> CaptureItem:
    values: dict[str, Any] = {"exchange": made or exchange(), "response_id": new_record_id(), "policy_json": POLICY}
    return CaptureItem(**(values | changes))


def page(number: int, *, size: int = 200, **changes: Any) -> CaptureItem:
    """A capture that differs from any other: own URL, own body, own second."""
    body = f"<p>page {number}</p>".encode() + b"." * size
    made = exchange(f"http://example.org/page-{number}", body=body, started_at=START + timedelta(seconds=number))
    return capture(made, **changes)


def document(**changes: Any) -> DocumentItem:
    values: dict[str, Any] = {
        "type": "metadata",
        "target": "urn:consent:http://example.org/",
        "content_type": "application/json",
        "payload": b'{"outcome": "none"}',
        "record_id": new_record_id(),
        "date": START,
    }
    return DocumentItem(**(values | changes))


def tls(chain_id: str = "ab" * 32, chain: tuple[bytes, ...] = ()) -> TlsInfo:
    return TlsInfo(version="TLSv1.3", cipher="TLS_AES_128_GCM_SHA256", chain_id=chain_id, chain=chain)


def streams(folder: Path, clock: ManualClock | None = None, **settings: Any) -> Streams:
    made = SegmentSettings(job=SETTINGS.job, host=SETTINGS.host, **settings) if settings else SETTINGS
    return Streams(folder, clock or ManualClock(), made, INFO)


def write_warc(folder: Path, *items: CaptureItem | DocumentItem) -> Path:
    """One closed open-access file with these items in one batch; `items` default to three pages."""
    made = streams(folder)
    made.write(items or (page(1), page(2), page(3)))
    return Path(made.roll()[0].path)
