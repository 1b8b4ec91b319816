"""A bucket as the engine sees it: closed files in; out comes what is stored and what is left."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from archiver.errors import ArchiverError
from archiver.model import StoredObject
from archiver.store.probe import probe
from archiver.store.s3 import S3Store
from archiver.store.s3client import S3Settings
from archiver.store.spool import SpoolFile, SpoolJournal, spool_file
from archiver.store.uploader import Uploader, UploadLimits

_GROWING = frozenset(("pages", "reports"))


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

    def __init__(self, uploader: Uploader, out: Path, *, patience: float = 300.0) -> None:
        self._uploader = uploader
        self._out = out
        self._patience = patience

    async def add(self, files: Sequence[Closed], about: dict[str, str]) -> None:
        """Journal files for upload; `about` becomes the objects' metadata."""
        rows = await asyncio.to_thread(lambda: [self._row(file, about) for file in files])
        await self._uploader.add(rows)

    async def drain(self) -> RemoteDrained:
        """Wait for the uploads; what is left stays journaled and is taken up by the next run."""
        drained = await self._uploader.drain(self._patience)
        names = {Path(file.key).name for file in drained.left}
        names |= {name.removesuffix(".cdxj") for name in names}
        return RemoteDrained(stored=drained.stored, left=frozenset(names), error=drained.error)

    def _row(self, file: Closed, about: Mapping[str, str]) -> SpoolFile:
        return spool_file(file.path, self._out, sha256=file.sha256, **about)


async def open_remote(settings: RemoteSettings, journal: Path, out: Path, stack: AsyncExitStack) -> RemoteStore:
    """The configured bucket, closed by `stack`. Uploads that an earlier run left begin at once. Raises DiskError."""
    store = S3Store(S3Settings(**settings.options()), connections=2 * settings.uploads, replaceable=is_growing)
    stack.push_async_callback(store.close)
    spool = await asyncio.to_thread(SpoolJournal, journal, out)
    stack.callback(spool.close)
    uploader = Uploader(store, spool, limits=UploadLimits(at_once=settings.uploads), grows=is_growing)
    return RemoteStore(await stack.enter_async_context(uploader), out, patience=settings.patience)


async def probe_remote(settings: RemoteSettings) -> str:
    """`probe` of the configured bucket."""
    return await probe(S3Settings(**settings.options()))


def is_growing(key: str) -> bool:
    """Whether a collection's file is written anew: page lists and reports are, evidence never."""
    parts = key.split("/")
    return len(parts) > 3 and parts[0] == "collections" and parts[2] in _GROWING
