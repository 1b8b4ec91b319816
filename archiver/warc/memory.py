"""A recorder that only remembers: for tests of what stands on the port."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from archiver.model import CaptureItem, ClosedSegment, WarcItem, WarcRecordRef
from archiver.ports import Recorded


class MemoryRecorder:
    """Every item in `items`, in order; places are numbers, as in one file a class."""

    def __init__(self) -> None:
        self.items: list[WarcItem] = []
        self.batches: list[list[WarcItem]] = []
        self.is_closed = False

    async def record(self, items: Sequence[WarcItem]) -> list[Recorded]:
        self.batches.append(list(items))
        found = []
        for item in items:
            self.items.append(item)
            digest = None
            if isinstance(item, CaptureItem):
                record_id, kind = item.response_id, "response"
                digest = "sha256:" + hashlib.sha256(item.exchange.entity_bytes()).hexdigest()
            else:
                record_id, kind = item.record_id, item.type
            name = f"{item.access.value}.warc.gz"
            ref = WarcRecordRef(
                file=name, offset=len(self.items) * 100, length=100, record_id=record_id, type=kind, access=item.access
            )
            found.append(Recorded(refs=(ref,), payload_digest=digest))
        return found

    async def closed(self) -> list[ClosedSegment]:
        return []

    async def roll(self) -> list[ClosedSegment]:
        return []

    async def close(self) -> list[ClosedSegment]:
        self.is_closed = True
        return []
