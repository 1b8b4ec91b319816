"""Ledger segments and page lists as they go into a WACZ. What stays out of a segment is erased in the copy: salt and
body null, so that the chain still verifies, to the same head (ADR 0005)."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from archiver.errors import LedgerError
from archiver.ledger.chain import erase
from archiver.ledger.reader import parse_row

Body = Mapping[str, Any]
_PIECE = 1 << 20


class Rows:
    """`stays_out` is asked of each row's body; None = the rows go in as they are. `erased` counts by event."""

    def __init__(self, stays_out: Callable[[Body], bool] | None) -> None:
        self._stays_out = stays_out
        self.erased: Counter[str] = Counter()

    def pieces(self, path: Path, size: int) -> Iterator[bytes]:
        """The segment's first `size` bytes without an unfinished last line: what comes later was not judged. Raises
        LedgerError for a line that must be judged and is no row."""
        for offset, line in _lines(path, size):
            if self._stays_out is None:
                yield line
                continue
            body = parse_row(line, path.name, offset).body
            if body is None:
                yield line
                continue
            if body.get("event") != "segment" and self._stays_out(body):
                self.erased[str(body.get("event"))] += 1
                yield erase(line)
            else:
                yield line


def _lines(path: Path, size: int) -> Iterator[tuple[int, bytes]]:
    offset = 0
    with path.open("rb") as file:
        for line in file:
            if not line.endswith(b"\n") or offset + len(line) > size:
                return
            yield offset, line
            offset += len(line)


def holds_withheld(block: bytes, stays_out: Callable[[Body], bool]) -> bool:
    """Whether a `urn:ledger:` record (see `warc.records.document`) holds a row that stays out, or one that cannot be
    read."""
    for line in block.split(b"\r\n"):
        if not line:
            continue
        try:
            body = parse_row(line.partition(b": ")[2], "urn:ledger", 0).body
        except LedgerError:
            return True
        if body is not None and stays_out(body):
            return True
    return False


class Pages:
    """Page lists as two (WACZ 1.1.1, 5.3): seeds, and the pages that were found from there.

    With one kind alone there is one list. Memory holds one page a time; the files are read again for each list.
    """

    def __init__(
        self, paths: Sequence[Path], stays_out: Callable[[Body], bool] | None, more: Iterable[Body] = ()
    ) -> None:
        """`more`: pages that no file lists. Raises OSError."""
        self._paths = paths
        self._stays_out = stays_out
        self._more = list(more)
        self.count = self.left_out = 0
        self.first: Body | None = None
        seeds = 0
        for row in self._rows(count=True):
            self.count += 1
            seeds += _is_seed(row)
            if self.first is None or (_is_seed(row) and not _is_seed(self.first)):
                self.first = row
        self.split = 0 < seeds < self.count

    def lines(self, *, seeds: bool | None = None) -> Iterator[bytes]:
        """A list with its header; `seeds` None = all."""
        name, title = ("extraPages", "Other Pages") if seeds is False else ("pages", "Pages")
        yield _line({"format": "json-pages-1.0", "id": name, "title": title, "hasText": False})
        for row in self._rows():
            if seeds is None or _is_seed(row) is seeds:
                yield _line(row)

    def _rows(self, *, count: bool = False) -> Iterator[Body]:
        for row in self._listed():
            if self._stays_out is not None and self._stays_out(row):
                self.left_out += count
            else:
                yield row
        yield from self._more

    def _listed(self) -> Iterator[Body]:
        for path in self._paths:
            if not path.is_file():
                continue
            with path.open("rb") as file:
                for line in file:
                    try:
                        row = orjson.loads(line)
                    except orjson.JSONDecodeError:
                        continue  # torn by a killed run
                    if isinstance(row, dict) and row.get("url") and row.get("ts"):
                        yield row


def _is_seed(row: Body) -> bool:
    """Pages that came with a WACZ of others were no seeds of ours."""
    return bool(row.get("seed", row.get("origin") != "imported"))


def _line(row: Body) -> bytes:
    return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)


def file_pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
