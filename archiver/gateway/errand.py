"""`ports.FetchRobots` as the gate runs it: what is asked, and what is remembered, becomes evidence of this job."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

import orjson

from archiver.clock import iso
from archiver.gateway.parts import GatePorts
from archiver.ids import new_record_id
from archiver.model import Candidate, DocumentItem, Fetched, Kind, LedgerEntry, Truncated
from archiver.ports import Recorded, RobotsCopy


class RobotsErrand:
    """`fetch` admits, dials and records one robots.txt or hop of it."""

    def __init__(self, fetch: Callable[[Candidate], Awaitable[Fetched]], ports: GatePorts) -> None:
        self._fetch = fetch
        self._ports = ports

    async def __call__(self, candidate: Candidate) -> Fetched:
        return await self._fetch(candidate)

    async def keep(self, copy: RobotsCopy) -> str:
        """Raises DiskError."""
        items = copy_items(copy, now=self._ports.clock.now())
        recorded, _ = await self._ports.recorder.record(items)
        self._ports.ledger.append(copy_entry(copy, recorded))
        return recorded.refs[0].record_id


def copy_items(copy: RobotsCopy, *, now: datetime) -> tuple[DocumentItem, DocumentItem]:
    """The copy as a `conversion` record (WARC 1.1, 6.8) dated when it came, and a `metadata` record that explains it.

    Both stand under `urn:robots:<url>`: no replay may take what a site said then for what it says now.
    """
    target, content_id = f"urn:robots:{copy.url}", new_record_id()
    content = DocumentItem(
        type="conversion",
        target=target,
        content_type="text/plain",
        payload=copy.body,
        record_id=content_id,
        date=copy.fetched_at,
        refers_to=copy.original,
        truncated=Truncated.LENGTH if copy.truncated else None,
    )
    about = DocumentItem(
        type="metadata",
        target=target,
        content_type="application/json",
        payload=orjson.dumps(_about(copy)),
        record_id=new_record_id(),
        date=now,
        refers_to=content_id,
    )
    return content, about


def _about(copy: RobotsCopy) -> dict[str, object]:
    coding = [_text(value) for name, value in copy.headers if name.lower() == b"content-encoding"]
    return {
        "url": copy.url,
        "fetchedAt": iso(copy.fetched_at),
        "validatedAt": iso(copy.validated_at),
        "original": copy.original,
        "answer": copy.answer,
        "decoded": coding,
        "truncated": copy.truncated,
        "headers": [[_text(name), _text(value)] for name, value in copy.headers],
    }


def copy_entry(copy: RobotsCopy, recorded: Recorded) -> LedgerEntry:
    """The row that says where the copy lies, so that a decision's evidence can be found."""
    where = recorded.refs[0]
    data = {
        "key": copy.url,
        "kind": Kind.ROBOTS,
        "fetched_at": iso(copy.fetched_at),
        "validated_at": iso(copy.validated_at),
        "original": copy.original,
        "answer": copy.answer,
        "truncated": copy.truncated,
        "record": {"file": where.file, "offset": where.offset, "length": where.length, "record_id": where.record_id},
    }
    return LedgerEntry(event="robotsCopy", url=copy.url, data=data)


def _text(value: bytes) -> str:
    return value.decode("latin-1")
