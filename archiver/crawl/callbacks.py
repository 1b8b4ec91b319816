"""What callbacks asked for: which method of the spider gets a URL's response, and with what. Survives an interruption.

The frontier keeps URLs; this file beside it keeps, line by line, what a spider wants done with some of them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson
from scrapy import Request, Spider

from archiver.crawl.meta import META
from archiver.errors import DiskError, room

_PASSING = frozenset({META, "depth", "download_slot", "download_latency", "download_timeout"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Names of methods of the spider, and JSON-able data for them."""

    callback: str | None = None
    errback: str | None = None
    cb_kwargs: Mapping[str, Any] = field(default_factory=dict)
    meta: Mapping[str, Any] = field(default_factory=dict)

    def apply(self, request: Request, spider: Spider) -> None:
        """Have `request` answered the way its author wanted. A method that is gone falls back to `parse`."""
        request.callback = getattr(spider, self.callback, None) if self.callback else None
        request.errback = getattr(spider, self.errback, None) if self.errback else None
        request.cb_kwargs.update(self.cb_kwargs)
        request.meta.update(self.meta)


def wanted_of(request: Request, spider: Spider) -> Wanted | None:
    """None: nothing but the URL. Raises ValueError for what cannot be kept: another function, data that is no JSON."""
    meta = {name: value for name, value in request.meta.items() if name not in _PASSING}
    found = Wanted(
        callback=_name(request.callback, spider, "callback"),
        errback=_name(request.errback, spider, "errback"),
        cb_kwargs=dict(request.cb_kwargs),
        meta=meta,
    )
    for name, data in (("cb_kwargs", found.cb_kwargs), ("meta", found.meta)):
        try:
            same = orjson.loads(orjson.dumps(data)) == data
        except (TypeError, ValueError) as error:
            raise ValueError(f"{name} holds what is no JSON ({error})") from None
        if not same:
            raise ValueError(f"{name} would not come back as it is from JSON (tuples, keys that are no texts)")
    return None if found == Wanted() else found


def _name(method: Callable[..., Any] | None, spider: Spider, what: str) -> str | None:
    if method is None:
        return None
    name = getattr(method, "__name__", "")
    if getattr(method, "__self__", None) is not spider or getattr(spider, name, None) != method:
        raise ValueError(f"{what} must be a method of the spider: the frontier outlives this process")
    return name


class Callbacks:
    """By canonical key. Written (write(2)) before the frontier has the URL, so that no URL lies there without it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._wanted: dict[str, Wanted] = {}
        if path.is_file():
            self._read()

    def __len__(self) -> int:
        return len(self._wanted)

    def keep(self, key: str, wanted: Wanted) -> None:
        """Raises DiskError. The first who wants a URL gets it."""
        if key in self._wanted:
            return
        line = orjson.dumps({"key": key, **asdict(wanted)}) + b"\n"
        try:
            with self._path.open("ab", buffering=0) as file:
                file.write(line)
        except OSError as error:
            raise DiskError(f"{self._path}: {error.strerror} ({room(self._path)})") from error
        self._wanted[key] = wanted

    def of(self, key: str) -> Wanted | None:
        return self._wanted.get(key)

    def remove(self) -> None:
        """The job is over."""
        self._wanted.clear()
        self._path.unlink(missing_ok=True)

    def _read(self) -> None:
        """A last line that was cut by a kill is no loss: its URL had not reached the frontier. It is ended here, so
        that the next line does not run into it."""
        for line in self._path.read_bytes().splitlines():
            try:
                row = orjson.loads(line)
            except orjson.JSONDecodeError:
                continue
            self._wanted.setdefault(row.pop("key"), Wanted(**row))
        with self._path.open("rb+") as file:
            if file.seek(0, os.SEEK_END) and (file.seek(-1, os.SEEK_END), file.read(1))[1] != b"\n":
                file.write(b"\n")
