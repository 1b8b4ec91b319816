"""SQLite files that several processes open at the same moment."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from archiver.database import write_ahead

WORKERS = 8


@contextlib.contextmanager
def opened(path: Path, timeout: float = 20.0) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None, timeout=timeout)) as connection:
        yield connection


def test_all_who_open_a_new_file_at_once_get_it(tmp_path: Path) -> None:
    def work(path: Path, together: threading.Barrier) -> str:
        with opened(path) as connection:
            together.wait()
            write_ahead(connection, 20.0)
            connection.execute("CREATE TABLE IF NOT EXISTS t (n)")
            connection.execute("INSERT INTO t VALUES (1)")
            return str(connection.execute("PRAGMA journal_mode").fetchone()[0])

    with ThreadPoolExecutor(WORKERS) as pool:
        for turn in range(20):
            path, together = tmp_path / f"{turn}.sqlite", threading.Barrier(WORKERS)
            assert set(pool.map(work, [path] * WORKERS, [together] * WORKERS)) == {"wal"}
            with opened(path) as connection:
                assert connection.execute("SELECT count(*) FROM t").fetchone() == (WORKERS,)


def test_one_that_stays_locked_is_said_to_be(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    with opened(path) as other, opened(path, timeout=0.01) as connection:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            write_ahead(connection, 0.05)
        other.execute("COMMIT")
        write_ahead(connection, 0.05)


def test_what_is_no_database_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "a.sqlite"
    path.write_bytes(b"x" * 8192)
    with opened(path) as connection, pytest.raises(sqlite3.DatabaseError, match="not a database"):
        write_ahead(connection, 60.0)
