"""One protocol object: its timer, its ends, and the bytes that nobody asked for."""

from __future__ import annotations

import asyncio

import pytest

from archiver.errors import CaptureError
from archiver.ports import WireLimits
from archiver.wire import connection as module
from archiver.wire.connect import connect
from archiver.wire.connection import Connection
from archiver.wire.framer import ResponseFramer
from archiver.wire.request import serialise
from tests.wire.rawserver import RawServer

LIMITS = WireLimits(idle=2.0)


def no_tls() -> None:
    raise AssertionError("plain connections need no context")


async def ask(connection: Connection, server: RawServer, path: str = "/ok") -> ResponseFramer:
    framer = ResponseFramer("GET", LIMITS)
    deadline = asyncio.get_running_loop().time() + 5
    await connection.exchange(serialise(server.request(path)), framer, LIMITS, deadline)
    return framer


async def opened(server: RawServer, closed: list[Connection]) -> Connection:
    return await connect(server.origin, "127.0.0.1", no_tls, closed.append, 2.0)  # type: ignore[arg-type]


async def until_closed(closed: list[Connection]) -> None:
    async with asyncio.timeout(5):
        while not closed:
            await asyncio.sleep(0.01)


async def test_a_resting_connection_closes_itself(plain: RawServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "KEEP_SECONDS", 0.1)
    closed: list[Connection] = []
    connection = await opened(plain, closed)
    connection._last = asyncio.get_running_loop().time()
    connection.rest()
    await until_closed(closed)
    assert not connection.is_open and closed == [connection]


async def test_many_exchanges_one_timer(plain: RawServer) -> None:
    closed: list[Connection] = []
    connection = await opened(plain, closed)
    await ask(connection, plain)
    timer = connection._timer
    for _ in range(3):
        connection.rest()
        assert (await ask(connection, plain)).done
    assert connection._timer is timer is not None
    connection.shut()
    await until_closed(closed)


async def test_bytes_nobody_asked_for_end_the_connection(plain: RawServer) -> None:
    plain.reply("/late", b"HTTP/1.1 204 No Content\r\n\r\n", 0.05, b"HTTP/1.1 200 OK\r\n\r\n")
    closed: list[Connection] = []
    connection = await opened(plain, closed)
    framer = await ask(connection, plain, "/late")
    connection.rest()
    await until_closed(closed)
    assert framer.raw.read() == b"HTTP/1.1 204 No Content\r\n\r\n"


async def test_a_closed_connection_takes_no_request(plain: RawServer) -> None:
    closed: list[Connection] = []
    connection = await opened(plain, closed)
    connection.abort()
    with pytest.raises(CaptureError) as caught:
        await ask(connection, plain)
    assert caught.value.code == "disconnected"
    await until_closed(closed)
