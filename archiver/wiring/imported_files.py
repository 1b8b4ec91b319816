"""Copies of foreign files, and names for them that nothing has."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

from archiver.config import Places
from archiver.errors import DiskError, UsageError
from archiver.model import Access
from archiver.store.files import disk_sha256, file_sha256
from archiver.store.freeing import away
from archiver.warc.files import MIN_NEEDED, OPEN_SUFFIX

WARC_SUFFIXES = (".warc.gz", ".warc")
_PIECE = 1 << 20
_UNUSUAL = re.compile(r"[^A-Za-z0-9._+=@,-]+")
_LONGEST = 150


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """A durable copy of somebody's file, whose `name` is the one it had. `sha256` hex, of the disk's bytes too."""

    path: Path
    name: str
    sha256: str
    size: int


def sha256_of(path: Path) -> str:
    """Hex. Raises OSError."""
    return file_sha256(path)


def size_of(path: Path) -> int | None:
    """None: there is no such file."""
    return path.stat().st_size if path.is_file() else None


def copied(source: Path, target: Path, name: str) -> Copied:
    """Copy, fsync, read back from the disk and compare. Raises UsageError where the source is no regular file or
    changed meanwhile, DiskError, OSError."""
    digest, size = hashlib.sha256(), 0
    fd = os.open(source, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(fd, "rb", buffering=0) as file, target.open("wb") as out:
        before = os.fstat(fd)
        if not stat.S_ISREG(before.st_mode):
            raise UsageError(f"{source}: no regular file")
        while piece := file.read(_PIECE):
            digest.update(piece)
            size += len(piece)
            out.write(piece)
        out.flush()
        os.fsync(out.fileno())
        if changed(before, os.fstat(fd)) or size != before.st_size:
            raise UsageError(f"{source}: changed while it was copied; import it once it is finished")
    if disk_sha256(target) != digest.hexdigest():
        raise DiskError(f"{target}: the copy reads back other bytes than were written; check this disk")
    return Copied(path=target, name=name, sha256=digest.hexdigest(), size=size)


def changed(before: os.stat_result, after: os.stat_result) -> bool:
    return (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns)


def need_room(folder: Path, size: int) -> None:
    """Raises DiskError before anything is written, not when the disk is full."""
    free = shutil.disk_usage(folder).free
    needed = size + size // 4 + MIN_NEEDED  # the index, and what sorting it takes
    if free < needed:
        raise DiskError(f"cannot write {folder}: {os.strerror(errno.ENOSPC)} ({free:,} bytes free, {needed:,} needed)")


def placed(places: Places, access: Access, file: str) -> bool:
    """Whether a WARC is where it belongs, with its index: in its folder, or in the store alone. Raises DiskError."""
    if not (places.indexes(access) / f"{file}.cdxj").is_file():
        return False
    return is_here(places, access, file) or file in away(places.uploads)


def is_here(places: Places, access: Access, file: str) -> bool:
    return (places.warcs(access) / file).is_file()


def free_name(places: Places, name: str, sha256: str, *, gzip: bool) -> str:
    """The file's own name, where it is plain and nothing in any class has it; else a digest is added.

    What it is packed with decides its suffix: replay and salvage go by names.
    """
    plain = plain_name(name, gzip=gzip)
    if plain == name and not _is_taken(places, plain):
        return plain
    stem, suffix = _parted(plain)
    return f"{stem}-{sha256[:12]}{suffix}"


def plain_name(name: str, *, gzip: bool) -> str:
    """Letters, digits and a few signs: safe as a file name, a store key and in an index."""
    stem, _ = _parted(name)
    stem = _UNUSUAL.sub("-", stem).strip(".-")[:_LONGEST] or "imported"
    return stem + (".warc.gz" if gzip else ".warc")


def _parted(name: str) -> tuple[str, str]:
    suffix = next((one for one in WARC_SUFFIXES if name.lower().endswith(one)), "")
    return name[: len(name) - len(suffix)], name[len(name) - len(suffix) :]


def _is_taken(places: Places, name: str) -> bool:
    paths = [places.warcs(access) / one for access in Access for one in (name, name + OPEN_SUFFIX)]
    paths += [places.indexes(access) / f"{name}.cdxj" for access in Access]
    return any(os.path.lexists(path) for path in paths)
