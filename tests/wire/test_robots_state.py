"""What outlives a job, in one file that several processes share."""

from __future__ import annotations

from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archiver.model import Origin
from archiver.wire.robots_state import Copy, Memory, RobotsMemory

ORIGIN = Origin("https", "example.org", 443)
COPY = Copy(fetched_at=5.5, body=b"User-agent: *\n\xff", headers=((b"etag", b'"caf\xe9"'),), evidence="urn:uuid:1")


async def test_it_survives_and_is_shared(tmp_path: Path) -> None:
    path = str(tmp_path / "robots.sqlite")
    one, two = RobotsMemory(path), RobotsMemory(path)
    assert await two.load(ORIGIN) == Memory()
    await one.save(ORIGIN, Memory(copy=COPY, unreachable_since=3.0), 10.0)
    assert await two.load(ORIGIN) == Memory(copy=COPY, unreachable_since=3.0)
    assert await two.load(Origin("http", "example.org", 80)) == Memory()
    await two.save(ORIGIN, Memory(unreachable_since=4.0), 11.0)
    await one.close()
    await two.close()
    three = RobotsMemory(path)
    assert await three.load(ORIGIN) == Memory(unreachable_since=4.0)
    await three.close()


async def test_the_longest_unused_go_first() -> None:
    memory = RobotsMemory(None, entries=2)
    origins = [Origin("http", f"h{n}", 80) for n in range(3)]
    for now, origin in enumerate(origins):
        await memory.save(origin, Memory(copy=COPY), float(now))
    assert [(await memory.load(origin)).copy is not None for origin in origins] == [False, True, True]
    await memory.close()


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.binary(max_size=300), st.lists(st.tuples(st.binary(max_size=9), st.binary(max_size=9)), max_size=3))
async def test_round_trip(body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    memory = RobotsMemory(None)
    copy = Copy(fetched_at=1.0, body=body, headers=tuple(headers))
    await memory.save(ORIGIN, Memory(copy=copy), 1.0)
    assert (await memory.load(ORIGIN)).copy == copy
    await memory.close()
