"""A bucket as the engine sees it: closed files in; out comes what is stored and what is left."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from archiver.clock import SYSTEM, Clock
from archiver.errors import ArchiverError, StoreError
from archiver.model import StoredObject
from archiver.store.costs import add_run
from archiver.store.freeing import finish_freeing, free_local
from archiver.store.orphans import Orphan
from archiver.store.proofs import with_proof
from archiver.store.s3 import S3Store
from archiver.store.s3client import S3Settings
from archiver.store.spool import SpoolFile, SpoolJournal, spool_file
from archiver.store.uploader import Drained, Uploader, UploadLimits

ORPHAN_AGE = 86_400.0
"""Seconds: no upload in parts takes longer, so an older one of nobody's is an orphan."""
_LOOK_FOR_ORPHANS = 86_400.0

_GROWING_FOLDERS = frozenset(("acl", "pages", "reports"))
_GROWING_FILES = frozenset(
    ("README.txt", "collection.json", "manifest-sha256.txt", "config.yaml", "ledger.schema.json", "check-ledger.sh")
)
_CLASSES = frozenset(("restricted", "dark"))
_LEAST_PARTS = 3  # collections/NAME/FILE


class RemoteSettings(Protocol):
    """The `storage:` section of the configuration."""

    @property
    def uploads(self) -> int: ...
    @property
    def patience(self) -> float: ...
    def options(self) -> dict[str, Any]: ...


class Closed(Protocol):
    """A finished file; SHA-256 in hex."""

    @property
    def path(self) -> Path: ...
    @property
    def sha256(self) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteDrained:
    """`stored` by key, of this run. `left`: file names; a WARC whose index is not there yet counts as left."""

    stored: Mapping[str, StoredObject]
    left: frozenset[str]
    error: ArchiverError | None = None


class RemoteStore:
    """An `Uploader` that takes files by path. Raises DiskError when the journal cannot be written."""

    def __init__(
        self,
        uploader: Uploader,
        store: S3Store,
        journal: SpoolJournal,
        *,
        patience: float = 300.0,
        clock: Clock = SYSTEM,
    ) -> None:
        self._uploader = uploader
        self._store = store
        self._journal = journal
        self._patience = patience
        self._clock = clock
        self.orphans: tuple[Orphan, ...] = ()

    async def add(self, files: Sequence[Closed], about: dict[str, str]) -> None:
        """Journal files for upload; `about` becomes the objects' metadata."""
        rows = await asyncio.to_thread(lambda: [self._row(file, about) for file in files])
        await self._uploader.add(rows)

    async def drain(self, *, last: bool = False) -> RemoteDrained:
        """Wait for the uploads; what is left stays journaled and is taken up by the next run. `last`: what grows goes
        up as well, when its minute is over."""
        drained = await self.drained(growing=last)
        names = {Path(file.key).name for file in drained.left}
        names |= {name.removesuffix(".cdxj") for name in names}
        return RemoteDrained(stored=drained.stored, left=frozenset(names), error=drained.error)

    async def drained(self, *, growing: bool, at_once: bool = False) -> Drained:
        """The same in full. `at_once`: what grows does not wait for its minute."""
        return await self._uploader.drain(self._patience, growing=growing, at_once=at_once)

    async def stored(self) -> dict[str, StoredObject]:
        """Everything that the journal knows to be in the store, by key."""
        return await asyncio.to_thread(self._journal.all_stored)

    async def known(self) -> frozenset[str]:
        """Keys that the journal lists."""
        return await asyncio.to_thread(self._journal.keys)

    async def backlog(self) -> tuple[int, int]:
        """Bytes that are not up yet, and how many files came up: what grows shows that it goes on."""
        return await asyncio.to_thread(self._journal.waiting_bytes), self._uploader.up

    async def untold(self) -> list[StoredObject]:
        """Evidence that is stored and that no ledger row calls so yet."""
        found = await asyncio.to_thread(self._journal.untold)
        if rest := [one for one in found if not is_evidence(one.key)]:
            await self.mark_told(rest)
        return [one for one in found if is_evidence(one.key)]

    async def mark_told(self, stored: Sequence[StoredObject]) -> None:
        """Their rows are synced."""
        await asyncio.to_thread(self._journal.mark_told, stored)

    async def free(self, wanted: int | None = None) -> int:
        """Delete local WARCs that the store holds and a row tells of; bytes freed. Raises DiskError."""
        return await asyncio.to_thread(free_local, self._journal, wanted)

    def end_orphans_meanwhile(self, prefix: str, stack: AsyncExitStack, *, look: bool) -> None:
        """`end_orphans` beside the run, which neither waits for it nor fails by it; it ends with the `stack`."""
        task = asyncio.get_running_loop().create_task(self.end_orphans(prefix, look=look))
        stack.callback(task.cancel)

    async def end_orphans(self, prefix: str, *, look: bool, always: bool = False) -> None:
        """Abort what earlier runs left of uploads in parts: what the journal names, and once a day (or `always`) what
        the bucket lists, unless `look` is False. A store that does not list them is no fault of the run's."""
        known = await asyncio.to_thread(self._journal.left_parts)
        wait = 0.0 if always else _LOOK_FOR_ORPHANS
        look = look and await asyncio.to_thread(self._journal.due, "orphans", wait, self._clock.epoch())
        if not known and not look:
            return
        if look:
            await asyncio.to_thread(self._journal.note_done, "orphans", self._clock.epoch())
        try:
            async with asyncio.timeout(self._patience):
                self.orphans = await self._store.end_orphans(known, prefix if look else None, older=ORPHAN_AGE)
        except (StoreError, TimeoutError) as error:
            error = error if str(error) else StoreError(f"no answer within {self._patience:.0f} s")
            self.orphans = (Orphan(key=prefix, upload_id="", error=f"not looked for: {error}"),)

    def told(self) -> dict[str, Any]:
        """What the requests came to, and what was found of orphans."""
        return {
            **self._store.counts.as_json(), "files_again": self._uploader.again,
            "orphans": [one.to_json() for one in self.orphans],
        }  # fmt: skip

    def _row(self, file: Closed, about: Mapping[str, str]) -> SpoolFile:
        return spool_file(file.path, self._journal.out, sha256=file.sha256, **about)


