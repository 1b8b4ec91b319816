"""SQLite files that several processes may open at the same moment."""

from __future__ import annotations

import sqlite3
import time

_BETWEEN = 0.005


def write_ahead(connection: sqlite3.Connection, patience: float) -> None:
    """Set the WAL journal. Others may do so at the same moment, for up to `patience` seconds.

    Two that turn a new file over together are refused at once, whatever the connection's timeout: SQLite waits for no
    lock that both hold a part of. Raises sqlite3.OperationalError. Source: SQLite, sqlite3_busy_handler.
    """
    until = time.monotonic() + patience
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError as exc:
            if exc.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(_BETWEEN)
