"""Hash to row number, partly in memory: exact whatever was sorted in, rolled back, removed or written by others."""

import sqlite3
from pathlib import Path

import pytest

from archiver.clock import ManualClock
from archiver.errors import DiskError
from archiver.frontier.rows import digest
from archiver.frontier.seen import Seen
from archiver.frontier.sqlite import SqliteFrontier
from archiver.model import Outlink
from archiver.ports import FrontierCounts
from tests.frontier.conftest import is_own
from tests.frontier.samples import DONE, done, key, link, requisite

DATA = Path(__file__).parent / "data"


def links(first: int, count: int) -> list[Outlink]:
    return [link("own.test", f"/{number}") for number in range(first, first + count)]


async def test_every_url_is_known_once_across_many_sortings(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "frontier.sqlite"
    frontier = SqliteFrontier(path, clock, own=is_own, tail=50)
    for first in range(0, 1000, 30):
        fresh = await frontier.add(links(first, 70))
        assert fresh == {one.candidate.key for one in (links(first + 40, 30) if first else links(0, 70))}
    await frontier.close()
    with sqlite3.connect(path) as db:
        (rows, distinct), (known,) = (
            db.execute(query).fetchone()
            for query in ("SELECT count(*), count(DISTINCT hash) FROM urls", "SELECT count(*) FROM seen")
        )
        wrong = db.execute("SELECT count(*) FROM seen s JOIN urls u ON u.id = s.url WHERE u.hash <> s.hash").fetchone()
    assert rows == distinct == 1060
    assert 1060 - known < 50 + 30, "only the youngest are not sorted in"
    assert wrong == (0,)
    db.close()
    frontier = SqliteFrontier(path, clock, own=is_own, tail=50)
    assert await frontier.add(links(0, 1060)) == frozenset()
    await frontier.close()


async def test_what_a_failed_transaction_wrote_is_not_known(tmp_path: Path, clock: ManualClock) -> None:
    frontier = SqliteFrontier(tmp_path / "frontier.sqlite", clock, own=is_own, tail=50)
    await frontier.add(links(0, 10))
    await frontier._thread.run(lambda db: db.execute("PRAGMA max_page_count=40").fetchall())
    big = [link("own.test", f"/{'x' * 300}/{number}") for number in range(1000)]
    with pytest.raises(DiskError, match="full"):
        await frontier.add([*links(10, 10), *big])
    await frontier._thread.run(lambda db: db.execute("PRAGMA max_page_count=1000000").fetchall())
    assert len(await frontier.add(links(0, 20))) == 10
    assert len(await frontier.add(big)) == 1000
    await frontier.close()


def test_hashes_are_asked_for_in_pieces_of_any_length() -> None:
    db = sqlite3.connect(":memory:")
    db.execute("CREATE TABLE urls(id INTEGER PRIMARY KEY, hash BLOB)")
    db.execute("CREATE TABLE seen(hash BLOB PRIMARY KEY, url INTEGER) WITHOUT ROWID")
    db.execute("CREATE TABLE counts(sorted INTEGER)")
    db.execute("INSERT INTO counts VALUES(0)")
    hashes = [digest(str(number)) for number in range(3000)]
    db.executemany("INSERT INTO urls VALUES(?, ?)", enumerate(hashes, 1))
    seen = Seen(db, tail=1)
    seen.find(())
    seen.settle()
    for count in (0, 1, 8, 9, 128, 129, 1024, 1025, 2500):
        expected = {hashed: number for number, hashed in enumerate(hashes[:count], 1)}
        assert seen.find([*hashes[:count], digest("other")]) == expected
    db.execute("DELETE FROM urls WHERE id <= 2")
    seen.remove(hashes[:2])
    assert seen.find(hashes[:3]) == {hashes[2]: 3}
    db.close()


async def test_numbers_that_are_given_again_are_known_after_a_start(tmp_path: Path, clock: ManualClock) -> None:
    """What a lost visit fetched besides is forgotten: these were the last rows, and were sorted in."""
    path = tmp_path / "frontier.sqlite"
    frontier = SqliteFrontier(path, clock, own=is_own, tail=1)
    await frontier.add([link("own.test")])
    (claim,) = await frontier.claim(1)
    await frontier.complete(claim, done("A.warc.gz", 0, *(requisite("own.test", f"/{n}.css") for n in range(9))), ())
    assert await frontier.requeue("A.warc.gz") == 1
    assert len(await frontier.add(links(0, 5))) == 5
    await frontier.close()
    frontier = SqliteFrontier(path, clock, own=is_own, tail=1)
    assert await frontier.add(links(0, 5)) == frozenset()
    assert await frontier.counts() == FrontierCounts(pending=6)
    await frontier.close()


async def test_two_holders_sort_in_what_both_wrote(tmp_path: Path, clock: ManualClock) -> None:
    path = tmp_path / "frontier.sqlite"
    first, second = (SqliteFrontier(path, clock, own=is_own, tail=20) for _ in range(2))
    for start in range(0, 400, 40):
        assert len(await first.add(links(start, 19))) == 19
        assert len(await second.add(links(start + 19, 21))) == 21
        assert await first.add(links(start + 19, 21)) == frozenset()
        await first.claim(1)
    assert await second.add(links(0, 400)) == frozenset()
    assert (await second.counts()).discovered == 400
    await first.close()
    await second.close()


async def test_a_frontier_of_the_version_before_is_taken_over(tmp_path: Path, clock: ManualClock) -> None:
    """F-52: the state of an earlier release goes on, claims given back, nothing forgotten."""
    path = tmp_path / "frontier.sqlite"
    with sqlite3.connect(path) as db:
        db.executescript((DATA / "frontier-1.sql").read_text("utf-8"))
        db.execute("INSERT INTO origins VALUES(1, 'https', 'own.test', 443, 0.0, 1, 0)")
        db.execute("INSERT INTO files VALUES(7, 'A.warc.gz')")
        rows = [
            (1, digest(key("own.test", "/1")), 0, '{"url":"/1"}', None, None, None),
            (2, digest(key("own.test", "/2")), 2, '{"url":"/2"}', None, 7, 300),
            (3, digest(key("own.test", "/s.css")), 5, None, None, 7, 300),
            (4, digest(key("own.test", "/3")), 2, '{"url":"/3"}', None, 7, None),
            (5, digest(key("own.test", "/4")), 3, '{"url":"/4"}', "nofollow", None, None),
        ]
        db.executemany(
            "INSERT INTO urls(id, hash, origin, depth, state, data, reason, file, start)"
            " VALUES(?, ?, 1, 0, ?, ?, ?, ?, ?)",
            rows,
        )
        db.execute("UPDATE counts SET fence = 9, pending = 1, done = 2, refused = 1, requisites = 1")
        db.execute("PRAGMA user_version = 1")
    db.close()
    frontier = SqliteFrontier(path, clock, own=is_own)
    assert await frontier.counts() == FrontierCounts(pending=1, done=2, refused=1, requisites=1)
    assert await frontier.add([link("own.test", path) for path in ("/1", "/2", "/s.css", "/3")]) == frozenset()
    assert await frontier.add([link("own.test", "/5")]) == {key("own.test", "/5")}
    first, second = await frontier.claim(9)
    assert (first.candidate.key, first.fence, second.candidate.key) == (
        key("own.test", "/1"),
        10,
        key("own.test", "/5"),
    )
    assert await frontier.files() == {"A.warc.gz": 301}
    assert await frontier.requeue("A.warc.gz", [(300, 301)]) == 1
    assert not (await frontier.complete(first, DONE, ())).lost
    assert await frontier.counts() == FrontierCounts(pending=1, claimed=1, done=2, refused=1)
    await frontier.close()
