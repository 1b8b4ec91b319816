"""Strict verification of WARC files and their indexes: names file, offset and record, and goes on behind damage.

Bounded: memory by one piece of a block and some 40 bytes a record, problems by `MAX_PROBLEMS` a file, inflation by what
a record declares. The first bytes of a gzip header (time, flags of the compressor, system) and the padding bits of its
last deflate byte are covered by no checksum in the format; a file's SHA-256 covers them.
"""

from __future__ import annotations

import hashlib
import heapq
import multiprocessing
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from archiver.warc.checks import BlockCheck, header_faults
from archiver.warc.members import (
    EMPTY,
    Damage,
    GzipStream,
    PlainStream,
    Source,
    empty_members,
    next_record_member,
    zeros_until,
)
from archiver.warc.ordinary import Ordinary, ordinary
from archiver.warc.reader import RecordHead, RecordStream, bare, open_source, sniff

Seen = Callable[[RecordHead | Ordinary, bytes, int, int], None]
"""Told of each record of a gzip file: its header, first `START` bytes of the block, offset and length of its member."""

START = 1 << 20
MAX_PROBLEMS = 1000
MAX_WASTE = 64 << 20  # bytes read for members that turn out damaged, beyond 32 times the file
_RUN = 1 << 16
_PARALLEL_FROM = 32 << 20  # bytes in all, below which processes cost more than they save


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One fault. `offset` is that of the gzip member, or of the record in an uncompressed file."""

    file: str
    offset: int
    record_id: str
    code: str
    message: str

    def __str__(self) -> str:
        return (
            f"{self.file} at {self.offset}: {self.code}: {self.message}{f' ({self.record_id})' * bool(self.record_id)}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Revisit:
    """A revisit whose original has to be found: by record id, or by target and date."""

    offset: int
    record_id: str
    keys: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was found in one file. `records` counts whole records, `good_records` those before the first gap.

    `notes` are sentences on what other writers do otherwise, without damage.
    """

    file: str
    records: int
    errors: list[Problem]
    good_until: int = 0
    good_records: int = 0
    size: int = 0
    revisits: tuple[Revisit, ...] = ()
    originals: array[int] = field(default_factory=lambda: array("Q"), repr=False)
    notes: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return not self.errors


def verify_file(path: Path | str, *, seen: Seen | None = None) -> Report:
    """Check one WARC file from its first byte to its last. Raises OSError. Revisits are checked by `verify_paths`."""
    with open_source(path) as source:
        return verify_source(Path(path).name, source, seen=seen)


def verify_source(name: str, source: Source, *, seen: Seen | None = None) -> Report:
    """The same for bytes from anywhere. Raises what reading them raises."""
    return _Verifier(name, source, seen).run()


def verify_paths(paths: Sequence[Path | str], *, workers: int = 1) -> list[Report]:
    """Check files, and that each revisit's original is among them. `workers` > 1 uses processes for much data."""
    if workers > 1 and len(paths) > 1 and sum(Path(path).stat().st_size for path in paths) >= _PARALLEL_FROM:
        context = multiprocessing.get_context("spawn")  # forking a process that has threads can hang
        with ProcessPoolExecutor(min(workers, len(paths)), mp_context=context) as pool:
            reports = list(pool.map(verify_file, paths))
    else:
        reports = [verify_file(path) for path in paths]
    known = originals_for(reports, reports)
    return [_with_unresolved(report, known) for report in reports]


def originals_for(needing: Iterable[Report], having: Iterable[Report]) -> set[int]:
    """Of what the revisits of some files refer to, what other files have. Memory goes by the revisits."""
    wanted = {key for report in needing for one in report.revisits for key in one.keys}
    found: set[int] = set()
    for report in having if wanted else ():
        found |= wanted.intersection(report.originals)
    return found


def unresolved(file: str, revisits: Iterable[Revisit]) -> list[Problem]:
    """Revisits whose original was found nowhere, as problems."""
    return [
        Problem(
            file=file,
            offset=revisit.offset,
            record_id=revisit.record_id,
            code="unresolvedRevisit",
            message="the record that this revisit refers to is in none of the files",
        )
        for revisit in revisits
    ]


