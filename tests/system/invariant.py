"""What must hold of a collection after any fault and one more run: nothing that was called archived is lost.

Read from the outside where that is possible: rows as plain JSON, records with the standard library and warcio, indexes
compared with cdxj-indexer, requests as the server counted them. Our own strict reader comes on top of that.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cdxj_indexer.main import CDXJIndexer
from warcio.archiveiterator import ArchiveIterator
from warcio.bufferedreaders import ChunkedDataReader
from warcio.checker import Checker

from archiver.ledger.index import LedgerIndex
from tests.servers.raw import RawServer
from tests.system.cli import check_collection, ledger_bodies, whole_lines
from tests.system.site import asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A record that the ledger tells of: where it is and what its payload is."""

    url: str
    file: str
    offset: int
    record_id: str
    digest: str


@dataclass(slots=True)
class Acknowledged:
    """Everything that was ever reported `archived`, noted after each run, however it ended."""

    kept: set[Kept] = field(default_factory=set)

    def note(self, folder: Path) -> int:
        """Take in what the ledger says now; how many records are promised by now."""
        bodies = ledger_bodies(folder)
        stored = {row["file"] for row in bodies if row["event"] == "stored"}
        lost = _lost(bodies)
        self.kept |= {one for one in recorded(bodies) if one.file in stored and not lost(one)}
        return len(self.kept)

    def check(self, folder: Path) -> None:
        """Each is in an index, and reads back with its id and digest, by other readers than ours."""
        index = index_rows(folder)
        paths = {path.name: path for path in folder.rglob("*.warc.gz")}
        for one in self.kept:
            row = index.get((one.file, one.offset))
            assert row is not None and row["url"] == one.url, f"archived, and in no index: {one}"
            assert row["digest"] == one.digest, (one, row)
            assert _payload_digest(paths[one.file], row) == (one.record_id, one.digest), one


def recorded(bodies: Iterable[dict[str, Any]]) -> set[Kept]:
    """What `outcome` rows say was recorded."""
    return {
        Kept(
            url=row["url"], file=row["record"]["file"], offset=row["record"]["offset"],
            record_id=row["record"]["record_id"], digest=row["payload_digest"],
        )
        for row in bodies
        if row["event"] == "outcome" and row["status"] == "captured"
    }  # fmt: skip


def _lost(bodies: Iterable[dict[str, Any]]) -> Any:
    """Whether a salvage row says that a record did not reach the disk before the power went."""
    cuts: dict[str, int] = {}
    for row in bodies:
        if row["event"] == "salvage":
            cuts[row["file"]] = min(row["cut"], cuts.get(row["file"], row["cut"]))
    return lambda one: one.offset >= cuts.get(one.file, 1 << 62)


def index_paths(folder: Path) -> list[Path]:
    """The index of each WARC; what is merged out of them says nothing new."""
    return sorted(path for path in folder.rglob("*.warc.gz.cdxj") if path.parent.name == "indexes")


def index_rows(folder: Path) -> dict[tuple[str, int], dict[str, str]]:
    """(file, offset) -> fields."""
    rows: dict[tuple[str, int], dict[str, str]] = {}
    for path in index_paths(folder):
        for line in path.read_text("utf-8").splitlines():
            fields = json.loads(line.split(" ", 2)[2])
            place = (fields["filename"], int(fields["offset"]))
            assert place not in rows, f"a record stands in the index twice: {place}"
            rows[place] = fields
    return rows


def _payload_digest(path: Path, row: dict[str, str]) -> tuple[str, str]:
    """Record id and payload digest of the member that an index line points to; a revisit's is the one it declares."""
    with path.open("rb") as file:
        file.seek(int(row["offset"]))
        member = gzip.decompress(file.read(int(row["length"])))
    record = next(iter(ArchiveIterator(io.BytesIO(member))))
    record_id = record.rec_headers.get_header("WARC-Record-ID").strip("<>")
    if record.rec_type == "revisit":
        return record_id, record.rec_headers.get_header("WARC-Payload-Digest")
    chunked = (record.http_headers.get_header("Transfer-Encoding") or "").lower() == "chunked"
    stream = ChunkedDataReader(record.raw_stream, decomp_type=None) if chunked else record.raw_stream
    return record_id, f"sha256:{hashlib.sha256(stream.read()).hexdigest()}"


def check_invariant(
    folder: Path, told: Acknowledged, server: RawServer, *, finished: bool = True, rows_lost: bool = False
) -> None:
    """The whole of it. `finished`: the crawl came to its end, so that nothing is pending and all is archived.

    `rows_lost`: the power went, and rows with it: what was asked for again cannot be told apart from the rest.
    """
    check_collection(folder)
    check_readers(folder)
    told.note(folder)
    told.check(folder)
    check_fates(folder, server, finished=finished)
    if not rows_lost:
        check_asked(folder, server)
    check_ledger_index(folder)


def check_readers(folder: Path) -> None:
    """Readers that are not ours find every file whole, and the same captures at the same places."""
    paths = sorted(folder.rglob("*.warc.gz"))
    checker = Checker(type("Command", (), {"inputs": [str(path) for path in paths], "verbose": False})())
    checker.process_all()
    assert checker.exit_value == 0
    assert not [path for path in folder.rglob("*") if path.suffix in (".tmp", ".open") or path.name.startswith(".put-")]
    ours = {(name, str(offset), row["length"]) for (name, offset), row in index_rows(folder).items()}
    out = io.StringIO()
    CDXJIndexer(out, [str(path) for path in paths], sort=False).process_all()
    rows = [json.loads(line.split(" ", 2)[2]) for line in out.getvalue().splitlines()]
    assert ours == {(Path(row["filename"]).name, row["offset"], row["length"]) for row in rows}


