"""The tap of one request of a page: it passes the answer on, and says when its place is free and when it is over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from archiver.model import Candidate
from archiver.ports.browser import Control, Tap
from archiver.spooled import Spool

HOLD_AFTER_HEAD = 2.0
"""Seconds after its head for which an answer still holds its place (decision 12)."""


class Flow:
    """`ports.browser.Tap`. `ended` is called once: at the end, or at the head of what never ends by itself.

    `begun`: the site was asked and said something, or failed to; `candidate`, once it is known what is asked for.
    """

    def __init__(self, tap: Tap, ended: Callable[[], None]) -> None:
        self._tap = tap
        self._ended: Callable[[], None] | None = ended
        self._give: Callable[[], None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self.begun = False
        self.candidate: Candidate | None = None

    def holds(self, give: Callable[[], None]) -> None:
        """A place is held, to be given back once."""
        self._give = give

    def begin(self, raw: Spool, control: Control) -> None:
        self.begun = True
        self._tap.begin(raw, control)

    def head(self, status: int, headers: Sequence[tuple[bytes, bytes]]) -> None:
        self._tap.head(status, headers)
        types = [value for name, value in headers if name == b"content-type"]
        if status == 101 or any(value[:17].lower() == b"text/event-stream" for value in types):
            self.over()
        elif self._give is not None:
            self._timer = asyncio.get_running_loop().call_later(HOLD_AFTER_HEAD, self._give_back)

    def grew(self) -> None:
        self._tap.grew()

    def over(self) -> None:
        """Idempotent."""
        self._give_back()
        ended, self._ended = self._ended, None
        if ended is not None:
            ended()

    def _give_back(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        give, self._give = self._give, None
        if give is not None:
            give()
