"""Faults. A refusal is not one of them: refusals are `Decision` values (see `model`)."""

from __future__ import annotations

import os
import resource
from pathlib import Path


class ArchiverError(Exception):
    """Base of what `cli` turns into one line and an exit code. Never raised itself."""

    exit_code = 1


class UsageError(ArchiverError):
    """A bad argument or URL; the message names it and the fix."""

    exit_code = 2


class ConfigError(ArchiverError):
    """A bad config file or key; the message names the field, the line where known, and the fix."""

    exit_code = 4


class DiskError(ArchiverError):
    """No room or no permission to write; names path, free and needed bytes."""

    exit_code = 3


class LimitError(ArchiverError):
    """The system lets this process have too few open files or threads; names what it has, what is needed, and where."""

    exit_code = 3


class StoreError(ArchiverError):
    """The object store failed past its retry budget; local files stay."""

    exit_code = 22


class StoreAuthError(StoreError):
    """The object store refuses our key."""

    exit_code = 33


class StoreSetupError(StoreError):
    """The object store takes nothing as it is configured (bucket, endpoint, region, roots); no other try helps."""


class CaptureError(ArchiverError):
    """An exchange could not be completed; `code` is a `FailureCode` value."""

    exit_code = 9

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class BrowserError(ArchiverError):
    """Chromium cannot be started, or died and would not start again; names the path and the fix."""

    exit_code = 10


class WarcError(ArchiverError):
    """A WARC that breaks the standard; names file and offset."""


class LedgerError(ArchiverError):
    """A ledger whose chain does not hold; names file and row."""


class Interrupted(ArchiverError):
    """The first signal: work in hand was finished, the rest is kept for `resume`."""

    exit_code = 11


def room(path: Path) -> str:
    """What is free where `path` lies, in words for a message about a disk: bytes, or that no file more may be made.

    A limit on the size of a file is named as well: SQLite says `disk I/O error` where it is reached.
    """
    largest = resource.getrlimit(resource.RLIMIT_FSIZE)[0]
    limit = f"; a file may have {largest:,} bytes: ulimit -f" if largest != resource.RLIM_INFINITY else ""
    for folder in (path, *path.parents):
        try:
            found = os.statvfs(folder)
        except OSError:
            continue
        free = f"{found.f_bavail * found.f_frsize:,} bytes free"
        return (f"{free}, but no inode for another file" if found.f_files and not found.f_favail else free) + limit
    return f"free space unknown{limit}"
