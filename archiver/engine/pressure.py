"""Back-pressure: when files do not leave as fast as they come, nothing new is claimed until there is room again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from archiver.clock import Clock
from archiver.engine.ship import Remote
from archiver.engine.source import Hold, Stop
from archiver.model import LedgerEntry, Reason

_NOTHING_TO_WAIT_FOR = 60.0  # seconds: no upload is under way, so only a person can make room
_RESUME = 0.8
"""Of the limit: intake does not flutter about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PressureRules:
    """`disk_is_full`: whether the disk is used beyond the limit. `spool_limit`: bytes that may wait to go up, 0 = any.

    `keep_local` False: WARCs that the store holds may be deleted here, so a full disk may come free by itself.
    `patience`: seconds without an upload, after which waiting has no point and the run ends.
    """

    disk_is_full: Callable[[], bool]
    spool_limit: int = 0
    keep_local: bool = True
    patience: float = 3600.0


@dataclass(slots=True, kw_only=True)
class Pressure:
    """Asked every second. Holds the intake, lets it go on, or ends the run.

    Without a remote store, or where nothing here may be deleted, a full disk ends the run as it always did: waiting
    would not empty it.
    """

    rules: PressureRules
    hold: Hold
    stop: Stop
    clock: Clock
    remote: Remote | None = None
    _since: float = 0.0
    _stored: int = field(default=-1)

    async def look(self) -> LedgerEntry | None:
        """The row to write where something changed."""
        full, waiting = self.rules.disk_is_full(), 0
        if self.remote is not None:
            waiting, stored = await self.remote.backlog()
            if full and not self.rules.keep_local:
                await self.remote.free()
                full = self.rules.disk_is_full()
            if stored != self._stored:
                self._stored, self._since = stored, self.clock.monotonic()
        if full and (self.remote is None or self.rules.keep_local):
            self.stop.set(Reason.DISK_UTILIZATION)
            return None
        return self._judge(full, waiting)

    def _judge(self, full: bool, waiting: int) -> LedgerEntry | None:
        limit = self.rules.spool_limit * (_RESUME if self.hold.reason is Reason.SPOOL_LIMIT else 1.0)
        why = Reason.DISK_UTILIZATION if full else Reason.SPOOL_LIMIT if limit and waiting > limit else None
        before, self.hold.reason = self.hold.reason, why
        if why is None:
            return None if before is None else _row("resumed", before, waiting)
        if before is None:
            self._since = self.clock.monotonic()
            return _row("paused", why, waiting)
        patience = self.rules.patience if waiting else min(self.rules.patience, _NOTHING_TO_WAIT_FOR)
        if not self.stop.is_set and self.clock.monotonic() - self._since > patience:
            self.stop.set(why)
            return _row("ended", why, waiting)
        return None


def _row(state: str, why: Reason, waiting: int) -> LedgerEntry:
    data: dict[str, Any] = {"state": state, "reason": why.value, "waiting_bytes": waiting}
    return LedgerEntry(event="spool", data=data)


def told(row: LedgerEntry) -> str:
    """A row in a sentence, for whoever watches the run."""
    waiting = f"{row.data['waiting_bytes']:,} bytes wait to be uploaded"
    why = "the disk is full" if row.data["reason"] == Reason.DISK_UTILIZATION else "the spool is at its limit"
    match row.data["state"]:
        case "paused":
            return f"paused: {why}; {waiting}. Pages in hand are finished; it goes on when there is room"
        case "resumed":
            return f"going on: there is room again; {waiting}"
    return f"ended: {why}, and nothing could be uploaded for too long; {waiting}"
