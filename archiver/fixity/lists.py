"""Lists over a whole collection, against the files that they list: manifests, and merged indexes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import orjson

from archiver.fixity.files import Checked, Contents, is_file
from archiver.fixity.kept import file_sha256
from archiver.store.freeing import away
from archiver.store.remote import is_growing

_SHOWN = 200
_ROUND = 1 << 64


Elsewhere = Mapping[str, AbstractSet[str]]
"""What the ledger says that a store alone holds: path in the collection to its SHA-256."""


def check_lists(contents: Contents, digests: Mapping[Path, str], elsewhere: Elsewhere) -> Iterator[Checked]:
    """`digests`: SHA-256 by path of what was read already. Raises OSError."""
    for manifest in contents.manifests:
        yield _manifest(contents.root, manifest, digests, elsewhere)
    for folder in ("indexes", "restricted/indexes", "dark/indexes"):
        merged = contents.root / folder / "merged"
        if merged.is_dir():
            yield _merged(contents.root, contents.root / folder, merged)


def read_manifest(text: str) -> Iterator[tuple[str, str]]:
    """(path, SHA-256) of each line in the format of sha256sum; what is no such line, and what leaves the folder, with
    an empty SHA-256."""
    for line in text.splitlines():
        digest, name = line[:64], line[66:]
        parts = name.split("/")
        is_one = len(digest) == 64 and line[64:66] in ("  ", " *") and name and not name.startswith("/")
        if is_one and ".." not in parts and all(char in "0123456789abcdef" for char in digest):
            yield name, digest
        elif line.strip():
            yield line, ""


def manifest_problems(text: str) -> list[str]:
    """What is wrong with a manifest by itself: it lists a file at least, and nothing that is no such line."""
    lines = list(read_manifest(text))
    found = [f"no line of sha256sum: {name[:120]!r}" for name, digest in lines if not digest]
    return found if lines else ["it lists no file"]


def _manifest(root: Path, path: Path, digests: Mapping[Path, str], elsewhere: Elsewhere) -> Checked:
    one = Checked(path=path, name=path.relative_to(root).as_posix(), told="")
    count, journaled = 0, away(root / "state" / "uploads.sqlite")
    text = path.read_text("utf-8", "replace")
    one.problems += [f"{path.name}: {problem}" for problem in manifest_problems(text)]
    for name, said in read_manifest(text):
        if not said:
            continue
        count += 1
        gone, told = journaled.get(Path(name).name), elsewhere.get((path.parent / name).relative_to(root).as_posix())
        is_there = (gone is not None and gone.sha256 == said) or (told is not None and said in told)
        if is_there and not is_file(path.parent / name):
            one.notes.append(f"{name} is not here; a store holds it")
            continue
        _listed(one, root, path.parent / name, said, digests)
    one.told = f"{count} files listed"
    return one


def _listed(one: Checked, root: Path, file: Path, said: str, digests: Mapping[Path, str]) -> None:
    if not is_file(file):
        one.problems.append(f"{one.path.name}: {file.relative_to(root)} is listed, and is not here")
        return
    found = digests.get(file) or file_sha256(file)
    if found == said:
        return
    place = file.relative_to(root).as_posix()
    if is_growing(f"collections/{root.name}/{place}"):
        one.notes.append(f"{place} has been written on since it was listed")
    else:
        one.problems.append(f"{one.path.name}: {place} has SHA-256 {found}, listed is {said}")


@dataclass(slots=True)
class _Lines:
    """How many lines of one WARC, and a sum over their hashes that does not depend on their order."""

    count: int = 0
    total: int = 0

    def add(self, line: bytes) -> None:
        self.count += 1
        self.total = (self.total + int.from_bytes(blake2b(line, digest_size=8).digest(), "big")) % _ROUND


def _merged(root: Path, indexes: Path, merged: Path) -> Checked:
    """Every line of the merged index stands in a WARC's own index (which was compared with its WARC), and the other
    way round; each file in byte order, no line twice."""
    one = Checked(path=merged, name=merged.relative_to(root).as_posix(), told="")
    found: dict[str, _Lines] = {}
    differ: set[str] = set()
    files = sorted(path for path in merged.glob("*.cdxj") if is_file(path))
    for path in files:
        _merged_file(one, path, found)
    count = 0
    for name, lines in sorted(found.items()):
        count += lines.count
        own = indexes / f"{name}.cdxj"
        if not is_file(own):
            level = ", ".join(path.name for path in files if _names(path, name))
            one.problems.append(f"{level}: {lines.count} lines name {name[:200]!r}, which has no index here")
        elif not _same(own, lines):
            differ.add(name)
    _explain(one, indexes, files, differ)
    left = [path.name for path in sorted(indexes.glob("*.cdxj")) if path.stat().st_size and path.stem not in found]
    if left:
        one.notes.append(f"{len(left)} files are not merged yet, such as {left[0]}; the next run merges them")
    one.told = f"{count} lines in {len(files)} merged indexes"
    del one.problems[_SHOWN:]
    return one


def _merged_file(one: Checked, path: Path, found: dict[str, _Lines]) -> None:
    before, number = b"", 0
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if line <= before:
                one.problems.append(f"{path.name} line {number}: not in byte order, or there twice")
            before = line
            name = _file_of(line)
            if not name:
                one.problems.append(f"{path.name} line {number}: no index line: {line[:80]!r}")
            else:
                found.setdefault(name, _Lines()).add(line)
    if number and not before.endswith(b"\n"):
        one.problems.append(f"{path.name}: the last line has no end")


def _names(path: Path, name: str) -> bool:
    with path.open("rb") as file:
        return any(_file_of(line) == name for line in file)


def _file_of(line: bytes) -> str:
    """The WARC that a line names; empty for what is no line, and for a name that leaves the folder."""
    try:
        name = str(orjson.loads(line.split(b" ", 2)[2])["filename"])
    except (IndexError, KeyError, TypeError, orjson.JSONDecodeError):
        return ""
    return "" if "/" in name or name.startswith(".") else name


def _explain(one: Checked, indexes: Path, files: Sequence[Path], names: set[str]) -> None:
    """Lines that the WARC's own index does not have are damage; lines that are left out may be hidden ones."""
    merged: dict[str, set[bytes]] = {name: set() for name in names}
    for path in files if names else ():
        with path.open("rb") as file:
            for line in file:
                name = _file_of(line)
                if name in merged:
                    merged[name].add(blake2b(line, digest_size=8).digest())
    for name, lines in sorted(merged.items()):
        with (indexes / f"{name}.cdxj").open("rb") as file:
            own = {blake2b(line, digest_size=8).digest() for line in file}
        for path in files if lines - own else ():
            one.problems += _foreign(path, name, own)
        if own - lines:
            one.notes.append(f"{len(own - lines)} lines of {name} are left out: hidden, or not merged yet")


def _foreign(path: Path, name: str, own: AbstractSet[bytes]) -> Iterator[str]:
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if _file_of(line) == name and blake2b(line, digest_size=8).digest() not in own:
                yield f"{path.name} line {number}: not a line of {name}.cdxj: {line[:80]!r}"


def _same(own: Path, lines: _Lines) -> bool:
    mine = _Lines()
    with own.open("rb") as file:
        for line in file:
            mine.add(line)
    return (mine.count, mine.total) == (lines.count, lines.total)
