"""What outlives a job about files of sites: when each was asked for, and what it said."""

from __future__ import annotations

import asyncio
import sqlite3
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from archiver.database import write_ahead
from archiver.errors import DiskError, room
from archiver.model.site_file import SiteFile, SiteFileState

_SCHEMA = """
CREATE TABLE IF NOT EXISTS site_files (
    url TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    asked_at REAL NOT NULL,      -- epoch seconds of the last request
    status INTEGER,
    fetched_at REAL,             -- epoch seconds of the body, NULL = no body
    body BLOB NOT NULL,          -- zlib of the content-decoded bytes
    record_id TEXT,
    error TEXT NOT NULL
) WITHOUT ROWID
"""
_SAVE = "INSERT OR REPLACE INTO site_files VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_LOAD = "SELECT state, asked_at, status, fetched_at, body, record_id, error FROM site_files WHERE url = ?"
_PRUNE = "DELETE FROM site_files WHERE url IN (SELECT url FROM site_files ORDER BY asked_at DESC LIMIT -1 OFFSET ?)"
_BUSY_SECONDS = 10.0

Result = TypeVar("Result")


class MemorySiteFiles:
    """The fake: lasts as long as the object."""

    def __init__(self) -> None:
        self.files: dict[str, SiteFile] = {}

    async def load(self, url: str) -> SiteFile | None:
        return self.files.get(url)

    async def save(self, file: SiteFile) -> None:
        self.files[file.url] = file

    async def close(self) -> None:
        """Nothing is open."""


class SqliteSiteFiles:
    """`ports.SiteFileMemory` in one SQLite file, shared by all processes of a user; the 20,000 asked for last are kept.

    Calls run in a thread of their own and raise DiskError.
    """

    def __init__(self, path: str, *, entries: int = 20_000) -> None:
        self._path = path
        self._entries = entries
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="site-files")
        self._connection: sqlite3.Connection | None = None

    async def load(self, url: str) -> SiteFile | None:
        """None where nothing is remembered, or nothing that can be read."""

        def read(connection: sqlite3.Connection) -> SiteFile | None:
            row = connection.execute(_LOAD, (url,)).fetchone()
            return None if row is None else _file(url, row)

        try:
            return await self._run(read)
        except (zlib.error, ValueError):
            return None

    async def save(self, file: SiteFile) -> None:
        def write(connection: sqlite3.Connection) -> None:
            body = zlib.compress(file.body, 1)
            row = (
                file.url, file.state.value, file.asked_at, file.status, file.fetched_at, body, file.record_id,
                file.error,
            )  # fmt: skip
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
                raise DiskError(f"{self._path}: {exc} ({room(Path(self._path or '.'))})") from exc

        return await asyncio.get_running_loop().run_in_executor(self._thread, call)

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=_BUSY_SECONDS)
        write_ahead(connection, _BUSY_SECONDS)
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute(_SCHEMA)
        connection.commit()
        return connection


def _file(url: str, row: tuple[str, float, int | None, float | None, bytes, str | None, str]) -> SiteFile:
    state, asked_at, status, fetched_at, body, record_id, error = row
    return SiteFile(
        url=url,
        state=SiteFileState(state),
        asked_at=asked_at,
        status=status,
        fetched_at=fetched_at,
        body=zlib.decompress(body),
        record_id=record_id,
        error=error,
    )