def check_fates(folder: Path, server: RawServer, *, finished: bool) -> None:
    """Whatever the server was asked for is known, and each URL is archived, captured, failed, refused or pending."""
    fates = fates_of(folder)
    for path in set(server.paths()):
        fate = fates.get(server.url(path))
        assert fate in ({"archived"} if finished else {"archived", "captured", "pending"}), (path, fate)
    if finished:
        left = {url: fate for url, fate in fates.items() if fate in ("pending", "captured")}
        assert not left, f"the crawl came to its end, and these did not: {left}"


def fates_of(folder: Path) -> dict[str, str]:
    """URL -> its one fate, out of the rows and of what the indexes hold."""
    bodies = ledger_bodies(folder)
    stored = {row["file"] for row in bodies if row["event"] == "stored"}
    there = index_rows(folder).keys()
    found: dict[str, str] = {}
    for row in bodies:
        url = row.get("url")
        if url is None or row["event"] == "signals":
            continue
        record = row.get("record") or {}
        if row["event"] == "outcome" and (record.get("file"), record.get("offset")) in there:
            found[url] = "archived" if record["file"] in stored or found.get(url) == "archived" else "captured"
        elif found.get(url) in ("archived", "captured"):
            continue
        elif row["event"] == "outcome" and row["status"] == "failed":
            found[url] = "failed"
        elif row["event"] == "decision" and row["verdict"] == "refuse" and row["reason"] != "duplicate":
            found[url] = "refused"
        elif row["event"] == "discovered" and row["reason"] != "allowed":
            found.setdefault(url, "refused")
        else:
            found.setdefault(url, "pending")
    return found


def runs(folder: Path) -> list[list[dict[str, Any]]]:
    """The ledger rows by process: its number ends the names of its files."""
    found: dict[str, list[dict[str, Any]]] = {}
    for path in sorted((folder / "logs").glob("ledger-*.jsonl")):
        rows = [json.loads(json.loads(row)["body"]) for row in whole_lines(path)]
        found.setdefault(path.stem.rpartition("-")[2], []).extend(rows)
    return list(found.values())


def check_asked(folder: Path, server: RawServer) -> None:
    """Every path asked for k times: k - 1 of these stood in visits whose process died before they were complete.

    A job that a kill left behind is gone on with. One that had come to its end when its process was killed is not: the
    same command begins a new one, which asks for everything once more. What says how a site may be used is asked for
    when its visit is told of already, and is complete when a row says what it says.
    """
    jobs: set[str] = set()
    over: set[str] = set()
    unfinished: Counter[str] = Counter()
    for rows in runs(folder):
        jobs |= {row["job"] for row in rows if row["event"] == "run"}
        over |= {row["job"] for row in rows if row["event"] == "end"}
        ended = {row["url"] for row in rows if row["event"] == "visit"}
        known = {row["url"] for row in rows if row["event"] == "signals"}
        asked_for = (row for row in rows if row["event"] == "decision" and row["verdict"] == "allow")
        unfinished.update(
            row["url"].removeprefix(server.origin)
            for row in asked_for
            if row["kind"] != "robots"
            and (row["url"] not in known if row["kind"] == "signals" else (row["initiator"] or row["url"]) not in ended)
        )
    assert jobs == over, "a job was begun anew though another was to be gone on with"
    twice = {path: number for path, number in asked(server.requests).items() if number > len(jobs) + unfinished[path]}
    assert not twice, f"asked for again though their visit was complete: {twice}"


def check_ledger_index(folder: Path) -> None:
    """The index that every query brings up to date says what one built afresh in memory says."""
    with tempfile.TemporaryDirectory() as fresh:
        built = _answers(Path(fresh) / "index.sqlite", folder)
    assert _answers(folder / "state" / "ledger-index.sqlite", folder) == built


def _answers(path: Path, folder: Path) -> tuple[Any, ...]:
    with LedgerIndex(path, folder / "logs") as index:
        return list(index.captures()), index.counts(), index.stored()


def holdings(folder: Path, server: RawServer) -> dict[str, frozenset[str]]:
    """Path -> payload digests, for comparing an interrupted crawl with one that was not."""
    found: dict[str, set[str]] = {}
    for fields in index_rows(folder).values():
        found.setdefault(fields["url"].removeprefix(server.origin), set()).add(fields["digest"])
    return {path: frozenset(digests) for path, digests in found.items()}


def fates_by_path(folder: Path, server: RawServer) -> dict[str, str]:
    return {url.removeprefix(server.origin): fate for url, fate in fates_of(folder).items()}


def listed_by_path(folder: Path, server: RawServer) -> dict[str, str]:
    """Path -> status of what `archiver list` shows. Whether a page was reached by its own URL first or by a redirect
    is a matter of who came first: it counts under either."""
    found: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as fresh, LedgerIndex(Path(fresh) / "index.sqlite", folder / "logs") as index:
        for one in index.captures():
            for url in (one.url, one.final_url):
                path = url.removeprefix(server.origin)
                found[path] = min(one.status, found.get(path, one.status))  # archived, captured
    return found
