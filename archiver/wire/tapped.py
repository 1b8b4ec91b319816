"""Between an exchange in hand and whoever follows it: tells what comes in, carries back what shall go out."""

from __future__ import annotations

from typing import Protocol

from archiver.ports.browser import Tap
from archiver.wire.framer import ResponseFramer


class _Line(Protocol):
    def send(self, data: bytes) -> None: ...

    def stop(self) -> None: ...


class Tapped:
    """`ports.browser.Control` of one exchange. It may outlive its connection: then it does nothing."""

    __slots__ = ("_framer", "_line", "_stopped", "_tap", "_told")

    def __init__(self, tap: Tap, framer: ResponseFramer) -> None:
        self._tap = tap
        self._framer = framer
        self._line: _Line | None = None
        self._told = self._stopped = False

    def attach(self, line: _Line) -> None:
        """The connection that carries the exchange; a stop that was asked for before it stood holds."""
        self._line = line
        if self._stopped:
            line.stop()

    def detach(self) -> None:
        self._line = None

    def grew(self) -> None:
        head = self._framer.head
        if head is not None:
            if not self._told:
                self._told = True
                self._tap.head(head.status, head.headers)
            self._tap.grew()

    # --- ports.browser.Control ---

    def send(self, data: bytes) -> None:
        if self._line is not None and self._framer.is_upgraded:
            self._line.send(data)

    def stop(self) -> None:
        self._stopped = True
        if self._line is not None:
            self._line.stop()
