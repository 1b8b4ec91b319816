"""Which payloads this job has already kept, so that a repeat becomes a `revisit`."""

from __future__ import annotations

from collections import OrderedDict

from archiver.model import Access, CaptureItem
from archiver.warc.records import Original, Payload

MIN_PAYLOAD = 1024
CAPACITY = 65_536  # about 30 MB

# Chunked or not is part of the key: replay reads the original's body under the revisit's head.
Key = tuple[Access, bool, str]


class Dedup:
    """Originals by access class and payload digest, the least recently used forgotten first.

    Additions wait for `commit`, as their records are not written before; `rollback` forgets them.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._known: OrderedDict[Key, Original] = OrderedDict()
        self._fresh: dict[Key, Original] = {}

    def find(self, key: Key | None) -> Original | None:
        """The record that a capture with this key may point to, or None: write it whole, then `add` it."""
        if key is None:
            return None
        original = self._known.get(key)
        if original is None:
            return self._fresh.get(key)
        self._known.move_to_end(key)
        return self._fresh.get(key, original)

    def add(self, key: Key | None, original: Original) -> None:
        """Remember a response just written, where it may serve as an original."""
        if key is not None:
            self._fresh[key] = original

    def commit(self) -> None:
        for key, original in self._fresh.items():
            self._known[key] = original
        self._fresh.clear()
        while len(self._known) > self._capacity:
            self._known.popitem(last=False)

    def rollback(self) -> None:
        self._fresh.clear()


def key_of(item: CaptureItem, payload: Payload) -> Key | None:
    """None = this capture may neither be a revisit nor be the original of one. Both sides obey the same rule."""
    exchange = item.exchange
    if (
        payload.size < MIN_PAYLOAD
        or exchange.head_start  # the block is to be what the wire brought, interim heads too
        or not item.dedupe
        or item.drop_body
        or exchange.status != 200
        or exchange.truncated is not None
        or exchange.malformed is not None
    ):
        return None
    return item.access, exchange.entity is not None, payload.digest
