"""Which payloads this job has already kept, so that a repeat becomes a `revisit`."""

from __future__ import annotations

from collections import OrderedDict

from archiver.model import Access, CaptureItem, Exchange
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

    def find(self, item: CaptureItem, payload: Payload) -> Original | None:
        """The record that `item` may point to, or None: write it whole, then `add` it."""
        if not eligible(item, payload):
            return None
        key = _key(item, payload)
        original = self._fresh.get(key) or self._known.get(key)
        if original is not None and key in self._known:
            self._known.move_to_end(key)
        return original

    def add(self, item: CaptureItem, payload: Payload, date: str) -> None:
        """Remember a response just written, where it may serve as an original. `date` is its WARC-Date."""
        if eligible(item, payload):
            self._fresh[_key(item, payload)] = Original(item.response_id, item.exchange.url, date)

    def commit(self) -> None:
        for key, original in self._fresh.items():
            self._known[key] = original
        self._fresh.clear()
        while len(self._known) > self._capacity:
            self._known.popitem(last=False)

    def rollback(self) -> None:
        self._fresh.clear()


def eligible(item: CaptureItem, payload: Payload) -> bool:
    """May this capture be a revisit, or be the original of one? Both sides obey the same rule."""
    exchange: Exchange = item.exchange
    return (
        item.dedupe
        and not item.drop_body
        and exchange.status == 200
        and exchange.truncated is None
        and exchange.malformed is None
        and payload.size >= MIN_PAYLOAD
    )


def _key(item: CaptureItem, payload: Payload) -> Key:
    return item.access, item.exchange.entity is not None, payload.digest
