"""What this job has already fetched: a stylesheet shared by a thousand pages is asked for once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from enum import Enum
from functools import lru_cache
from hashlib import blake2b


class Shared(Enum):
    """What is known about a key: ours to fetch, already kept in this job, or being fetched by another visit."""

    NEW = "new"
    KEPT = "kept"
    FAILED = "failed"


AskFrontier = Callable[[Sequence[str]], Awaitable[frozenset[str]]]


KEPT = 1 << 17
"""URLs after which the older ones may be forgotten here, about 100 bytes each: the frontier knows them."""


class Registry:
    """What lately was fetched stands here; `ask` covers what was forgotten, and what an earlier process of the job
    fetched. `fresh`: there was none, so that nobody is asked before something is forgotten. Without `ask` nothing is.
    """

    def __init__(self, ask: AskFrontier | None = None, *, fresh: bool = False, kept: int = KEPT) -> None:
        self._young: set[bytes] = set()
        self._old: set[bytes] = set()
        self._kept = kept
        self._must_ask = not fresh
        self._running: dict[bytes, asyncio.Future[bool]] = {}
        self._uncommitted: set[bytes] = set()
        self._settling: dict[bytes, asyncio.Future[None]] = {}
        self._ask = ask

    def is_kept(self, key: str) -> bool:
        """Whether this process has it already; the cheap answer for most requisites of most pages."""
        return self._has(_digest(key))

    def _has(self, digest: bytes) -> bool:
        return digest in self._young or digest in self._old or digest in self._uncommitted

    def _add(self, digest: bytes) -> None:
        self._young.add(digest)
        if self._ask is not None and len(self._young) >= self._kept:
            self._must_ask = self._must_ask or bool(self._old)
            self._old, self._young = self._young, set()

    async def _is_known(self, key: str) -> bool:
        return self._ask is not None and self._must_ask and bool(await self._ask([key]))

    async def begin(self, key: str) -> Shared:
        """Take the key, or wait for the visit that has it. NEW obliges the caller to call `end` or `forget`."""
        digest = _digest(key)
        while True:
            if self._has(digest):
                return Shared.KEPT
            running = self._running.get(digest)
            if running is None:
                break
            if not await asyncio.shield(running):
                return Shared.FAILED
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._running[digest] = future
        if await self._is_known(key):
            self._known(digest)
            return Shared.KEPT
        return Shared.NEW

    async def take(self, key: str) -> bool:
        """Take the key without waiting for anybody; False when this job has it, or somebody has it in hand."""
        digest = _digest(key)
        if self._has(digest) or digest in self._running:
            return False
        self._running[digest] = asyncio.get_running_loop().create_future()
        if await self._is_known(key):
            self._known(digest)
            return False
        return True

    def end(self, key: str, *, kept: bool) -> None:
        """Tell those who wait. A key that was not kept may be tried again by a later visit."""
        digest = _digest(key)
        if kept:
            self._add(digest)
            self._uncommitted.add(digest)
        self._resolve(digest, kept=kept)

    async def settled(self, key: str) -> bool:
        """Wait for the visit that kept the key to be committed; False when it was not, and the key is free again.

        A page may be called done on the strength of another visit only then: a process that dies in between must find
        it pending.
        """
        digest = _digest(key)
        if digest in self._uncommitted:
            await asyncio.shield(self._settling.setdefault(digest, asyncio.get_running_loop().create_future()))
        return self._has(digest) or await self._is_known(key)

    def commit(self, keys: Iterable[str]) -> None:
        """The visit that fetched them stands in the frontier."""
        for key in keys:
            self._settle(_digest(key))

    def forget(self, keys: Iterable[str]) -> None:
        """The visit that fetched them was not committed: nobody may rely on it."""
        for key in keys:
            digest = _digest(key)
            self._young.discard(digest)
            self._old.discard(digest)
            self._resolve(digest, kept=False)
            self._settle(digest)

    def _known(self, digest: bytes) -> None:
        self._add(digest)
        self._resolve(digest, kept=True)

    def _resolve(self, digest: bytes, *, kept: bool) -> None:
        future = self._running.pop(digest, None)
        if future is not None and not future.done():
            future.set_result(kept)

    def _settle(self, digest: bytes) -> None:
        self._uncommitted.discard(digest)
        future = self._settling.pop(digest, None)
        if future is not None and not future.done():
            future.set_result(None)


@lru_cache(maxsize=4096)
def _digest(key: str) -> bytes:
    return blake2b(key.encode(), digest_size=8).digest()
