"""What should lie in a bucket, by what is known of it: ledger rows, the journal of uploads, manifests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from archiver.fixity.files import MANIFEST, is_file
from archiver.fixity.kept import place_of
from archiver.fixity.lists import manifest_problems, read_manifest
from archiver.ledger.audit import Kept, kept_rows
from archiver.ledger.reader import segment_paths
from archiver.ports import Store
from archiver.store.journaled import journaled
from archiver.store.remote import is_growing

_MANIFESTS = (MANIFEST, f"restricted/{MANIFEST}", f"dark/{MANIFEST}")


@dataclass(slots=True)
class Wanted:
    """One file. `digests`: SHA-256, hex, any of which is right (evidence has one). `must`: a row, the journal or the
    bucket's own manifest says that it is in the bucket; else it may be here alone. `size` in bytes, None = unknown."""

    digests: set[str] = field(default_factory=set)
    size: int | None = None
    must: bool = False


class Expected:
    """By the file's path in the collection. `sources` says in words where it is from."""

    def __init__(self, name: str) -> None:
        self.files: dict[str, Wanted] = {}
        self.sources: list[str] = []
        self.problems: list[str] = []
        self._name = name

    def add(self, place: str, sha256: str, size: int | None, *, must: bool) -> None:
        if self.is_growing(place):  # who wrote it last is told by the journal alone, and need not have lived to tell
            return
        wanted = self.files.setdefault(place, Wanted())
        wanted.digests.add(sha256)
        wanted.must = wanted.must or must
        if size is not None:
            wanted.size = size

    def is_growing(self, place: str) -> bool:
        return is_growing(f"collections/{self._name}/{place}")

    def add_rows(self, rows: Iterable[Kept]) -> None:
        for row in rows:
            place = place_of(row.uri)
            if place:
                self.add(place, row.sha256, row.size, must=row.uri.startswith("s3://"))

    def add_manifest(self, text: str, folder: str, *, must: bool) -> None:
        """`folder`: what its paths are relative to, "" or such as "restricted/"."""
        for name, digest in read_manifest(text):
            if digest:
                self.add(folder + name, digest, None, must=must)
        self.problems += [f"{folder}{MANIFEST}: {problem}" for problem in manifest_problems(text)]


def add_local(expected: Expected, root: Path) -> None:
    """What a local copy knows, if there is one (blocking). Raises OSError."""
    segments = segment_paths(root / "logs")
    for path in segments:
        with path.open("rb") as file:
            expected.add_rows(kept_rows(file))
    rows = journaled(root / "state" / "uploads.sqlite")
    for row, is_up in rows:
        place = place_of(row.key)
        if place:
            expected.add(place, row.sha256, row.size, must=is_up)
    for name in _MANIFESTS:
        if is_file(root / name):
            expected.add_manifest((root / name).read_text("utf-8", "replace"), _folder_of(name), must=False)
    if segments:
        expected.sources.append(f"{len(segments)} ledger segments here")
    if rows:
        expected.sources.append("the journal of uploads")


async def add_remote(
    expected: Expected, store: Store, prefix: str, listed: Iterable[str], *, here: frozenset[str], quick: bool
) -> None:
    """What the bucket says of itself: its manifests, and ledger segments that are not `here` (by name); with `quick`
    these are left out where there is a manifest. Raises StoreError."""
    there = set(listed)
    manifests = [name for name in _MANIFESTS if name in there]
    for name in manifests:
        expected.add_manifest(await _same_twice(store, prefix + name), _folder_of(name), must=True)
    if manifests:
        expected.sources.append("the bucket's manifest")
    if manifests and quick:
        return
    segments = [name for name in sorted(there) if is_ledger(name) and name.rpartition("/")[2] not in here]
    for name in segments:
        async for line in _lines(store.chunks(prefix + name)):
            expected.add_rows(kept_rows([line]))
    if segments:
        expected.sources.append(f"{len(segments)} ledger segments in the bucket")


async def _same_twice(store: Store, key: str) -> str:
    """A digest damaged on its way is still a digest: believed is what came twice, else the last of three answers."""
    before, now = None, await store.read(key)
    for _ in range(2):
        before, now = now, await store.read(key)
        if before == now:
            break
    return now.decode("utf-8", "replace")


def is_ledger(place: str) -> bool:
    """`logs/ledger-*.jsonl`: its chain says whether it holds."""
    return place.startswith("logs/ledger-") and place.endswith(".jsonl")


async def _lines(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    rest = b""
    async for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            yield line + b"\n"


def _folder_of(manifest: str) -> str:
    return manifest.removesuffix(MANIFEST)


def unknown(expected: Expected, listed: Iterable[str]) -> Iterator[str]:
    """Files in the bucket that nothing speaks of: put there by somebody, or by a run that did not live to tell."""
    for place in listed:
        if place not in expected.files and not expected.is_growing(place) and not is_ledger(place):
            yield place
