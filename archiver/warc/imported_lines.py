"""Captures in an index, read line by line or found by URL: what stands in for ledger rows where there are none."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import orjson

from archiver.warc.surt import surt


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedCapture:
    """One line of a CDXJ. `t` is ISO time to the second; `status` None where the line has none (a resource)."""

    url: str
    t: str
    status: int | None
    mime: str
    digest: str
    file: str
    offset: int
    length: int


def captures(index: Path) -> Iterator[IndexedCapture]:
    """Every capture in the index's order; a line that is none is passed over. Requests by other methods than GET are
    no captures of their URL. Raises OSError."""
    with index.open("rb") as file:
        for line in file:
            found = _capture(line)
            if found is not None:
                yield found


def captures_of(index: Path, url: str) -> list[IndexedCapture]:
    """Captures of one URL under pywb's key, oldest first: some twenty reads, however large the index. Raises
    OSError."""
    start = surt(url).encode("utf-8", "surrogatepass") + b" "
    found = []
    with index.open("rb") as file:
        _seek(file, start)
        for line in file:
            if not line.startswith(start):
                break
            capture = _capture(line)
            if capture is not None:
                found.append(capture)
    return found


def _seek(file: BinaryIO, start: bytes) -> None:
    """To the first line that is not before `start`, by bisection over bytes of a file sorted under LC_ALL=C."""
    low, high = 0, os.fstat(file.fileno()).st_size
    while low < high:
        middle = (low + high) // 2
        _to_line(file, middle)
        line = file.readline()
        if line and line < start:
            low = middle + 1
        else:
            high = middle
    _to_line(file, low)


def _to_line(file: BinaryIO, position: int) -> None:
    """To the first line that begins at `position` or behind it."""
    file.seek(max(position - 1, 0))
    if position:
        file.readline()


def _capture(line: bytes) -> IndexedCapture | None:
    parts = line.split(b" ", 2)
    try:
        fields = orjson.loads(parts[2])
        if fields.get("method", "GET") != "GET":
            return None
        return IndexedCapture(
            url=fields["url"],
            t=_iso(parts[1].decode("ascii")),
            status=int(fields["status"]) if str(fields.get("status", "-")).isdigit() else None,
            mime=str(fields.get("mime") or ""),
            digest=str(fields.get("digest") or ""),
            file=str(fields["filename"]),
            offset=int(fields["offset"]),
            length=int(fields["length"]),
        )
    except (IndexError, KeyError, ValueError, AttributeError, TypeError):
        return None


def _iso(stamp: str) -> str:
    """`20261123120000` as `2026-11-23T12:00:00.000Z`."""
    return f"{stamp[:4]}-{stamp[4:6]}-{stamp[6:8]}T{stamp[8:10]}:{stamp[10:12]}:{stamp[12:14]}.000Z"