async def open_remote(
    settings: RemoteSettings,
    journal: Path,
    out: Path,
    stack: AsyncExitStack,
    *,
    patience: float | None = None,
    proofs: Path | None = None,
) -> RemoteStore:
    """The configured bucket, closed by `stack`. Uploads that an earlier run left begin at once. Raises DiskError.

    `patience` in place of the settings' own. `proofs`: the file in which `archiver bucket check` keeps what buckets
    proved. What the requests come to is added to the counts that `archiver cost` reads.
    """
    wanted = S3Settings(**settings.options())
    if proofs is not None:
        wanted = await asyncio.to_thread(with_proof, wanted, proofs)
    spool = await asyncio.to_thread(SpoolJournal, journal, out, wanted.place)
    stack.callback(spool.close)
    await asyncio.to_thread(finish_freeing, spool)
    store = S3Store(wanted, connections=2 * settings.uploads, replaceable=is_growing, log=spool)
    stack.push_async_callback(store.close)
    stack.callback(lambda: add_run(journal.with_name("requests.json"), wanted.place, store.counts.as_json(), SYSTEM))
    uploader = Uploader(
        store, spool, limits=UploadLimits(at_once=settings.uploads), grows=is_growing,
        moved=lambda: store.counts.moved, refused=lambda: store.refused,
    )  # fmt: skip
    await stack.enter_async_context(uploader)
    return RemoteStore(uploader, store, spool, patience=settings.patience if patience is None else patience)


def is_growing(key: str) -> bool:
    """Whether a collection's file is written anew: page lists, reports, merged indexes, and what describes the
    collection are. Evidence never is."""
    parts = key.split("/")
    if len(parts) < _LEAST_PARTS or parts[0] != "collections":
        return False
    inside = parts[2:]
    if len(inside) > 1 and inside[0] in _GROWING_FOLDERS:
        return True
    if len(inside) > 1 and inside[0] in _CLASSES:
        inside = inside[1:]
    return inside[0] in _GROWING_FILES if len(inside) == 1 else inside[:2] == ["indexes", "merged"] and len(inside) > 2


def is_evidence(key: str) -> bool:
    """Whether a key is a WARC's or that of a WARC's own index: what `archived` is said of."""
    return key.endswith((".warc.gz", ".warc", ".cdxj")) and not is_growing(key)
