"""Records looked up in sorted CDXJ files: by URL, nearest to a time, without reading the files from end to end."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from archiver.warc.surt import surt


class Found(NamedTuple):
    """An index line: `stamp` 14 digits; `revisit` when the record's payload is another's."""

    path: Path
    stamp: str
    offset: int
    revisit: bool


class IndexFiles:
    """CDXJ files, each with the WARC whose records it lists."""

    def __init__(self, files: dict[Path, Path]) -> None:
        """WARC paths by the path of their index; what is not there, or is empty, lists nothing."""
        self._files = {index: warc for index, warc in files.items() if index.is_file() and index.stat().st_size}

    def nearest(self, url: str, stamp: str) -> Found | None:
        """The capture of `url` that is nearest to `stamp` (14 digits), a whole one before a revisit."""
        moment = int(stamp)
        found = self.all(url)
        return min(found, key=lambda one: (abs(int(one.stamp) - moment), one.revisit), default=None)

    def original(self, url: str, stamp: str) -> Found | None:
        """What a revisit refers to: the capture of `url` at that very time that is no revisit itself."""
        return next((one for one in self.all(url) if one.stamp == stamp and not one.revisit), None)

    def all(self, url: str) -> Iterator[Found]:
        """Every GET of `url`, file by file."""
        key = surt(url).replace(" ", "%20").encode("utf-8", "surrogatepass") + b" "
        for index, warc in self._files.items():
            for line in _lines(index, key):
                stamp, _, text = line[len(key) :].partition(b" ")
                fields = _fields(text)
                if fields is not None:
                    yield Found(warc, stamp.decode(), fields["offset"], fields.get("mime") == "warc/revisit")


def _fields(text: bytes) -> dict[str, Any] | None:
    try:
        fields = orjson.loads(text)
        return {**fields, "offset": int(fields["offset"])}
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        return None


def _lines(path: Path, start: bytes) -> list[bytes]:
    """The lines that begin with `start`: found by halving, as the file is sorted by bytes."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
        low, high = 0, len(text)
        while low < high:
            begin = text.rfind(b"\n", low, (low + high) // 2) + 1 or low
            end = _end(text, begin)
            if text[begin:end] < start:
                low = end
            else:
                high = begin
        found = []
        while low < len(text) and text[low : low + len(start)] == start:
            end = _end(text, low)
            found.append(text[low:end].rstrip(b"\n"))
            low = end
        return found


def _end(text: mmap.mmap, begin: int) -> int:
    found = text.find(b"\n", begin)
    return len(text) if found < 0 else found + 1
