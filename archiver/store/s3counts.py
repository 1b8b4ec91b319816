"""What requests came to: how many, how often again, bytes each way; and when the store last gave a sign of life."""

from __future__ import annotations

import io
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class S3Counts:
    """Of one store since it was opened. `requests` by operation, tries included; `again` are those tries.

    `bytes_up` (of requests that were answered) and `bytes_down` are bodies, without heads. `moved` is `time.monotonic`
    of the last answer, or of the last byte that went further than any try of that request before.
    """

    requests: Counter[str] = field(default_factory=Counter)
    again: int = 0
    bytes_up: int = 0
    bytes_down: int = 0
    moved: float = field(default_factory=time.monotonic)
    _furthest: dict[str, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def asked(self, operation: str, *, again: bool) -> None:
        with self._lock:
            self.requests[operation] += 1
            self.again += again

    def answered(self, what: str, bytes_up: int = 0) -> None:
        with self._lock:
            self.moved = time.monotonic()
            self.bytes_up += bytes_up
            self._furthest.pop(what, None)

    def sent(self, what: str, at: int) -> None:
        """`at`: how far into its body a request has come."""
        with self._lock:
            if at > self._furthest.get(what, 0):
                self._furthest[what] = at
                self.moved = time.monotonic()

    def read(self, count: int) -> None:
        with self._lock:
            self.bytes_down += count
            self.moved = time.monotonic()

    def as_json(self) -> Mapping[str, Any]:
        return {
            "requests": sum(self.requests.values()), "again": self.again, "operations": dict(self.requests),
            "bytes_up": self.bytes_up, "bytes_down": self.bytes_down,
        }  # fmt: skip


class Counted(io.BufferedReader):
    """A request's body that tells how far it was read."""

    def __init__(self, raw: Any, told: Callable[[int], None]) -> None:
        super().__init__(raw)
        self._told = told

    def read(self, size: int | None = -1, /) -> bytes:
        data = super().read(size)
        self._told(self.tell())
        return data