def _with_unresolved(report: Report, known: set[int]) -> Report:
    left = [revisit for revisit in report.revisits if known.isdisjoint(revisit.keys)]
    report.errors.extend(unresolved(report.file, left))
    return report


def key_of(*parts: str) -> int:
    """Eight bytes that stand for a record id, or for a target and date."""
    return int.from_bytes(hashlib.blake2b("\0".join(parts).encode("utf-8", "replace"), digest_size=8).digest(), "big")


class _Verifier:
    def __init__(self, name: str, source: Source, seen: Seen | None) -> None:
        self._name = name
        self._source = source
        self._seen = seen
        self._problems: list[Problem] = []
        self._records = 0
        self._good_until: int | None = None
        self._good_records = 0
        self._ids = array("Q")
        self._offsets = array("Q")  # of the records with these ids
        self._originals = array("Q")
        self._revisits: list[Revisit] = []
        self._shared_member = False
        self._current = ""  # id of the record in hand
        self._waste = 0
        self._coded_digests = 0

    def run(self) -> Report:
        offset = 0
        try:
            sniff(self._source)
        except Damage as error:
            self._damage(0, error)
            offset = self._source.size
        while offset < self._source.size:
            offset = self._member(offset)
        if self._source.size == 0:
            self._problem(0, "", "empty", "the file is empty")
        self._find_repeated()
        return Report(
            file=self._name,
            records=self._records,
            errors=self._problems,
            good_until=self._source.size if self._good_until is None else self._good_until,
            good_records=self._records if self._good_until is None else self._good_records,
            size=self._source.size,
            revisits=tuple(self._revisits),
            originals=self._originals,
            notes=tuple(self._notes()),
        )

    def _notes(self) -> Iterator[str]:
        if self._coded_digests:
            yield (
                f"{self._coded_digests} payload digests are of the body with its transfer coding (chunked), as wget "
                "writes them; WARC 1.1 (5.9) wants the entity without it"
            )

    def _problem(self, offset: int, record_id: str, code: str, message: str) -> None:
        if len(self._problems) < MAX_PROBLEMS:
            self._problems.append(
                Problem(file=self._name, offset=offset, record_id=record_id, code=code, message=message)
            )

    def _damage(self, offset: int, error: Damage) -> None:
        """A problem that ends the good beginning of the file: nothing from here on was written whole."""
        if self._good_until is None:
            self._good_until, self._good_records = offset, self._records
        self._problem(offset, self._current, error.code, str(error))

    def _member(self, offset: int) -> int:
        """Check the member (or plain records) at `offset`; the offset to go on from."""
        record = ordinary(self._source, offset)
        if record is not None:
            self._remember(record)
            if self._seen is not None:
                self._seen(record, record.block, offset, record.end - offset)
            return record.end
        return self._odd_member(offset)

    def _odd_member(self, offset: int) -> int:
        """`_member` in bounded memory, with words for every fault."""
        if self._source.read(offset, 4) == b"\0\0\0\0":
            return self._zeros(offset)
        empty = empty_members(self._source, offset)
        if empty:
            self._current = ""
            self._damage(offset, Damage("emptyMember", f"{empty // EMPTY} gzip member(s) without content"))
            return offset + empty
        plain = self._source.read(offset, 5) == b"WARC/"
        stream: PlainStream | GzipStream | None = None
        self._current = ""
        try:
            stream = PlainStream(self._source, offset) if plain else GzipStream(self._source, offset)
            head, start = self._stream(RecordStream(stream, offset), offset, plain)
        except Damage as error:
            self._damage(offset, error)
            return self._recover(offset, error, stream)
        assert stream.end is not None
        if self._seen is not None and not plain:
            self._seen(head, start, offset, stream.end - offset)
        return stream.end

    def _stream(self, reader: RecordStream, offset: int, plain: bool) -> tuple[RecordHead, bytes]:
        """The last record, and its beginning.

        A record of a gzip member counts once the member's checksum has held, or another record follows in it.
        """
        head, start = self._record(reader, reader.position if plain else offset)
        while not reader.at_end():
            if plain:
                self._remember(head)
            following, start = self._record(reader, reader.position if plain else offset)
            if not plain:
                self._remember(head)
                self._tell_shared_member(offset)
            head = following
        self._remember(head)
        return head, start

    def _tell_shared_member(self, offset: int) -> None:
        if not self._shared_member:
            self._problem(
                offset, "", "gzipNotPerRecord", "several records in one gzip member; recompress, one member each"
            )
        self._shared_member = True

    def _record(self, reader: RecordStream, offset: int) -> tuple[RecordHead, bytes]:
        head = reader.head(offset)
        self._current = head.record_id
        for code, message in header_faults(head):
            self._problem(offset, head.record_id, code, message)
        check = BlockCheck(head)
        start = bytearray()
        for piece in reader.block(head.length):
            check.feed(piece)
            if self._seen is not None and len(start) < START:
                start += piece[: START - len(start)]
        reader.finish()
        for code, message in check.faults():
            self._problem(offset, head.record_id, code, message)
        self._coded_digests += check.is_of_coded_body
        return head, bytes(start)

    def _remember(self, head: RecordHead | Ordinary) -> None:
        self._records += 1
        record_id, kind = head.record_id, head.type
        key = key_of(record_id)
        if record_id:
            self._ids.append(key)
            self._offsets.append(head.offset)
        if kind in ("response", "resource"):
            self._originals.append(key)
            self._originals.append(key_of(head.target or "", head.get("WARC-Date") or ""))
        elif kind == "revisit" and "server-not-modified" not in (head.get("WARC-Profile") or ""):
            keys = tuple(_revisit_keys(head))
            self._revisits.append(Revisit(offset=head.offset, record_id=record_id, keys=keys))

    def _find_repeated(self) -> None:
        """Ids that stand there twice. Sorted a part at a time: numbers in a list or set take five times the room."""
        runs = [array("Q", sorted(self._ids[at : at + _RUN])) for at in range(0, len(self._ids), _RUN)]
        repeated = {one for one, other in pairwise(heapq.merge(*runs)) if one == other}
        seen: set[int] = set()
        for key, offset in zip(self._ids, self._offsets, strict=True) if repeated else ():
            if key in seen:
                self._problem(offset, "", "duplicateRecordId", "its WARC-Record-ID stood in this file before")
            elif key in repeated:
                seen.add(key)
        if repeated:
            self._problems.sort(key=lambda one: one.offset)

    def _zeros(self, offset: int) -> int:
        end = zeros_until(self._source, offset)
        where = "to the end of the file" if end >= self._source.size else "inside the file"
        self._current = ""
        self._damage(offset, Damage("zeros", f"{end - offset} zero bytes {where}"))
        return end

    def _recover(self, offset: int, error: Damage, stream: PlainStream | GzipStream | None) -> int:
        """Where to go on behind damage at `offset`. What the damaged member says about its own end is not trusted."""
        self._waste += stream.consumed if stream is not None else 0
        if self._waste > MAX_WASTE + 32 * self._source.size:
            self._problem(offset, "", "bomb", "too much damaged data that claims to be records: the rest was not read")
            return self._source.size
        if error.code == "emptyMember" and stream is not None and stream.end is not None:
            return stream.end
        found = next_record_member(self._source, offset + 1)
        return self._source.size if found is None else found


def _revisit_keys(head: RecordHead | Ordinary) -> Iterator[int]:
    refers_to = head.get("WARC-Refers-To")
    if refers_to:
        yield key_of(bare(refers_to))
    target, date = head.get("WARC-Refers-To-Target-URI"), head.get("WARC-Refers-To-Date")
    if target and date:
        yield key_of(bare(target), date)


def problems(reports: Iterable[Report]) -> list[Problem]:
    """All problems of several reports, in order."""
    return [problem for report in reports for problem in report.errors]
