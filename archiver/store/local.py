"""The local folder as a store. A collection lies where it belongs already; `put` proves that the disk has it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import stat
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path

from archiver.errors import DiskError, StoreError, room
from archiver.model import StoredObject
from archiver.store.files import PIECE, StoreConflict, check_key, disk_sha256, readable_size, sync_folder


class LocalStore:
    """Keys are paths under `root` (the folder that holds `collections/`)."""

    def __init__(self, root: Path) -> None:
        self._root = root.absolute()

    async def put(self, key: str, path: Path, *, sha256: str, metadata: Mapping[str, str]) -> StoredObject:
        """Flush, read back, compare, flush the folder. A file from elsewhere is copied in first, never over another.

        `metadata` is what an object store keeps beside a file; a folder has the ledger and the index for that.
        Raises StoreConflict (changed file, taken key) or DiskError.
        """
        return await asyncio.to_thread(self._put, key, path, sha256)

    async def stat(self, key: str) -> StoredObject | None:
        path = self._path(key)
        return await asyncio.to_thread(self._stored, key) if path.is_file() else None

    async def read(self, key: str, start: int = 0, length: int | None = None) -> bytes:
        """Raises StoreError when there is no such file."""
        path = self._path(key)
        try:
            return await asyncio.to_thread(_read, path, start, length)
        except OSError as error:
            raise StoreError(f"{path}: cannot be read: {error.strerror}") from error

    async def chunks(self, key: str, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """As the port says."""
        path = self._path(key)
        try:
            with path.open("rb") as file:
                file.seek(start)
                left = -1 if length is None else length
                while piece := await asyncio.to_thread(file.read, PIECE if left < 0 else min(PIECE, left)):
                    left -= len(piece) if left > 0 else 0
                    yield piece
        except OSError as error:
            raise StoreError(f"{path}: cannot be read: {error.strerror}") from error

    async def list(self, prefix: str = "") -> AsyncIterator[StoredObject]:
        """Regular files alone; nothing behind a symbolic link."""
        folder = prefix.rpartition("/")[0]
        for path, size in await asyncio.to_thread(_files_below, self._path(folder) if folder else self._root):
            key = path.relative_to(self._root).as_posix()
            if key.startswith(prefix):
                yield StoredObject(uri=path.as_uri(), sha256="", size=size, key=key)

    async def close(self) -> None:
        """Nothing is held open between calls."""

    def _path(self, key: str) -> Path:
        return self._root / check_key(key)

    def _put(self, key: str, path: Path, sha256: str) -> StoredObject:
        target = self._path(key)
        readable_size(path)
        with _translated(target):
            if target.absolute() != path.absolute():
                _copy_in(path, target)
            stored = self._stored(key)
            if stored.sha256 != sha256:
                raise StoreConflict(f"{target}: the disk holds {stored.sha256}, not {sha256}; run verify")
            sync_folder(target.parent)
        return stored

    def _stored(self, key: str) -> StoredObject:
        path = self._path(key)
        return StoredObject(uri=path.as_uri(), sha256=disk_sha256(path), size=path.stat().st_size, key=key)


def _copy_in(path: Path, target: Path) -> None:
    """Whole or not at all, and never over a file that is there: link(2) refuses a taken name."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=".put-")
    try:
        with os.fdopen(handle, "wb") as copy, path.open("rb") as source:
            shutil.copyfileobj(source, copy, 1 << 20)
            copy.flush()
            os.fsync(copy.fileno())
        with contextlib.suppress(FileExistsError):  # what is there is compared next
            os.link(name, target)
    finally:
        os.unlink(name)


def _files_below(folder: Path) -> Sequence[tuple[Path, int]]:
    """Paths and sizes; a file that goes meanwhile is not among them."""
    found = []
    for root, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(FileNotFoundError):
                about = os.lstat(path := Path(root, name))
                if stat.S_ISREG(about.st_mode):
                    found.append((path, about.st_size))
    return found


def _read(path: Path, start: int, length: int | None) -> bytes:
    with path.open("rb") as file:
        file.seek(start)
        return file.read(-1 if length is None else length)


@contextlib.contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DiskError(f"{path}: cannot be stored: {error.strerror} ({room(path)})") from error
