"""WACZ 1.1.1: a zip of WARCs, an index, pages and logs, with a data package that names every file by its SHA-256.

Written from front to back and never held in memory, so that the size of what is packed does not matter; ZIP64 where a
file needs it. WARCs and the compressed index are stored, not deflated (WACZ 1.1.1, 5): a reader dials into them by
offset.
"""

from __future__ import annotations

import fcntl
import glob
import hashlib
import os
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from archiver.warc.files import disk_error, sync_folder

VERSION = "1.1.1"
DATAPACKAGE = "datapackage.json"
DIGEST = "datapackage-digest.json"
_LARGE = 1 << 31  # from here on an entry's sizes need ZIP64 fields (APPNOTE 4.3.9.2), with room for what grows
_NOT_NAME = re.compile(r"[^-a-z0-9._/]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One file of the package: its path in the zip, lower-case hex SHA-256, size in bytes."""

    path: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What the package says of itself (WACZ 1.1.1, 5.4). `created` UTC; `modified` = the newest capture or row in it.

    `main_url` and `main_date` (ISO) name the page that a viewer opens first. `more` holds keys of our own.
    """

    title: str
    description: str
    software: str
    created: datetime
    modified: datetime | None = None
    main_url: str = ""
    main_date: str = ""
    more: Mapping[str, Any] = field(default_factory=dict)


class WaczWriter:
    """Adds files one after the other; `finish` writes the data package and its digest. To be used in a `with` block."""

    def __init__(self, stream: BinaryIO, now: datetime) -> None:
        self._zip = zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, allowZip64=True)
        self._time = now.astimezone(UTC).timetuple()[:6]
        self._names: set[str] = set()
        self.resources: list[Resource] = []

    def __enter__(self) -> WaczWriter:
        return self

    def __exit__(self, *exc: object) -> None:
        """After an error what stands in the stream is no WACZ, and is not to be kept."""
        with suppress(OSError, ValueError):
            self._zip.close()

    def add(self, path: str, pieces: Iterable[bytes], *, stored: bool = False, size: int = 0) -> Resource:
        """`size`: about how large it will be. Raises OSError, ValueError for a path that is there already."""
        if path in self._names:
            raise ValueError(f"{path} is in the WACZ already")
        self._names.add(path)
        digest, total = hashlib.sha256(), 0
        with self._zip.open(self._entry(path, stored=stored), "w", force_zip64=size >= _LARGE) as entry:
            for piece in pieces:
                digest.update(piece)
                total += len(piece)
                entry.write(piece)
        made = Resource(path=path, sha256=digest.hexdigest(), size=total)
        self.resources.append(made)
        return made

    def finish(self, about: About, signed: Mapping[str, Any] | None = None) -> None:
        """`signed` goes into the digest file as `signedData` (WACZ Signing 0.1.0); without it the package is unsigned,
        which the format allows."""
        package = orjson.dumps(datapackage(about, self.resources), option=orjson.OPT_INDENT_2)
        told: dict[str, Any] = {"path": DATAPACKAGE, "hash": f"sha256:{hashlib.sha256(package).hexdigest()}"}
        if signed is not None:
            told["signedData"] = dict(signed)
        self._zip.writestr(self._entry(DATAPACKAGE), package)
        self._zip.writestr(self._entry(DIGEST), orjson.dumps(told, option=orjson.OPT_INDENT_2))
        self._zip.close()

    def _entry(self, path: str, *, stored: bool = False) -> zipfile.ZipInfo:
        entry = zipfile.ZipInfo(path, self._time)
        entry.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
        entry.external_attr = 0o644 << 16
        return entry


def datapackage(about: About, resources: Iterable[Resource]) -> dict[str, Any]:
    """The content of `datapackage.json`, with the keys of 1.1.1 and those that the 1.2 draft puts in their place."""
    package: dict[str, Any] = {
        "profile": "data-package",
        "wacz_version": VERSION,
        "title": about.title,
        "description": about.description,
        "created": _seconds(about.created),
        "modified": _seconds(about.modified or about.created),
        "software": about.software,
        **about.more,
    }
    if about.main_url:
        package["mainPageUrl"] = about.main_url
        package["mainPageDate"] = about.main_date
        package["home"] = {"url": about.main_url, "ts": about.main_date}
    names: set[str] = set()
    package["resources"] = [
        {"name": _name(one.path, names), "path": one.path, "hash": f"sha256:{one.sha256}", "bytes": one.size}
        for one in resources
    ]
    return package


def _name(path: str, taken: set[str]) -> str:
    """A resource's name (Data Package 1.0, Data Resource: lower case, unique): the file's, else its path."""
    name = _NOT_NAME.sub("_", path.rpartition("/")[2].lower())
    if name in taken:
        name = _NOT_NAME.sub("_", path.lower())
    while name in taken:
        name += "_"
    taken.add(name)
    return name


def _seconds(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@contextmanager
def whole_file(path: Path, *, mode: int = 0o644) -> Iterator[BinaryIO]:
    """A stream whose content takes the place of `path` when the block ends well: fsynced, then renamed.

    Whatever goes wrong, what was there before stays and no part of the new one does, but after a kill: the
    next one removes that. Raises DiskError.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        _end_abandoned(path)
        fd = _created(temporary, mode)
    except OSError as error:
        raise disk_error(path, 0, error) from error
    try:
        with os.fdopen(fd, "w+b") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
        sync_folder(path.parent)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename is None:
            raise disk_error(path, 0, error) from error
        raise


def _created(temporary: Path, mode: int) -> int:
    """The open file, locked as long as it is written: that is how others know that somebody does."""
    while True:
        fd = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
        fcntl.flock(fd, fcntl.LOCK_EX)
        if os.fstat(fd).st_nlink:
            return fd
        os.close(fd)  # taken for abandoned between its making and its lock


def _end_abandoned(path: Path) -> None:
    """What a killed process left of such a file goes: it may be as large as a collection, and one of our number
    would stand in the way, as numbers come again (each start of a container)."""
    for left in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
        with suppress(FileNotFoundError, BlockingIOError):
            fd = os.open(left, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                left.unlink()
            finally:
                os.close(fd)
