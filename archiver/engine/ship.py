"""Closed files on their way into the stores: read back strictly, kept locally, uploaded while the run goes on.

Nothing is called archived before every store holds it, compared with what was written.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

from archiver.errors import ArchiverError, WarcError
from archiver.model import ClosedSegment, StoredObject
from archiver.ports import Store

CheckWarc = Callable[[ClosedSegment], Sequence[str]]
"""Reads a WARC and its index back; what is wrong, one sentence each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedFile:
    """A file that is finished. `sha256` hex."""

    path: Path
    sha256: str


class Drained(Protocol):
    """What the remote store holds by now, by file name, and what it does not."""

    @property
    def stored(self) -> Mapping[str, StoredObject]: ...
    @property
    def left(self) -> frozenset[str]: ...
    @property
    def error(self) -> ArchiverError | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class NothingLeft:
    """There is no remote store."""

    stored: Mapping[str, StoredObject] = field(default_factory=dict)
    left: frozenset[str] = frozenset()
    error: ArchiverError | None = None


class Remote(Protocol):
    """The upload side (`store.remote`): journaled, retried; a local file goes only by `free`."""

    async def add(self, files: Sequence[ClosedFile], about: dict[str, str]) -> None: ...

    async def drain(self, *, last: bool = False) -> Drained: ...

    async def backlog(self) -> tuple[int, int]:
        """Bytes that still have to go up, and how many files are."""
        ...

    async def untold(self) -> Sequence[StoredObject]:
        """WARCs and indexes that are stored, and of which no ledger row says so."""
        ...

    async def mark_told(self, stored: Sequence[StoredObject]) -> None: ...

    async def free(self, wanted: int | None = None) -> int:
        """Delete local WARCs that are stored, compared and told; bytes freed."""
        ...

    def told(self) -> Mapping[str, Any]:
        """What the requests came to: counts for the `end` row."""
        ...


class Shipper:
    """The local store first, so that nothing goes up unchecked; `remote` None = local folder only."""

    def __init__(
        self, local: Store, *, key: Callable[[Path], str], check: CheckWarc, remote: Remote | None = None
    ) -> None:
        self._local = local
        self._key = key
        self._check = check
        self.remote = remote

    async def ship(self, segment: ClosedSegment) -> list[StoredObject]:
        """Raises WarcError for a file that does not read back, StoreError from the local folder."""
        problems = await asyncio.to_thread(self._check, segment)
        if problems:
            raise WarcError(f"{segment.path} does not read back: {problems[0]}")
        files = [
            ClosedFile(path=Path(segment.path), sha256=segment.sha256),
            ClosedFile(path=Path(segment.cdxj_path), sha256=segment.cdxj_sha256),
        ]
        return await self.ship_files(files, {"access": segment.access.value})

    async def ship_files(self, files: Sequence[ClosedFile], about: dict[str, str]) -> list[StoredObject]:
        """The same for files that need no reading back: ledger segments, pages."""
        stored = [
            await self._local.put(self._key(file.path), file.path, sha256=file.sha256, metadata=about) for file in files
        ]
        if self.remote is not None:
            await self.remote.add(files, about)
        return stored

    async def drain(self, *, last: bool = False) -> Drained:
        """Wait for the uploads; nothing to wait for without a remote store. `last`: what grows goes up as well."""
        return NothingLeft() if self.remote is None else await self.remote.drain(last=last)


def closed_file(path: Path) -> ClosedFile:
    """A finished file with its digest (blocking)."""
    digest = sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return ClosedFile(path=path, sha256=digest.hexdigest())
