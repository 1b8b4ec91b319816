"""What rows say about showing a record: until when, in lists or not, to whom. Rare rows, found by their bytes.

Of one record the latest row holds: an `access` row is a verdict that came after the record was written.

A ledger is read once, then from where it ended: rows that say nothing of this are passed over unparsed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from archiver.ledger.reader import segment_paths
from archiver.model import Access

# A row's body is JSON within JSON: its quotes are escaped.
_SAYS = (b'\\"expires\\":\\"', b'\\"listed\\":false', b'\\"access\\":\\"dark', b'\\"access\\":\\"restricted')
_EVENTS = frozenset({"outcome", "access"})
_BLOCK = 1 << 20


class Bound(NamedTuple):
    """Of one record: `expires` an ISO time or "", `listed` False = in no public list.

    `late`: the verdict came when the record lay in its file, whose class may be another.
    """

    url: str
    expires: str
    listed: bool
    access: str
    late: bool = False

    def expired(self, now: str) -> bool:
        """`now` as `clock.iso` gives it."""
        return bool(self.expires) and self.expires <= now

    @property
    def withheld(self) -> bool:
        """Whether it lies among what is open and is not to be shown to the public."""
        return self.late and self.access != Access.OPEN


class Bounds:
    """`by_file` maps WARC file names to byte offsets to what bounds the record there."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._read: dict[str, int] = {}
        self.by_file: dict[str, dict[int, Bound]] = {}

    def as_json(self) -> dict[str, Any]:
        """What was found and how far was read, for `restore`."""
        found = {file: [[offset, *one] for offset, one in bounds.items()] for file, bounds in self.by_file.items()}
        return {"read": self._read, "found": found}

    def restore(self, said: object) -> None:
        """Go on from what `as_json` gave; from the beginning where it is something else."""
        try:
            read, found = said["read"], said["found"]  # type: ignore[index]
            by_file = {file: {int(offset): Bound(*rest) for offset, *rest in rows} for file, rows in found.items()}
            self._read, self.by_file = {str(name): int(size) for name, size in read.items()}, by_file
        except (KeyError, TypeError, ValueError, AttributeError):
            self._read, self.by_file = {}, {}

    def refresh(self) -> bool:
        """Take in what was appended; whether that changed anything. A segment that shrank starts anew."""
        sizes = {path: _size(path) for path in segment_paths(self._logs)}
        known = {path.name for path in sizes}
        changed = False
        if any(size < self._read.get(path.name, 0) for path, size in sizes.items()) or self._read.keys() - known:
            self._read.clear()
            self.by_file = {}
            changed = True
        for path, size in sizes.items():
            if size > self._read.get(path.name, 0):
                changed |= self._take(path)
        return changed

    def all(self) -> Iterator[Bound]:
        for bounds in self.by_file.values():
            yield from bounds.values()

    def _take(self, path: Path) -> bool:
        changed = False
        start = self._read.get(path.name, 0)
        with path.open("rb") as file:
            file.seek(start)
            while block := file.read(_BLOCK):
                block += file.readline()
                block = block[: block.rfind(b"\n") + 1]  # the rest is not written to its end yet
                start += len(block)
                if _says(block):
                    changed |= any([self._line(line) for line in block.split(b"\n") if _says(line)])
        self._read[path.name] = start
        return changed

    def _line(self, line: bytes) -> bool:
        """A damaged row says nothing here; `verify` tells of it."""
        try:
            row = orjson.loads(line)
            body = orjson.loads(row["body"])
        except (orjson.JSONDecodeError, KeyError, TypeError):
            return False
        record = body.get("record") if isinstance(body, Mapping) else None
        if not isinstance(record, Mapping) or body.get("event") not in _EVENTS:
            return False
        return self._remember(body, record)

    def _remember(self, body: Mapping[str, Any], record: Mapping[str, Any]) -> bool:
        bound = Bound(
            url=str(body.get("target") or body.get("url") or ""),
            expires=str(body.get("expires") or ""),
            listed=body.get("listed") is not False,
            access=str(body.get("access") or Access.OPEN.value),
            late=body["event"] == "access",
        )
        file, offset = record.get("file"), record.get("offset")
        if not isinstance(file, str) or not isinstance(offset, int):
            return False
        self.by_file.setdefault(file, {})[offset] = bound
        return True


def _says(text: bytes) -> bool:
    return any(word in text for word in _SAYS)


def _size(path: Path) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return 0
