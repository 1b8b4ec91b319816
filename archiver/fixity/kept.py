"""What ledger rows say of whole files (`stored`, `imported`), against the files that are here."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import unquote

from archiver.fixity.files import Checked, Contents, is_file
from archiver.ledger.audit import Kept

_IN_COLLECTION = re.compile(r".*/collections/[^/]+/(.+)", re.S)
_EVIDENCE = frozenset({"archive", "restricted", "dark", "indexes"})  # the rest is written anew, or has its own check
_GONE = "not here"


class KeptFiles:
    """Rows by the file's path in the collection, or by its name where the row says no more."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._rows: dict[str, list[Kept]] = {}
        self._names: set[str] = set()
        self.indexes: dict[str, str] = {}
        """SHA-256 of index files as they are, by path in the collection."""
        self.elsewhere: dict[str, frozenset[str]] = {}
        """Files that a store alone holds, once `check` has ended: path in the collection to its SHA-256."""

    def add(self, kept: Iterable[Kept]) -> None:
        for one in kept:
            self._rows.setdefault(place_of(one.uri) or one.file, []).append(one)
            self._names.add(one.file)

    def is_told(self, name: str) -> bool:
        """Whether a row knows a file of this name: then `check` says what became of it."""
        return name in self._names

    def is_imported(self, name: str) -> bool:
        """Whether a WARC of this name came from others: an `imported` row names a file and no place."""
        return any(not row.uri for row in self._rows.get(name, ()))

    def check(self, contents: Contents, found: Mapping[Path, Checked]) -> Iterator[Checked]:
        """Adds to what was found of a file; yields what is to be said of others."""
        known: set[str] = set()
        for place, rows in self._rows.items():
            if "/" not in place:
                known.add(place)
                yield from self._by_name(place, rows, contents, found)
            elif place.split("/")[0] in _EVIDENCE:
                known.add(place)
                path = self._root / place
                one = found.get(path)
                if one is not None:
                    _compare(one, one.sha256, rows)
                elif is_file(path):
                    yield from self._index(Checked(path=path, name=place, told="index"), rows)
                else:
                    if _remote(rows):
                        self.elsewhere[place] = frozenset(row.sha256 for row in rows)
                    yield _gone(path, place, rows)
        for warc in contents.warcs:
            place = warc.path.relative_to(self._root).as_posix()
            if place not in known and warc.path.name not in known:
                found[warc.path].notes.append(
                    "no ledger row knows this file: its run was killed before the file was stored, or is under way, or "
                    "somebody put it here"
                )
        yield from self._bare(contents)

    def _by_name(
        self, name: str, rows: Sequence[Kept], contents: Contents, found: Mapping[Path, Checked]
    ) -> Iterator[Checked]:
        here = [warc.path for warc in contents.warcs if warc.path.name == name]
        for path in here:
            _compare(found[path], found[path].sha256, rows)
        if not here and not any(place.endswith(f"/{name}") for place in self._rows):
            yield _gone(self._root / name, name, rows)

    def _index(self, one: Checked, rows: Sequence[Kept]) -> Iterator[Checked]:
        """An index may have been made anew; whether it agrees with its WARC is told with the WARC."""
        digest = self.indexes[one.name] = file_sha256(one.path)
        if digest not in {row.sha256 for row in rows}:
            one.sha256 = digest
            one.notes.append(
                f"was made anew since it was stored: SHA-256 is {digest}, the ledger says {rows[-1].sha256}"
            )
            yield one

    def _bare(self, contents: Contents) -> Iterator[Checked]:
        """Indexes whose WARC is not here: lines that lead nowhere, unless a store holds it."""
        for path in contents.bare:
            warc = path.name.removesuffix(".cdxj")
            rows = [row for place, rows in self._rows.items() if place.endswith(f"/{warc}") for row in rows]
            one = Checked(path=path, name=path.relative_to(self._root).as_posix(), told="index")
            if _remote(rows):
                one.notes.append(f"{warc} is not here; a store holds it")
            elif not rows:
                one.problems.append(f"{path.name}: {warc} is not here: its lines lead nowhere")
            if one.notes or one.problems:
                yield one


def place_of(uri: str) -> str:
    """The path in the collection that a URI (or a store key) ends with, empty where it names none."""
    match = _IN_COLLECTION.fullmatch("/" + (unquote(uri) if uri.startswith("file:") else uri))
    return "" if match is None else match[1]


def file_sha256(path: Path) -> str:
    """Hex. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _compare(one: Checked, digest: str, rows: Sequence[Kept]) -> None:
    if digest not in {row.sha256 for row in rows}:
        one.problems.append(
            f"{one.path.name}: is not the file that was stored: SHA-256 is {digest}, the ledger says {rows[-1].sha256}"
        )
    if one.problems:
        _advise(one, rows)


def _gone(path: Path, place: str, rows: Sequence[Kept]) -> Checked:
    one = Checked(path=path, name=place, told=_GONE, missing=True)
    remote = _remote(rows)
    if remote:
        one.missing = False
        one.notes.append(f"the ledger says that {remote} holds it; `archiver verify --remote` checks it there")
    else:
        one.problems.append(f"{path.name}: the ledger says that it was stored here, and it is gone")
    return one


def _remote(rows: Sequence[Kept]) -> str:
    return next((row.uri for row in reversed(rows) if row.uri.startswith("s3://")), "")


def _advise(one: Checked, rows: Sequence[Kept]) -> None:
    """Where a good copy is said to be (its SHA-256 is to be compared before it takes this one's place)."""
    uri = _remote(rows)
    if uri:
        digest = next(row.sha256 for row in reversed(rows) if row.uri == uri)
        one.notes.append(f"a good copy should be at {uri}: `aws s3 cp {uri} GOOD` and compare its SHA-256, {digest}")
