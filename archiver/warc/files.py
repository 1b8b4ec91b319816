"""Durable file steps: where a collection's files lie, atomic writes, fsync, and disk faults in the user's words."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from archiver.errors import DiskError, room
from archiver.model import Access

OPEN_SUFFIX = ".open"
MIN_NEEDED = 1 << 20

_FOLDERS = {Access.OPEN: "archive", Access.RESTRICTED: "restricted", Access.DARK: "dark"}


def warc_folder(collection: Path, access: Access) -> Path:
    """`archive/`, `restricted/` or `dark/` of a collection."""
    return collection / _FOLDERS[access]


def index_folder(collection: Path, access: Access) -> Path:
    """`indexes/` for open records; the others keep theirs inside their own folder."""
    return collection / "indexes" if access is Access.OPEN else collection / _FOLDERS[access] / "indexes"


def make_folder(folder: Path, access: Access) -> None:
    """Create a folder with its parents; what is not open is the owner's alone."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o755 if access is Access.OPEN else 0o700)


def write_at(fd: int, data: bytes, offset: int) -> None:
    """All of `data` at `offset`: one pwrite(2) unless the kernel takes less."""
    written = os.pwrite(fd, data, offset)
    while written < len(data):
        written += os.pwrite(fd, memoryview(data)[written:], offset + written)


def write_atomic(path: Path, data: bytes, *, mode: int = 0o644) -> None:
    """Write, fsync and rename into place, so that the name holds the old content or all of the new one."""
    temporary = path.with_name(path.name + ".tmp")
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, mode)
    try:
        write_at(fd, data, 0)
        os.fsync(fd)
    finally:
        os.close(fd)
    os.rename(temporary, path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """fsync a folder, so that a rename in it survives power loss."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def disk_error(path: Path, needed: int, error: OSError) -> DiskError:
    """`error` as a DiskError that names the path, what is free there and what was needed."""
    reason = error.strerror or str(error)
    if error.errno in (errno.EMFILE, errno.ENFILE):
        return DiskError(f"cannot write {path}: {reason}: raise the limit (ulimit -n)")
    return DiskError(f"cannot write {path}: {reason} ({room(path)}, {max(needed, MIN_NEEDED):,} needed)")
