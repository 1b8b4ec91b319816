"""The contact kept for the next time, in the user's own config file."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path

from archiver.config.environment import from_environment
from archiver.config.identity import read_contact
from archiver.errors import DiskError, UsageError

_LINE = re.compile(r"^contact[ ]*:.*$", re.MULTILINE)


def store_contact(text: str, environ: Mapping[str, str] | None = None) -> tuple[str, Path]:
    """Check what a user typed and keep it; gives the contact as it is used, and the file.

    Other lines of the file stay as they are. Raises UsageError (no contact) or DiskError (cannot be written).
    """
    try:
        contact = read_contact(text)
    except ValueError as error:
        raise UsageError(f"contact: {error}") from None
    path = from_environment(os.environ if environ is None else environ).config_file
    line = f'contact: "{contact}"'
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        before = path.read_text("utf-8") if path.exists() else ""
        if _LINE.search(before):
            after = _LINE.sub(lambda _: line, before, count=1)
        else:
            after = before + ("\n" if before and not before.endswith("\n") else "") + line + "\n"
        _replace(path, after)
    except OSError as error:
        raise DiskError(f"{path}: the contact cannot be kept: {error.strerror}") from error
    return contact, path


def _replace(path: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".config-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)
        raise
