"""The merged index: what one more WARC costs in a collection that is large already. Prints one JSON object.

    python infra/bench/merged.py [LINES [ADDED [ROUNDS]]]

A collection's index of LINES lines (1,000,000) is merged once; then ROUNDS WARCs (256) of ADDED lines (1,000) come in,
one after the other. Told are bytes written to the levels and CPU (user + system), in all and for one WARC in the median
and at worst, and beside them what writing everything anew costs once.
"""

from __future__ import annotations

import json
import random
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from archiver.warc.merged import LEVELS, MergedIndex  # noqa: E402

LINES, ADDED, ROUNDS = 1_000_000, 1_000, 256
PER_FILE = 20_000


def line(rng: random.Random, file: str) -> bytes:
    number = rng.randrange(10**9)
    url = f"https://www.site{number % 977}.example.org/section/{number}/page-{number % 31}.html"
    key = f"org,example,site{number % 977})/section/{number}/page-{number % 31}.html"
    return (
        f'{key} 20261123120000 {{"url":"{url}","mime":"text/html","status":"200","digest":"sha256:{number:064x}",'
        f'"length":"{number % 9000}","offset":"{number}","filename":"{file}.warc.gz"}}\n'
    ).encode()


def put(indexes: Path, name: str, count: int, rng: random.Random) -> int:
    content = b"".join(sorted(line(rng, name) for _ in range(count)))
    (indexes / f"{name}.warc.gz.cdxj").write_bytes(content)
    return len(content)


def update(indexes: Path) -> tuple[int, float, float]:
    """Bytes written, CPU seconds, wall seconds."""
    before, began = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    index = MergedIndex(indexes / "merged", indexes / "state.json")
    index.update(indexes)
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return index.written, cpu, time.perf_counter() - began


def main(lines: int, added: int, rounds: int) -> None:
    rng = random.Random(1)
    with tempfile.TemporaryDirectory(prefix="merged-") as folder:
        indexes = Path(folder)
        held = sum(put(indexes, f"a{number}", PER_FILE, rng) for number in range(lines // PER_FILE))
        first = update(indexes)
        came, rows = 0, []
        for number in range(rounds):
            came += put(indexes, f"b{number}", added, rng)
            rows.append(update(indexes))
        used = sum(1 for level in range(LEVELS) if (indexes / "merged" / f"{level}.cdxj").stat().st_size)
    written, cpu, wall = zip(*rows, strict=True)
    size = came / rounds
    said = {
        "held": {"lines": lines, "bytes": held},
        "all anew": {"bytes": first[0], "cpu": round(first[1], 2), "wall": round(first[2], 2)},
        "one WARC": {
            "lines": added,
            "bytes": round(size),
            "written, median": round(statistics.median(written) / size, 2),
            "written, mean": round(statistics.mean(written) / size, 2),
            "written, worst": round(max(written) / size, 2),
            "cpu ms, median": round(1000 * statistics.median(cpu), 1),
            "cpu ms, mean": round(1000 * statistics.mean(cpu), 1),
            "wall ms, worst": round(1000 * max(wall), 1),
        },
        "rounds": rounds,
        "levels in use": used,
        "max RSS MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    print(json.dumps(said, indent=1))


if __name__ == "__main__":
    main(*(int(given) for given in [*sys.argv[1:], *map(str, (LINES, ADDED, ROUNDS)[len(sys.argv) - 1 :])]))
