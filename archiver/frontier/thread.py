"""One SQLite file behind one thread: jobs that wait together are committed together (group commit, decision 14)."""

from __future__ import annotations

import asyncio
import os
import queue
import shutil
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

from archiver.errors import DiskError, UsageError

T = TypeVar("T")
Job = Callable[[sqlite3.Connection], Any]
GROUP = 256
BUSY_SECONDS = 30.0


@dataclass(slots=True, eq=False)
class _Ticket:
    job: Job
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = None


def _nothing() -> None:
    """Nothing is cached, nothing is to be forgotten."""


class SqliteThread:
    """Runs callables against one connection, each a transaction of its own by effect, grouped by chance.

    A job that raises is rolled back alone. Results are handed over only after the commit that holds them.
    Raises DiskError when the file cannot be opened or written, UsageError when a newer version wrote it.
    """

    def __init__(self, path: Path, schema: str, *, version: int) -> None:
        self._path = path
        self._queue: queue.SimpleQueue[_Ticket | None] = queue.SimpleQueue()
        self._closed = False
        self._on_rollback: Callable[[], None] = _nothing
        try:
            self._connection = _open(path, schema, version)
        except (sqlite3.Error, OSError) as exc:
            raise _fault(path, exc) from exc
        self._thread = threading.Thread(target=self._work, name=f"sqlite {path.name}", daemon=True)

    @property
    def closed(self) -> bool:
        return self._closed

    def start(self, prepare: Callable[[sqlite3.Connection], T], *, on_rollback: Callable[[], None] = _nothing) -> T:
        """Run `prepare` in a transaction on the caller's thread, then hand the connection to the worker thread.

        `on_rollback` is called in that thread whenever a job was undone: what it cached may not be in the file.
        """
        self._on_rollback = on_rollback
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            result = prepare(self._connection)
            self._connection.execute("COMMIT")
        except sqlite3.Error as exc:
            self._connection.close()
            raise _fault(self._path, exc) from exc
        self._thread.start()
        return result

    async def run(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """Run one job; returns when it is committed."""
        if self._closed:
            raise RuntimeError(f"{self._path.name} is closed")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        self._queue.put(_Ticket(job=job, loop=loop, future=future))
        return cast(T, await future)

    async def close(self) -> None:
        """Finish what is queued, fold the WAL into the file, stop. Again is harmless."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def _work(self) -> None:
        while True:
            group, last = self._next_group()
            if group:
                self._commit(group)
                _hand_over(group)
            if last:
                break
        _close(self._connection)

    def _next_group(self) -> tuple[list[_Ticket], bool]:
        group: list[_Ticket] = []
        ticket = self._queue.get()
        while ticket is not None:
            # A caller that was cancelled while it waited wants no effect, above all no claim that nobody holds.
            if not ticket.future.cancelled():
                group.append(ticket)
            if len(group) >= GROUP:
                return group, False
            try:
                ticket = self._queue.get_nowait()
            except queue.Empty:
                return group, False
        return group, True

    def _commit(self, group: list[_Ticket]) -> None:
        execute = self._connection.execute
        try:
            execute("BEGIN IMMEDIATE")
            for ticket in group:
                self._run_one(ticket)
            execute("COMMIT")
        except sqlite3.Error as exc:
            if self._connection.in_transaction:
                execute("ROLLBACK")
            self._on_rollback()
            for ticket in group:
                ticket.error = ticket.error or _fault(self._path, exc)

    def _run_one(self, ticket: _Ticket) -> None:
        execute = self._connection.execute
        execute("SAVEPOINT job")
        try:
            ticket.result = ticket.job(self._connection)
        except Exception as exc:
            # A full disk ends the whole transaction inside SQLite: then nothing of the group happened.
            if not self._connection.in_transaction:
                raise
            execute("ROLLBACK TO job")
            self._on_rollback()
            ticket.error = _fault(self._path, exc) if isinstance(exc, sqlite3.Error) else exc
        execute("RELEASE job")


def _hand_over(group: list[_Ticket]) -> None:
    loops: dict[asyncio.AbstractEventLoop, list[_Ticket]] = {}
    for ticket in group:
        loops.setdefault(ticket.loop, []).append(ticket)
    for loop, tickets in loops.items():
        # A loop that ended took its waiters with it.
        if not loop.is_closed():
            loop.call_soon_threadsafe(_resolve, tickets)


def _resolve(tickets: list[_Ticket]) -> None:
    for ticket in tickets:
        if ticket.future.done():
            continue
        if ticket.error is not None:
            ticket.future.set_exception(ticket.error)
        else:
            ticket.future.set_result(ticket.result)


def _open(path: Path, schema: str, version: int) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Which hosts somebody visits is nobody else's business.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    connection = sqlite3.connect(path, isolation_level=None, timeout=BUSY_SECONDS, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA cache_size=-32768")
        connection.execute("PRAGMA temp_store=MEMORY")
        connection.execute("PRAGMA journal_size_limit=67108864")
        _create(connection, path, schema, version)
    except BaseException:
        connection.close()
        raise
    return connection


def _create(connection: sqlite3.Connection, path: Path, schema: str, version: int) -> None:
    connection.execute("BEGIN IMMEDIATE")
    found = connection.execute("PRAGMA user_version").fetchone()[0]
    if found > version:
        raise UsageError(f"{path} was written by a newer version (schema {found}, this one knows {version}); upgrade")
    if found < version:
        for statement in schema.split(";\n"):
            if statement.strip():
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version={version}")
    connection.execute("COMMIT")


def _close(connection: sqlite3.Connection) -> None:
    """Close, after an attempt to fold the WAL into the file; where another process reads, the WAL stays, unharmed."""
    try:
        connection.execute("PRAGMA busy_timeout=100")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error:
        pass
    finally:
        connection.close()


def _fault(path: Path, exc: BaseException) -> DiskError:
    try:
        free = f"{shutil.disk_usage(path.parent).free:,} bytes free"
    except OSError:
        free = "free space unknown"
    return DiskError(f"{path}: {exc} ({free})")
