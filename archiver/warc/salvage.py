"""Take up what a crash left: cut `.open` files at the last whole record, then close them as the writer would have.

Every step may be interrupted and done again: the cut part is copied aside before anything is cut, the index is made
from the file, the rename comes last. Files that a live process holds (flock) are left alone, and so is what is no
regular file. Closed files are told by their names alone: a start does not cost more the more there are.
"""

from __future__ import annotations

import contextlib
import fcntl
import filecmp
import hashlib
import itertools
import os
from dataclasses import dataclass
from pathlib import Path

from archiver.model import Access, ClosedSegment
from archiver.warc import reindex
from archiver.warc.files import (
    OPEN_SUFFIX,
    disk_error,
    index_folder,
    make_folder,
    sync_folder,
    warc_folder,
    write_atomic,
)
from archiver.warc.verify import verify_file

_PIECE = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Salvaged:
    """What became of one file. `cut_at` is its size now; `aside` holds what was cut off, None when nothing was.

    `segment` is None when the file is gone: it held no whole record, or none that the closed file of its name lacks.
    """

    file: str
    cut_at: int
    kept_records: int
    aside: str | None
    segment: ClosedSegment | None


def salvage(folder: Path) -> list[Salvaged]:
    """Close every abandoned file of a collection, and index closed ones that have no index. Raises DiskError."""
    found: list[Salvaged] = []
    for access in Access:
        archive = warc_folder(folder, access)
        if not archive.is_dir():
            continue
        try:
            make_folder(index_folder(folder, access), access)
            for name in _names(archive, ".warc.gz" + OPEN_SUFFIX):
                result = _salvage_open(folder, access, archive / name)
                if result is not None:
                    found.append(result)
            closed = _names(archive, ".warc.gz")  # before the indexes, which a live process writes first
            indexed = {name.removesuffix(".cdxj") for name in _names(index_folder(folder, access), ".cdxj")}
            for name in closed:
                if name not in indexed:
                    found.append(_salvage_unindexed(folder, access, archive / name))
        except OSError as error:
            raise disk_error(archive, 0, error) from error
    return found


def _names(folder: Path, suffix: str) -> list[str]:
    """Regular files alone: a fifo or a link that somebody put there is left where it is. Asks nothing a file."""
    with os.scandir(folder) as entries:
        return sorted(one.name for one in entries if one.name.endswith(suffix) and one.is_file(follow_symlinks=False))


def closed_segments(folder: Path, known: frozenset[str]) -> list[ClosedSegment]:
    """Closed and indexed files of a collection whose names are not in `known`. Raises DiskError."""
    found = []
    for access in Access:
        archive = warc_folder(folder, access)
        if not archive.is_dir():
            continue
        try:
            for name in _names(archive, ".warc.gz"):
                index = _index_path(folder, access, name)
                if name not in known and index.exists():
                    path = archive / name
                    found.append(_segment(folder, access, path, verify_file(path).records, index.read_bytes()))
        except OSError as error:
            raise disk_error(archive, 0, error) from error
    return found


def _salvage_open(folder: Path, access: Access, path: Path) -> Salvaged | None:
    """None = somebody else has it."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return None
        if os.fstat(fd).st_nlink == 0 or not path.exists():
            return None  # closed or taken up by somebody else between our look and our lock
        return _close(folder, access, path, fd)
    finally:
        os.close(fd)


def _close(folder: Path, access: Access, path: Path, fd: int) -> Salvaged:
    name = path.name.removesuffix(OPEN_SUFFIX)
    report = verify_file(path)
    size, cut_at = os.fstat(fd).st_size, report.good_until
    if cut_at < size:
        _keep_aside(fd, cut_at, folder / "state" / f"{name}.cut")
        os.ftruncate(fd, cut_at)
    os.fsync(fd)
    kept = _kept_aside(folder, name)
    final = path.with_name(name)
    doubled = cut_at > 0 and final.is_file() and _begins_with(final, fd, cut_at)
    if cut_at == 0 or doubled:
        path.unlink()
        sync_folder(path.parent)
        left = final.stat().st_size if doubled else 0
        return Salvaged(file=name, cut_at=left, kept_records=0, aside=kept, segment=None)
    if os.path.lexists(final):
        final = _free_name(final)
    content = _write_index(folder, access, path, final.name)
    os.rename(path, final)
    sync_folder(path.parent)
    segment = _segment(folder, access, final, report.good_records, content)
    return Salvaged(file=final.name, cut_at=cut_at, kept_records=report.good_records, aside=kept, segment=segment)


def _begins_with(closed: Path, fd: int, size: int) -> bool:
    """Whether the closed file holds all `size` bytes of the open one of its name: somebody copied or restored it."""
    with closed.open("rb") as file:
        for start in range(0, size, _PIECE):
            piece = os.pread(fd, min(_PIECE, size - start), start)
            if file.read(len(piece)) != piece:
                return False
    return True


def _free_name(taken: Path) -> Path:
    """Beside a file of that name with other records in it: neither is written over the other."""
    stem = taken.name.removesuffix(".warc.gz")
    names = (taken.with_name(f"{stem}-{number}.warc.gz") for number in itertools.count(2))
    return next(name for name in names if not os.path.lexists(name))


def _keep_aside(fd: int, start: int, aside: Path) -> None:
    """Copy what will be cut, all or nothing, before it is cut; never over what an earlier cut left there."""
    aside.parent.mkdir(parents=True, exist_ok=True)
    temporary = aside.with_name(aside.name + ".tmp")
    try:
        with open(temporary, "wb", opener=lambda name, flags: os.open(name, flags | os.O_NOFOLLOW, 0o600)) as out:
            while piece := os.pread(fd, _PIECE, start):
                out.write(piece)
                start += len(piece)
            out.flush()
            os.fsync(out.fileno())
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()  # it would take up room where there is none
        raise
    for place in itertools.chain([aside], (aside.with_name(f"{aside.name}.{n}") for n in itertools.count(2))):
        if not os.path.lexists(place) or filecmp.cmp(temporary, place, shallow=False):
            os.rename(temporary, place)
            break
    sync_folder(aside.parent)


def _kept_aside(folder: Path, name: str) -> str | None:
    """Where the last cut of a file went, now or in a run that did not live to close it."""
    found = [path for path in (folder / "state").glob(f"{name}.cut*") if path.suffix != ".tmp"]
    return str(max(found, key=lambda path: (len(path.name), path.name))) if found else None


def _salvage_unindexed(folder: Path, access: Access, path: Path) -> Salvaged:
    records = verify_file(path).records
    content = _write_index(folder, access, path, path.name)
    segment = _segment(folder, access, path, records, content)
    return Salvaged(file=path.name, cut_at=segment.size, kept_records=records, aside=None, segment=segment)


def _write_index(folder: Path, access: Access, path: Path, name: str) -> bytes:
    content = reindex.build_index(path, name=name)
    write_atomic(_index_path(folder, access, name), content, mode=0o644 if access is Access.OPEN else 0o600)
    return content


def _index_path(folder: Path, access: Access, name: str) -> Path:
    return index_folder(folder, access) / f"{name}.cdxj"


def _segment(folder: Path, access: Access, path: Path, records: int, index: bytes) -> ClosedSegment:
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return ClosedSegment(
        file=path.name,
        path=str(path),
        access=access,
        size=path.stat().st_size,
        sha256=digest,
        records=records,
        cdxj_path=str(_index_path(folder, access, path.name)),
        cdxj_sha256=hashlib.sha256(index).hexdigest(),
    )
