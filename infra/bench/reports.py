"""`archiver report` over a made ledger of a million rows: `python infra/bench/reports.py [ROWS ...]`.

Prints CPU, wall time and peak memory of the first report, which builds the index, and of a second one. The ledger
is written by the product's own writer, as a crawl of 1,000 origins would: pages, files, links out of scope, refusals,
gaps.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from itertools import islice
from pathlib import Path

import measure

from archiver.clock import ManualClock
from archiver.ledger.segments import JsonlLedger
from archiver.model import Actor, LedgerEntry

JOB = "0123456789abcdef0123456789abcdef"
measure.LIMIT_SECONDS = 3_600.0
ORIGINS, BATCH, SEGMENT = 1_000, 500, 200_000
RECORD = "urn:uuid:00000000-0000-4000-8000-{:012x}"


def main() -> None:
    sizes = [int(size) for size in sys.argv[1:]] or [100_000, 1_000_000]
    print("| rows | ledger MB | report | CPU s | us a row | wall s | RSS MB |")
    print("| --- " * 7 + "|")
    for size in sizes:
        with tempfile.TemporaryDirectory(prefix="archiver-bench-") as folder:
            report(Path(folder), size)


def report(folder: Path, size: int) -> None:
    logs = folder / "crawls" / "collections" / "main" / "logs"
    write(logs, size)
    octets = sum(path.stat().st_size for path in logs.iterdir()) / 1e6
    command = [Path(sys.executable).with_name("archiver"), "report"]
    environment = {"HOME": str(folder), "PATH": "/usr/bin:/bin"}
    for name in ("first, builds the index", "again"):
        used = measure.run(command, cwd=folder, env=environment, log=folder / "log")
        each = used.cpu / size * 1e6
        print(f"| {size:,} | {octets:.0f} | {name} | {used.cpu:.1f} | {each:.0f} | {used.wall:.1f} | {used.rss:.0f} |")


def write(logs: Path, size: int) -> None:
    clock = ManualClock()
    ledger = JsonlLedger(logs, clock, job=JOB, actor=Actor(name="bench"))
    ledger.append(LedgerEntry(event="run", data={"policy": {"name": "strict/1"}, "config": {"document": {}}}))
    rows, written = islice(entries(), size), 0
    while batch := list(islice(rows, BATCH)):
        ledger.append_many(batch)
        written += len(batch)
        clock.advance(0.5)
        if written % SEGMENT == 0:
            ledger.rotate()
    ledger.append(LedgerEntry(event="end", data={"stopped": None, "counts": {}, "frontier": {}}))
    ledger.close()


def entries() -> Iterator[LedgerEntry]:
    """Ten rows a page, without end."""
    number = 0
    while True:
        number += 1
        site = f"https://site{number % ORIGINS}.example"
        page, image = f"{site}/page/{number}", f"{site}/image/{number // 2}.png"
        yield from fetched(page, number, "document", "text/html")
        yield from fetched(image, number, "requisite", "image/png")
        secret = f"{site}/private/{number % 50}.css"
        yield decided(secret, "requisite", verdict="refuse", reason="robotsTxt", rule="Disallow: /private", line=4)
        yield visited(page, number, secret)
        for link, reason in (
            (f"{site}/page/{number + ORIGINS}", "allowed"),
            (f"http://out.example/{number}", "outOfScope"),
        ):
            yield LedgerEntry(
                event="discovered", url=link, data={"key": link, "reason": reason, "via": page, "path": "L"}
            )
        late = f"{site}/late/{number}"
        yield LedgerEntry(
            event="pending", url=late, data={"key": late, "reason": "pageLimit", "via": page, "path": "L"}
        )
        yield decided(f"{site}/cut/{number}", "document")


def decided(url: str, kind: str, *, verdict: str = "allow", reason: str = "allowed", **more: object) -> LedgerEntry:
    data = {"key": url, "verdict": verdict, "reason": reason, "kind": kind, "resource_type": kind, "path": "L"}
    notes = {"robots": {"state": "fresh", "group": "*"}}
    return LedgerEntry(
        event="decision",
        url=url,
        data={**data, "evidence": RECORD.format(7), "policy": "strict/1", "notes": notes, **more},
    )


def fetched(url: str, number: int, kind: str, mime: str) -> Iterator[LedgerEntry]:
    yield decided(url, kind)
    record = {
        "file": f"A-{number // 20_000}.warc.gz",
        "offset": number,
        "length": 900,
        "record_id": RECORD.format(number),
    }
    yield LedgerEntry(
        event="outcome",
        url=url,
        data={
            "key": url, "kind": kind, "status": "captured", "http_status": 200, "access": "open", "reason": "allowed",
            "record": record, "payload_digest": f"sha256:{number:064x}", "mime": mime, "size": 5_000, "seconds": 0.05,
        },
    )  # fmt: skip


def visited(url: str, number: int, missing: str) -> LedgerEntry:
    data = {
        "key": url, "capture_id": f"{number:032x}", "status": "captured", "reason": "allowed", "http_status": 200,
        "access": "open", "final_url": url, "title": f"Page {number}", "fetched": 2, "discovered": 2, "repeats": 3,
        "started_at": f"{ManualClock().now() + timedelta(seconds=number * 0.005):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z",
        "completeness": {"verdict": "gaps", "kept": 1, "refused": 1, "failed": 0},
        "matter": [{"url": missing, "type": "stylesheet", "reason": "robotsTxt", "rule": "Disallow: /private"}],
        "record": {"file": f"A-{number // 20_000}.warc.gz", "offset": number, "record_id": RECORD.format(number)},
    }  # fmt: skip
    return LedgerEntry(event="visit", url=url, data=data)


if __name__ == "__main__":
    main()
