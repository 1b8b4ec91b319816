"""What outlives a job, in one file that several processes share."""

from __future__ import annotations

import asyncio
import sqlite3
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archiver.model import Origin
from archiver.wire.robots_state import Copy, Memory, RobotsMemory

ORIGIN = Origin("https", "example.org", 443)
COPY = Copy(
    fetched_at=5.5,
    validated_at=7.5,
    body=b"User-agent: *\n\xff",
    headers=((b"etag", b'"caf\xe9"'),),
    direct=True,
    evidence="urn:uuid:1",
)


async def test_it_survives_and_is_shared(tmp_path: Path) -> None:
    path = str(tmp_path / "robots.sqlite")
    one, two = RobotsMemory(path), RobotsMemory(path)
    assert await two.load(ORIGIN) == Memory()
    await one.reached(ORIGIN, COPY, 10.0)
    await two.failed(ORIGIN, 11.0, 11.0)
    assert await one.load(ORIGIN) == Memory(copy=COPY, unreachable_since=11.0)
    await one.failed(ORIGIN, 12.0, 12.0)
    assert await two.load(ORIGIN) == Memory(copy=COPY, unreachable_since=11.0)
    assert await two.load(Origin("http", "example.org", 80)) == Memory()
    await two.reached(ORIGIN, None, 13.0)
    await one.failed(ORIGIN, 14.0, 14.0)
    await one.close()
    await two.close()
    three = RobotsMemory(path)
    assert await three.load(ORIGIN) == Memory(unreachable_since=14.0)
    await three.close()


async def test_an_outage_began_with_its_first_failure() -> None:
    memory = RobotsMemory(None)
    for since in (20.0, 30.0, 10.0):  # the last by a clock that was set right meanwhile
        await memory.failed(ORIGIN, since, since)
    assert (await memory.load(ORIGIN)).unreachable_since == 10.0
    await memory.close()


async def test_the_longest_unused_go_first() -> None:
    memory = RobotsMemory(None, entries=2)
    origins = [Origin("http", f"h{n}", 80) for n in range(3)]
    for now, origin in enumerate(origins):
        await memory.reached(origin, COPY, float(now))
    assert [(await memory.load(origin)).copy is not None for origin in origins] == [False, True, True]
    await memory.close()


async def test_many_writers_at_once(tmp_path: Path) -> None:
    path = str(tmp_path / "robots.sqlite")
    writers = [RobotsMemory(path) for _ in range(4)]
    origins = [Origin("http", f"h{n}", 80) for n in range(20)]
    await asyncio.gather(
        *(writer.reached(origin, COPY, 1.0) for writer in writers for origin in origins),
        *(writer.failed(origin, 2.0, 2.0) for writer in writers for origin in origins[::2]),
    )
    found = [await writers[0].load(origin) for origin in origins]
    assert all(one.copy == COPY for one in found)
    for writer in writers:
        await writer.close()


@pytest.mark.parametrize(
    "broken",
    [
        "body = x'00'",
        "body = NULL",
        "body = 'text'",
        "body = x'789c'",
        "headers = '{'",
        "headers = '[[1, 2]]'",
        "headers = '7'",
        'headers = \'[["\u20ac", ""]]\'',
        "fetched_at = 'yesterday'",
        "validated_at = NULL",
    ],
)
async def test_a_row_that_cannot_be_read_is_no_copy(tmp_path: Path, broken: str) -> None:
    path = str(tmp_path / "robots.sqlite")
    memory = RobotsMemory(path)
    await memory.reached(ORIGIN, COPY, 1.0)
    await memory.failed(ORIGIN, 3.0, 3.0)
    with sqlite3.connect(path) as connection:
        connection.execute(f"UPDATE robots SET {broken}")
    connection.close()
    assert await memory.load(ORIGIN) == Memory(unreachable_since=3.0)
    await memory.reached(ORIGIN, COPY, 4.0)
    assert await memory.load(ORIGIN) == Memory(copy=COPY)
    await memory.close()


async def test_a_body_that_would_unpack_without_end_is_no_copy(tmp_path: Path) -> None:
    path = str(tmp_path / "robots.sqlite")
    memory = RobotsMemory(path)
    await memory.reached(ORIGIN, COPY, 1.0)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE robots SET body = ?", (zlib.compress(bytes(50_000_000)),))
    connection.close()
    assert (await memory.load(ORIGIN)).copy is None
    await memory.close()


async def test_a_file_of_the_first_version_keeps_what_it_knew(tmp_path: Path) -> None:
    path = str(tmp_path / "robots.sqlite")
    with sqlite3.connect(path) as connection:
        connection.execute(
            "CREATE TABLE robots (origin TEXT PRIMARY KEY, fetched_at REAL, body BLOB, headers TEXT, evidence TEXT, "
            "unreachable_since REAL, used_at REAL NOT NULL) WITHOUT ROWID"
        )
        row = (str(ORIGIN), 5.5, zlib.compress(COPY.body), "[]", "urn:uuid:1", 6.5, 7.5)
        connection.execute("INSERT INTO robots VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    connection.close()
    memory = RobotsMemory(path)
    found = await memory.load(ORIGIN)
    assert found.copy == Copy(fetched_at=5.5, validated_at=5.5, body=COPY.body, evidence="urn:uuid:1")
    assert found.unreachable_since == 6.5
    await memory.reached(ORIGIN, COPY, 8.0)
    assert (await memory.load(ORIGIN)).copy == COPY
    await memory.close()


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.binary(max_size=300) | st.just(b"x" * 512_001),
    st.lists(st.tuples(st.binary(max_size=9), st.binary(max_size=9)), max_size=3),
    st.booleans(),
)
async def test_round_trip(body: bytes, headers: list[tuple[bytes, bytes]], direct: bool) -> None:
    memory = RobotsMemory(None)
    copy = Copy(fetched_at=1.0, validated_at=2.0, body=body, headers=tuple(headers), direct=direct)
    await memory.reached(ORIGIN, copy, 1.0)
    assert (await memory.load(ORIGIN)).copy == copy
    await memory.close()
