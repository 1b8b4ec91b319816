"""A WACZ of others, opened with care (WACZ 1.1.1): every name, size and hash is checked before anything is used.

Nothing is extracted by name: members are read as streams and written under names of our own. Its index is not read.
"""

from __future__ import annotations

import hashlib
import os
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import orjson

from archiver.errors import WarcError

PACKAGE = "datapackage.json"
PACKAGE_DIGEST = "datapackage-digest.json"

MAX_MEMBERS = 100_000
MAX_PACKAGE = 64 << 20
MAX_LINE = 1 << 20
MAX_RATIO = 200
"""Past `RATIO_FROM` bytes a member that grows by more than this is a bomb: text packs at twenty to one at most."""
RATIO_FROM = 16 << 20
_PIECE = 1 << 20
_HASHES = {"sha256": 64, "sha512": 128, "md5": 32}


class BadWacz(WarcError):
    """A package that is refused as a whole; the message names the member and what is wrong."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """What datapackage.json says of one member. `digest` hex."""

    path: str
    algorithm: str
    digest: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A row of a page list, as it came."""

    url: str
    ts: str
    title: str


@dataclass(slots=True, kw_only=True)
class Wacz:
    """An opened package: its WARCs and page lists by path, and what it claims of itself."""

    archive: zipfile.ZipFile
    warcs: list[Resource]
    others: list[Resource]
    claims: dict[str, str] = field(default_factory=dict)

    def copy(self, resource: Resource, target: Path) -> None:
        """A member's bytes as they are in the package, checked against the hash it names. Raises BadWacz, OSError."""
        with target.open("wb") as out:
            for piece in self.pieces(resource):
                out.write(piece)

    def check(self, resource: Resource) -> None:
        """Read a member for its hash alone. Raises BadWacz."""
        for _ in self.pieces(resource):
            pass

    def pages(self) -> Iterator[Page]:
        """Rows of all page lists; what is no row is passed over. Raises BadWacz."""
        for resource in self.others:
            if resource.path.startswith("pages/") and resource.path.endswith(".jsonl"):
                yield from self.pages_of(resource)

    def pages_of(self, resource: Resource) -> Iterator[Page]:
        """Rows of one page list. Raises BadWacz."""
        with self.open(resource) as file:
            yield from _pages(file)

    @contextmanager
    def open(self, resource: Resource) -> Iterator[IO[bytes]]:
        """A member as a stream whose hash is not checked; what is raised in the block is BadWacz where it is damage."""
        with _faults(resource.path), self.archive.open(resource.path) as file:
            yield file

    def read(self, resource: Resource, offset: int, length: int) -> bytes:
        """A piece of a member, at most `length` bytes. Raises BadWacz."""
        with self.open(resource) as file:
            file.seek(offset)
            return file.read(length)

    def place(self, resource: Resource) -> tuple[int, int] | None:
        """Where in the file a stored member's bytes begin, and how many (APPNOTE 4.3.7); None for a packed one."""
        info = self.archive.getinfo(resource.path)
        if info.compress_type != zipfile.ZIP_STORED or self.archive.fp is None:
            return None
        self.archive.fp.seek(info.header_offset + 26)
        name, extra = (int.from_bytes(self.archive.fp.read(2), "little") for _ in range(2))
        return info.header_offset + 30 + name + extra, info.file_size

    def unlisted(self) -> list[str]:
        """Members that no hash of datapackage.json holds, the package's own two files aside."""
        listed = {one.path for one in (*self.warcs, *self.others)} | {PACKAGE, PACKAGE_DIGEST}
        names = (info.filename for info in self.archive.infolist())
        return [name for name in names if name not in listed and not name.endswith("/")]

    def stray(self) -> int:
        """Bytes before the first member and behind the end of the directory (APPNOTE 4.3.16), known to nothing."""
        assert self.archive.fp is not None
        size = self.archive.fp.seek(0, os.SEEK_END)
        self.archive.fp.seek(max(self.archive.start_dir, size - (1 << 17)))
        tail = self.archive.fp.read()
        end = size - len(tail) + tail.rfind(b"PK\5\6") + 22 + len(self.archive.comment)
        return size - end + min(info.header_offset for info in self.archive.infolist())

    @property
    def has_digest(self) -> bool:
        return PACKAGE_DIGEST in self.archive.NameToInfo

    def pieces(self, resource: Resource) -> Iterator[bytes]:
        """All of a member, in order; at the end its hash is compared. Raises BadWacz."""
        digest, size = hashlib.new(resource.algorithm, usedforsecurity=False), 0
        with _faults(resource.path), self.archive.open(resource.path) as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
                size += len(piece)
                yield piece
        if digest.hexdigest() != resource.digest or size != resource.size:
            raise BadWacz(
                f"{resource.path}: {PACKAGE} says {resource.algorithm}:{resource.digest} and {resource.size} bytes, "
                f"the member has {digest.hexdigest()} and {size}"
            )


@contextmanager
def open_wacz(path: Path) -> Iterator[Wacz]:
    """A package whose structure is sound; hashes are checked as members are read. Raises BadWacz, OSError."""
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise BadWacz(f"not a ZIP file that can be read: {error}") from error
    with archive:
        members = _members(archive, path.stat().st_size)
        package = _package(archive, members)
        resources = [_resource(one) for one in _list(package, "resources")]
        _check_listed(resources, members)
        warcs = [one for one in resources if one.path.startswith("archive/")]
        if not warcs:
            raise BadWacz("no WARC under archive/" + " (a multi-WACZ package: import its parts)" * _has_parts(members))
        others = [one for one in resources if not one.path.startswith("archive/")]
        yield Wacz(archive=archive, warcs=warcs, others=others, claims=_claims(package))


