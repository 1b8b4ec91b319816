"""`archiver upload`: whatever of a collection is closed and not in the bucket goes there, and rows say so.

What the journal does not know is taken up too, so an archive that was made without a store can be put up later. WARCs
that no run has judged are read back strictly before they go. What a killed run left open is cut and closed first, as
the next run would do; a run that still writes keeps its files.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archiver.clock import Clock
from archiver.config import Config, Environment, Places
from archiver.engine.rows import salvage_entry, stored_entry
from archiver.engine.ship import ClosedFile, closed_file
from archiver.errors import ArchiverError, ConfigError
from archiver.ledger.hides import write
from archiver.ledger.reader import segment_paths
from archiver.model import Access, Actor
from archiver.store.remote import RemoteStore, open_remote
from archiver.warc.reindex import verify_closed
from archiver.warc.salvage import salvage
from archiver.wiring.describe import describe

JOB = "upload"
_PID = re.compile(r"-(\d+)\.jsonl$")
_WARC = (".warc.gz", ".warc")
Known = Callable[[Path], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Uploaded:
    """`stored`: objects that came up now, with `size` bytes. `left` by key, with why; `damaged`: WARCs that do not read
    back and stay here. `salvaged`: WARCs of a killed run that were closed now; `still_open`: those being written."""

    collection: str
    stored: tuple[str, ...]
    size: int
    left: tuple[tuple[str, str], ...]
    damaged: tuple[str, ...]
    salvaged: tuple[str, ...]
    still_open: int
    told: dict[str, Any]
    freed: int
    error: ArchiverError | None = None

    def to_json(self) -> dict[str, Any]:
        return {
            "collection": self.collection,
            "stored": list(self.stored),
            "bytes": self.size,
            "left": [{"key": key, "error": error} for key, error in self.left],
            "damaged": list(self.damaged),
            "salvaged": list(self.salvaged),
            "still_open": self.still_open,
            "freed_bytes": self.freed,
            **self.told,
            "error": None if self.error is None else str(self.error),
        }


async def upload(config: Config, environment: Environment, places: Places, actor: Actor, clock: Clock) -> Uploaded:
    """Raises ConfigError without a store, DiskError. What the store does not take is in the result."""
    storage = config.storage
    if storage is None:
        raise ConfigError("storage: not configured; set STORE_ENDPOINT_URL (https://HOST/BUCKET), or storage.bucket")
    async with contextlib.AsyncExitStack() as stack:
        remote = await open_remote(storage, places.uploads, places.out, stack, proofs=environment.stores)
        salvaged = await asyncio.to_thread(_salvage, places, actor, clock)
        before = await remote.stored()
        damaged = await _add_evidence(remote, places)
        drained = await remote.drained(growing=False)
        await _tell(remote, places, actor, clock)
        if drained.error is None:
            files = await asyncio.to_thread(_descriptions, places, clock)
            await remote.add(files, {})
            drained = await remote.drained(growing=True, at_once=True)
        if drained.error is None:  # a store that is away would not list them either
            await remote.end_orphans(f"{places.key(places.root)}/", look=True, always=True)
        freed = 0 if storage.keep_local else await remote.free()
        new = {key: one for key, one in (await remote.stored()).items() if before.get(key) != one}
        return Uploaded(
            collection=places.name,
            stored=tuple(sorted(new)),
            size=sum(one.size for one in new.values()),
            left=tuple((file.key, file.error) for file in drained.left),
            damaged=damaged,
            salvaged=salvaged,
            still_open=sum(1 for access in Access for _ in places.warcs(access).glob("*.warc.gz.open")),
            told=dict(remote.told()),
            freed=freed,
            error=drained.error,
        )


def _salvage(places: Places, actor: Actor, clock: Clock) -> tuple[str, ...]:
    """Close what a killed run left, with a row each; names of the files that came of it (blocking).

    Visits that no row tells of are the crawl's to make again: it still finds these files among those never stored.
    """
    found = salvage(places.root)
    if found:
        rows = [salvage_entry(one.file, kept=one.kept_records, cut=one.cut_at) for one in found]
        write(places.logs, clock, actor, rows, JOB)
    return tuple(one.file for one in found if one.segment is not None)


async def _add_evidence(remote: RemoteStore, places: Places) -> tuple[str, ...]:
    """List for upload what is closed and not listed; the names of WARCs that do not read back."""
    keys = await remote.known()

    def known(path: Path) -> bool:
        return places.key(path) in keys

    damaged = []
    for access in Access:
        for warc in await asyncio.to_thread(_unlisted, places.warcs(access), _WARC, known):
            index = places.indexes(access) / f"{warc.name}.cdxj"
            if await asyncio.to_thread(_reads_back, index, warc):
                files = [await asyncio.to_thread(closed_file, path) for path in (warc, index)]
                await remote.add(files, {"access": access.value})
            else:
                damaged.append(places.key(warc))
    ledgers = await asyncio.to_thread(lambda: [closed_file(path) for path in closed_ledgers(places) if not known(path)])
    await remote.add(ledgers, {})
    return tuple(damaged)


def _unlisted(folder: Path, suffixes: tuple[str, ...], known: Known) -> list[Path]:
    if not folder.is_dir():
        return []
    found = (path for path in sorted(folder.iterdir()) if path.name.endswith(suffixes) and not known(path))
    return [path for path in found if path.is_file() and not path.is_symlink()]


def _reads_back(index: Path, warc: Path) -> bool:
    if not index.is_file():
        return False
    report, of_index = verify_closed(str(index), str(warc))
    return not report.errors and not of_index


def closed_ledgers(places: Places) -> Iterator[Path]:
    """All but those that a process still writes on."""
    for path in segment_paths(places.logs):
        found = _PID.search(path.name)
        if found is None or not Path(f"/proc/{found[1]}").exists():
            yield path


async def _tell(remote: RemoteStore, places: Places, actor: Actor, clock: Clock) -> None:
    """Rows of what came up, in a segment of their own; it goes up after them, as does that of what was salvaged."""
    fresh = await remote.untold()
    if fresh:
        await asyncio.to_thread(write, places.logs, clock, actor, [stored_entry(one) for one in fresh], JOB)
        await remote.mark_told(fresh)
    mine = [path for path in segment_paths(places.logs) if path.name.endswith(f"-{os.getpid()}.jsonl")]
    await remote.add([await asyncio.to_thread(closed_file, path) for path in mine if f"-{JOB}" in path.name], {})


def _descriptions(places: Places, clock: Clock) -> Sequence[ClosedFile]:
    """What grows: page lists, reports, and what the collection says of itself."""
    grown = [*places.pages.rglob("*.jsonl"), *places.reports.rglob("*")]
    return [*(closed_file(path) for path in sorted(grown) if path.is_file()), *describe(places, clock)]
