"""Connections kept open between exchanges, by (origin, address). Newest first: the oldest are the likeliest stale."""

from __future__ import annotations

import select
from collections.abc import Sequence

from archiver.model import Origin
from archiver.wire.connection import KEEP_SECONDS, Connection


class Pool:
    """At most `per_peer` idle connections to one address of one origin and `total` altogether; one event loop."""

    def __init__(self, *, per_peer: int = 32, total: int = 128) -> None:
        self._per_peer = per_peer
        self._total = total
        self._idle: dict[tuple[Origin, str], list[Connection]] = {}
        self._size = 0

    def take(self, origin: Origin, addresses: Sequence[str], now: float) -> Connection | None:
        """An open, silent connection to one of the addresses, else None. `now` is loop time."""
        for address in addresses:
            key = (origin, address)
            waiting = self._idle.get(key)
            while waiting:
                connection = waiting.pop()
                self._size -= 1
                if not waiting:
                    del self._idle[key]
                if _is_usable(connection, now):
                    return connection
                connection.abort()
        return None

    def give(self, connection: Connection) -> None:
        """Keep a connection whose answer was complete and whose framing nobody doubts."""
        waiting = self._idle.setdefault(connection.key, [])
        waiting.append(connection)
        self._size += 1
        if len(waiting) > self._per_peer:
            self._size -= 1
            waiting.pop(0).shut()
        elif self._size > self._total:
            self._evict_one()

    def forget(self, connection: Connection) -> None:
        """The connection was closed while it waited."""
        waiting = self._idle.get(connection.key)
        if waiting and connection in waiting:
            waiting.remove(connection)
            self._size -= 1
            if not waiting:
                del self._idle[connection.key]

    def _evict_one(self) -> None:
        key = next(iter(self._idle))
        waiting = self._idle[key]
        self._size -= 1
        waiting.pop(0).shut()
        if not waiting:
            del self._idle[key]


def _is_usable(connection: Connection, now: float) -> bool:
    """Silent means usable: anything readable is either the peer's close or bytes that answer no question of ours."""
    if not connection.is_open or now - connection.idle_since > KEEP_SECONDS:
        return False
    poll = select.poll()
    poll.register(connection.fd, select.POLLIN)
    return not poll.poll(0)
