"""A SQLite view of a collection's ledger, for `list`, `why` and the counts. Not evidence: it can be deleted any time.

Built from the JSONL segments and kept up to date from remembered byte offsets; the crawl itself never writes here.
Where `state/` cannot be written (a read-only copy), the view is built in memory.
"""

from __future__ import annotations

import contextlib
import sqlite3
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import orjson

from archiver.clock import iso
from archiver.database import write_ahead
from archiver.errors import LedgerError
from archiver.ledger import tables
from archiver.ledger.reader import LedgerRow, Rows, read_row, read_rows, segment_paths
from archiver.model.usage import combined_usage

_PATIENCE = 60.0  # seconds for another process to finish its refresh
_LAST = "\U0010ffff"
_NEVER = 1 << 62


@dataclass(frozen=True, slots=True, kw_only=True)
class Capture:
    """One visit that kept something. `t` is when it began (ISO); `status` is `archived` once its file is stored.

    `listed` False: the page asks to be in no list (noindex). `expires`: when the public sees it no more (ISO).
    `usage` holds the usage labels of the page and its hops, those of `labels` rows too; None where the visit's row is
    of a time when none were written. `access_reason`: why it is not open. `size`: bytes from the wire, requisites' too.
    `opened`: what an override made is shown to the public (`open`); its file and its `access` stay what they are.
    """

    capture_id: str
    url: str
    t: str
    status: str
    http_status: int | None
    access: str
    completeness: str
    title: str
    file: str | None
    offset: int | None
    collection: str
    job: str
    hidden: bool
    listed: bool = True
    expires: str | None = None
    final_url: str = ""
    mime: str = ""
    size: int = 0
    payload_digest: str | None = None
    usage: Mapping[str, Any] | None = None
    access_reason: str = ""
    opened: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Distinct canonical URLs by what became of them; `reasons` by (state, reason)."""

    fetched: int
    refused: int
    failed: int
    pending: int
    reasons: dict[tuple[str, str], int]

    @property
    def discovered(self) -> int:
        return self.fetched + self.refused + self.failed + self.pending


class LedgerIndex:
    """`path` is `state/ledger-index.sqlite`, `logs` the folder of segments. Every query refreshes first."""

    def __init__(self, path: Path, logs: Path, *, collection: str = "main") -> None:
        self._path = path
        self._logs = logs
        self._collection = collection
        self.damaged: tuple[str, ...] = ()
        self._db = _open(path)

    def close(self) -> None:
        self._db.close()

    def __enter__(self) -> LedgerIndex:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def refresh(self) -> int:
        """Take in what was appended since; number of new rows. A file that changed or went away starts a rebuild.

        A line that is no row is passed over and named in `damaged`. An index that turns out to be damaged is replaced;
        where it cannot be written (a full disk, somebody else's lock), it is built in memory.
        """
        try:
            return self._refresh()
        except sqlite3.DatabaseError as error:
            self._replace(error)
        return self._refresh()

    def _replace(self, error: sqlite3.DatabaseError) -> None:
        self._db.close()
        if isinstance(error, sqlite3.OperationalError):  # no room, or somebody else has it: not its own fault
            self._db = _connect(None)
            return
        _remove(self._path)
        self._db = _open(self._path)

    def _ask(self, query: str, values: Sequence[object] = ()) -> Iterator[Any]:
        """Rows of a query. Where a page of the index turns out to be damaged, it is built anew and asked again.

        Raises LedgerError when part of the answer is given already.
        """
        given = False
        try:
            for row in self._db.execute(query, values):
                given = True
                yield row
            return
        except sqlite3.DatabaseError as error:
            self._replace(error)
            if given:
                raise LedgerError(f"{self._path} could not be read ({error}); ask again, it is built anew") from error
        self._refresh()
        yield from self._db.execute(query, values)

    def _refresh(self) -> int:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            if not self._unchanged():
                _clear(self._db)
            damaged: list[str] = []
            ingest = tables.Ingest(self._db)
            new = sum(self._take(path, ingest, damaged) for path in segment_paths(self._logs))
            self._db.execute("COMMIT")
        except BaseException:
            with contextlib.suppress(sqlite3.DatabaseError):
                self._db.execute("ROLLBACK")
            raise
        self.damaged = tuple(damaged)
        return new

    def rebuild(self) -> int:
        """Forget everything and read all segments again."""
        _clear(self._db)
        return self.refresh()

    def captures(
        self, *, prefix: str = "", since: datetime | None = None, now: datetime | None = None, hidden: bool = False
    ) -> Iterator[Capture]:
        """Captures in order of URL and time. With `now`, what `hide` hides at that time is left out unless `hidden`."""
        self.refresh()
        hides = self._hides(now)
        query = """SELECT c.id, c.url, c.key, c.t, c.job, c.data FROM captures c
            WHERE c.url >= ? AND c.url < ? AND c.t >= ? ORDER BY c.url, c.t, c.id"""
        stored = {name for (name,) in self._ask("SELECT file FROM stored")}
        cuts = dict(self._ask("SELECT file, size FROM cuts"))
        for found in self._ask(query, (prefix, prefix + _LAST, iso(since) if since else "")):
            capture = self._capture(found, hides, stored, cuts)
            if capture.status in ("captured", "archived") and (hidden or not capture.hidden):
                yield capture

    def rows_for(self, key: str) -> list[LedgerRow]:
        """Everything about one URL (canonical key), oldest first, with the `hide` rows that cover it."""
        self.refresh()
        places = list(self._ask(
            """SELECT r.t, s.name, r.offset, r.length FROM rows r JOIN urls u ON u.id = r.url
            JOIN segments s ON s.id = r.segment WHERE u.key = ?""",
            (key,),
        ))  # fmt: skip
        covering = """SELECT '', s.name, h.offset, h.length FROM hides h JOIN segments s ON s.id = h.segment
            WHERE (h.match = 'prefix' AND substr(?, 1, length(h.target)) = h.target)
            OR (h.match = 'url' AND h.target = ?)
            OR (h.match = 'capture' AND h.target IN (SELECT id FROM captures WHERE key = ?))"""
        places += self._ask(covering, (key, key, key))
        rows = [self._read(name, offset, length) for name, offset, length in {place[1:] for place in places}]
        return sorted(rows, key=lambda row: (str((row.body or {}).get("t", "")), row.file, row.offset))

    def locate(self, record_id: str) -> tuple[str, int] | None:
        """File name and byte offset of the robots.txt record that a decision cites as its evidence."""
        found = next(self._ask("SELECT file, offset FROM evidence WHERE id = ?", (record_id,)), None)
        return None if found is None else (found[0], found[1])

    def counts(self, *, job: str | None = None) -> Counts:
        """discovered = fetched + refused + failed + pending, of one job or of the collection."""
        self.refresh()
        totals: dict[str, int] = {}
        reasons: dict[tuple[str, str], int] = {}
        query = f"SELECT state, reason, COUNT(*) FROM ({_LATEST}) GROUP BY state, reason"
        for state, reason, number in self._ask(query, (job, job)):
            totals[state] = totals.get(state, 0) + number
            reasons[state, reason] = number
        names = ("fetched", "refused", "failed", "pending")
        return Counts(**{name: totals.get(name, 0) for name in names}, reasons=reasons)

    def urls(self, state: str, *, reason: str | None = None, job: str | None = None) -> Iterator[tuple[str, str]]:
        """(key, reason) of every URL in `state`, by key; only those left for `reason` when given."""
        self.refresh()
        query = f"""SELECT u.key, l.reason FROM ({_LATEST}) l JOIN urls u ON u.id = l.url
            WHERE l.state = ? AND (? IS NULL OR l.reason = ?) ORDER BY u.key"""
        yield from self._ask(query, (job, job, state, reason, reason))

    def fates(self, job: str) -> Iterator[tuple[str, str, str, list[dict[str, Any]]]]:
        """(key, state, reason, the job's rows about it, oldest first) of every URL of `job`, by key. Holds one URL."""
        self.refresh()
        query = f"""SELECT u.key, l.state, l.reason, s.name, r.offset, r.length FROM ({_LATEST}) l
            JOIN urls u ON u.id = l.url JOIN rows r ON r.url = l.url JOIN segments s ON s.id = r.segment
            ORDER BY u.key, r.t, s.name, r.offset"""
        with Rows(self._logs) as rows:
            for fate, places in groupby(self._ask(query, (job, job)), key=itemgetter(0, 1, 2)):
                bodies = (rows.read(*place[3:]).body for place in places)
                yield *fate, [body for body in bodies if body is not None and body.get("job") == job]

    def has_fate(self, key: str, job: str) -> bool:
        """Whether `job` counts the URL. Asks the index as it stands: for many calls after one that refreshed."""
        query = "SELECT 1 FROM states s JOIN urls u ON u.id = s.url WHERE u.key = ? AND s.job = ?"
        return next(self._ask(query, (key, job)), None) is not None

    def visits(self, job: str) -> Iterator[tuple[str, str]]:
        """(URL, begin) of every visit of `job` that asked its site for something, by begin."""
        self.refresh()
        query = """SELECT url, t FROM captures WHERE job = ? AND json_extract(data, '$.fetched') > 0 ORDER BY t, id"""
        yield from self._ask(query, (job,))

    def stored(self) -> frozenset[str]:
        """Names of the files that a `stored` row says are in the store and were checked there."""
        self.refresh()
        return frozenset(name for (name,) in self._ask("SELECT file FROM stored"))

    def _unchanged(self) -> bool:
        """Whether every segment still begins with what was read from it: same last row at the same place."""
        known = self._db.execute("SELECT name, offset, tail, tail_sum FROM segments WHERE offset > 0")
        for name, offset, tail, tail_sum in known:
            try:
                with (self._logs / name).open("rb") as file:
                    file.seek(tail)
                    line = file.read(offset - tail)
            except OSError:
                return False
            if len(line) != offset - tail or zlib.crc32(line) != tail_sum:
                return False
        return True

    def _take(self, path: Path, ingest: tables.Ingest, damaged: list[str]) -> int:
        known = self._db.execute("SELECT id, offset FROM segments WHERE name = ?", (path.name,)).fetchone()
        if known is None:
            added = self._db.execute("INSERT INTO segments VALUES(NULL, ?, 0, 0, 0)", (path.name,))
            known = (added.lastrowid, 0)
        segment, start = known
        if path.stat().st_size <= start:
            return 0
        last, rows = None, 0
        for last in read_rows(path, start, damaged=damaged):
            ingest.row(last, segment)
            rows += 1
        if last is not None:
            self._remember(path, segment, last)
        return rows

    def _remember(self, path: Path, segment: int, last: LedgerRow) -> None:
        with path.open("rb") as file:
            file.seek(last.offset)
            tail_sum = zlib.crc32(file.read(last.length))
        place = (last.offset + last.length, last.offset, tail_sum, segment)
        self._db.execute("UPDATE segments SET offset = ?, tail = ?, tail_sum = ? WHERE id = ?", place)

    def _read(self, name: str, offset: int, length: int) -> LedgerRow:
        with (self._logs / name).open("rb") as file:
            return read_row(file, name, offset, length)

    def _hides(self, now: datetime | None) -> list[tuple[str, str]]:
        if now is None:
            return []
        query = "SELECT match, target FROM hides WHERE hidden AND (until IS NULL OR until > ?)"
        return list(self._ask(query, (iso(now),)))

    def _capture(
        self, found: tuple[str, ...], hides: list[tuple[str, str]], stored: set[str], cuts: Mapping[str, int]
    ) -> Capture:
        capture_id, url, key, t, job, text = found
        data: dict[str, Any] = orjson.loads(text)
        records: list[dict[str, Any]] = data.get("records") or []
        record = data.get("record") or (records[0] if records else {})
        files = {one["file"] for one in (record, *records) if one.get("file")}
        status = str(data.get("status", ""))
        if status == "captured" and files and files <= stored:
            status = "archived"
        if any(one.get("offset", 0) >= cuts.get(one.get("file", ""), _NEVER) for one in (record, *records)):
            status = "lost"  # the power went before it was on the disk; salvage found the file shorter
        completeness = data.get("completeness") or ""
        return Capture(
            capture_id=capture_id,
            url=url,
            t=t,
            status=status,
            http_status=data.get("http_status"),
            access=str(data.get("access") or "open"),
            completeness=completeness if isinstance(completeness, str) else str(completeness.get("verdict", "")),
            title=str(data.get("title") or ""),
            file=record.get("file"),
            offset=record.get("offset"),
            collection=self._collection,
            job=job,
            hidden=any(_covers(match, target, key, capture_id) for match, target in hides),
            listed=data.get("listed") is not False,
            expires=data.get("expires"),
            final_url=str(data.get("final_url") or url),
            mime=str(data.get("mime") or ""),
            size=int(data.get("size") or 0),
            payload_digest=data.get("payload_digest"),
            usage=self._usage(capture_id, data),
            access_reason=str(data.get("keep_reason") or ""),
        )

    def _usage(self, capture_id: str, data: Mapping[str, Any]) -> dict[str, Any] | None:
        if not isinstance(data.get("usage"), dict):
            return None
        late = self._db.execute("SELECT usage FROM labels WHERE capture = ? ORDER BY rank", (capture_id,)).fetchall()
        return combined_usage(data["usage"], *(orjson.loads(text) for (text,) in late))


_LATEST = """SELECT url, state, reason, MAX(rank) FROM states WHERE (? IS NULL OR job = ?) GROUP BY url"""


def _covers(match: str, target: str, key: str, capture_id: str) -> bool:
    if match == "prefix":
        return key.startswith(target)
    return target == (capture_id if match == "capture" else key)


def _open(path: Path) -> sqlite3.Connection:
    """The index at `path`, empty when it is new, of another version or damaged; in memory where it cannot be kept."""
    try:
        return _connect(path)
    except (sqlite3.OperationalError, OSError):
        return _connect(None)
    except sqlite3.DatabaseError:
        _remove(path)
        return _connect(path)


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _connect(path: Path | None) -> sqlite3.Connection:
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(path or ":memory:", isolation_level=None, timeout=_PATIENCE)
    try:
        write_ahead(db, _PATIENCE)
        db.execute("PRAGMA synchronous = OFF")  # it can be rebuilt: speed over power loss
        db.execute("BEGIN IMMEDIATE")
        if db.execute("PRAGMA user_version").fetchone()[0] != tables.VERSION:
            _clear(db)
        db.execute("COMMIT")
    except BaseException:
        db.close()
        raise
    return db


def _clear(db: sqlite3.Connection) -> None:
    """Drop and create, inside a transaction of the caller's or statement by statement."""
    names = db.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").fetchall()
    for (name,) in names:
        db.execute(f'DROP TABLE "{name}"')
    for statement in tables.SCHEMA.split(";"):
        if statement.strip():
            db.execute(statement)
    db.execute(f"PRAGMA user_version = {tables.VERSION}")
