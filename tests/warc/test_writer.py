from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from archiver.clock import SYSTEM, ManualClock
from archiver.errors import DiskError, WarcError
from archiver.spooled import Spool
from archiver.warc.files import OPEN_SUFFIX
from archiver.warc.reader import iter_records
from archiver.warc.verify import verify_file
from archiver.warc.writer import WarcRecorder
from tests.warc.samples import INFO, SETTINGS, capture, exchange, page


def recorder(folder: Path, clock: ManualClock | None = None) -> WarcRecorder:
    return WarcRecorder(folder, clock or SYSTEM, SETTINGS, INFO)


async def test_batches_of_many_tasks_stay_contiguous(tmp_path: Path) -> None:
    made = recorder(tmp_path)

    async def visit(number: int) -> list[int]:
        recorded = await made.record([page(number * 10 + n) for n in range(3)])
        return [ref.offset for r in recorded for ref in r.refs]

    batches = await asyncio.gather(*(visit(number) for number in range(20)))
    (segment,) = await made.close()
    offsets = sorted(offset for batch in batches for offset in batch)
    for batch in batches:
        start = offsets.index(batch[0])
        assert offsets[start : start + len(batch)] == batch
    assert verify_file(segment.path).ok
    assert segment.records == 1 + 20 * 9


async def test_waiting_batches_are_one_write_and_a_bad_one_fails_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = recorder(tmp_path)
    await made.record([page(0)])
    sizes: list[int] = []
    real = os.pwrite

    def pwrite(fd: int, data: bytes, offset: int) -> int:
        sizes.append(len(data))
        return real(fd, data, offset)

    monkeypatch.setattr(os, "pwrite", pwrite)
    gate = threading.Event()
    held = asyncio.create_task(made._call(gate.wait))  # the thread waits, so that what follows finds it busy
    await asyncio.sleep(0)
    good = [asyncio.create_task(made.record([page(number)])) for number in range(1, 6)]
    await asyncio.sleep(0.01)
    gate.set()
    recorded = [one for batch in await asyncio.gather(*good) for one in batch]
    await held
    assert len(sizes) == 1 and sizes[0] == sum(ref.length for one in recorded for ref in one.refs)
    gate.clear()
    held = asyncio.create_task(made._call(gate.wait))
    await asyncio.sleep(0)
    short = _Short(b"HTTP/1.1 200 OK\r\n\r\n" + bytes(3 << 20))
    pages = [page(6), capture(exchange(response=short, body_start=19)), page(7)]
    mixed = [asyncio.create_task(made.record([item])) for item in pages]
    await asyncio.sleep(0.01)
    gate.set()
    results = await asyncio.gather(*mixed, return_exceptions=True)
    assert [isinstance(result, WarcError) for result in results] == [False, True, False]
    await held
    (segment,) = await made.close()
    assert verify_file(segment.path).ok and segment.records == 1 + 8 * 3


class _Short(Spool):
    def chunks(self, start: int = 0):  # type: ignore[no-untyped-def]
        yield b"only this"


async def test_recorded_means_written(tmp_path: Path) -> None:
    made = recorder(tmp_path)
    await made.record([page(1)])
    (path,) = (tmp_path / "archive").iterdir()
    assert path.name.endswith(OPEN_SUFFIX)
    assert verify_file(path).records == 4
    await made.close()


async def test_roll_closed_and_reuse(tmp_path: Path) -> None:
    made = recorder(tmp_path)
    assert await made.roll() == []
    await made.record([page(1)])
    assert await made.closed() == []
    assert len(await made.roll()) == 1
    await made.record([page(2)])
    assert len(await made.close()) == 1
    await made.record([page(3)])
    assert len(await made.close()) == 1


async def test_cancelled_callers_wait_for_the_write(tmp_path: Path) -> None:
    """Whoever is cancelled closes spools next: the write must be over by then."""
    made = recorder(tmp_path)
    spool = Spool(limit=1000, directory=str(tmp_path))
    head = b"HTTP/1.1 200 OK\r\n\r\n"
    spool.append(head + os.urandom(16 << 20))
    item = capture(exchange(response=spool, body_start=len(head)))

    async def visit() -> None:
        try:
            await made.record([item])
        finally:
            item.exchange.close()

    task = asyncio.create_task(visit())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    (segment,) = await made.close()
    assert verify_file(segment.path).ok
    assert [r.headers.type for r in iter_records(segment.path)].count("response") == 1


