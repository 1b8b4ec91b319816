"""What a bucket costs: requests and bytes as the runs of a collection counted them, per 1,000 captures and per GB.

The counts lie in `state/requests.json`, by place (`S3Settings.place`); each run adds its own when it lets go of the
store, `verify --remote` too. A run that was killed adds nothing: its figures are missing; `Cost.is_partial` when
objects outnumber puts.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from archiver.clock import Clock, iso
from archiver.errors import DiskError

GB = 10**9
_FREE = frozenset(("abort_multipart_upload", "delete_object"))
_PUTS = frozenset(("put_object", "create_multipart_upload", "upload_part", "complete_multipart_upload"))
"""What stores bill alike, with lists; the rest is billed as a GET."""
_LISTS = frozenset(("list_objects_v2", "list_multipart_uploads"))
PRICED = ("write", "read", "storage", "up", "down")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Of all counted runs at one place: requests by operation, tries included; bytes of bodies each way."""

    place: str
    runs: int
    since: str
    requests: Mapping[str, int]
    again: int
    bytes_up: int
    bytes_down: int

    @property
    def writes(self) -> int:
        return sum(count for name, count in self.requests.items() if name in _PUTS | _LISTS)

    @property
    def reads(self) -> int:
        return sum(count for name, count in self.requests.items() if name not in _PUTS | _LISTS | _FREE)

    @property
    def ends(self) -> int:
        """Requests that made an object, or tried to."""
        return sum(self.requests.get(name, 0) for name in ("put_object", "complete_multipart_upload"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What the journal of uploads knows to be in the bucket."""

    objects: int
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """In any one currency: `write` and `read` per 1,000 requests, `up` and `down` per GB moved, `storage` per GB and
    month. None = not given."""

    write: float | None = None
    read: float | None = None
    storage: float | None = None
    up: float | None = None
    down: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Everything that was counted, and what it was for. GB = 10^9 bytes."""

    counted: Counted
    held: Held
    captures: int
    prices: Prices = field(default_factory=Prices)

    @property
    def is_partial(self) -> bool:
        """Whether the bucket holds more than was counted: some was stored by runs that were killed or did not count."""
        return self.held.objects > self.counted.ends

    def amounts(self) -> dict[str, float]:
        """By name, in all."""
        return {
            "objects": self.held.objects, "stored_bytes": self.held.size,
            "write_requests": self.counted.writes, "read_requests": self.counted.reads,
            "requests": sum(self.counted.requests.values()), "again": self.counted.again,
            "bytes_up": self.counted.bytes_up, "bytes_down": self.counted.bytes_down, **self._money(),
        }  # fmt: skip

    def per_1000_captures(self) -> dict[str, float] | None:
        return self._shared(self.captures / 1000)

    def per_gb(self) -> dict[str, float] | None:
        return self._shared(self.held.size / GB)

    def _shared(self, by: float) -> dict[str, float] | None:
        return {name: amount / by for name, amount in self.amounts().items()} if by else None

    def _money(self) -> dict[str, float]:
        """`money_once` for what was done, `money_a_month` for keeping it; nothing when no price was given."""
        prices, counted = self.prices, self.counted
        once = [
            (prices.write, counted.writes / 1000), (prices.read, counted.reads / 1000),
            (prices.up, counted.bytes_up / GB), (prices.down, counted.bytes_down / GB),
        ]  # fmt: skip
        found: dict[str, float] = {}
        if any(price is not None for price, _ in once):
            found["money_once"] = sum(price * amount for price, amount in once if price is not None)
        if prices.storage is not None:
            found["money_a_month"] = prices.storage * self.held.size / GB
        return found

    def to_json(self) -> dict[str, Any]:
        counted = self.counted
        return {
            "place": counted.place, "runs": counted.runs, "since": counted.since, "captures": self.captures,
            "partial": self.is_partial, "operations": dict(counted.requests), "in_all": self.amounts(),
            "per_1000_captures": self.per_1000_captures(), "per_gb_stored": self.per_gb(),
        }  # fmt: skip


def add_run(file: Path, place: str, counts: Mapping[str, Any], clock: Clock) -> None:
    """Add what one run counted (`S3Counts.as_json`); several processes may do so. Never raises: a full disk costs the
    figures, and no run ends otherwise than it would have because of them."""
    if not counts["requests"]:
        return
    with contextlib.suppress(OSError):
        with _locked(file):
            places = _places(file)
            old = places.get(place, {})
            operations = Counter(old.get("operations", {})) + Counter(counts["operations"])
            sums = {name: int(old.get(name, 0)) + int(counts[name]) for name in ("again", "bytes_up", "bytes_down")}
            row = {"runs": int(old.get("runs", 0)) + 1, "since": old.get("since") or iso(clock.now()), **sums}
            _write(file, {**places, place: {**row, "operations": dict(operations)}})


def read_counts(file: Path) -> list[Counted]:
    """All places, most requests first; none when nothing was counted yet."""
    found = [
        Counted(
            place=place, runs=int(row["runs"]), since=str(row["since"]), requests=dict(row["operations"]),
            again=int(row["again"]), bytes_up=int(row["bytes_up"]), bytes_down=int(row["bytes_down"]),
        )
        for place, row in _places(file).items()
    ]  # fmt: skip
    return sorted(found, key=lambda one: -sum(one.requests.values()))


def held(journal: Path) -> Held:
    """Objects and bytes that a journal (`SpoolJournal`) names as stored; nothing is changed."""
    if not journal.is_file():
        return Held(objects=0, size=0)
    try:
        with contextlib.closing(sqlite3.connect(f"file:{journal}?mode=ro", uri=True, timeout=30)) as db:
            query = "SELECT count(*), coalesce(sum(size), 0) FROM files WHERE uri IS NOT NULL"
            ((objects, size),) = db.execute(query).fetchall()
    except sqlite3.Error as error:
        raise DiskError(f"{journal}: the journal of uploads cannot be read: {error}") from error
    return Held(objects=objects, size=size)


def _places(file: Path) -> dict[str, Any]:
    """What is damaged counts as nothing: these are figures, not evidence."""
    try:
        found = json.loads(file.read_text("utf-8"))
        return dict(found["places"])
    except (OSError, ValueError, KeyError, TypeError):
        return {}


@contextlib.contextmanager
def _locked(file: Path) -> Iterator[None]:
    handle = os.open(file.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _write(file: Path, places: Mapping[str, Any]) -> None:
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=".requests-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as new:
            json.dump({"places": places}, new, indent=1)
        os.replace(name, file)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
