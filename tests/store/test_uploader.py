"""Uploads while the crawl runs, after faults, and at the next start."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from archiver.clock import SYSTEM, ManualClock
from archiver.errors import StoreAuthError, StoreError, StoreSetupError
from archiver.model import Access, ClosedSegment, StoredObject
from archiver.store import (
    MemoryStore,
    S3Settings,
    S3Store,
    SpoolFile,
    SpoolJournal,
    StoreConflict,
    StoreRejection,
    Uploader,
    UploadLimits,
    spool_file,
)
from tests.store.conftest import file_of

QUICK = UploadLimits(at_once=2, pause=0.01, longest_pause=0.05)


def files(folder: Path, count: int) -> list[SpoolFile]:
    return [spool_file(file_of(folder, f"file {n}".encode(), f"c/{n}")[0], folder, type="warc") for n in range(count)]


async def test_everything_goes_up_and_stays_here(tmp_path: Path) -> None:
    journal, store, seen = SpoolJournal(tmp_path / "u.sqlite", tmp_path), MemoryStore(), []
    some = files(tmp_path, 10)
    async with Uploader(store, journal, limits=QUICK, on_stored=lambda file, _: seen.append(file.key)) as uploader:
        await uploader.add(some)
        await uploader.add(some)
        drained = await uploader.drain()
    assert store.puts == 10
    async with Uploader(store, journal, limits=QUICK) as uploader:
        await uploader.add(some)
        assert (await uploader.drain()).stored == drained.stored
    assert store.puts == 10
    assert (drained.left, drained.error) == ((), None)
    assert sorted(seen) == sorted(file.key for file in some)
    assert {key: one.sha256 for key, one in drained.stored.items()} == {file.key: file.sha256 for file in some}
    assert all((tmp_path / file.key).exists() for file in some)
    assert store.metadata["c/0"]["type"] == "warc"
    journal.close()


async def test_faults_are_tried_again(tmp_path: Path) -> None:
    journal = SpoolJournal(tmp_path / "u.sqlite", tmp_path)
    store = MemoryStore(faults=[StoreError("503")] * 5)
    async with Uploader(store, journal, limits=QUICK) as uploader:
        await uploader.add(files(tmp_path, 3))
        drained = await uploader.drain()
    assert drained.left == ()
    assert store.puts == 8
    journal.close()


async def test_what_is_left_is_told_kept_and_taken_up_next_time(tmp_path: Path) -> None:
    journal = SpoolJournal(tmp_path / "u.sqlite", tmp_path)
    down = MemoryStore(faults=[StoreError("503 SlowDown")] * 10_000)
    async with Uploader(down, journal, limits=QUICK) as uploader:
        await uploader.add(files(tmp_path, 3))
        drained = await uploader.drain(patience=0.1)
    assert len(drained.left) == 3
    assert type(drained.error) is StoreError
    assert "3 of the closed files are not in the store yet" in str(drained.error)
    assert all(file.attempts and file.error == "503 SlowDown" for file in journal.pending())
    journal.close()
    journal, up = SpoolJournal(tmp_path / "u.sqlite", tmp_path), MemoryStore()
    async with Uploader(up, journal, limits=QUICK) as uploader:
        assert (await uploader.drain()).left == ()
    assert len(up.objects) == 3
    journal.close()


@pytest.mark.parametrize("kind", [StoreAuthError, StoreSetupError])
async def test_a_fault_that_no_try_mends_ends_the_tries(tmp_path: Path, kind: type[StoreError]) -> None:
    journal = SpoolJournal(tmp_path / "u.sqlite", tmp_path)
    store = MemoryStore(faults=[kind("the key is refused")])
    async with Uploader(store, journal, limits=UploadLimits(at_once=1)) as uploader:
        await uploader.add(files(tmp_path, 5))
        drained = await uploader.drain()
    assert type(uploader.fault) is type(drained.error) is kind
    assert store.puts == 1
    assert len(drained.left) == 5
    journal.close()


async def test_a_conflict_is_not_tried_again_and_holds_up_nobody(tmp_path: Path) -> None:
    journal, store = SpoolJournal(tmp_path / "u.sqlite", tmp_path), MemoryStore()
    some = files(tmp_path, 4)
    (tmp_path / some[0].key).write_bytes(b"changed")
    async with Uploader(store, journal, limits=UploadLimits(at_once=1)) as uploader:
        await uploader.add(some)
        drained = await uploader.drain()
    assert [file.key for file in drained.left] == [some[0].key]
    assert isinstance(drained.error, StoreConflict)
    assert store.puts == 4
    journal.close()


async def test_a_file_that_the_store_never_takes_is_not_tried_again_and_holds_up_nobody(tmp_path: Path) -> None:
    journal = SpoolJournal(tmp_path / "u.sqlite", tmp_path)
    store = MemoryStore(faults=[StoreRejection("EntityTooLarge")])
    some = files(tmp_path, 3)
    async with Uploader(store, journal, limits=UploadLimits(at_once=1, pause=3600.0)) as uploader:
        await uploader.add(some)
        drained = await uploader.drain(patience=3600.0)
    assert [file.key for file in drained.left] == [some[0].key]
    assert isinstance(drained.error, StoreRejection)
    assert store.puts == 3
    journal.close()


async def test_drain_ends_a_long_pause(tmp_path: Path) -> None:
    journal = SpoolJournal(tmp_path / "u.sqlite", tmp_path)
    store = MemoryStore(faults=[StoreError("503")])
    async with Uploader(store, journal, limits=UploadLimits(at_once=1, pause=3600.0)) as uploader:
        await uploader.add(files(tmp_path, 1))
        while store.puts == 0:
            await asyncio.sleep(0.01)
        assert (await uploader.drain()).left == ()
    journal.close()


async def test_a_try_that_fails_after_drain_began_is_followed_by_another_at_once(tmp_path: Path) -> None:
    go = asyncio.Event()

    class Late(MemoryStore):
        async def put(self, key: str, path: Path, *, sha256: str, metadata: Mapping[str, str]) -> StoredObject:
            await go.wait()
            return await super().put(key, path, sha256=sha256, metadata=metadata)

    journal = SpoolJournal(tmp_path / "u.sqlite", tmp_path)
    store = Late(faults=[StoreError("503")])
    async with Uploader(store, journal, limits=UploadLimits(at_once=1, pause=3600.0)) as uploader:
        await uploader.add(files(tmp_path, 1))
        await asyncio.sleep(0)
        draining = asyncio.create_task(uploader.drain())
        await asyncio.sleep(0)
        go.set()
        assert (await draining).left == ()
    journal.close()


async def test_leaving_stops_at_once_and_keeps_the_journal(tmp_path: Path) -> None:
    journal = SpoolJournal(tmp_path / "u.sqlite", tmp_path)
    store = MemoryStore(faults=[StoreError("503")] * 10)
    async with Uploader(store, journal, limits=UploadLimits(pause=3600.0)) as uploader:
        await uploader.add(files(tmp_path, 2))
    assert len(journal.pending()) == 2
    journal.close()


async def test_a_fault_of_our_own_is_not_swallowed(tmp_path: Path) -> None:
    class Broken(MemoryStore):
        async def put(self, key: str, path: Path, *, sha256: str, metadata: Mapping[str, str]) -> StoredObject:
            raise RuntimeError("a bug")

    journal = SpoolJournal(tmp_path / "u.sqlite", tmp_path)
    with pytest.raises(RuntimeError, match="a bug"):
        async with Uploader(Broken(), journal, limits=UploadLimits(at_once=1)) as uploader:
            await uploader.add(files(tmp_path, 2))
            drained = await uploader.drain()
            assert len(drained.left) == 2
    journal.close()


async def test_closed_segments_reach_a_bucket(tmp_path: Path, settings: Callable[..., S3Settings]) -> None:
    segments = []
    for n in range(5):
        warc, warc_sha256 = file_of(tmp_path, b"warc %d" % n, f"collections/x/archive/{n}.warc.gz")
        index, index_sha256 = file_of(tmp_path, b"cdxj %d" % n, f"collections/x/indexes/{n}.cdxj")
        segments.append(
            ClosedSegment(
                file=warc.name,
                path=str(warc),
                access=Access.OPEN,
                size=6,
                sha256=warc_sha256,
                records=1,
                cdxj_path=str(index),
                cdxj_sha256=index_sha256,
            )
        )
    journal, store = SpoolJournal(tmp_path / "u.sqlite", tmp_path), S3Store(settings())
    async with Uploader(store, journal) as uploader:
        await uploader.add_segments(segments)
        drained = await uploader.drain()
    assert (drained.left, len(drained.stored)) == ((), 10)
    for key, stored in drained.stored.items():
        assert await store.stat(key) == stored
        assert await store.read(key) == (tmp_path / key).read_bytes()
    await store.close()
    journal.close()


async def test_what_grows_goes_up_when_asked_as_it_is_then_once_a_minute(tmp_path: Path) -> None:
    clock = ManualClock()
    journal, store = SpoolJournal(tmp_path / "u.sqlite", tmp_path), MemoryStore()
    growing, done = files(tmp_path, 2)
    store.replaceable = lambda key: key == growing.key
    journal.add([growing, done])
    async with Uploader(store, journal, limits=QUICK, grows=store.replaceable, clock=clock) as uploader:
        (tmp_path / growing.key).write_bytes(b"more of it")
        drained = await uploader.drain()
        assert set(drained.stored) == {done.key}
        assert ([one.key for one in drained.later], drained.left, drained.error) == ([growing.key], (), None)
        drained = await uploader.drain(growing=True)
        assert set(drained.stored) == {done.key, growing.key} and drained.later == ()
        assert store.objects[growing.key] == b"more of it"
        for seconds, puts in ((0.0, 2), (59.0, 2), (2.0, 3)):
            clock.advance(seconds)
            (tmp_path / growing.key).write_bytes(b"and more")
            await uploader.add([spool_file(tmp_path / growing.key, tmp_path)])
            drained = await uploader.drain(growing=True)
            assert store.puts == puts and (drained.later == ()) is (puts == 3)
        clock.advance(100.0)
        await uploader.add([spool_file(tmp_path / growing.key, tmp_path)])
        await uploader.drain(growing=True)
        assert store.puts == 3, "it did not change"
    journal.close()


async def test_what_grew_together_with_another_and_is_gone_is_forgotten(tmp_path: Path) -> None:
    journal, store = SpoolJournal(tmp_path / "u.sqlite", tmp_path), MemoryStore()
    (merged,) = files(tmp_path, 1)
    journal.add([merged])
    (tmp_path / merged.key).unlink()
    async with Uploader(store, journal, limits=QUICK, grows=lambda key: True) as uploader:
        drained = await uploader.drain(growing=True)
    assert (drained.left, drained.later, store.puts, journal.pending()) == ((), (), 0, [])
    journal.close()


async def test_a_silent_store_is_given_up_and_a_slow_one_is_waited_for(tmp_path: Path) -> None:
    class Silent(MemoryStore):
        async def put(self, key: str, path: Path, *, sha256: str, metadata: Mapping[str, str]) -> StoredObject:
            for _ in range(6):
                await asyncio.sleep(0.1)
                if self.objects.get("slow"):
                    moved[0] = SYSTEM.monotonic()
            if not self.objects.get("slow"):
                await asyncio.sleep(3600)
            return await super().put(key, path, sha256=sha256, metadata=metadata)

    moved = [0.0]
    journal, store = SpoolJournal(tmp_path / "u.sqlite", tmp_path), Silent()
    async with Uploader(store, journal, limits=QUICK, moved=lambda: moved[0]) as uploader:
        await uploader.add(files(tmp_path, 2))
        drained = await uploader.drain(patience=0.2)
        assert len(drained.left) == 2 and "no answer for 0 s" in str(drained.error)
        await uploader.drain(patience=3600.0)  # once given up, it is not asked again
    store.objects["slow"] = b"yes"
    async with Uploader(store, journal, limits=QUICK, moved=lambda: moved[0]) as uploader:
        assert (await uploader.drain(patience=0.2)).left == ()
    journal.close()