async def test_faults_reach_the_caller_and_others_go_on(tmp_path: Path) -> None:
    (tmp_path / "dark").write_text("in the way")
    made = recorder(tmp_path)
    from archiver.model import Access

    with pytest.raises(DiskError):
        await made.record([page(1, access=Access.DARK)])
    await made.record([page(2)])
    assert len(await made.close()) == 1


async def test_old_files_are_closed_without_further_records(tmp_path: Path) -> None:
    clock = ManualClock()
    made = recorder(tmp_path, clock)
    await made.record([page(1)])
    clock.advance(301)
    for _ in range(100):
        segments = await made.closed()
        if segments:
            break
        await asyncio.sleep(0.05)
    assert len(segments) == 1
    assert await made.close() == []


async def test_what_is_written_is_fsynced_soon_and_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    real = os.fsync

    def fsync(fd: int) -> None:
        synced.append(os.readlink(f"/proc/self/fd/{fd}"))
        real(fd)

    monkeypatch.setattr(os, "fsync", fsync)
    clock = ManualClock()
    made = recorder(tmp_path, clock)
    await made.record([page(1)])
    (path,) = (tmp_path / "archive").iterdir()
    clock.advance(1)
    for _ in range(100):
        if str(path.parent) in synced:
            break
        await asyncio.sleep(0.05)
    assert synced == [str(path), str(path.parent)]
    await made.close()
    assert len(synced) > 4


async def test_a_removed_folder_stops_intake(tmp_path: Path) -> None:
    clock = ManualClock()
    made = recorder(tmp_path, clock)
    await made.record([page(1)])
    next((tmp_path / "archive").iterdir()).unlink()
    clock.advance(2)
    with pytest.raises(DiskError, match="removed"):
        for number in range(100):
            await made.record([page(number + 2)])
            await asyncio.sleep(0.01)
    with pytest.raises(DiskError):
        await made.close()


KILLED = """
import asyncio, os, sys
from pathlib import Path
from archiver.clock import SYSTEM
from archiver.warc.writer import WarcRecorder
from tests.warc.samples import INFO, SETTINGS, page

async def main():
    made = WarcRecorder(Path(sys.argv[1]), SYSTEM, SETTINGS, INFO)
    number = 0
    while True:
        number += 1
        await made.record([page(number)])
        os.write(1, b"%d\\n" % number)

asyncio.run(main())
"""


def test_what_was_acknowledged_survives_sigkill(tmp_path: Path) -> None:
    from archiver.warc.salvage import salvage

    child = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE)
    assert child.stdout is not None
    acknowledged = [int(child.stdout.readline()) for _ in range(50)]
    assert salvage(tmp_path) == []  # it is alive: its file is its own
    os.kill(child.pid, signal.SIGKILL)
    acknowledged += [int(line) for line in child.stdout.read().splitlines(keepends=True) if line.endswith(b"\n")]
    child.wait()
    child.stdout.close()
    (salvaged,) = salvage(tmp_path)
    assert salvaged.segment is not None
    assert verify_file(salvaged.segment.path).ok
    kept = {r.headers.target for r in iter_records(salvaged.segment.path) if r.headers.type == "response"}
    assert kept >= {f"http://example.org/page-{number}" for number in acknowledged}


async def test_what_is_asked_while_the_thread_ends_is_answered(tmp_path: Path) -> None:
    """A look for closed files that came after the order to end had nobody to answer it: the run never ended."""
    made = recorder(tmp_path)
    for number in range(60):
        await made.record([page(number)])
        closing = asyncio.get_running_loop().create_task(made.close())
        while not closing.done():
            async with asyncio.timeout(20):
                await asyncio.gather(*(asyncio.shield(made.closed()) for _ in range(3)))
        assert len(await closing) <= 1
    await made.close()
