"""The uploader as the run sees it: an S3 store with its journal, opened for one run."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from archiver.errors import ArchiverError
from archiver.model import StoredObject
from archiver.store.s3 import S3Store
from archiver.store.s3client import S3Settings
from archiver.store.spool import SpoolJournal, spool_file
from archiver.store.uploader import Drained, Uploader, UploadLimits


class Closed(Protocol):
    """A finished file; `sha256` hex."""

    @property
    def path(self) -> Path: ...
    @property
    def sha256(self) -> str: ...


class RemoteStore:
    """Implements `engine.ship.Remote`."""

    def __init__(self, uploader: Uploader, out: Path, patience: float) -> None:
        self._uploader = uploader
        self._out = out
        self._patience = patience
        self._mine: set[str] = set()

    async def add(self, files: Sequence[Closed], about: Mapping[str, str]) -> None:
        rows = [spool_file(file.path, self._out, sha256=file.sha256, **about) for file in files]
        self._mine.update(row.key for row in rows)
        await self._uploader.add(rows)

    async def drain(self) -> RemoteDrained:
        return RemoteDrained(await self._uploader.drain(self._patience), self._mine)


class RemoteDrained:
    """`engine.ship.Drained`: names instead of keys, and of what is stored only what this run gave."""

    def __init__(self, drained: Drained, mine: Collection[str]) -> None:
        self.stored: Mapping[str, StoredObject] = {
            Path(key).name: one for key, one in drained.stored.items() if key in mine
        }
        self.left: frozenset[str] = frozenset(Path(file.key).name for file in drained.left)
        self.error: ArchiverError | None = drained.error


async def open_remote(storage: Any, journal: Path, out: Path, stack: contextlib.AsyncExitStack) -> RemoteStore:
    """`storage` is a `config.Storage`. What an earlier run left is taken up at once. Raises DiskError, ConfigError."""
    store = S3Store(S3Settings(**storage.options()))
    stack.push_async_callback(store.close)
    spool = await asyncio.to_thread(SpoolJournal, journal, out)
    uploader = Uploader(store, spool, limits=UploadLimits(at_once=storage.uploads))
    await stack.enter_async_context(uploader)
    return RemoteStore(uploader, out, 300.0)
