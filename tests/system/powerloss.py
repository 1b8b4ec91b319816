"""What a disk holds after the power went: every write of a run, as strace saw it, cut at what was flushed by then.

A file has what its last fsync flushed, and of the writes after that none, all or the first few; a folder has the
names that its own last fsync flushed, and of the changes after that none, all or the first few. That is what POSIX
promises. One thing more is taken from file systems in use: a folder that was made is there.
"""

from __future__ import annotations

import random
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

CALLS = (
    "openat,write,pwrite64,writev,pwritev,fsync,fdatasync,rename,renameat,renameat2,link,linkat,unlink,unlinkat,"
    "ftruncate,truncate,copy_file_range,sendfile"
)
_LINE = re.compile(r"(\d+) +(?:<\.\.\. (\w+) resumed>|(\w+)\()(.*)$", re.DOTALL)
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_FD = re.compile(r"^\d+<((?:\\x[0-9a-f]{2})*)>(?:\(deleted\))?")
_RETURN = re.compile(r"\) += (-?\d+)(?:<((?:\\x[0-9a-f]{2})*)>)?[^=]*$")


@dataclass(frozen=True, slots=True)
class Call:
    """One system call that succeeded."""

    name: str
    arguments: str
    value: int
    opened: str

    @property
    def path(self) -> str:
        """Of the file descriptor that is its first argument."""
        found = _FD.match(self.arguments)
        return _bytes(found[1]).decode() if found else ""

    def texts(self) -> list[bytes]:
        return [_bytes(found) for found in _TEXT.findall(self.arguments)]

    def last_number(self) -> int:
        return int(self.arguments.rpartition(",")[2].strip())


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


def traced(arguments: Sequence[str], cwd: Path, log: Path, env: dict[str, str]) -> list[Call]:
    """Run the command under strace; its calls in the order in which they ended."""
    options = ["-f", "-y", "-qq", "-xx", "-s", "9999999", "-e", f"trace={CALLS}", "-e", "signal=none", "-o", str(log)]
    command = ["strace", *options, sys.executable, "-m", "archiver", *arguments]
    ran = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=100, check=False)
    assert ran.returncode == 0, ran.stderr
    return list(_calls(log.read_text("ascii")))


def _calls(text: str) -> Iterator[Call]:
    begun: dict[str, str] = {}
    for line in text.splitlines():
        match = _LINE.match(line)
        if match is None:
            continue
        pid, resumed, name, rest = match.groups()
        if rest.endswith(" <unfinished ...>"):
            begun[pid] = rest.removesuffix(" <unfinished ...>")
            continue
        if resumed:
            rest = begun.pop(pid, "") + rest
        value = _RETURN.search(rest)
        if value is not None and int(value[1]) >= 0:
            opened = _bytes(value[2] or "").decode()
            yield Call(name or resumed, rest[: value.start()], int(value[1]), opened)


@dataclass(slots=True, eq=False)
class _File:
    """Bytes as processes see them; as they were flushed; and what was done since."""

    now: bytearray = field(default_factory=bytearray)
    flushed: bytes = b""
    since: list[tuple[int, bytes | None]] = field(default_factory=list)

    def write(self, offset: int, data: bytes) -> None:
        _write(self.now, offset, data)
        self.since.append((offset, data))

    def cut(self, size: int) -> None:
        _cut(self.now, size)
        self.since.append((size, None))

    def flush(self) -> None:
        self.flushed, self.since = bytes(self.now), []

    def after(self, steps: int) -> bytes:
        """With so many of the steps since the last flush."""
        data = bytearray(self.flushed)
        for offset, piece in self.since[:steps]:
            if piece is None:
                _cut(data, offset)
            else:
                _write(data, offset, piece)
        return bytes(data)


def _write(data: bytearray, offset: int, piece: bytes) -> None:
    data.extend(bytes(max(0, offset - len(data))))
    data[offset : offset + len(piece)] = piece


def _cut(data: bytearray, size: int) -> None:
    del data[size:]
    data.extend(bytes(size - len(data)))


class Disk:
    """The files below `root`, which was empty when the run began."""

    def __init__(self, root: Path) -> None:
        self._root = str(root) + "/"
        self._now: dict[str, _File] = {}
        self._flushed: dict[str, _File] = {}
        self._since: dict[str, list[tuple[str, _File | None]]] = {}

    def apply(self, call: Call) -> bool:
        """Whether it changed something below the root."""
        if call.name in ("writev", "pwritev", "copy_file_range", "sendfile", "truncate", "linkat"):
            assert self._root not in str(call), f"a call that is not followed here: {call}"
            return False
        if call.name in ("openat", "rename", "renameat", "renameat2", "link", "unlink", "unlinkat"):
            return self._names(call)
        if not call.path.startswith(self._root):
            return False
        if call.name in ("fsync", "fdatasync"):
            self._flush(call.path)
        elif (file := self._now.get(call.path)) is not None:
            self._change(call, file)
        return True

    def _names(self, call: Call) -> bool:
        texts = [text.decode() for text in call.texts()]
        if call.name == "openat":
            path = call.opened
            if not path.startswith(self._root) or "O_CREAT" not in call.arguments:
                return False
            if path not in self._now:
                self._set(path, _File())
            if "O_TRUNC" in call.arguments:
                self._now[path].cut(0)
            return True
        if not texts[0].startswith(self._root):
            return False
        file = self._now[texts[0]]
        if call.name != "unlink" and len(texts) > 1:
            self._set(texts[1], file)
        if call.name != "link":
            self._set(texts[0], None)
        return True

    def _set(self, path: str, file: _File | None) -> None:
        if file is None:
            self._now.pop(path)
        else:
            self._now[path] = file
        self._since.setdefault(str(Path(path).parent), []).append((path, file))

    def _change(self, call: Call, file: _File) -> None:
        if call.name == "ftruncate":
            file.cut(call.last_number())
        elif call.name == "write":  # every file is appended to, or written once from its beginning
            file.write(len(file.now), call.texts()[0][: call.value])
        elif call.name == "pwrite64":
            file.write(call.last_number(), call.texts()[0][: call.value])

    def _flush(self, path: str) -> None:
        if path in self._now:
            self._now[path].flush()
            return
        for name, file in self._since.pop(path, []):
            _put(self._flushed, name, file)

    def as_seen(self) -> dict[str, bytes]:
        """What a process sees that reads now."""
        return {path: bytes(file.now) for path, file in self._now.items()}

    def after_power_loss(self, rng: random.Random | None) -> dict[str, bytes]:
        """What is there at the next start. None: nothing but what was flushed; else by chance more, file by file."""
        names = dict(self._flushed)
        for changes in self._since.values():
            for name, file in changes[: _some(rng, len(changes))]:
                _put(names, name, file)
        files: dict[int, bytes] = {}
        for file in names.values():
            files.setdefault(id(file), file.after(_some(rng, len(file.since))))
        return {name: files[id(file)] for name, file in names.items()}


def _put(names: dict[str, _File], name: str, file: _File | None) -> None:
    if file is None:
        names.pop(name, None)
    else:
        names[name] = file


def _some(rng: random.Random | None, number: int) -> int:
    """None, all, or the first few."""
    return 0 if rng is None else rng.choice((0, number, rng.randint(0, number)))


def lay_out(files: dict[str, bytes], root: Path) -> None:
    """Write an image. What processes share in memory beside SQLite files is no file to keep."""
    for name, data in files.items():
        if not name.endswith("-shm"):
            path = Path(name)
            assert path.is_relative_to(root)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
