"""Bounded, newest first, and nothing that could be stale."""

from __future__ import annotations

import pytest

from archiver.model import Origin
from archiver.ports import WireLimits
from archiver.wire.connect import connect
from archiver.wire.connection import KEEP_SECONDS, Connection
from archiver.wire.framer import ResponseFramer
from archiver.wire.pool import Pool
from archiver.wire.request import serialise
from tests.wire.rawserver import RawServer


async def opened(server: RawServer, closed: list[Connection]) -> Connection:
    def no_tls() -> None:
        raise AssertionError

    return await connect(server.origin, "127.0.0.1", no_tls, closed.append, 2.0)  # type: ignore[arg-type]


async def test_newest_first_and_bounded(plain: RawServer) -> None:
    pool, closed = Pool(per_peer=2, total=3), list[Connection]()
    first, second, third = [await opened(plain, closed) for _ in range(3)]
    for connection in (first, second, third):
        pool.give(connection)
    assert not first.is_open
    assert pool.take(plain.origin, ["127.0.0.9", "127.0.0.1"], 0.0) is third
    assert pool.take(plain.origin, ["127.0.0.1"], 0.0) is second
    assert pool.take(plain.origin, ["127.0.0.1"], 0.0) is None
    for connection in (second, third):
        connection.abort()


async def test_total_bound_takes_from_the_oldest_peer(plain: RawServer) -> None:
    pool, closed = Pool(per_peer=2, total=2), list[Connection]()
    connections = [await opened(plain, closed) for _ in range(3)]
    for number, connection in enumerate(connections):
        connection.key = (Origin("http", f"h{number}", 80), "127.0.0.1")
        pool.give(connection)
    assert [connection.is_open for connection in connections] == [False, True, True]
    pool.forget(connections[1])
    assert pool.take(Origin("http", "h1", 80), ["127.0.0.1"], 0.0) is None
    assert pool.take(Origin("http", "h2", 80), ["127.0.0.1"], 0.0) is connections[2]
    for connection in connections:
        connection.abort()


@pytest.mark.parametrize("late", [False, True])
async def test_old_connections_are_not_lent(plain: RawServer, late: bool) -> None:
    pool, closed = Pool(), list[Connection]()
    connection = await opened(plain, closed)
    framer = ResponseFramer("GET", WireLimits())
    await connection.exchange(serialise(plain.request("/ok")), framer, WireLimits(), 1e12)
    connection.rest()
    pool.give(connection)
    now = connection.idle_since + KEEP_SECONDS + (1 if late else -1)
    assert (pool.take(plain.origin, ["127.0.0.1"], now) is connection) is not late
    connection.abort()
