"""One SQLite file behind one thread: jobs that wait together are committed together (group commit, decision 14)."""

from __future__ import annotations

import asyncio
import os
import queue
import sqlite3
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

from archiver.database import write_ahead
from archiver.errors import DiskError, UsageError, room

T = TypeVar("T")
H = TypeVar("H", bound="Hooks")
Job = Callable[[sqlite3.Connection], Any]
GROUP = 256
BUSY_SECONDS = 30.0
NOTHING: Mapping[int, str] = {}


@dataclass(slots=True, eq=False)
class _Ticket:
    job: Job
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = None


class Hooks:
    """What a transaction's jobs share in memory, called in the database thread. Does nothing by itself."""

    def before_commit(self) -> None:
        """Write what was gathered."""

    def after_rollback(self) -> None:
        """Forget what was gathered, and what was cached: it may not be in the file."""


class SqliteThread:
    """Runs callables against one connection, each a transaction by effect; those that wait together share a commit.

    A job may be run again when another one of its group failed, so it must touch nothing but the database and what the
    hooks reset. Results are handed over only after the commit that holds them.
    Raises DiskError when the file cannot be opened or written, UsageError when a newer version wrote it.
    """

    def __init__(
        self,
        path: Path,
        schema: str,
        *,
        version: int,
        migrations: Mapping[int, str] = NOTHING,
        linger: float = 0.0,
    ) -> None:
        """`linger`: seconds a job waits for others, so that they share a wake-up and a commit.

        `migrations`: for each older version the statements that lead to the next one.
        """
        self._path = path
        self._linger = linger
        self._queue: queue.SimpleQueue[list[_Ticket] | None] = queue.SimpleQueue()
        self._closed = False
        self._hooks = Hooks()
        self._waiting: dict[asyncio.AbstractEventLoop, list[_Ticket]] = {}
        try:
            self._connection = _open(path, schema, version, migrations)
        except (sqlite3.Error, OSError) as exc:
            raise _fault(path, exc) from exc
        self._thread = threading.Thread(target=self._work, name=f"sqlite {path.name}", daemon=True)

    @property
    def closed(self) -> bool:
        return self._closed

    def start(self, prepare: Callable[[sqlite3.Connection], H]) -> H:
        """Run `prepare` in a transaction on the caller's thread, then hand the connection to the worker thread.

        What it returns is told of commits and rollbacks from then on.
        """
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            hooks = prepare(self._connection)
            hooks.before_commit()
            self._connection.execute("COMMIT")
        except sqlite3.Error as exc:
            self._connection.close()
            raise _fault(self._path, exc) from exc
        self._hooks = hooks
        self._thread.start()
        return hooks

    async def run(self, job: Callable[[sqlite3.Connection], T]) -> T:
        """Run one job; returns when it is committed."""
        if self._closed:
            raise RuntimeError(f"{self._path.name} is closed")
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        # What is asked for in one turn of the loop goes over together: one wake-up, one commit.
        waiting = self._waiting.setdefault(loop, [])
        if not waiting:
            loop.call_later(self._linger, self._submit, loop)
        waiting.append(_Ticket(job=job, loop=loop, future=future))
        return cast(T, await future)

    def _submit(self, loop: asyncio.AbstractEventLoop) -> None:
        tickets = self._waiting.pop(loop, None)
        if tickets is not None:
            self._queue.put(tickets)

    async def close(self) -> None:
        """Finish what is queued, fold the WAL into the file, stop. Again is harmless."""
        if not self._closed:
            self._closed = True
            self._submit(asyncio.get_running_loop())
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
        tickets = self._queue.get()
        while tickets is not None:
            # A caller that was cancelled while it waited wants no effect, above all no claim that nobody holds.
            group.extend(ticket for ticket in tickets if not ticket.future.cancelled())
            if len(group) >= GROUP:
                return group, False
            try:
                tickets = self._queue.get_nowait()
            except queue.Empty:
                return group, False
        return group, True

    def _commit(self, group: list[_Ticket]) -> None:
        """All in one transaction; when one of them fails, each again in one of its own, so that only it fails."""
        try:
            self._transaction(group)
        except Exception as exc:
            self._undo()
            if len(group) > 1:
                for ticket in group:
                    self._commit([ticket])
            else:
                group[0].error = _fault(self._path, exc) if isinstance(exc, sqlite3.Error) else exc

    def _transaction(self, group: list[_Ticket]) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        for ticket in group:
            ticket.result = ticket.job(self._connection)
        self._hooks.before_commit()
        self._connection.execute("COMMIT")

    def _undo(self) -> None:
        # A full disk may have ended the transaction inside SQLite already.
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")
        self._hooks.after_rollback()


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


def _open(path: Path, schema: str, version: int, migrations: Mapping[int, str]) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Which hosts somebody visits is nobody else's business.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    connection = sqlite3.connect(path, isolation_level=None, timeout=BUSY_SECONDS, check_same_thread=False)
    try:
        write_ahead(connection, BUSY_SECONDS)
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA cache_size=-16384")
        connection.execute("PRAGMA temp_store=MEMORY")
        # The longer the WAL, the fewer pages are copied twice.
        connection.execute("PRAGMA wal_autocheckpoint=16000")
        connection.execute("PRAGMA journal_size_limit=67108864")
        _create(connection, path, schema, version, migrations)
    except BaseException:
        connection.close()
        raise
    return connection


def _create(
    connection: sqlite3.Connection, path: Path, schema: str, version: int, migrations: Mapping[int, str]
) -> None:
    connection.execute("BEGIN IMMEDIATE")
    found = connection.execute("PRAGMA user_version").fetchone()[0]
    if found > version:
        raise UsageError(f"{path} was written by a newer version (schema {found}, this one knows {version}); upgrade")
    steps = [schema] if found == 0 else [migrations[step] for step in range(found, version)]
    for statement in ";\n".join(steps).split(";\n"):
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
    return DiskError(f"{path}: {exc} ({room(path)})")
