"""What is read out of a folder, read again when the folder has changed: one stat(2) where nothing has."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from archiver.clock import Clock

T = TypeVar("T")

SETTLED_SECONDS = 3.0
"""A folder changed less than this ago is read again: some file systems keep times to two seconds."""


class Watched(Generic[T]):
    """`read` is called with the folder, at first and after each change; what it raises comes out of `now`."""

    def __init__(self, folder: Path, clock: Clock, read: Callable[[Path], T]) -> None:
        self._folder = folder
        self._clock = clock
        self._read = read
        self._value: T | None = None
        self._changed: int | None = None
        self._settled = False

    def now(self) -> T:
        try:
            changed: int | None = self._folder.stat().st_mtime_ns
        except FileNotFoundError:
            changed = None
        if self._value is None or changed != self._changed or not self._settled:
            self._value = self._read(self._folder)
            self._changed = changed
            self._settled = changed is None or self._clock.now().timestamp() - changed / 1e9 > SETTLED_SECONDS
        return self._value
