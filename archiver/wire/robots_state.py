"""What outlives a job about robots.txt: the last good copy of each origin, and since when it has been unreachable."""

from __future__ import annotations

import asyncio
import sqlite3
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import orjson

from archiver.errors import DiskError
from archiver.model import Origin

_SCHEMA = """
CREATE TABLE IF NOT EXISTS robots (
    origin TEXT PRIMARY KEY,
    fetched_at REAL,             -- epoch seconds of the copy, NULL = no copy
    body BLOB,                   -- zlib of the content-decoded bytes
    headers TEXT,                -- JSON list of [name, value], latin-1
    evidence TEXT,               -- WARC-Record-ID of the response the copy came with
    unreachable_since REAL,      -- epoch seconds of the first failure in a row, NULL = reachable
    used_at REAL NOT NULL
) WITHOUT ROWID
"""
_SAVE = "INSERT OR REPLACE INTO robots VALUES (?, ?, ?, ?, ?, ?, ?)"
_LOAD = "SELECT fetched_at, body, headers, evidence, unreachable_since FROM robots WHERE origin = ?"
_PRUNE = "DELETE FROM robots WHERE origin IN (SELECT origin FROM robots ORDER BY used_at DESC LIMIT -1 OFFSET ?)"
_BUSY_SECONDS = 10.0

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A robots.txt as it was last read. `headers` are those of its response, lower-case names."""

    fetched_at: float
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()
    evidence: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What is remembered of one origin. Times are epoch seconds."""

    copy: Copy | None = None
    unreachable_since: float | None = None


class RobotsMemory:
    """One SQLite file, shared by all processes of a user; without a path it lasts as long as the object.

    At most `entries` origins, the longest unused go. Calls run in a thread of their own and raise DiskError.
    """

    def __init__(self, path: str | None, *, entries: int = 10_000) -> None:
        self._path = path
        self._entries = entries
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="robots-state")
        self._connection: sqlite3.Connection | None = None

    async def load(self, origin: Origin) -> Memory:
        return await self._run(lambda connection: _load(connection, str(origin)))

    async def save(self, origin: Origin, memory: Memory, now: float) -> None:
        row = _row(str(origin), memory, now)

        def write(connection: sqlite3.Connection) -> None:
            with connection:
                connection.execute(_SAVE, row)
                connection.execute(_PRUNE, (self._entries,))

        await self._run(write)

    async def close(self) -> None:
        def shut() -> None:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

        await asyncio.get_running_loop().run_in_executor(self._thread, shut)
        self._thread.shutdown()

    async def _run(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        def call() -> Result:
            try:
                if self._connection is None:
                    self._connection = self._open()
                return work(self._connection)
            except sqlite3.Error as exc:
                raise DiskError(f"{self._path or 'robots.txt state in memory'}: {exc}") from exc

        return await asyncio.get_running_loop().run_in_executor(self._thread, call)

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path or ":memory:", timeout=_BUSY_SECONDS)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute(_SCHEMA)
        connection.commit()
        return connection


def _load(connection: sqlite3.Connection, origin: str) -> Memory:
    row = connection.execute(_LOAD, (origin,)).fetchone()
    if row is None:
        return Memory()
    fetched_at, body, headers, evidence, since = row
    if fetched_at is None:
        return Memory(unreachable_since=since)
    pairs = tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in orjson.loads(headers))
    copy = Copy(fetched_at=fetched_at, body=zlib.decompress(body), headers=pairs, evidence=evidence)
    return Memory(copy=copy, unreachable_since=since)


def _row(origin: str, memory: Memory, now: float) -> tuple[object, ...]:
    copy = memory.copy
    if copy is None:
        return (origin, None, None, None, None, memory.unreachable_since, now)
    headers = orjson.dumps([[name.decode("latin-1"), value.decode("latin-1")] for name, value in copy.headers])
    body = zlib.compress(copy.body, 1)
    return (origin, copy.fetched_at, body, headers.decode(), copy.evidence, memory.unreachable_since, now)
