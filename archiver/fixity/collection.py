"""A local collection checked as a whole: its WARCs, indexes, ledgers, and what they say of one another.

Files are read in worker processes, each once; what they hold of each other is compared afterwards from packed numbers
that lie in `Remembered`, a few files' at a time. So memory does not grow with the collection, and an interrupted
check goes on where it was.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

from archiver.fixity import lists, pool, words
from archiver.fixity.files import OPEN, WARC_SUFFIXES, Checked, Contents, WarcFile, size_of
from archiver.fixity.kept import KeptFiles
from archiver.fixity.state import Remembered
from archiver.ledger.audit import LedgerAudit, audit_segment, head_number
from archiver.ledger.fixity import Fixity
from archiver.ledger.reader import SegmentReport, joints
from archiver.warc.audit import WarcAudit, audit_warc, place_key
from archiver.warc.verify import unresolved

Progress = Callable[[int, int, int, int], None]
"""Told of files read, files in all, bytes read, bytes in all."""

_SHOWN = 20


class CollectionCheck:
    """One check of one collection. `run` once; then `checked` is all that was found, a file each, by path."""

    def __init__(
        self, contents: Contents, remembered: Remembered, *, at_once: int, progress: Progress = lambda *_: None
    ) -> None:
        self._contents = contents
        self._root = contents.root
        self._remembered = remembered
        self._at_once = at_once
        self._progress = progress
        self._found: dict[Path, Checked] = {}
        self._damaged: set[Path] = set()  # WARCs that cannot be read whole
        self._heads: list[tuple[Path, str]] = []
        self._segments: list[SegmentReport] = []
        self._access: dict[str, set[str]] = {}
        self._cut: dict[str, int] = {}
        self._kept = KeptFiles(self._root)
        self._own = words.Words(self._root)
        self._done = [0, 0]
        self._size = contents.size
        self.taken_over = 0  # files that an interrupted check had read
        self._records = lru_cache(maxsize=4)(self._records_of)

    @property
    def checked(self) -> list[Checked]:
        return [self._found[path] for path in sorted(self._found)]

    @property
    def files(self) -> int:
        """WARCs and ledger segments in all."""
        return len(self._contents.warcs) + len(self._contents.ledgers)

    @property
    def read(self) -> int:
        """Of these, how many are read; known while `run` is under way too."""
        return self._done[0]

    def entries(self) -> Iterator[Fixity]:
        """For the fixity log: every file whose bytes were compared with something, indexes too."""
        for one in self.checked:
            if one.missing:
                yield Fixity(file=one.name, state="missing")
            elif one.sha256 or one.problems:
                state = "damaged" if one.problems else "holds"
                yield Fixity(file=one.name, state=state, sha256=one.sha256, problems=tuple(one.problems))
        for name, digest in self._kept.indexes.items():
            if self._root / name not in self._found:
                yield Fixity(file=name, state="holds", sha256=digest)

    def summary(self) -> dict[str, int]:
        """Numbers over all of it; `bytes` of WARCs and ledger segments."""
        checked = self._found.values()
        return {
            "files": len(checked),
            "bytes": sum(one.size for one in checked),
            "damaged": sum(bool(one.problems) for one in checked),
            "missing": sum(one.missing for one in checked),
            "noted": sum(bool(one.notes) for one in checked),
        }

    def run(self) -> None:
        """Raises OSError for a file that cannot be read, ArchiverError when a worker was killed."""
        self._read_warcs()
        self._read_ledgers()
        for path in self._contents.opened:
            self._add(path, OPEN)
        for one in self._own.check():
            self._found[one.path] = one
        self._check_chain()
        self._check_kept()
        self._check_revisits()
        self._check_references()
        self._check_access()
        for one in lists.check_lists(self._contents, self._digests(), self._kept.elsewhere):
            self._found[one.path] = one

    def _digests(self) -> dict[Path, str]:
        return {path: one.sha256 for path, one in self._found.items() if one.sha256}

    def _add(self, path: Path, told: str) -> Checked:
        name = path.relative_to(self._root).as_posix() if path.is_relative_to(self._root) else str(path)
        self._found[path] = Checked(path=path, name=name, told=told)
        return self._found[path]

    # reading

    def _read_warcs(self) -> None:
        by_path = {one.path: one for one in self._contents.warcs}
        left = self._left([(one.path, one.index) for one in by_path.values()])
        size = sum(map(size_of, left))
        items = [(path, (by_path[path].index,)) for path in left]
        for path, audit in pool.results(audit_warc, items, at_once=self._at_once, size=size):
            self._remembered.keep(path, by_path[path].index, audit, whole=audit.report.ok and not audit.index)
            self._warc(by_path[path], audit)
        for one in by_path.values():
            if one.path not in self._found:
                self._warc(one, self._remembered.warc(one.path))

    def _read_ledgers(self) -> None:
        left = self._left([(path, None) for path in self._contents.ledgers])
        size = sum(map(size_of, left))
        items = [(path, (place_key,)) for path in left]
        for path, audit in pool.results(audit_segment, items, at_once=self._at_once, size=size):
            self._remembered.keep(path, None, audit, whole=audit.report.chain.ok)
            self._ledger(path, audit)
        for path in self._contents.ledgers:
            if path not in self._found:
                self._ledger(path, self._remembered.ledger(path))

    def _left(self, files: list[tuple[Path, Path | None]]) -> list[Path]:
        """What has to be read; what an interrupted check read counts as done."""
        left = [path for path, index in files if not self._remembered.whole(path, index)]
        self.taken_over += len(files) - len(left)
        return left

    def _warc(self, file: WarcFile, audit: WarcAudit) -> None:
        one = self._add(file.path, f"{audit.report.records} records")
        one.sha256, one.size = audit.sha256, audit.report.size
        one.problems += map(str, audit.report.errors)
        if audit.report.errors:
            self._damaged.add(file.path)
        one.problems += map(str, audit.index or ())
        one.notes += audit.report.notes
        if file.index is None and audit.lines and file.access is not None:
            one.notes.append(f"has no index, so its {audit.lines} captures cannot be shown; the next run makes one")
        self._heads += [(file.path, head) for head in audit.heads]
        self._tell(one)

    def _ledger(self, path: Path, audit: LedgerAudit) -> None:
        chain = audit.report.chain
        one = self._add(path, f"{chain.rows} ledger rows")
        one.sha256, one.size = audit.sha256, audit.size
        one.problems += map(str, chain.problems)
        if chain.torn:
            one.notes.append(f"an unfinished last line of {chain.torn} bytes: its writer was killed, or is writing")
        if not chain.rows:
            one.notes.append("has no rows: its writer was killed at once, or somebody emptied it")
        if chain.erased:
            one.notes.append(f"{chain.erased} rows were erased; the chain holds without what they said")
        self._segments.append(audit.report)
        for file, found in audit.access.items():
            self._access.setdefault(file, set()).update(found)
        self._cut.update(audit.cut)
        self._kept.add(audit.kept)
        self._tell(one)

    def _tell(self, one: Checked) -> None:
        self._done = [self._done[0] + 1, self._done[1] + one.size]
        self._progress(self._done[0], self.files, self._done[1], self._size)

    # what the files say of one another

    def _check_chain(self) -> None:
        """Joints between segments, and heads that warcinfo records and collection.json name: those find rows cut from
        the end. What an imported file names is a row of its own collection's ledger."""
        for report in joints(self._segments):
            if report.joint:
                self._found[report.path].problems.append(report.joint)
        self._heads += self._told_heads()
        self._heads = [one for one in self._heads if not self._kept.is_imported(one[0].name)]
        wanted = {number for _, head in self._heads if (number := head_number(head)) is not None}
        if not wanted or not self._segments:
            return
        found: set[int] = set()
        for report in self._segments:
            hashes = array("Q", self._remembered.ledger(report.path).hashes)
            found |= wanted.intersection(hashes)
        for path, head in self._heads:
            if head_number(head) not in found:
                where = "it" if path == self._own.path else "its warcinfo"
                one = self._about() if path == self._own.path else self._found[path]
                one.problems.append(
                    f"{path.name}: {where} names the ledger head {head}, which no row of this ledger has: "
                    "rows were cut off, or a segment is missing"
                )

    def _told_heads(self) -> Iterator[tuple[Path, str]]:
        """Heads that collection.json names, of segments that are here; whether one is missing, the manifest knows."""
        here = {path.name for path in self._contents.ledgers}
        for file, head in self._own.heads:
            if file in here:
                yield self._own.path, head
            else:
                self._about().notes.append(f"names a ledger head of {file}, which is not here")

    def _about(self) -> Checked:
        return self._found.setdefault(self._own.path, self._own.checked(self._own.path))

    def _check_revisits(self) -> None:
        """Revisits of originals in other files, whatever their access class."""
        needing = {one.path: self._remembered.warc(one.path).report.revisits for one in self._contents.warcs}
        needing = {path: revisits for path, revisits in needing.items() if revisits}
        wanted = {key for revisits in needing.values() for one in revisits for key in one.keys}
        if not wanted:
            return
        found: set[int] = set()
        for file in self._contents.warcs:
            found |= wanted.intersection(array("Q", self._remembered.warc(file.path).originals))
        for path, revisits in needing.items():
            left = [one for one in revisits if found.isdisjoint(one.keys)]
            if left and any(place.endswith(WARC_SUFFIXES) for place in self._kept.elsewhere):
                self._found[path].notes.append(f"the originals of {len(left)} revisits are not here; a store has more")
            else:
                self._found[path].problems += map(str, unresolved(path.name, left))

    def _check_references(self) -> None:
        """Each record that a row names lies where the row says."""
        by_name = {one.path.name: one.path for one in self._contents.warcs}
        for report in self._segments:
            for file, packed in self._remembered.ledger(report.path).refs.items():
                if file not in by_name:
                    self._refers_to_nothing(report.path, file, len(packed) // 16)
                    continue
                self._refers(report.path, by_name[file], array("Q", packed))

    def _refers(self, segment: Path, warc: Path, pairs: array[int]) -> None:
        records, cut = self._records(warc), self._cut.get(warc.name)
        missing = sorted({place for key, place in zip(pairs[::2], pairs[1::2], strict=True) if key not in records})
        lost = [place for place in missing if cut is None or place < cut]
        if len(lost) < len(missing):
            self._found[segment].notes.append(
                f"{len(missing) - len(lost)} records that it names were cut from {warc.name} by salvage"
            )
        if lost and warc not in self._damaged:  # else the damage has been told, and this is what came of it
            shown = ", ".join(map(str, lost[:_SHOWN])) + ", ..." * (len(lost) > _SHOWN)
            self._found[segment].problems.append(
                f"{segment.name}: names {len(lost)} records that are not in {warc.name}, at {shown}"
            )

    def _refers_to_nothing(self, segment: Path, file: str, count: int) -> None:
        one = self._found[segment]
        if self._kept.is_told(file):
            return  # that the file is not here is told once, of the file
        if file in self._cut or any(path.name == f"{file}.open" for path in self._contents.opened):
            one.notes.append(f"{count} records that it names lie in {file}, which is not closed or held nothing whole")
        elif _appeared(self._root, file):
            one.notes.append(f"{file} was closed while this check was running; check again")
        else:
            one.problems.append(f"{segment.name}: names {count} records in {file}, which is not here")

    def _records_of(self, warc: Path) -> frozenset[int]:
        return frozenset(array("Q", self._remembered.warc(warc).places))

    def _check_kept(self) -> None:
        """What rows say of whole files: their bytes, and that they are here; and files that no row knows."""
        for one in self._kept.check(self._contents, self._found):
            self._found[one.path] = one

    def _check_access(self) -> None:
        """No record lies in a folder that more people see than its row allows."""
        for file in self._contents.warcs:
            if file.access is None:
                continue
            said = self._access.get(file.path.name, set())
            wrong = sorted(word for word in said if _openness(word) < _openness(file.access.value))
            if wrong:
                self._found[file.path].problems.append(
                    f"{file.path.name}: the ledger says that records of it are {' and '.join(wrong)}, "
                    f"and it lies in {file.path.parent.name}/"
                )


def _openness(access: str) -> int:
    return ("dark", "restricted", "open").index(access) if access in ("dark", "restricted", "open") else 2


def _appeared(root: Path, file: str) -> bool:
    folders = [root / folder for folder in ("archive", "restricted", "dark")]
    return any((folder / name).exists() for folder in folders for name in (file, f"{file}.open"))
