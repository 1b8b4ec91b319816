"""What a collection says of itself: up to date after each call, evidence never told anew, what is hidden not named."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from archiver.clock import ManualClock
from archiver.config import Places
from archiver.errors import DiskError
from archiver.ledger.hides import write
from archiver.ledger.segments import JsonlLedger
from archiver.model import Access, Actor, LedgerEntry
from archiver.warc.surt import surt
from archiver.wiring.describe import MANIFEST, TEXTS, describe
from tests.replay.samples import SITE, made, places, save

WHO = Actor(name="Ann")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def where(tmp_path: Path) -> Places:
    """A collection with open, restricted and dark captures, and two pages listed."""
    found = places(tmp_path).create()
    save(found)
    rows = [{"format": "json-pages-1.0"}, page("/gzip"), page("/br"), page("/absent", status=404)]
    (found.pages / "pages.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return found


def page(path: str, status: int = 200) -> dict[str, Any]:
    return {"url": SITE + path, "ts": "2026-11-23T12:00:00.000Z", "status": status}


def hide(where: Places, clock: ManualClock, match: str, target: str, event: str = "hide", **more: Any) -> None:
    data = {"match": match, "target": target, "because": "asked to", **more}
    write(where.logs, clock, WHO, [LedgerEntry(event=event, data=data)])
    clock.advance(1)
    describe(where, clock)


def keys(where: Places, access: Access = Access.OPEN) -> list[str]:
    """Of every line of the merged index."""
    levels = (where.indexes(access) / "merged").glob("*.cdxj")
    return sorted(line.split(" ")[0] for path in levels for line in path.read_text().splitlines())


def checked(folder: Path) -> bool:
    done = subprocess.run(["sha256sum", "-c", "--quiet", MANIFEST], cwd=folder, capture_output=True, check=False)
    return done.returncode == 0


def test_everything_is_there_and_holds(where: Places, clock: ManualClock) -> None:
    files = describe(where, clock)
    for name in (*TEXTS, MANIFEST, "acl/hidden.aclj"):
        assert (where.root / name) in [one.path for one in files]
    for one in files:
        assert hashlib.sha256(one.path.read_bytes()).hexdigest() == one.sha256, one.path
        assert where.state not in one.path.parents
    for folder in (where.root, where.root / "restricted", where.root / "dark"):
        assert checked(folder)
    assert (where.root / MANIFEST).read_text().count("archive/") == 1
    assert "restricted" not in (where.root / MANIFEST).read_text()
    own = where.indexes() / next(path.name for path in where.indexes().glob("*.gz.cdxj"))
    assert keys(where) == sorted(line.split(" ")[0] for line in own.read_text().splitlines())
    assert keys(where, Access.DARK) == [surt(f"{SITE}/dark")]
    assert list(where.root.rglob("*.tmp")) == []


def test_nothing_new_writes_nothing(where: Places, clock: ManualClock) -> None:
    first = {one.path: (one.sha256, one.path.stat().st_mtime_ns) for one in describe(where, clock)}
    again = {one.path: (one.sha256, one.path.stat().st_mtime_ns) for one in describe(where, clock)}
    rules = where.root / "acl" / "hidden.aclj"
    assert {path: told for path, told in again.items() if path != rules} == {
        path: told for path, told in first.items() if path != rules
    }


def test_the_state_may_be_deleted(where: Places, clock: ManualClock) -> None:
    first = [(one.path, one.sha256) for one in describe(where, clock)]
    for path in (where.state / "described.json", where.state / "bounds.json", *where.state.glob("merged-*.json")):
        path.unlink()
    assert [(one.path, one.sha256) for one in describe(where, clock)] == first


def test_a_changed_file_keeps_the_digest_of_before(where: Places, clock: ManualClock) -> None:
    describe(where, clock)
    victim = next((where.root / "dark").glob("*.warc.gz"))
    victim.write_bytes(victim.read_bytes() + b"x")
    (where.state / "described.json").unlink()
    describe(where, clock)
    assert not checked(where.root / "dark") and checked(where.root)
    next((where.root / "archive").glob("*.warc.gz")).unlink()
    describe(where, clock)
    assert not checked(where.root)


def test_a_url_that_is_hidden_is_in_no_merged_index_and_no_example(where: Places, clock: ManualClock) -> None:
    describe(where, clock)
    assert f"id_/{SITE}/gzip" in (where.root / "README.txt").read_text()
    hide(where, clock, "url", f"{SITE}/gzip")
    assert surt(f"{SITE}/gzip") not in keys(where)
    assert f"id_/{SITE}/br" in (where.root / "README.txt").read_text()
    hide(where, clock, "prefix", f"{SITE}/b")
    assert not {surt(f"{SITE}/br"), surt(f"{SITE}/big")} & set(keys(where))
    assert "id_/" not in (where.root / "README.txt").read_text().replace("`id_`", "")
    hide(where, clock, "prefix", f"{SITE}/b", event="unhide")
    hide(where, clock, "url", f"{SITE}/gzip", event="unhide")
    assert {surt(f"{SITE}/{path}") for path in ("gzip", "br", "big")} <= set(keys(where))
    assert checked(where.root)


def test_a_hide_that_ends_lets_the_lines_come_back(where: Places, clock: ManualClock) -> None:
    hide(where, clock, "url", f"{SITE}/dark", until=clock.now() + timedelta(hours=1))
    assert keys(where, Access.DARK) == []
    clock.advance(3601)
    describe(where, clock)
    assert keys(where, Access.DARK) == [surt(f"{SITE}/dark")]


def test_one_hidden_capture_goes_others_of_its_url_stay(where: Places, clock: ManualClock) -> None:
    name = next((where.root / "archive").glob("*.warc.gz")).name
    capture = {"files": [name], "urls": [f"{SITE}/"], "first": "20261123120000", "last": "20261123120001"}
    describe(where, clock)
    before = keys(where).count(surt(f"{SITE}/"))
    hide(where, clock, "capture", "ab" * 16, capture=capture)
    assert (before, keys(where).count(surt(f"{SITE}/"))) == (2, 1)


def test_what_expired_or_was_withheld_goes(where: Places, clock: ManualClock) -> None:
    index = next(where.indexes().glob("*.gz.cdxj"))
    rows = {line.split(" ")[0]: json.loads(line.split(" ", 2)[2]) for line in index.read_text().splitlines()}
    file = index.name.removesuffix(".cdxj")
    ledger = JsonlLedger(where.logs, clock, job="job", actor=WHO)
    for path, event, more in (
        ("/gzip", "outcome", {"access": "open", "expires": clock.now() + timedelta(hours=1)}),
        ("/br", "access", {"access": "dark"}),
    ):
        record = {"file": file, "offset": int(rows[surt(SITE + path)]["offset"]), "record_id": "urn:uuid:0"}
        ledger.append(LedgerEntry(event=event, url=SITE + path, data={"record": record, **more}))
    ledger.close()
    describe(where, clock)
    assert surt(f"{SITE}/gzip") in keys(where) and surt(f"{SITE}/br") not in keys(where)
    clock.advance(3601)
    describe(where, clock)
    assert surt(f"{SITE}/gzip") not in keys(where)
    assert "id_/" not in (where.root / "README.txt").read_text().replace("`id_`", "")


def test_another_run_is_taken_in(where: Places, clock: ManualClock) -> None:
    describe(where, clock)
    save(where, [made("/new-page")])
    describe(where, clock)
    assert surt(f"{SITE}/new-page") in keys(where)
    assert (where.root / MANIFEST).read_text().count("  archive/") == 2
    assert json.loads((where.root / "collection.json").read_text())["files"]["open"]["warcs"] == 2
    assert checked(where.root)


@pytest.fixture
def writer(where: Places) -> Iterator[subprocess.Popen[bytes]]:
    """Another process, which has a segment of the ledger open."""
    code = "import sys; from archiver.clock import SYSTEM; from archiver.model import Actor\n"
    code += "from archiver.ledger.segments import JsonlLedger; from pathlib import Path\n"
    code += "JsonlLedger(Path(sys.argv[1]), SYSTEM, job='live', actor=Actor(name='x')); print(flush=True); input()"
    command = [sys.executable, "-c", code, str(where.logs)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    yield process
    process.kill()
    process.communicate()


def test_a_segment_that_is_written_on_is_in_no_manifest(where: Places, writer: "subprocess.Popen[bytes]") -> None:
    clock = ManualClock((where.logs).stat().st_mtime)
    describe(where, clock)
    (segment,) = where.logs.glob("*.jsonl")
    assert segment.name not in (where.root / MANIFEST).read_text()
    writer.kill()
    writer.wait()
    describe(where, clock)
    assert segment.name in (where.root / MANIFEST).read_text()
    segment.write_bytes(segment.read_bytes() + segment.read_bytes())  # it grew after all: told as it is now
    describe(where, clock)
    assert checked(where.root)


def test_a_ledger_segment_that_is_changed_shows(where: Places, clock: ManualClock) -> None:
    ledger = JsonlLedger(where.logs, clock, job="job", actor=WHO)
    ledger.close()
    describe(where, clock)
    (segment,) = where.logs.glob("*.jsonl")
    segment.write_bytes(segment.read_bytes().replace(b"Ann", b"Bob"))
    describe(where, clock)
    assert not checked(where.root)


def test_what_a_killed_process_left_is_taken_away(where: Places, clock: ManualClock) -> None:
    (where.root / "README.txtabc.tmp").write_text("half")
    describe(where, clock)
    assert list(where.root.glob("*.tmp")) == []


def test_a_folder_that_cannot_be_written_is_named(where: Places, clock: ManualClock, tmp_path: Path) -> None:
    describe(where, clock)
    if os.getuid() == 0:  # root writes everywhere but over a folder
        (where.root / "README.txt").unlink()
        (where.root / "README.txt").mkdir()
    else:
        where.root.chmod(0o500)
    with pytest.raises(DiskError, match=r"README\.txt|main"):
        describe(where, clock)
