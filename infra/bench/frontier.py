"""The frontier alone: CPU a URL and memory, at a million URLs. Prints a table.

    python infra/bench/frontier.py [--urls N] [--only many,one,own] [--batch N] [--runs N]

Each case runs in a process of its own, on a fresh file in a folder of its own. CPU is user + system of that process,
the database thread included, around the calls alone: making the candidates is not counted. It is told for slices of
10,000 URLs: median, least and most. Memory is that of the process now (VmRSS), not its peak. Batches are as a crawl
makes them: 100 links a page, claims of 100; `--batch` makes them larger or smaller.

*bare* is what the machine gives at that hour: SQLite with the same settings, in the same process and batches, one
INSERT a URL of the same hash and data, one UPDATE by number that returns them; no duplicate is noticed, nothing waits
in an order, nobody holds anything.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from archiver.clock import SYSTEM  # noqa: E402
from archiver.frontier.rows import digest, encode  # noqa: E402
from archiver.frontier.sqlite import SqliteFrontier  # noqa: E402
from archiver.model import Candidate, Origin, Outlink  # noqa: E402
from archiver.ports import VisitOutcome  # noqa: E402
from archiver.ports.frontier import Stretch  # noqa: E402

T = TypeVar("T")
CASES = {"many": "20,000 hosts", "one": "one host of somebody else", "own": "one host of the operator's own"}
COLUMNS = ("push", "bare push", "push again", "pop", "bare pop", "complete")
HOSTS = 20_000
LINKS = 100
BARE_URLS = 100_000
MARKS = (100_000, 500_000, 1_000_000)


class Meter:
    """CPU of what was awaited through it, by name: seconds and URLs of each slice of about so many URLs."""

    SLICE = 10_000

    def __init__(self) -> None:
        self._now: dict[str, list[float]] = {}
        self._slices: dict[str, list[float]] = {}

    async def __call__(self, name: str, work: Awaitable[T], urls: Callable[[T], int]) -> T:
        start = time.process_time()
        done = await work
        now = self._now.setdefault(name, [0.0, 0.0])
        now[0] += time.process_time() - start
        now[1] += urls(done)
        if now[1] >= self.SLICE:
            self._slices.setdefault(name, []).append(1e6 * now[0] / now[1])
            del self._now[name]
        return done

    def microseconds(self) -> dict[str, str]:
        """Median, least and most of the slices, a URL."""
        return {
            name: f"{statistics.median(found):.1f} [{min(found):.1f}-{max(found):.1f}]"
            for name, found in self._slices.items()
        }


def host_of(case: str, first: int, number: int) -> str:
    """Nine links of ten lead to the host that their page lies on."""
    if case != "many":
        return "www.example.org"
    return f"h{(first // LINKS if number % 10 else number // 10) % HOSTS}.example.org"


def links(case: str, first: int, count: int) -> list[Outlink]:
    """Links as they are found on one page: a path of some length, the page they stand on, a depth."""
    made = []
    for number in range(first, first + count):
        origin = Origin("https", host_of(case, first, number), 443)
        url = f"https://{origin.host}/section-{number % 97}/articles/{number}/a-title-of-some-words.html"
        via = f"https://{origin.host}/section-{number % 97}/page-{first}.html"
        made.append(Outlink(candidate=Candidate(url=url, key=url, origin=origin, depth=3, via=via, path="LLL")))
    return made


def rss() -> float:
    """Megabytes of this process in memory."""
    gc.collect()
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


async def bare(case: str, batch: int, folder: Path, meter: Meter) -> None:
    """SQLite alone, with as many rows as the first `BARE_URLS` of the case."""
    db = sqlite3.connect(folder / "bare.sqlite", isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "cache_size=-16384", "wal_autocheckpoint=16000"):
        db.execute(f"PRAGMA {pragma}")
    db.execute("CREATE TABLE urls(id INTEGER PRIMARY KEY, hash BLOB, state INTEGER, data TEXT)")

    async def insert(rows: list[tuple[int, bytes, str]]) -> None:
        db.execute("BEGIN IMMEDIATE")
        db.executemany("INSERT INTO urls VALUES(?, ?, 0, ?)", rows)
        db.execute("COMMIT")

    async def take(first: int) -> int:
        db.execute("BEGIN IMMEDIATE")
        found = db.execute(
            "UPDATE urls SET state = 1 WHERE id >= ? AND id < ? RETURNING id, hash, data", (first, first + batch)
        ).fetchall()
        db.execute("COMMIT")
        return len(found)

    for first in range(0, BARE_URLS, batch):
        made = [one.candidate for one in links(case, first, batch)]
        rows = [(first + n, digest(one.key), encode(one, str(one.origin))) for n, one in enumerate(made)]
        await meter("bare push", insert(rows), lambda _: batch)
    for first in range(0, BARE_URLS, batch):
        await meter("bare pop", take(first), int)
    db.close()
    (folder / "bare.sqlite").unlink()


async def measure(case: str, urls: int, batch: int, folder: Path) -> dict[str, object]:
    path, memory = folder / "frontier.sqlite", {}

    def opened() -> SqliteFrontier:
        return SqliteFrontier(path, SYSTEM, own=lambda _: case == "own")

    frontier, meter = opened(), Meter()
    memory["empty"] = rss()
    for first in range(0, urls, batch):
        await meter("push", frontier.add(links(case, first, batch)), lambda _: batch)
        if first + batch in MARKS:
            memory[f"pushed {first + batch:,}"] = rss()
    for first in range(0, urls, batch * 50):
        await meter("push again", frontier.add(links(case, first, batch)), lambda _: batch)
    done = await drain(frontier, meter, batch, min(urls // 2, 20_000 if case == "one" else urls), memory)
    await frontier.close()
    memory["at the end"] = rss()
    start = time.perf_counter()
    frontier = opened()
    counts = await frontier.counts()
    seconds = time.perf_counter() - start
    assert counts.done == done and counts.discovered == urls, counts
    start = time.process_time()
    left = sum([1 async for _ in frontier.pending()])
    pending = time.process_time() - start
    await frontier.close()
    await bare(case, batch, folder, meter)
    return {
        "case": case, "urls": urls, "done": done, "us": meter.microseconds(), "rss": memory, "open_seconds": seconds,
        "pending": left, "pending_us": round(1e6 * pending / max(1, left), 1), "bytes": path.stat().st_size,
    }  # fmt: skip


async def drain(frontier: SqliteFrontier, meter: Meter, batch: int, wanted: int, memory: dict[str, float]) -> int:
    """Claim and complete in turn, all visits of one claim ending together."""
    done = 0
    while done < wanted:
        claims = await meter("pop", frontier.claim(batch), len)
        if not claims:
            raise RuntimeError(f"nothing to claim after {done}")
        place = Stretch(f"A-{done // 10_000}.warc.gz", 20_000 * (done % 10_000), 20_000 * (done % 10_000) + 15_000)
        outcome = VisitOutcome(state="done", reason="allowed", records=(place,))
        work = asyncio.gather(*(frontier.complete(claim, outcome, ()) for claim in claims))
        await meter("complete", work, len)
        done += len(claims)
        if done in MARKS:
            memory[f"done {done:,}"] = rss()
    return done


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--urls", type=int, default=1_000_000)
    parser.add_argument("--only", default=",".join(CASES))
    parser.add_argument("--batch", type=int, default=LINKS)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--case", choices=CASES)
    asked = parser.parse_args()
    if asked.case:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(asyncio.run(measure(asked.case, asked.urls, asked.batch, Path(folder)))))
        return
    names = ["case", *COLUMNS, "MB at 100k, 500k, 1M", "open s", "pending us", "file MB"]
    print(f"| {' | '.join(names)} |\n| {' | '.join('---' for _ in names)} |")
    for case in [case for case in asked.only.split(",") for _ in range(asked.runs)]:
        command = [sys.executable, __file__, "--case", case, "--urls", str(asked.urls), "--batch", str(asked.batch)]
        told = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        print(line(told), flush=True)


def line(told: dict[str, Any]) -> str:
    """A row of the table in docs/benchmarks.md."""
    us = [str(told["us"].get(name, "-")) for name in COLUMNS]
    memory = ", ".join(f"{value:.0f}" for name, value in told["rss"].items() if name.startswith("pushed"))
    rest = f"{told['open_seconds']:.1f} | {told['pending_us']} | {told['bytes'] / 1e6:.0f}"
    return f"| {CASES[told['case']]} | {' | '.join(us)} | {memory} | {rest} |"


if __name__ == "__main__":
    main()
