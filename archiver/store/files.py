"""What all stores share: keys that cannot escape, and hashes of what lies on disk."""

from __future__ import annotations

import base64
import hashlib
import os
from pathlib import Path

from archiver.errors import StoreError

PIECE = 1 << 20
_PRIVATE = frozenset(("restricted", "dark"))
_COLLECTION_PARTS = 2  # `collections/NAME/` stands before a collection's own folders


class StoreConflict(StoreError):
    """A try again would not help: another object has the key, or the local file is not what it was."""


class StoreRejection(StoreError):
    """The store does not take this file, however often it is asked; other files may fare better."""


def check_key(key: str) -> str:
    """A relative POSIX path of plain parts. Raises ValueError: a key is made by us, so this is a fault of ours."""
    parts = key.split("/")
    if not key.isprintable() or "\\" in key or any(part in ("", ".", "..") for part in parts) or len(key) > 900:
        raise ValueError(f"not a store key: {key!r}")
    return key


def is_private(key: str) -> bool:
    """Whether a file of a collection is restricted or dark: kept apart in a bucket, so that no policy opens it."""
    parts = key.split("/")
    return len(parts) > _COLLECTION_PARTS + 1 and parts[0] == "collections" and parts[_COLLECTION_PARTS] in _PRIVATE


def may_hold_private(prefix: str) -> bool:
    """Whether keys that begin with `prefix` may be restricted or dark ones."""
    root, _, inside = prefix.partition("/")
    if not inside:
        return "collections/".startswith(prefix)
    _, named, rest = inside.partition("/")
    return root == "collections" and (
        not named or any(f"{word}/".startswith(rest[: len(word) + 1]) for word in _PRIVATE)
    )


def file_sha256(path: Path) -> str:
    """SHA-256 of a file as read now, hex. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def disk_sha256(path: Path) -> str:
    """SHA-256 of what the disk holds: written back first, then read past the page cache where the system lets us."""
    with path.open("rb", buffering=0) as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        digest = hashlib.sha256()
        while chunk := file.read(PIECE):
            digest.update(chunk)
    return digest.hexdigest()


def sync_folder(folder: Path) -> None:
    """Make names in a folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def readable_size(path: Path) -> int:
    """Size in bytes of a local file. Raises StoreConflict when it is gone."""
    try:
        return path.stat().st_size
    except OSError as error:
        raise StoreConflict(f"{path}: cannot be read: {error.strerror}") from error


def check_unchanged(path: Path, sha256: str) -> None:
    """Raises StoreConflict when a local file is not what it was when it was closed."""
    try:
        found = file_sha256(path)
    except OSError as error:
        raise StoreConflict(f"{path}: cannot be read: {error.strerror}") from error
    if found != sha256:
        raise StoreConflict(f"{path}: changed after it was closed (SHA-256 was {sha256}, is {found}); run verify")


def to_base64(sha256: str) -> str:
    """Hex to the form of x-amz-checksum-sha256."""
    return base64.b64encode(bytes.fromhex(sha256)).decode()
