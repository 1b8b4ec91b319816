"""Who stores the files of a run, and what is done when they do not leave as fast as they come."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from archiver.clock import Clock
from archiver.config import Config, Places
from archiver.engine.pressure import Pressure, PressureRules
from archiver.engine.ship import Shipper, closed_file
from archiver.engine.source import Hold, Stop
from archiver.store.local import LocalStore
from archiver.wiring.files import check_segment

if TYPE_CHECKING:
    from archiver.store.remote import RemoteStore

SAVE_PATIENCE = 60.0
"""Seconds a person at a terminal waits for a store that is silent; the file is safe here."""


async def shipper_of(
    config: Config,
    places: Places,
    stack: contextlib.AsyncExitStack,
    *,
    saving: bool = False,
    proofs: Path | None = None,
) -> Shipper:
    """The local folder, and the configured bucket. What an earlier run left there of uploads in parts is ended."""
    remote = None
    storage = config.storage
    if storage is not None:
        from archiver.store.remote import open_remote

        patience = min(storage.patience, SAVE_PATIENCE) if saving else storage.patience
        remote = await open_remote(storage, places.uploads, places.out, stack, patience=patience, proofs=proofs)
        await _add_ledgers_left(remote, places)
        remote.end_orphans_meanwhile(f"{places.key(places.root)}/", stack, look=not saving)
    return Shipper(LocalStore(places.out), key=places.key, check=check_segment, remote=remote)


async def _add_ledgers_left(remote: RemoteStore, places: Places) -> None:
    """Segments of processes that did not live to close them: what they tell goes up with the next run's."""
    from archiver.wiring.upload import closed_ledgers

    keys = await remote.known()
    paths = [path for path in closed_ledgers(places) if places.key(path) not in keys]
    await remote.add(await asyncio.to_thread(lambda: [closed_file(path) for path in paths]), {})


def pressure_of(
    config: Config, places: Places, shipper: Shipper, clock: Clock, stop: Stop, hold: Hold
) -> Pressure:  # fmt: skip
    storage = config.storage
    rules = PressureRules(disk_is_full=lambda: disk_is_full(places.out, config.limits.disk_utilization))
    if storage is not None:
        rules = PressureRules(
            disk_is_full=rules.disk_is_full, spool_limit=storage.spool_limit, keep_local=storage.keep_local,
            patience=storage.hold_limit,
        )  # fmt: skip
    return Pressure(rules=rules, hold=hold, stop=stop, clock=clock, remote=shipper.remote)


def disk_is_full(folder: Path, percent: int) -> bool:
    """Whether the disk is used beyond `percent`; 0 = not watched."""
    if not percent:
        return False
    usage = shutil.disk_usage(folder)
    return usage.used >= (usage.used + usage.free) * percent / 100
