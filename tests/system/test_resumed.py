"""`archiver crawl` on an interrupted collection goes on; what was lost meanwhile is made again, and only that."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from tests.system.cli import archiver, collection, ledger_bodies, running, warcs
from tests.system.site import asked, site

pytestmark = pytest.mark.system

PAGES = 60


def places(folder: Path, warc: Path) -> dict[str, tuple[int, int]]:
    """Path of each response in a WARC, by its index: offset and length."""
    index = folder / "indexes" / f"{warc.name}.cdxj"
    rows = [json.loads(line.split(" ", 2)[2]) for line in index.read_text("utf-8").splitlines()]
    return {"/" + row["url"].split("/", 3)[3]: (int(row["offset"]), int(row["length"])) for row in rows}


def visits(folder: Path) -> dict[str, str]:
    """Which page's visit asked for a path; a page for itself."""
    rows = [row for row in ledger_bodies(folder) if row["event"] == "decision" and row["verdict"] == "allow"]
    return {path_of(row["url"]): path_of(row["initiator"] or row["url"]) for row in rows}


def path_of(url: str) -> str:
    return "/" + url.split("/", 3)[3]


def test_damage_between_two_runs_is_made_good(tmp_path: Path) -> None:
    """Killed; then one closed file is deleted and a byte of another is flipped. The same command fetches what these
    held, in whole visits, and what was under way: nothing else a second time."""
    (tmp_path / "crawl.yaml").write_text("rolloverSize: 30000\nscopeType: host\n")
    folder = collection(tmp_path)
    killed: list[bool] = []
    with site(PAGES, pause=0.01, held=lambda: not killed and len(warcs(folder)) > 3) as server:
        command = ["crawl", "crawl.yaml", "--url", server.url("/"), "--delay", "0"]
        command += ["--allow-address", f"127.0.0.1:{server.port}"]
        with running(*command, cwd=tmp_path) as process:
            deadline = time.monotonic() + 60
            while len(warcs(folder)) < 4 and process.poll() is None:
                assert time.monotonic() < deadline, "no file was closed"
                time.sleep(0.01)
            process.kill()
            process.wait()
            killed.append(True)
        before = asked(server.requests)
        held, damaged = warcs(folder)[1:3]
        made_by = visits(folder)
        lost = {made_by[path] for path in places(folder, held)}
        path, (offset, length) = sorted(places(folder, damaged).items())[0]
        data = bytearray(damaged.read_bytes())
        data[offset + length // 2] ^= 0xFF
        damaged.write_bytes(data)
        held.unlink()
        lost.add(made_by[path])

        ran = archiver(*command, cwd=tmp_path)
        assert ran.code == 0 or (ran.code == 1 and damaged.name in ran.out), "one not stored before the kill is told of"
        after = asked(server.requests) - before
        assert lost <= {made_by.get(one, one) for one in after}, "what was lost was asked for again"
        complete = first_run(folder) - lost
        again = {one for one in before.keys() & after.keys() if made_by[one] in complete}
        assert not again, f"asked for again, though they were safe: {again}"
        found = {name for warc in warcs(folder) if warc != damaged for name in places(folder, warc)}
        assert {path, *places(folder, held)} <= found, "it is in files that are whole"
        settled = len(server.requests)
        assert archiver("verify", str(folder), cwd=tmp_path).code != 0, "the damaged file is still told of"
        assert len(server.requests) == settled


def first_run(folder: Path) -> set[str]:
    """Pages whose visit the process that was killed had completed."""
    rows = ledger_bodies(folder)
    ends = next(n for n, row in enumerate(rows) if row["event"] == "run" and n > 0)
    return {path_of(row["url"]) for row in rows[:ends] if row["event"] == "visit"}
