"""Take up what a crash left: cut `.open` files at the last whole record, then close them as the writer would have.

Every step may be interrupted and done again: the cut part is copied aside before anything is cut, the index is made
from the file, the rename comes last. Files that a live process holds (flock) are left alone.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from archiver.errors import DiskError
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

    `segment` is None when the file held no whole record and is gone.
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
            for path in _files(archive, "*.warc.gz" + OPEN_SUFFIX):
                result = _salvage_open(folder, access, path)
                if result is not None:
                    found.append(result)
            for path in _files(archive, "*.warc.gz"):
                if not _index_path(folder, access, path.name).exists():
                    found.append(_salvage_unindexed(folder, access, path))
        except OSError as error:
            raise disk_error(archive, 0, error) from error
    return found


def _files(folder: Path, pattern: str) -> list[Path]:
    """Regular files alone: a fifo or a link that somebody put there is left where it is."""
    return sorted(path for path in folder.glob(pattern) if path.is_file() and not path.is_symlink())


def closed_segments(folder: Path, known: frozenset[str]) -> list[ClosedSegment]:
    """Closed and indexed files of a collection whose names are not in `known`. Raises DiskError."""
    found = []
    for access in Access:
        archive = warc_folder(folder, access)
        try:
            for path in _files(archive, "*.warc.gz"):
                index = _index_path(folder, access, path.name)
                if path.name not in known and index.exists():
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
    aside = folder / "state" / f"{name}.cut"
    if cut_at < size:
        _keep_aside(fd, cut_at, aside)
        os.ftruncate(fd, cut_at)
    os.fsync(fd)
    kept_aside = str(aside) if aside.exists() else None
    if cut_at == 0:
        path.unlink()
        sync_folder(path.parent)
        return Salvaged(file=name, cut_at=0, kept_records=0, aside=kept_aside, segment=None)
    final = path.with_name(name)
    if final.exists():
        raise DiskError(f"{path} cannot be closed: {final} exists already")
    content = _write_index(folder, access, path, name)
    os.rename(path, final)
    sync_folder(path.parent)
    segment = _segment(folder, access, final, report.good_records, content)
    return Salvaged(file=name, cut_at=cut_at, kept_records=report.good_records, aside=kept_aside, segment=segment)


def _keep_aside(fd: int, start: int, aside: Path) -> None:
    """Copy what will be cut, all or nothing, before it is cut."""
    aside.parent.mkdir(parents=True, exist_ok=True)
    temporary = aside.with_name(aside.name + ".tmp")
    with open(temporary, "wb", opener=lambda name, flags: os.open(name, flags | os.O_NOFOLLOW, 0o600)) as out:
        while piece := os.pread(fd, _PIECE, start):
            out.write(piece)
            start += len(piece)
        out.flush()
        os.fsync(out.fileno())
    os.rename(temporary, aside)
    sync_folder(aside.parent)


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
