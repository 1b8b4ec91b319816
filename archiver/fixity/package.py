"""A WACZ checked by itself (WACZ 1.1.1): its lists of digests, WARCs by the strict reader, index, pages, ledger.

Nothing is unpacked to the disk; memory holds eight bytes a record.
"""

from __future__ import annotations

import gzip
import hashlib
import zlib
from array import array
from bisect import bisect_left
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import orjson

from archiver.fixity.files import WARC_SUFFIXES, Checked
from archiver.ledger.chain import verify_rows
from archiver.warc.cdxj import timestamp
from archiver.warc.imported_wacz import BadWacz, Resource, Wacz, open_wacz
from archiver.warc.members import Source
from archiver.warc.ordinary import Ordinary
from archiver.warc.reader import RecordHead, open_source
from archiver.warc.streamed import Streamed
from archiver.warc.verify import Report, key_of, originals_for, unresolved, verify_source

_PIECE = 1 << 20
_SHOWN = 200
_ANY = "*"


def check_package(path: Path) -> Iterator[Checked]:
    """The package as a whole, then each WARC, index, page list and ledger segment in it. Raises OSError."""
    whole = Checked(path=path, name=str(path), told="", size=path.stat().st_size)
    found = [whole]
    try:
        with open_wacz(path) as wacz:
            found += _Package(path, wacz, whole).run()
    except BadWacz as error:
        whole.problems.append(f"{path.name}: {error}")
    yield from found


class _Records:
    """What the records of all WARCs say, as packed numbers: where each lies, and with which payload digest."""

    def __init__(self) -> None:
        self.places = array("Q")
        self.digests = array("Q")
        self.captures = array("Q")
        self.untold: set[str] = set()  # WARCs that were not told record by record

    def add(self, name: str, head: RecordHead | Ordinary, start: bytes, offset: int, length: int) -> None:
        target = head.target
        if target is None:
            return
        key = _place(name, offset, length, target, timestamp((head.get("WARC-Date") or "")[:19]))
        self.places.append(key)
        self.digests.append(key_of(str(key), head.get("WARC-Payload-Digest") or _ANY))
        if head.type in ("response", "revisit") and target.lower().startswith(("http://", "https://")):
            self.captures.append(key)

    def sort(self) -> None:
        for name in ("places", "digests", "captures"):
            setattr(self, name, array("Q", sorted(getattr(self, name))))


