"""What only a file can show: kill -9, reopening, other processes, faults of the disk, group commit."""

import asyncio
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from archiver.clock import SYSTEM, ManualClock
from archiver.errors import DiskError, UsageError
from archiver.frontier.sqlite import SqliteFrontier
from archiver.ports import FrontierCounts
from tests.frontier.samples import DONE, key, link

ROOT = Path(__file__).parents[2]
CRAWL = """
import asyncio, sys
from pathlib import Path
from archiver.clock import SYSTEM
from archiver.frontier.sqlite import SqliteFrontier
from tests.frontier.samples import done, link

async def main():
    frontier = SqliteFrontier(Path(sys.argv[1]), SYSTEM, own=lambda _: True)
    await frontier.add([link("own.test", "/0")])
    found = 1
    while True:
        for claim in await frontier.claim(8):
            links = [link("own.test", f"/{found + n}", depth=claim.candidate.depth + 1) for n in range(3)]
            found += 3
            await frontier.complete(claim, done("A.warc.gz", found), links)
            print(claim.candidate.key, *(one.candidate.key for one in links), flush=True)

asyncio.run(main())
"""


def own(_: object) -> bool:
    return True


async def test_kill_9_loses_nothing(tmp_path: Path) -> None:
    """What was acknowledged is there after the kill, claims of the dead process are pending again."""
    path = tmp_path / "frontier.sqlite"
    process = subprocess.Popen([sys.executable, "-c", CRAWL, str(path)], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None
    acknowledged = [process.stdout.readline().split() for _ in range(50)]
    process.send_signal(signal.SIGKILL)
    acknowledged += [line.split() for line in process.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
    process.wait()
    process.stdout.close()

    frontier = SqliteFrontier(path, SYSTEM, own=own)
    counts = await frontier.counts()
    visited = [line[0] for line in acknowledged]
    assert counts.claimed == 0
    # One visit may have been committed and not yet told of.
    assert counts.done - len(visited) in (0, 1)
    assert len(set(visited)) == len(visited)
    found = {one for line in acknowledged for one in line}
    pending = {one.key async for one in frontier.pending()}
    assert found - set(visited) - pending <= {key("own.test", f"/{n}") for n in range(3 * counts.done + 1)}
    assert len(found - set(visited) - pending) == counts.done - len(visited)
    assert await frontier.is_known_requisite(visited) == set(visited)
    assert counts.discovered == 1 + 3 * counts.done
    (claim, *_) = await frontier.claim(1)
    assert claim.fence > counts.done, "fences outlive the process"
    await frontier.close()


async def test_a_living_process_keeps_its_claims(tmp_path: Path) -> None:
    path = tmp_path / "frontier.sqlite"
    first, second = (SqliteFrontier(path, SYSTEM, own=own) for _ in range(2))
    await first.add([link("own.test", "/1"), link("own.test", "/2")])
    (held,) = await first.claim(1)
    (other,) = await second.claim(5)
    assert other.candidate.key == key("own.test", "/2")
    await second.close()
    assert not (await first.complete(held, DONE, ())).lost
    assert await first.counts() == FrontierCounts(done=1, pending=1)
    await first.close()


async def test_everything_is_there_after_reopening(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "frontier.sqlite"
    frontier = SqliteFrontier(path, clock, own=own)
    await frontier.add([link("own.test", f"/{n}") for n in range(5)])
    await frontier.set_meta("job", "x")
    claims = await frontier.claim(2)
    await frontier.complete(claims[0], DONE, ())
    await frontier.close()
    await frontier.close()

    frontier = SqliteFrontier(path, clock, own=own)
    assert await frontier.counts() == FrontierCounts(pending=4, done=1)
    assert await frontier.get_meta("job") == "x"
    assert (await frontier.complete(claims[1], DONE, ())).lost
    assert await frontier.add([link("own.test", "/3")]) == frozenset()
    assert len(await frontier.claim(9)) == 4
    await frontier.close()


async def test_hosts_that_are_no_longer_own_are_claimed_one_at_a_time(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "frontier.sqlite"
    frontier = SqliteFrontier(path, clock, own=own)
    await frontier.add([link("own.test", f"/{n}") for n in range(5)])
    assert len(await frontier.claim(9)) == 5
    await frontier.close()
    frontier = SqliteFrontier(path, clock, own=lambda _: False)
    assert len(await frontier.claim(9)) == 1
    await frontier.close()


async def test_a_clock_set_back_between_runs_stalls_nothing(tmp_path: Path) -> None:
    """As after a reboot with a wrong clock: a new line of time, an hour behind."""
    path, clock = tmp_path / "frontier.sqlite", ManualClock()
    frontier = SqliteFrontier(path, clock, own=own)
    await frontier.add([link("own.test")])
    (claim,) = await frontier.claim(1)
    await frontier.release(claim, not_before=clock.epoch() + 5, reason="rateLimited")
    await frontier.close()
    with sqlite3.connect(path) as db:
        db.execute("UPDATE timeline SET boot = 'another boot'")
    db.close()

    clock.advance(0, wall=-3600.0)
    frontier = SqliteFrontier(path, clock, own=own)
    assert await frontier.next_due() == pytest.approx(clock.epoch() + 5, rel=0, abs=1e-3)
    await frontier.close()


async def test_one_failing_call_does_not_take_its_neighbours_along(tmp_path: Path, clock: ManualClock) -> None:
    frontier = SqliteFrontier(tmp_path / "frontier.sqlite", clock, own=own)
    good, bad, other = await asyncio.gather(
        frontier.add([link("a.test")]),
        frontier.add([link("b.test", "/\ud800")]),
        frontier.add([link("c.test")]),
        return_exceptions=True,
    )
    assert good == {key("a.test")}
    assert isinstance(bad, Exception)
    assert other == {key("c.test")}
    assert await frontier.counts() == FrontierCounts(pending=2)
    assert len(await frontier.claim(9)) == 2
    await frontier.close()


async def test_a_cancelled_claim_is_not_held_by_nobody(tmp_path: Path, clock: ManualClock) -> None:
    frontier = SqliteFrontier(tmp_path / "frontier.sqlite", clock, own=own)
    await frontier.add([link("own.test")])
    task = asyncio.get_running_loop().create_task(frontier.claim(1))
    await asyncio.sleep(0)
    task.cancel()
    assert (await asyncio.gather(task, return_exceptions=True))[0].__class__ is asyncio.CancelledError
    assert len(await frontier.claim(1)) == 1
    await frontier.close()


async def test_after_close_a_call_is_an_error_not_a_hang(tmp_path: Path, clock: ManualClock) -> None:
    frontier = SqliteFrontier(tmp_path / "frontier.sqlite", clock, own=own)
    await frontier.close()
    with pytest.raises(RuntimeError, match="closed"):
        await frontier.counts()


def test_a_file_of_a_newer_version_is_left_alone(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "frontier.sqlite"
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version=99")
    db.close()
    with pytest.raises(UsageError, match="newer version"):
        SqliteFrontier(path, clock, own=own)


def test_what_is_no_database_is_named(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "frontier.sqlite"
    path.write_bytes(b"this is no database, and long enough to look like one" * 40)
    with pytest.raises(DiskError, match=r"frontier\.sqlite.*bytes free"):
        SqliteFrontier(path, clock, own=own)


async def test_a_full_disk_is_told_and_what_was_committed_stays(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "frontier.sqlite"
    frontier = SqliteFrontier(path, clock, own=own)
    await frontier.add([link("own.test", "/first")])
    await frontier._thread.run(lambda db: db.execute("PRAGMA max_page_count=40").fetchall())
    batch = [link("own.test", f"/{'x' * 200}/{n}") for n in range(2000)]
    with pytest.raises(DiskError, match="full"):
        await frontier.add(batch)
    assert await frontier.counts() == FrontierCounts(pending=1)
    await frontier._thread.run(lambda db: db.execute("PRAGMA max_page_count=1000000").fetchall())
    assert len(await frontier.add(batch)) == 2000
    await frontier.close()


async def test_only_the_owner_may_read_it(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "deep" / "frontier.sqlite"
    frontier = SqliteFrontier(path, clock, own=own)
    assert path.stat().st_mode & 0o077 == 0
    await frontier.close()
