"""Names of closed files that every store was given: what is closed and not named here, a later run takes up."""

from __future__ import annotations

import os
from pathlib import Path

from archiver.errors import DiskError, room


class ShippedNames:
    """A text file, one name a line, appended with one write(2). A name lost to a crash costs one more check."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def names(self) -> frozenset[str]:
        """All names; a torn last line is none. Raises DiskError."""
        try:
            text = self._path.read_text("utf-8", errors="replace")
        except FileNotFoundError:
            return frozenset()
        except OSError as error:
            raise DiskError(f"{self._path}: {error.strerror} ({room(self._path)})") from error
        return frozenset(line.rstrip("\n") for line in text.splitlines(keepends=True) if line.endswith("\n"))

    def add(self, name: str) -> None:
        """Raises DiskError."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            fd = os.open(self._path, flags, 0o600)
            try:
                os.write(fd, f"{name}\n".encode())
            finally:
                os.close(fd)
        except OSError as error:
            raise DiskError(f"{self._path}: {error.strerror} ({room(self._path)})") from error