class _Package:
    def __init__(self, path: Path, wacz: Wacz, whole: Checked) -> None:
        self._path = path
        self._wacz = wacz
        self._whole = whole
        self._records = _Records()
        self._reports: list[tuple[Checked, Report]] = []
        self._indexed = array("Q")
        self._urls = array("Q")

    def run(self) -> Iterator[Checked]:
        found = [self._warc(one) for one in self._wacz.warcs]
        self._resolve()
        self._records.sort()
        indexes = [one for one in self._wacz.others if one.path.startswith("indexes/")]
        found += [self._index(one) for one in indexes]
        self._compare(has_index=bool(indexes))
        for one in self._wacz.others:
            if one.path.startswith("pages/") and one.path.endswith(".jsonl"):
                found.append(self._pages(one))
            elif one.path.startswith("logs/ledger-") and one.path.endswith(".jsonl"):
                found.append(self._ledger(one))
            elif one not in indexes:
                self._digest(self._whole, one)
        self._unlisted()
        self._whole.told = f"{len(self._wacz.warcs) + len(self._wacz.others)} files listed"
        yield from found

    def _checked(self, resource: Resource) -> Checked:
        name = f"{self._path}!{resource.path}"
        return Checked(path=Path(name), name=name, told="", size=resource.size)

    def _digest(self, one: Checked, resource: Resource) -> bool:
        """Read for its hash alone; whether it holds."""
        try:
            self._wacz.check(resource)
        except BadWacz as error:
            one.problems.append(str(error))
        return not one.problems

    def _warc(self, resource: Resource) -> Checked:
        one, name = self._checked(resource), resource.path.rpartition("/")[2]
        told = 0

        def seen(head: RecordHead | Ordinary, start: bytes, offset: int, length: int) -> None:
            nonlocal told
            told += 1
            self._records.add(name, head, start, offset, length)

        stream = Streamed(self._wacz.pieces(resource), partial(self._wacz.read, resource))
        try:
            report = verify_source(name, Source(stream.read_at, resource.size), seen=seen)
            one.sha256 = stream.sha256()
        except BadWacz as error:
            one.problems.append(str(error))
            report = self._damaged(resource)
            one.told = f"{report.records} records" if report.size else "cannot be unpacked"
            one.problems += map(str, report.errors)
            self._records.untold.add(name)
            self._reports.append((one, report))
            return one
        if told != report.records or not resource.path.endswith(WARC_SUFFIXES):
            self._records.untold.add(name)
        one.told = f"{report.records} records"
        one.problems += map(str, report.errors)
        one.notes += report.notes
        self._reports.append((one, report))
        return one

    def _damaged(self, resource: Resource) -> Report:
        """Where in a stored WARC the damage lies; a packed one cannot be read behind it."""
        name, place = resource.path.rpartition("/")[2], self._wacz.place(resource)
        if place is None:
            return Report(file=name, records=0, errors=[])
        begin, size = place
        with open_source(self._path) as source:
            return verify_source(
                name, Source(lambda length, at: source.read(begin + at, max(0, min(length, size - at))), size)
            )

    def _resolve(self) -> None:
        """A revisit's original must be in the package: else it cannot be shown from there."""
        reports = [report for _, report in self._reports]
        known = originals_for(reports, reports)
        for one, report in self._reports:
            left = [revisit for revisit in report.revisits if known.isdisjoint(revisit.keys)]
            one.problems += map(str, unresolved(report.file, left))

    # -- the index

    def _index(self, resource: Resource) -> Checked:
        one = self._checked(resource)
        one.told = "index"
        if self._digest(one, resource):
            try:
                if resource.path.endswith(".idx"):
                    self._blocks(one, resource)
                else:
                    self._lines(one, resource)
            except BadWacz as error:
                one.problems.append(str(error))
            del one.problems[_SHOWN:]
        return one

    def _lines(self, one: Checked, resource: Resource) -> None:
        count, before = 0, b""
        for number, line in enumerate(self._text(resource), 1):
            if line.startswith(b"!meta"):
                continue
            count += 1
            if line < before and line[: line.find(b" {")] < before[: before.find(b" {")]:
                one.problems.append(f"{resource.path} line {number}: not in byte order")
            before = line
            problem = self._line(line)
            if problem:
                one.problems.append(f"{resource.path} line {number}: {problem}: {line[:120]!r}")
        one.told = f"{count} index lines"

    def _line(self, line: bytes) -> str:
        """What is wrong with an index line; empty when it leads to the record that it speaks of."""
        try:
            _, stamp, text = line.split(b" ", 2)
            said = orjson.loads(text)
            name, url = str(said["filename"]).rpartition("/")[2], str(said["url"])
            key = _place(name, int(said["offset"]), int(said["length"]), url, stamp[:14])
        except (ValueError, KeyError, TypeError, orjson.JSONDecodeError):
            return "no index line"
        self._indexed.append(key)
        self._urls.append(key_of(url))
        if name in self._records.untold:
            return ""
        if not _holds(self._records.places, key):
            return "no such record"
        digest = str(said.get("digest") or _ANY)
        if not any(_holds(self._records.digests, key_of(str(key), word)) for word in (digest, _ANY)):
            return "" if digest == _ANY else "another payload digest than the record's"
        return ""

    def _text(self, resource: Resource) -> Iterator[bytes]:
        """Lines, unpacked where they are packed. Raises BadWacz."""
        with self._wacz.open(resource) as file:
            if not resource.path.endswith(".gz"):
                yield from file
                return
            try:
                with gzip.GzipFile(fileobj=file) as text:
                    yield from text
            except (OSError, EOFError, zlib.error) as error:
                raise BadWacz(f"{resource.path}: cannot be unpacked: {error}") from error

    def _blocks(self, one: Checked, resource: Resource) -> None:
        """Each row of a small index against the block that it names (ZipNum): place, digest, first line."""
        others = {other.path.rpartition("/")[2]: other for other in self._wacz.others}
        ends: dict[str, int] = {}
        for number, row in enumerate(self._text(resource), 1):
            if row.startswith(b"!meta") or not row.strip():
                continue
            try:
                key, _, text = row.partition(b" {")
                said = orjson.loads(b"{" + text)
                name, offset, length = str(said["filename"]), int(said["offset"]), int(said["length"])
                block = self._wacz.read(others[name], offset, length)
                first = gzip.decompress(block)[: len(key)]
            except (KeyError, ValueError, TypeError, OSError, EOFError, zlib.error) as error:
                one.problems.append(f"{resource.path} line {number}: leads to no block of lines: {error}")
                continue
            digest = str(said.get("digest") or "")
            if digest.startswith("sha256:") and digest[7:] != hashlib.sha256(block).hexdigest():
                one.problems.append(f"{resource.path} line {number}: the block has another SHA-256")
            elif first != key or offset != ends.get(name, 0):
                one.problems.append(f"{resource.path} line {number}: is not about the next block")
            ends[name] = offset + length
        for name, end in ends.items():
            if end != others[name].size:
                one.problems.append(f"{resource.path}: ends before {name} does")
        one.told = "index of an index"

    def _compare(self, *, has_index: bool) -> None:
        indexed = array("Q", sorted(self._indexed))
        left = sum(not _holds(indexed, key) for key in self._records.captures)
        if not has_index:
            self._whole.problems.append("indexes/: there is no index (WACZ 1.1.1, 5.2)")
        elif left:
            self._whole.notes.append(f"{left} captures have no index line and are not shown: hidden, or left out")
        self._urls = array("Q", sorted(self._urls))

    # -- the rest

    def _pages(self, resource: Resource) -> Checked:
        one, count, lost = self._checked(resource), 0, []
        try:
            for page in self._wacz.pages_of(resource):
                count += 1
                if not _holds(self._urls, key_of(page.url)):
                    lost.append(page.url)
        except BadWacz as error:
            one.problems.append(str(error))
        self._digest(one, resource)
        one.told = f"{count} pages"
        if lost:
            one.notes.append(f"{len(lost)} pages have no capture in the index, such as {lost[0][:200]}")
        return one

    def _ledger(self, resource: Resource) -> Checked:
        one = self._checked(resource)
        try:
            with self._wacz.open(resource) as file:
                chain = verify_rows(file)
        except BadWacz as error:
            one.problems.append(str(error))
            return one
        self._digest(one, resource)
        one.told = f"{chain.rows} ledger rows"
        one.problems += [f"{resource.path}: {problem}" for problem in chain.problems]
        if chain.erased:
            one.notes.append(f"{chain.erased} rows were erased; the chain holds without what they said")
        return one

    def _unlisted(self) -> None:
        stray = self._wacz.stray()
        if stray:
            self._whole.problems.append(f"{self._path.name}: {stray} bytes before its first file or behind its end")
        left = self._wacz.unlisted()
        if left:
            self._whole.notes.append(
                f"datapackage.json does not list {', '.join(map(repr, left[:10]))}: no hash holds it"
            )
        if not self._wacz.has_digest:
            self._whole.notes.append("no datapackage-digest.json: nothing vouches for datapackage.json itself")


def _place(name: str, offset: int, length: int, url: str, stamp: bytes) -> int:
    return key_of(name, str(offset), str(length), url, stamp.decode("ascii", "replace"))


def _holds(numbers: array[int], number: int) -> bool:
    at = bisect_left(numbers, number)
    return at < len(numbers) and numbers[at] == number