def _members(archive: zipfile.ZipFile, size: int) -> dict[str, zipfile.ZipInfo]:
    """By name. Refused: names that lead elsewhere or stand there twice, links, encryption, bombs (overlaps too)."""
    infos = archive.infolist()
    if len(infos) > MAX_MEMBERS:
        raise BadWacz(f"{len(infos)} members, more than {MAX_MEMBERS}")
    found: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        problem = _problem(info)
        if problem is None and info.filename in found:
            problem = "stands there twice"
        if problem:
            raise BadWacz(f"{info.filename[:200]!r}: {problem}")
        found[info.filename] = info
    if sum(info.compress_size for info in infos) > size:
        raise BadWacz("its members overlap: together they are larger than the file (a bomb)")
    return found


def _problem(info: zipfile.ZipInfo) -> str | None:
    name = info.filename
    if not name.isprintable() or "\\" in name or ":" in name or info.orig_filename != name:
        return "a name with characters that paths in a WACZ do not have"
    if any(part in ("", ".", "..") for part in name.removesuffix("/").split("/")):
        return "a name that leads out of the package"
    if info.header_offset < 0:
        return "its place is before the file's beginning: bytes were cut out of the package"
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind and not stat.S_ISREG(kind) and not stat.S_ISDIR(kind):
        return "a symbolic link or another special file"
    if info.flag_bits & 0x1:
        return "encrypted"
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "packed by a method other than STORE and DEFLATE"
    if info.file_size > RATIO_FROM and info.file_size > MAX_RATIO * max(info.compress_size, 1):
        return f"{info.file_size:,} bytes packed into {info.compress_size:,} (a bomb)"
    return None


def _package(archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo]) -> dict[str, Any]:
    text = _small(archive, members, PACKAGE)
    if text is None:
        raise BadWacz(f"no {PACKAGE}")
    try:
        package = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BadWacz(f"{PACKAGE}: no JSON: {error}") from None
    if not isinstance(package, dict):
        raise BadWacz(f"{PACKAGE}: no JSON object")
    _check_digest(_small(archive, members, PACKAGE_DIGEST), text)
    return package


def _check_digest(digest: bytes | None, package: bytes) -> None:
    """`datapackage-digest.json`, where there is one, names the hash of datapackage.json. Its signature is a claim."""
    if digest is None:
        return
    try:
        said = str(orjson.loads(digest)["hash"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        raise BadWacz(f"{PACKAGE_DIGEST}: no JSON object with a hash") from None
    algorithm, _, value = said.partition(":")
    if algorithm not in _HASHES or hashlib.new(algorithm, package, usedforsecurity=False).hexdigest() != value.lower():
        raise BadWacz(f"{PACKAGE_DIGEST} says {said[:150]}, which is not the hash of {PACKAGE}")


def _small(archive: zipfile.ZipFile, members: dict[str, zipfile.ZipInfo], name: str) -> bytes | None:
    if name not in members:
        return None
    if members[name].file_size > MAX_PACKAGE:
        raise BadWacz(f"{name}: {members[name].file_size:,} bytes, more than {MAX_PACKAGE:,}")
    with _faults(name):
        return archive.read(name)


def _resource(entry: Any) -> Resource:
    try:
        algorithm, _, digest = str(entry["hash"]).partition(":")
        found = Resource(path=str(entry["path"]), algorithm=algorithm, digest=digest.lower(), size=int(entry["bytes"]))
    except (KeyError, TypeError, ValueError):
        raise BadWacz(f"{PACKAGE}: a resource without path, hash and bytes: {str(entry)[:150]}") from None
    if len(found.digest) != _HASHES.get(algorithm, -1):
        raise BadWacz(f"{PACKAGE}: {found.path[:150]}: a hash that is no sha256, sha512 or md5: {entry['hash']!r}")
    return found


def _check_listed(resources: list[Resource], members: dict[str, zipfile.ZipInfo]) -> None:
    """What is listed is there, and every WARC that is there is listed: else its bytes have no hash."""
    paths = {one.path for one in resources}
    if len(paths) != len(resources):
        raise BadWacz(f"{PACKAGE}: a path stands there twice")
    for one in resources:
        if one.path not in members:
            raise BadWacz(f"{PACKAGE} lists {one.path[:150]!r}, which is not in the package")
    for name in members:
        if name.startswith("archive/") and not name.endswith("/") and name not in paths:
            raise BadWacz(f"{name!r} is not listed in {PACKAGE}")


def _claims(package: dict[str, Any]) -> dict[str, str]:
    wanted = ("title", "description", "software", "created", "mainPageUrl")
    return {name: str(package[name])[:500] for name in wanted if isinstance(package.get(name), str) and package[name]}


def _list(package: dict[str, Any], name: str) -> list[Any]:
    found = package.get(name)
    if not isinstance(found, list):
        raise BadWacz(f"{PACKAGE}: no list of {name}")
    return found


def _has_parts(members: dict[str, zipfile.ZipInfo]) -> bool:
    return any(name.endswith(".wacz") for name in members)


def _pages(file: IO[bytes]) -> Iterator[Page]:
    while line := file.readline(MAX_LINE):
        try:
            row = orjson.loads(line)
            if row["url"].startswith(("http://", "https://")):
                title = row.get("title")
                yield Page(url=row["url"], ts=str(row["ts"]), title=title if isinstance(title, str) else "")
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
            continue  # the header line, a torn row, a row longer than `MAX_LINE`


@contextmanager
def _faults(name: str) -> Iterator[None]:
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise BadWacz(f"{name}: cannot be unpacked: {error}") from error
