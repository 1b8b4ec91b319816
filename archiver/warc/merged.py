"""The merged index of an access class: all lines in at most ten sorted files, beside the index of each WARC.

A reader such as pywb opens every index file for every question; here it opens ten, however many WARCs there are. The
files are levels of growing size: what is added is merged into the first level that has room for it and for all levels
before it, which are emptied. So a line is written again a few times a level and not with every WARC.

The files always have the same ten names and are replaced by rename(2), the fuller level before the emptied ones, with a
pause between: a reader may for that moment find a line in two of them, and misses one only if opening ten files takes
it longer than the pause. A state file names what lies in them. It is written before the rename: after a crash the next
call finishes what was begun, or begins anew out of the WARCs' own indexes, which stay the record of truth.
"""

from __future__ import annotations

import contextlib
import hashlib
import heapq
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

import orjson

from archiver.warc.files import sync_folder, write_atomic

LEVELS = 10
SMALLEST = 64 << 10
RATIO = 4
RUN_BYTES = 16 << 20
"""So much is sorted in memory; more goes through runs on the disk."""

OPENING_SECONDS = 0.1
"""From the fuller level in place to the emptied ones: a reader that has opened its files by then misses nothing."""

_FORMAT = 1
_EMPTY = sha256().hexdigest()

Lines = Iterable[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """What is not in the merged index. `mark` names what `hides(index name, line)` says of every line; `offsets` are
    single records, by index name. Another mark, or other offsets of what was merged, and all is merged anew."""

    mark: str = ""
    hides: Callable[[str, bytes], bool] | None = None
    offsets: Mapping[str, frozenset[int]] = field(default_factory=dict)

    def lines(self, name: str, content: bytes) -> list[bytes]:
        """The lines of one WARC's index that are shown."""
        lines = [line + b"\n" for line in content.split(b"\n") if line]
        gone = self.offsets.get(name)
        if gone:
            lines = [line for line in lines if offset_of(line) not in gone]
        if self.hides is not None:
            hides = self.hides
            lines = [line for line in lines if not hides(name, line)]
        return lines


NOTHING = LeftOut()


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One file: its size in bytes and SHA-256, hex."""

    size: int = 0
    sha256: str = _EMPTY


@dataclass(slots=True, kw_only=True)
class _State:
    """What the levels hold: the indexes merged, and under what was left out of them."""

    sources: set[str]
    mark: str
    offsets: dict[str, list[int]]
    levels: list[Level]


class MergedIndex:
    """`folder` holds the levels, `0.cdxj` to `9.cdxj`; `state` is the file that says what is in them. One process at a
    time may call `update`; readers need no lock."""

    def __init__(self, folder: Path, state: Path) -> None:
        self._folder = folder
        self._state_path = state
        self.written = 0

    def update(self, indexes: Path, left_out: LeftOut = NOTHING) -> list[Level]:
        """Take in the indexes of `indexes` that are not in yet; the levels as they are then. `written` counts bytes.

        An index that is gone from there stays merged. Raises OSError.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        sources = {path.name: path for path in indexes.glob("*.cdxj") if path.is_file()}
        state = self._recovered()
        if state is None or self._is_stale(state, left_out):
            return self._rebuilt(sources, left_out)
        new = {name: path for name, path in sources.items() if name not in state.sources}
        if not new:
            return state.levels
        size = sum(path.stat().st_size for path in new.values())
        level = _level_for(size, state.levels)
        below = [self._lines(one) for one in range(level + 1) if state.levels[one].size]
        with self._runs(new, left_out) as runs:
            return self._publish(level, [*runs, *below], state, new, left_out)

    def path(self, level: int) -> Path:
        return self._folder / f"{level}.cdxj"

    def _is_stale(self, state: _State, left_out: LeftOut) -> bool:
        return state.mark != left_out.mark or state.offsets != _offsets(left_out, state.sources)

    def _rebuilt(self, sources: Mapping[str, Path], left_out: LeftOut) -> list[Level]:
        """One level, out of the WARCs' own indexes; the others are emptied."""
        for level in range(LEVELS):
            os.close(os.open(self.path(level), os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644))
        size = sum(path.stat().st_size for path in sources.values())
        empty = [Level()] * LEVELS
        state = _State(sources=set(), mark=left_out.mark, offsets={}, levels=empty)
        with self._runs(sources, left_out) as runs:
            return self._publish(_level_for(size, empty), runs, state, sources, left_out)

    @contextlib.contextmanager
    def _runs(self, sources: Mapping[str, Path], left_out: LeftOut) -> Iterator[list[Lines]]:
        """Sorted runs of all lines: the last in memory, those before it in files that go away at the end."""
        runs: list[Lines] = []
        files: list[Path] = []
        lines: list[bytes] = []
        held = 0
        try:
            for name in sorted(sources):
                found = left_out.lines(name, sources[name].read_bytes())
                lines += found
                held += sum(map(len, found))
                if held > RUN_BYTES:
                    files.append(self._folder / f"run-{len(files)}.tmp")
                    _write_plain(files[-1], sorted(set(lines)))
                    lines, held = [], 0
            runs += [_lines_of(path) for path in files]
            yield [*runs, sorted(set(lines))]
        finally:
            for path in files:
                path.unlink(missing_ok=True)

    def _publish(
        self, level: int, runs: list[Lines], state: _State, new: Iterable[str], left_out: LeftOut
    ) -> list[Level]:
        """`runs` become the level; those before it (all others, when nothing is merged yet) are emptied."""
        made = self._write(level, runs)
        emptied = range(LEVELS) if not state.sources else range(level)
        levels = [Level() if one in emptied else state.levels[one] for one in range(LEVELS)]
        levels[level] = made
        sources = state.sources.union(new)
        after = _State(sources=sources, mark=left_out.mark, offsets=_offsets(left_out, sources), levels=levels)
        self._remember(after)
        self._install(level)
        self._empty(after)
        return levels

    def _write(self, level: int, runs: list[Lines]) -> Level:
        """The level's next content, beside it, on the disk."""
        digest, size, last = sha256(), 0, b""
        with _created(self._next(level)) as file:
            for line in heapq.merge(*runs):
                if line != last:
                    file.write(line)
                    digest.update(line)
                    size += len(line)
                    last = line
            file.flush()
            os.fsync(file.fileno())
        self.written += size
        return Level(size=size, sha256=digest.hexdigest())

    def _install(self, level: int) -> None:
        os.rename(self._next(level), self.path(level))
        sync_folder(self._folder)

    def _empty(self, state: _State) -> None:
        """Empty the levels whose lines have moved on."""
        full = [one for one in range(LEVELS) if not state.levels[one].size and _size(self.path(one))]
        if full:
            time.sleep(OPENING_SECONDS)
        for one in full:
            write_atomic(self.path(one), b"")

    def _recovered(self) -> _State | None:
        """The state, with what a killed process had begun carried out; None where all is to be merged anew."""
        state = self._read()
        for level in range(LEVELS):
            left = self._next(level)
            if not left.exists():
                continue
            if state is not None and _digest(left) == state.levels[level].sha256:
                self._install(level)
            else:
                left.unlink()
        for path in self._folder.glob("run-*.tmp"):
            path.unlink()
        if state is None:
            return None
        if any(one.size and _size(self.path(level)) != one.size for level, one in enumerate(state.levels)):
            return None
        self._empty(state)
        return state if all(self.path(level).exists() for level in range(LEVELS)) else None

    def _read(self) -> _State | None:
        try:
            said = orjson.loads(self._state_path.read_bytes())
            if said["format"] != _FORMAT or len(said["levels"]) != LEVELS:
                return None
            levels = [Level(size=one["size"], sha256=one["sha256"]) for one in said["levels"]]
            return _State(sources=set(said["sources"]), mark=said["mark"], offsets=said["offsets"], levels=levels)
        except (FileNotFoundError, orjson.JSONDecodeError, KeyError, TypeError):
            return None

    def _remember(self, state: _State) -> None:
        said = {
            "format": _FORMAT,
            "mark": state.mark,
            "offsets": state.offsets,
            "levels": [{"size": one.size, "sha256": one.sha256} for one in state.levels],
            "sources": sorted(state.sources),
        }
        self._state_path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(self._state_path, orjson.dumps(said), mode=0o600)

    def _next(self, level: int) -> Path:
        return self._folder / f"{level}.next"

    def _lines(self, level: int) -> Lines:
        return _lines_of(self.path(level))


def offset_of(line: bytes) -> int:
    """Where the record of an index line begins in its WARC; -1 for a line that does not say."""
    try:
        return int(orjson.loads(line.split(b" ", 2)[2])["offset"])
    except (IndexError, orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        return -1


def _level_for(size: int, levels: list[Level]) -> int:
    """The first level that has room for this and for all before it."""
    room, held = SMALLEST, size
    for level in range(LEVELS - 1):
        held += levels[level].size
        if held <= room:
            return level
        room *= RATIO
    return LEVELS - 1


def _offsets(left_out: LeftOut, sources: set[str]) -> dict[str, list[int]]:
    return {name: sorted(gone) for name, gone in left_out.offsets.items() if gone and name in sources}


def _lines_of(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from file


def _write_plain(path: Path, lines: Iterable[bytes]) -> None:
    with _created(path) as file:
        file.writelines(lines)


def _created(path: Path) -> BinaryIO:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.fdopen(os.open(path, flags, 0o644), "wb", buffering=1 << 20)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return -1
