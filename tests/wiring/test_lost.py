"""What an interrupted job makes again: what rests on bytes that no verified file holds, and nothing else."""

import itertools
import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from archiver.clock import ManualClock
from archiver.config import Places
from archiver.engine.outcome import stretches
from archiver.frontier.memory import MemoryFrontier
from archiver.model import CaptureItem, StoredObject
from archiver.ports import Recorded, VisitOutcome
from archiver.store.spool import SpoolJournal, spool_file
from archiver.warc.salvage import salvage
from archiver.warc.streams import Streams
from archiver.wiring.lost import CheckedFiles, begun, lost_spans, requeue_lost
from tests.frontier.samples import key, link
from tests.warc.samples import capture, exchange, page, streams

Pages = set[str]


class Job:
    """Visits recorded in real files: each a page and what it brought, in batches as given."""

    def __init__(self, out: Path) -> None:
        self.places = Places(out=out, name="main", hosts=out / "hosts.sqlite").create()
        self.clock = ManualClock()
        self.frontier = MemoryFrontier(self.clock, own=lambda _: True)
        self.numbers = itertools.count(100)
        self.streams: Streams = streams(self.places.root, self.clock)

    async def visit(self, name: str, recorded: Sequence[Recorded]) -> None:
        await self.frontier.add([link("own.test", name)])
        (claim,) = await self.frontier.claim(1)
        await self.frontier.complete(claim, VisitOutcome(state="done", records=stretches(recorded)), ())

    async def visits(self, *names: str) -> None:
        for name in names:
            await self.visit(name, self.write(page(next(self.numbers), size=3000)))

    def write(self, *items: CaptureItem) -> list[Recorded]:
        return self.streams.write(items)

    def close(self) -> Path:
        """The file that was written, closed; the next visits go into another one."""
        self.clock.advance(1)
        return Path(self.streams.roll()[0].path)

    async def again(self, **more: object) -> Pages:
        """What a start puts back."""
        count = await requeue_lost(self.frontier, self.places, **more)  # type: ignore[arg-type]
        found = {one.key.removeprefix(key("own.test", "")) async for one in self.frontier.pending()}
        assert len(found) == count
        return found


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return Job(tmp_path)


def cut(path: Path, size: int) -> None:
    os.truncate(path, size)


def flip(path: Path, offset: int) -> None:
    data = bytearray(path.read_bytes())
    data[offset] ^= 0xFF
    path.write_bytes(data)


def middle(job: Job, name: str) -> int:
    """A byte in the middle of a visit's first record."""
    (where,) = (url.records[0] for one, url in job.frontier._urls.items() if one.endswith(name))
    return (where.start + where.stop) // 2


async def test_nothing_is_put_back_of_whole_files_which_are_read_once(job: Job) -> None:
    await job.visits("/1", "/2")
    path = job.close()
    assert await job.again() == set()
    assert [line.split()[0] for line in CheckedFiles(job.places).lines()] == [path.name]
    assert await job.again() == set()
    flip(path, middle(job, "/2"))
    assert await job.again() == {"/2"}, "a file that changed since is read again"


async def test_a_file_that_is_gone(job: Job) -> None:
    await job.visits("/1", "/2")
    gone = job.close()
    await job.visits("/3")
    job.close()
    gone.unlink()
    assert await job.again() == {"/1", "/2"}


@pytest.mark.parametrize(
    ("damage", "again"),
    [
        (lambda path, at: cut(path, at), {"/2", "/3"}),
        (lambda path, at: flip(path, at), {"/2"}),
        (lambda path, at: path.write_bytes(b""), {"/1", "/2", "/3"}),
        (lambda path, at: path.write_bytes(bytes(path.stat().st_size)), {"/1", "/2", "/3"}),
    ],
    ids=["cut", "damaged-in-the-middle", "emptied", "zeros"],
)
async def test_a_damaged_file(job: Job, damage: Callable[[Path, int], object], again: Pages) -> None:
    await job.visits("/1", "/2", "/3")
    path = job.close()
    damage(path, middle(job, "/2"))
    assert await job.again() == again


