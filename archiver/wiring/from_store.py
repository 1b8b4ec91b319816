"""Replay straight from a bucket: indexes, ledger and access rules in a cache folder, WARCs read where they lie."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import re
from collections.abc import AsyncIterator, Coroutine, Mapping
from pathlib import Path
from typing import Any

from archiver.config import Places, Storage
from archiver.describe.manifest import read_manifest
from archiver.errors import DiskError, StoreError, UsageError
from archiver.model import Access, StoredObject
from archiver.replay.layout import Bucket
from archiver.store.credentials import sdk_config, sdk_environment
from archiver.store.freeing import away
from archiver.store.s3 import S3Store
from archiver.store.s3client import S3Settings
from archiver.wiring.describe import MANIFEST

FRESH_SECONDS = 60.0
"""How often a running replay looks for what came, and for what was hidden."""

_AT_ONCE = 8
_GROWTH = 64 << 20  # bytes
_WANTED = re.compile(
    r"(?:logs/ledger-[^/]+\.jsonl|(?:restricted/|dark/)?indexes/[^/]+\.cdxj|acl/[^/]+\.aclj"
    rf"|(?:restricted/|dark/)?{re.escape(MANIFEST)})"
)
_REMADE = re.compile(rf"acl/.*|.*{re.escape(MANIFEST)}")


def bucket_of(storage: Storage, places: Places) -> Bucket:
    """Where pywb finds the WARCs of a collection. Raises StoreAuthError when there are no keys."""
    settings = S3Settings(**storage.options())
    store = S3Store(settings)
    folders = {access: store.full_key(places.key(places.warcs(access) / "x")).rpartition("/")[0] for access in Access}
    return Bucket(
        name=settings.bucket,
        folders=folders,
        environ=sdk_environment(settings),
        aws_config=sdk_config(settings),
    )


def lies_elsewhere(places: Places) -> bool:
    """Whether WARCs of a local collection lie in the store alone. Raises DiskError."""
    return bool(away(places.uploads))


def cached_places(name: str, storage: Storage, cache: Path) -> Places:
    """Where the indexes of a collection that lies in a store are kept: a folder for each store and collection."""
    store = "\n".join((storage.endpoint_url, storage.bucket, storage.path, storage.private_path))
    out = cache / "replay" / hashlib.sha256(store.encode()).hexdigest()[:16]
    return Places(out=out, name=name, hosts=out / "hosts.sqlite")


@contextlib.asynccontextmanager
async def store_copy(storage: Storage, places: Places) -> AsyncIterator[StoreCopy]:
    """A `StoreCopy`, its connections closed at the end."""
    store = S3Store(S3Settings(**storage.options()), connections=_AT_ONCE)
    try:
        yield StoreCopy(store, places)
    finally:
        await store.close()


class StoreCopy:
    """What `places` holds of a collection in a store: everything but the WARCs."""

    def __init__(self, store: S3Store, places: Places) -> None:
        self._store = store
        self._places = places
        self._prefix = f"{places.key(places.root)}/"
        self._whole: dict[str, str] = {}

    async def sync(self) -> int:
        """Fetch what is new or changed, forget what is gone; the number of files fetched.

        Raises UsageError when the store holds no such collection; StoreError, DiskError.
        """
        there = {name: one async for name, one in self._listed()}
        if not there:
            raise UsageError(f"no collection {self._places.name!r} in the store (looked for {self._prefix}...)")
        manifests = {name: one for name, one in there.items() if name.endswith(MANIFEST)}
        rest = {name: one for name, one in there.items() if name not in manifests}
        try:
            fetched = await self._fetch(manifests)
            self._whole = self._digests(manifests)
            fetched += await self._fetch(rest)
            await asyncio.to_thread(self._forget, frozenset(there))
        except OSError as error:
            raise DiskError(f"{error.filename or self._places.root}: {error.strerror or error}") from error
        return fetched

    async def while_fresh(self, serving: Coroutine[Any, Any, None]) -> None:
        """Run `serving`, and `sync` every minute beside it; a store that does not answer is asked again."""
        fresh = asyncio.create_task(self._keep_fresh())  # noqa: TID251 - ends below; a group would wrap errors
        try:
            await serving
        finally:
            fresh.cancel()

    async def _keep_fresh(self) -> None:
        while True:
            await asyncio.sleep(FRESH_SECONDS)
            with contextlib.suppress(StoreError, UsageError):
                await self.sync()

    async def _listed(self) -> AsyncIterator[tuple[str, StoredObject]]:
        async for one in self._store.list(self._prefix):
            name = one.key.removeprefix(self._prefix)
            if _WANTED.fullmatch(name) and "\\" not in name and name.isprintable():
                yield name, one

    async def _fetch(self, wanted: Mapping[str, StoredObject]) -> int:
        missing = [one for name, one in wanted.items() if _REMADE.fullmatch(name) or self._size(name) != one.size]
        gate = asyncio.Semaphore(_AT_ONCE)

        async def fetch(one: StoredObject) -> None:
            async with gate:
                await self._take(one.key, one.size)

        results = await asyncio.gather(*(fetch(one) for one in missing), return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result
        return len(missing)

    async def _take(self, key: str, size: int) -> None:
        """One file, whole or not at all, compared with the manifest where that names it. Page lists and manifests may
        have grown since they were listed, by so much at most that no answer without an end fills the disk."""
        name = key.removeprefix(self._prefix)
        path = self._places.root / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.part")
        digest, most = hashlib.sha256(), 2 * size + _GROWTH
        with part.open("wb") as file:
            async for piece in self._store.chunks(key):
                digest.update(piece)
                file.write(piece)
                if file.tell() > most:
                    break
        if part.stat().st_size > most:
            part.unlink()
            raise StoreError(f"{key}: listed with {size} bytes, and much more came; is this an S3 server?")
        expected = self._whole.get(name)
        if expected is not None and digest.hexdigest() != expected:
            part.unlink()
            raise StoreError(f"{key}: the store gave other bytes than the collection's manifest names; run verify")
        os.replace(part, path)

    def _digests(self, manifests: Mapping[str, StoredObject]) -> dict[str, str]:
        found: dict[str, str] = {}
        for name in manifests:
            folder = name.removesuffix(MANIFEST)
            text = (self._places.root / name).read_text("utf-8", errors="replace")
            found |= {folder + path: digest for path, digest in read_manifest(text).items()}
        return found

    def _size(self, name: str) -> int:
        try:
            return (self._places.root / name).stat().st_size
        except FileNotFoundError:
            return -1

    def _forget(self, there: frozenset[str]) -> None:
        root = self._places.root
        for path in root.rglob("*"):
            name = path.relative_to(root).as_posix()
            if path.is_file() and _WANTED.fullmatch(name) and name not in there:
                path.unlink()
