"""Which Chromium is used: ARCHIVER_CHROMIUM, else the system's, else Playwright's own download."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
_DOWNLOADS = ("chromium-*/chrome-linux*/chrome", "chromium_headless_shell-*/chrome-linux*/headless_shell")


def find_chromium(environ: Mapping[str, str]) -> Path | None:
    """None when there is none; nothing is started to find out."""
    named = environ.get("ARCHIVER_CHROMIUM")
    if named:
        return Path(named) if os.access(named, os.X_OK) else None
    for name in _NAMES:
        found = shutil.which(name, path=environ.get("PATH"))
        if found:
            return Path(found)
    home = Path(environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path(environ.get("HOME") or "/", ".cache/ms-playwright"))
    for pattern in _DOWNLOADS:
        for path in sorted(home.glob(pattern), reverse=True):
            if os.access(path, os.X_OK):
                return path
    return None
