"""What lies in a collection's folder, by kind, and what a check says of a file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from archiver.ledger.reader import segment_paths
from archiver.model import Access
from archiver.warc.files import OPEN_SUFFIX, index_folder, warc_folder

WARC_SUFFIXES = (".warc.gz", ".warc")
_INDEX_SUFFIXES = (".warc.gz.cdxj", ".warc.cdxj")
OPEN = "not checked: being written, or left by a run that was killed (the next run here closes it)"
MANIFEST = "manifest-sha256.txt"

_ELSEWHERE = frozenset({"state", "quarantine"})  # parts of records cut off, and files that were refused


@dataclass(slots=True, kw_only=True)
class Checked:
    """A file: how much of it was checked, what is wrong with it, and what is merely to be known.

    `name` is its path in the collection, or the path itself; `uri` where it lies in a store, empty for local files.
    `sha256` hex, empty when it was not read.
    """

    path: Path
    name: str
    told: str
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    sha256: str = ""
    size: int = 0
    missing: bool = False
    uri: str = ""

    @property
    def place(self) -> str:
        """As it is shown."""
        return self.uri or str(self.path)


@dataclass(frozen=True, slots=True, kw_only=True)
class WarcFile:
    """A closed WARC, its access class, and its index; None where there is none."""

    path: Path
    access: Access | None
    index: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """Everything that a check reads. `opened` are WARCs that are being written, or were left by a killed run;
    `bare` index files whose WARC is not there."""

    root: Path
    warcs: tuple[WarcFile, ...]
    ledgers: tuple[Path, ...]
    opened: tuple[Path, ...]
    bare: tuple[Path, ...]
    manifests: tuple[Path, ...]

    @property
    def size(self) -> int:
        """Bytes that will be read."""
        return sum(size_of(path) for path in (*(one.path for one in self.warcs), *self.ledgers))


def is_collection(folder: Path) -> bool:
    """A folder that holds records of ours with their ledger."""
    return (folder / "logs").is_dir() and (folder / "archive").is_dir()


def contents(root: Path) -> Contents:
    """Look through a collection. Fifos, devices and links are none of ours."""
    warcs: list[WarcFile] = []
    bare: list[Path] = []
    opened: list[Path] = []
    for access in Access:
        folder, indexes = warc_folder(root, access), index_folder(root, access)
        mine = [path for path in _files(folder) if path.name.endswith(WARC_SUFFIXES)]
        warcs += [WarcFile(path=path, access=access, index=index_of(path)) for path in mine]
        opened += [path for path in _files(folder) if path.name.endswith(".warc.gz" + OPEN_SUFFIX)]
        named = {one.index for one in warcs}
        bare += [path for path in _files(indexes) if path.name.endswith(_INDEX_SUFFIXES) and path not in named]
    known = {one.path for one in warcs}
    warcs += [
        WarcFile(path=path, access=None, index=index_of(path))
        for path in sorted(root.rglob("*.warc*"))
        if path.name.endswith(WARC_SUFFIXES)
        and path not in known
        and is_file(path)
        and _ELSEWHERE.isdisjoint(path.relative_to(root).parts)
    ]
    manifests = (root, warc_folder(root, Access.RESTRICTED), warc_folder(root, Access.DARK))
    return Contents(
        root=root,
        warcs=tuple(warcs),
        ledgers=tuple(path for path in segment_paths(root / "logs") if is_file(path)),
        opened=tuple(opened),
        bare=tuple(bare),
        manifests=tuple(folder / MANIFEST for folder in manifests if is_file(folder / MANIFEST)),
    )


def index_of(path: Path) -> Path | None:
    """`indexes/` beside `archive/`; `restricted/indexes/` and `dark/indexes/` below the WARCs."""
    for folder in (path.parent.parent / "indexes", path.parent / "indexes"):
        for name in (f"{path.name}.cdxj", f"{path.name.removesuffix('.gz').removesuffix('.warc')}.cdxj"):
            if is_file(folder / name):
                return folder / name
    return None


def is_file(path: Path) -> bool:
    """A regular file; a link that somebody planted is none."""
    return path.is_file() and not path.is_symlink()


def size_of(path: Path) -> int:
    """Bytes; 0 when it is gone."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _files(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        yield from sorted(path for path in folder.iterdir() if is_file(path))
