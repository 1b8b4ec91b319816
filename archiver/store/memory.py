"""A store in memory: the fake, and the plainest statement of what a store does."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from archiver.errors import StoreError
from archiver.model import StoredObject
from archiver.store.files import PIECE, StoreConflict, check_key, check_unchanged, readable_size
from archiver.store.remote import Closed, RemoteDrained


@dataclass(slots=True)
class MemoryStore:
    """Keeps objects in `objects`, their metadata in `metadata`. `faults` are raised by `put`, first to last."""

    objects: dict[str, bytes] = field(default_factory=dict)
    metadata: dict[str, dict[str, str]] = field(default_factory=dict)
    faults: list[Exception] = field(default_factory=list)
    puts: int = 0
    replaceable: Callable[[str], bool] = lambda key: False

    async def put(self, key: str, path: Path, *, sha256: str, metadata: Mapping[str, str]) -> StoredObject:
        """Keep a file. Raises StoreConflict for another object under the key, or a changed file."""
        self.puts += 1
        if self.faults:
            raise self.faults.pop(0)
        readable_size(path)
        check_unchanged(path, sha256)
        data = path.read_bytes()
        if self.replaceable(key):
            self.objects[check_key(key)] = data
        if self.objects.setdefault(check_key(key), data) != data:
            raise StoreConflict(f"memory:{key}: another object has this key")
        self.metadata[key] = {**metadata, "sha256": sha256}
        return self._stored(key)

    async def stat(self, key: str) -> StoredObject | None:
        return self._stored(key) if key in self.objects else None

    async def read(self, key: str, start: int = 0, length: int | None = None) -> bytes:
        """Raises StoreError when there is no such object."""
        if key not in self.objects:
            raise StoreError(f"memory:{key}: no such object")
        return self.objects[key][start : None if length is None else start + length]

    async def chunks(self, key: str, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        data = await self.read(key, start, length)
        for at in range(0, len(data), PIECE):
            yield data[at : at + PIECE]

    async def list(self, prefix: str = "") -> AsyncIterator[StoredObject]:
        for key, data in tuple(self.objects.items()):
            if key.startswith(prefix):
                yield StoredObject(uri=f"memory:{key}", sha256="", size=len(data), key=key)

    async def close(self) -> None:
        """Nothing is open; the objects stay readable for the test."""

    def _stored(self, key: str) -> StoredObject:
        data = self.objects[key]
        return StoredObject(uri=f"memory:{key}", sha256=hashlib.sha256(data).hexdigest(), size=len(data), key=key)


@dataclass(slots=True)
class MemoryRemote:
    """The upload side that a run sees (`engine.ship.Remote`), moved by hand: `waiting` bytes are not up yet, `up` files
    are. `add` lists what it was given, `free` counts how often room was asked for."""

    waiting: int = 0
    up: int = 0
    freed: int = 0
    added: list[str] = field(default_factory=list)
    stored: list[StoredObject] = field(default_factory=list)

    async def add(self, files: Sequence[Closed], about: dict[str, str]) -> None:
        self.added.extend(file.path.name for file in files)

    async def drain(self, *, last: bool = False) -> RemoteDrained:
        return RemoteDrained(stored={}, left=frozenset())

    async def backlog(self) -> tuple[int, int]:
        return self.waiting, self.up

    async def untold(self) -> Sequence[StoredObject]:
        return tuple(self.stored)

    async def mark_told(self, stored: Sequence[StoredObject]) -> None:
        self.stored = [one for one in self.stored if one not in stored]

    async def free(self, wanted: int | None = None) -> int:
        self.freed += 1
        return 0

    def told(self) -> Mapping[str, object]:
        return {}