async def test_a_file_that_was_moved_to_another_class_is_where_it_is(job: Job) -> None:
    await job.visits("/1")
    path = job.close()
    path.rename(job.places.root / "dark" / path.name)
    assert await job.again() == set()


@pytest.mark.parametrize("stored", [True, False], ids=["stored", "still-to-go-up"])
async def test_a_file_that_lies_in_the_bucket_alone(job: Job, stored: bool) -> None:
    await job.visits("/1")
    path = job.close()
    journal = SpoolJournal(job.places.uploads, job.places.out)
    file = spool_file(path, job.places.out)
    journal.add([file])
    if stored:
        journal.mark_stored(file, StoredObject(uri="s3://b/k", sha256=file.sha256, size=file.size))
    journal.close()
    path.unlink()
    assert await job.again() == (set() if stored else {"/1"})


async def test_a_visit_whose_requisites_lie_in_the_lost_part(job: Job) -> None:
    """Its page stands before the cut, another visit's records between the two."""
    begun = job.write(page(1))
    await job.visits("/2")
    await job.visit("/1", [*begun, *job.write(page(2))])
    path = job.close()
    cut(path, path.stat().st_size - 20)
    assert await job.again() == {"/1"}


async def test_a_visit_over_two_files(job: Job) -> None:
    begun = job.write(page(1))
    job.close()
    await job.visit("/1", [*begun, *job.write(page(2))])
    await job.visits("/2")
    second = job.close()
    second.unlink()
    assert await job.again() == {"/1", "/2"}


async def test_a_revisit_whose_original_is_lost(job: Job) -> None:
    """It stands in a whole file, and nobody could show it."""
    same = b"x" * 3000
    first = job.write(capture(exchange("http://own.test/1", body=same)))
    await job.visit("/1", first)
    await job.visits("/other")
    lost = job.close()
    second = job.write(capture(exchange("http://own.test/2", body=same)))
    assert second[0].revisit and not first[0].revisit
    await job.visit("/2", second)
    await job.visits("/3")
    job.close()
    flip(lost, first[0].refs[0].offset + first[0].refs[0].length // 2)
    assert await job.again() == {"/1", "/2"}


async def test_what_salvage_keeps_is_kept(job: Job) -> None:
    await job.visits("/1", "/2", "/3")
    job.streams.sync()
    (path,) = (job.places.root / "archive").glob("*.open")
    job.streams.abandon()
    cut(path, middle(job, "/3"))
    found = salvage(job.places.root)
    assert await job.again(salvaged=found) == {"/3"}


async def test_what_salvage_closed_under_another_name_is_made_again(job: Job) -> None:
    """Some other file has its name: what the ledger's rows say of that name is not to be found there."""
    await job.visits("/1", "/2")
    job.streams.sync()
    (path,) = (job.places.root / "archive").glob("*.open")
    job.streams.abandon()
    other = Job(job.places.out.parent / "other")
    await other.visits("/a", "/b", "/c")
    other.close().rename(path.with_name(path.name.removesuffix(".open")))
    found = salvage(job.places.root)
    assert len({one.file for one in found}) == 2
    assert await job.again(salvaged=found) == {"/1", "/2"}


async def test_spans_go_from_record_to_record(job: Job) -> None:
    await job.visits("/1", "/2", "/3")
    path = job.close()
    assert lost_spans(path) == ((path.stat().st_size, float("inf")),)
    where = [url.records[0] for url in job.frontier._urls.values()]
    flip(path, middle(job, "/2"))
    (start, stop), rest = lost_spans(path)
    assert where[1].start <= start < stop <= where[1].stop
    assert rest == (path.stat().st_size, float("inf"))


def test_a_job_begins_with_the_first_of_its_ledger_segments(tmp_path: Path) -> None:
    for name in ("20260102030406007-abcdef12-9", "20260102030405007-abcdef12-8", "20250102030405007-other123-8"):
        (tmp_path / f"ledger-{name}.jsonl").touch()
    assert begun(tmp_path, "abcdef1234") == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC).timestamp()
    assert begun(tmp_path, "fedcba") == 0.0
