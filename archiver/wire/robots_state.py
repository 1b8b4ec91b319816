"""What outlives a job about robots.txt: the last good copy of each origin, and since when it has been unreachable."""

from __future__ import annotations

import asyncio
import sqlite3
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import orjson

from archiver.database import write_ahead
from archiver.errors import DiskError, room
from archiver.model import Origin
from archiver.policy.robots import MAX_BYTES

_VERSION = 2
_SCHEMA = """
CREATE TABLE IF NOT EXISTS robots (
    origin TEXT PRIMARY KEY,
    fetched_at REAL,             -- epoch seconds at which the copy came, NULL = no copy
    validated_at REAL,           -- epoch seconds at which it last was confirmed
    direct INTEGER,              -- 1 = it came from /robots.txt itself, without a redirect
    body BLOB,                   -- zlib of the content-decoded bytes
    headers TEXT,                -- JSON list of [name, value], latin-1
    evidence TEXT,               -- WARC-Record-ID of the response the copy came with
    unreachable_since REAL,      -- epoch seconds of the first failure in a row, NULL = reachable
    used_at REAL NOT NULL
) WITHOUT ROWID
"""
_OLDER = "origin, fetched_at, body, headers, evidence, unreachable_since, used_at"  # the columns of version 1
_REACHED = "INSERT OR REPLACE INTO robots VALUES (?, ?, ?, ?, ?, ?, ?, NULL, ?)"
_FAILED = """INSERT INTO robots(origin, unreachable_since, used_at) VALUES (?, ?, ?) ON CONFLICT(origin) DO UPDATE SET
    unreachable_since = min(coalesce(unreachable_since, excluded.unreachable_since), excluded.unreachable_since),
    used_at = excluded.used_at"""
_COLUMNS = "fetched_at, validated_at, direct, body, headers, evidence"
_LOAD = f"SELECT unreachable_since, {_COLUMNS} FROM robots WHERE origin = ?"
_PRUNE = "DELETE FROM robots WHERE origin IN (SELECT origin FROM robots ORDER BY used_at DESC LIMIT -1 OFFSET ?)"
_BUSY_SECONDS = 10.0

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A robots.txt as it was last read. Times are epoch seconds.

    `body` is content-decoded and at most one byte over the 512,000 that are read (RFC 9309, 2.5). `headers` are those
    of its response, renewed by each 304 since. `direct`: it came without a redirect, so that a 304 from /robots.txt can
    speak of it. `evidence`: the record of the response, in whichever job that was.
    """

    fetched_at: float
    validated_at: float
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()
    direct: bool = False
    evidence: str | None = None

    @property
    def is_truncated(self) -> bool:
        return len(self.body) > MAX_BYTES


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
        """A row that cannot be read counts as no copy."""
        return await self._run(lambda connection: _load(connection, str(origin)))

    async def reached(self, origin: Origin, copy: Copy | None, now: float) -> None:
        """The site answered: this copy (None = there is none to keep) replaces the one before, the outage is over."""
        await self._write(_REACHED, lambda: (str(origin), *_columns(copy), now))

    async def failed(self, origin: Origin, since: float, now: float) -> None:
        """It did not answer. The copy stays, also one that another process put there meanwhile."""
        await self._write(_FAILED, lambda: (str(origin), since, now))

    async def close(self) -> None:
        def shut() -> None:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

        await asyncio.get_running_loop().run_in_executor(self._thread, shut)
        self._thread.shutdown()

    async def _write(self, statement: str, row: Callable[[], tuple[object, ...]]) -> None:
        def write(connection: sqlite3.Connection) -> None:
            with connection:
                connection.execute(statement, row())
                connection.execute(_PRUNE, (self._entries,))

        await self._run(write)

    async def _run(self, work: Callable[[sqlite3.Connection], Result]) -> Result:
        def call() -> Result:
            try:
                if self._connection is None:
                    self._connection = self._open()
                return work(self._connection)
            except sqlite3.Error as exc:
                raise DiskError(
                    f"{self._path or 'robots.txt state in memory'}: {exc} ({room(Path(self._path or '.'))})"
                ) from exc

        return await asyncio.get_running_loop().run_in_executor(self._thread, call)

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path or ":memory:", timeout=_BUSY_SECONDS)
        write_ahead(connection, _BUSY_SECONDS)
        connection.execute("PRAGMA synchronous=NORMAL")
        if connection.execute("PRAGMA user_version").fetchone()[0] < _VERSION:
            _upgrade(connection)
        return connection


def _upgrade(connection: sqlite3.Connection) -> None:
    """Make the table, or add to an older one what it lacks; one process at a time."""
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(_SCHEMA)
        there = {row[1] for row in connection.execute("PRAGMA table_info(robots)")}
        if "validated_at" not in there:
            connection.execute("ALTER TABLE robots RENAME TO older")
            connection.execute(_SCHEMA)
            connection.execute(
                f"INSERT INTO robots({_OLDER}, validated_at, direct) SELECT {_OLDER}, fetched_at, 0 FROM older"
            )
            connection.execute("DROP TABLE older")
        connection.execute(f"PRAGMA user_version = {_VERSION}")


def _load(connection: sqlite3.Connection, origin: str) -> Memory:
    row = connection.execute(_LOAD, (origin,)).fetchone()
    if row is None:
        return Memory()
    since, *columns = row
    try:
        copy = None if columns[0] is None else _copy(*columns)
    except (ValueError, TypeError, AttributeError, zlib.error):
        copy = None
    return Memory(copy=copy, unreachable_since=since if isinstance(since, float) else None)


def _copy(fetched_at: Any, validated_at: Any, direct: Any, body: Any, headers: Any, evidence: Any) -> Copy:
    """Raises ValueError, TypeError, AttributeError or zlib.error for what is no copy."""
    packed = zlib.decompressobj()
    text = packed.decompress(body, MAX_BYTES + 1)
    if not packed.eof:
        raise ValueError("longer than any copy, or cut")
    pairs = tuple((name.encode("latin-1"), value.encode("latin-1")) for name, value in orjson.loads(headers))
    return Copy(
        fetched_at=float(fetched_at),
        validated_at=float(validated_at),
        body=text,
        headers=pairs,
        direct=bool(direct),
        evidence=None if evidence is None else str(evidence),
    )


def _columns(copy: Copy | None) -> tuple[object, ...]:
    if copy is None:
        return (None,) * 6
    headers = orjson.dumps([[name.decode("latin-1"), value.decode("latin-1")] for name, value in copy.headers])
    body = zlib.compress(copy.body, 1)
    return (copy.fetched_at, copy.validated_at, copy.direct, body, headers.decode(), copy.evidence)
