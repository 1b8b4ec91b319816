"""Files of others into a collection: copied, checked strictly, indexed anew, told in the ledger, then shown.

The order is what makes a kill harmless: the copy is staged and checked, the ledger's row is durable, the WARC gets its
name, its index last. Nothing is shown without an index, and the same command finishes what was begun.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from archiver.clock import Clock
from archiver.config import Places
from archiver.errors import UsageError
from archiver.ledger.imports import Imported, ImportLedger, imported, imported_entry
from archiver.model import Access, Actor
from archiver.warc.files import disk_error, make_folder, sync_folder
from archiver.warc.imported import Examined, examine, is_gzip
from archiver.warc.imported_wacz import BadWacz, Resource, Wacz, open_wacz
from archiver.warc.verify import Problem, originals_for
from archiver.wiring.imported_files import Copied, copied, free_name, need_room, placed, sha256_of, size_of
from archiver.wiring.imported_pages import write_pages
from archiver.wiring.quarantine import Quarantine

UNPACK = "several records in one gzip member: recompress it, one record a member (`warcio recompress OLD NEW`)"
_SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the command says of the files: who may see them, why they are taken in, where they are said to come from."""

    access: Access = Access.RESTRICTED
    note: str
    origin: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What became of one file. `outcome`: imported, known (its bytes are here already) or quarantined.

    `source` is its path, a WARC of a WACZ behind a `!`; `file` its name in the collection or in `quarantine/`.
    """

    outcome: str
    source: str
    file: str
    sha256: str
    size: int
    records: int = 0
    access: Access | None = None
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    pages: int = 0


class Importer:
    """One import at a time a collection."""

    def __init__(self, places: Places, clock: Clock, actor: Actor, asked: Asked) -> None:
        self._places = places
        self._asked = asked
        self._staging = places.state / "import"
        self.ledger = ImportLedger(places.logs, clock, actor, asked.note)
        self._quarantine = Quarantine(places, self.ledger, asked.origin)
        self._known: dict[str, Imported] = {}

    @contextlib.contextmanager
    def open(self) -> Iterator[Importer]:
        """Raises UsageError while another process imports into the collection, LedgerError, DiskError."""
        with _locked(self._places.state / "import.lock"), contextlib.closing(self.ledger):
            shutil.rmtree(self._staging, ignore_errors=True)  # of a process that was killed
            self._known = {one.sha256: one for one in imported(self._places.logs)}
            try:
                self._staging.mkdir(mode=0o700)
                yield self
            except OSError as error:
                raise disk_error(Path(error.filename or self._staging), 0, error) from error
            finally:
                shutil.rmtree(self._staging, ignore_errors=True)

    def take(self, path: Path) -> Iterator[Taken]:
        """A WARC, or the WARCs of a WACZ. Raises OSError, DiskError; a bad file is quarantined and told."""
        if path.name.lower().endswith(".wacz"):
            yield from self._wacz(path)
        else:
            size = path.stat().st_size
            known = self._is_known(path, size)
            yield known or self._warc(self._copy(path, path.name), str(path), {})

    # -- a WARC

    def _is_known(self, path: Path, size: int) -> Taken | None:
        """Hashes the file only where one of its size was imported before, or one of its name and size is our own."""
        name, folders = path.name, self._places.warcs
        own = [one for one in Access if size_of(folders(one) / name) == size and placed(self._places, one, name)]
        if not own and all(one.size != size for one in self._known.values()):
            return None
        sha256, source = sha256_of(path), str(path)
        same = self._same(sha256, source)
        access = next((one for one in own if same is None and sha256_of(folders(one) / name) == sha256), None)
        if access is None:
            return same
        return Taken(outcome="known", source=source, file=name, sha256=sha256, size=size, access=access)

    def _same(self, sha256: str, source: str) -> Taken | None:
        one = self._known.get(sha256)
        if one is None or not placed(self._places, one.access, one.file):
            return None
        wanted = self._asked.access
        notes = () if one.access is wanted else (f"it is here as {one.access} and stays so",)
        return Taken(
            outcome="known", source=source, file=one.file, sha256=sha256, size=one.size, records=one.records,
            access=one.access, notes=notes,
        )  # fmt: skip

    def _copy(self, path: Path, name: str) -> Copied:
        need_room(self._staging, path.stat().st_size)
        return copied(path, self._staging / "warc", name)

    def _warc(self, copy: Copied, source: str, container: dict[str, str]) -> Taken:
        """A staged copy, judged and put where it belongs."""
        same = self._same(copy.sha256, source)
        if same is not None:
            return same
        begun = self._known.get(copy.sha256)
        name = begun.file if begun else free_name(self._places, copy.name, copy.sha256, gzip=is_gzip(copy.path))
        index = self._staging / "index"
        found = examine(copy.path, name, index)
        if found.report.errors:
            problems = [_told(one) for one in found.report.errors]
            file = self._quarantine.put(copy, source, problems, records=found.report.records)
            return _quarantined(copy, source, file, problems)
        one = begun or self._tell(copy, source, name, found, container)
        self._place(copy, index, one)
        return Taken(
            outcome="imported", source=source, file=one.file, sha256=copy.sha256, size=copy.size,
            records=found.report.records, access=one.access, notes=_notes(found, begun, self._asked.access),
        )  # fmt: skip

    def _tell(self, copy: Copied, source: str, name: str, found: Examined, container: dict[str, str]) -> Imported:
        one = Imported(
            file=name, source=Path(source.rpartition("!")[2]).name, sha256=copy.sha256, size=copy.size,
            records=found.report.records, access=self._asked.access, note=self._asked.note, by="", t="",
            origin=self._asked.origin, claims=found.claims, container=container,
        )  # fmt: skip
        self.ledger.append(imported_entry(one))
        self._known[one.sha256] = one
        return one

    def _place(self, copy: Copied, index: Path, one: Imported) -> None:
        """The WARC's name, then its index: each is there whole or not at all."""
        folder, indexes = self._places.warcs(one.access), self._places.indexes(one.access)
        mode = 0o644 if one.access is Access.OPEN else 0o600
        for staged, target in ((copy.path, folder / one.file), (index, indexes / f"{one.file}.cdxj")):
            make_folder(target.parent, one.access)
            os.chmod(staged, mode)
            os.rename(staged, target)
            sync_folder(target.parent)

    # -- a WACZ

    def _wacz(self, path: Path) -> Iterator[Taken]:
        need_room(self._staging, path.stat().st_size)
        copy = copied(path, self._staging / "wacz", path.name)
        container = {"name": path.name, "sha256": copy.sha256}
        try:
            with open_wacz(copy.path) as wacz:
                for resource in (*wacz.warcs, *wacz.others):
                    wacz.check(resource)  # all of it, before anything of it is used
                taken = [self._member(wacz, resource, path, container) for resource in wacz.warcs]
                pages = self._pages(wacz, copy) if any(one.outcome == "imported" for one in taken) else 0
        except BadWacz as error:
            problems = [str(error)]
            yield _quarantined(copy, str(path), self._quarantine.put(copy, str(path), problems), problems)
            return
        yield from (replace(one, pages=pages if number == 0 else 0) for number, one in enumerate(taken))

    def _member(self, wacz: Wacz, resource: Resource, path: Path, container: dict[str, str]) -> Taken:
        source = f"{path}!{resource.path}"
        need_room(self._staging, resource.size)
        unpacked = self._staging / "member"
        wacz.copy(resource, unpacked)
        copy = copied(unpacked, self._staging / "warc", Path(resource.path).name)
        unpacked.unlink()
        return self._warc(copy, source, wacz.claims | container)

    def _pages(self, wacz: Wacz, copy: Copied) -> int:
        return write_pages(self._places, self._asked.access, copy.name, copy.sha256, wacz.pages())


def _notes(found: Examined, begun: Imported | None, wanted: Access) -> tuple[str, ...]:
    notes = list(found.report.notes)
    known = originals_for([found.report], [found.report])
    left = [one for one in found.report.revisits if known.isdisjoint(one.keys)]
    if left:
        notes.append(
            f"{len(left)} revisits refer to records that are not in this file; replay shows them once those are here"
        )
    if begun is not None and begun.access is not wanted:
        notes.append(f"an import that was broken off had it as {begun.access}; it is finished as that")
    return tuple(notes)


def _told(one: Problem) -> str:
    message = UNPACK if one.code == "gzipNotPerRecord" else one.message
    return f"at {one.offset}: {one.code}: {message}" + f" ({one.record_id})" * bool(one.record_id)


def _quarantined(copy: Copied, source: str, file: str, problems: list[str]) -> Taken:
    return Taken(
        outcome="quarantined", source=source, file=file, sha256=copy.sha256, size=copy.size,
        problems=tuple(problems[:_SHOWN]),
    )  # fmt: skip


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(f"another import into this collection is running ({path}); wait for it") from None
        yield
