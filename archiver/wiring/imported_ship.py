"""Imported files on their way into the stores, by the same road as our own: `stored` rows, journal, nothing deleted."""

from __future__ import annotations

import contextlib

from archiver.clock import SYSTEM
from archiver.config import Config, Places
from archiver.engine.rows import stored_entry
from archiver.engine.ship import ClosedFile, Shipper, closed_file
from archiver.errors import ArchiverError
from archiver.ledger.hides import segments
from archiver.ledger.imports import JOB, Imported, ImportLedger, imported
from archiver.model import Access
from archiver.store.shipped import ShippedNames
from archiver.wiring.describe import describe
from archiver.wiring.imported_files import is_here, placed
from archiver.wiring.imported_pages import page_lists
from archiver.wiring.uploads import shipper_of


async def ship(config: Config, places: Places, ledger: ImportLedger) -> ArchiverError | None:
    """Give the stores what they have not, an earlier import that was killed included, and what the collection says of
    itself, made anew. The error is why something is left; it stays journaled. Raises StoreError, DiskError."""
    shipped = ShippedNames(places.state / "shipped")
    async with contextlib.AsyncExitStack() as stack:
        shipper = await shipper_of(config, places, stack)
        names = shipped.names()
        waiting = [
            one
            for one in imported(places.logs)
            if one.file not in names and placed(places, one.access, one.file) and is_here(places, one.access, one.file)
        ]
        for one in waiting:
            await _ship(one, places, shipper, ledger)
            shipped.add(one.file)
        for access in Access:
            lists = [closed_file(path) for path in page_lists(places, access)]
            await shipper.ship_files(lists, {"access": access.value})
        drained = await shipper.drain()
        if shipper.remote is not None:
            fresh = await shipper.remote.untold()
            ledger.append(*(stored_entry(one) for one in fresh))
            await shipper.remote.mark_told(fresh)
        ledger.close()
        await shipper.ship_files([closed_file(path) for path in segments(places.logs, JOB)], {})
        await shipper.ship_files(describe(places, SYSTEM), {})
        return (await shipper.drain(last=True)).error or drained.error


async def _ship(one: Imported, places: Places, shipper: Shipper, ledger: ImportLedger) -> None:
    warc = ClosedFile(path=places.warcs(one.access) / one.file, sha256=one.sha256)  # as it was when it was checked
    index = closed_file(places.indexes(one.access) / f"{one.file}.cdxj")
    stored = await shipper.ship_files([warc, index], {"access": one.access.value})
    if shipper.remote is None:
        ledger.append(*(stored_entry(each) for each in stored))
