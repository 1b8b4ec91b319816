"""What is hidden, in pywb's terms: access rules for URLs and prefixes, indexes without the lines of hidden captures."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from archiver.clock import Clock
from archiver.config import Places
from archiver.ledger.hides import Hide, standing
from archiver.replay.layout import HIDDEN_RULES, acl_folder
from archiver.warc.surt import surt

SETTLED_SECONDS = 3.0
"""A folder changed less than this ago is read again: some file systems keep times to two seconds."""


class Hides:
    """The hides of a collection that last at this moment; cheap when nothing has changed (one stat(2))."""

    def __init__(self, logs: Path, clock: Clock) -> None:
        self._logs = logs
        self._clock = clock
        self._all: tuple[Hide, ...] = ()
        self._changed: int | None = None
        self._settled = False

    def now(self) -> tuple[Hide, ...]:
        """Raises LedgerError where it cannot be told what is hidden."""
        try:
            changed: int | None = self._logs.stat().st_mtime_ns
        except FileNotFoundError:
            changed = None
        now = self._clock.now()
        if changed != self._changed or not self._settled:
            self._all = standing(self._logs)
            self._changed = changed
            self._settled = changed is None or now.timestamp() - changed / 1e9 > SETTLED_SECONDS
        return tuple(hide for hide in self._all if hide.lasts(now))


def rules(hides: Sequence[Hide]) -> str:
    """The text of an `.aclj`: sorted in reverse, as pywb looks through it; `###` ends a key that must match exactly."""
    lines: set[str] = set()
    for hide in hides:
        says = json.dumps({"access": "exclude", "url": hide.target})
        lines.update(f"{key} - {says}\n" for key in _keys(hide))
    return "".join(sorted(lines, reverse=True))


def _keys(hide: Hide) -> list[str]:
    key = surt(hide.target)
    if hide.match == "url":
        return [key + "###"]
    if hide.match != "prefix":
        return []
    if hide.target.endswith("/") and not key.endswith("/"):
        # SURT cuts a path's last slash: the folder itself, the folder with a query, and what lies in it
        return [key + "###", key + "?", key + "/"]
    return [key]


def write_rules(places: Places, clock: Clock) -> None:
    """Make `acl/hidden.aclj` anew from the ledger, for pywb without us. No file where nothing was ever hidden.

    Raises OSError, LedgerError.
    """
    found = standing(places.logs)
    path = acl_folder(places) / HIDDEN_RULES
    if found or path.exists():
        path.parent.mkdir(exist_ok=True)
        replace_text(path, rules(lasting(found, clock.now())))


def lasting(hides: Sequence[Hide], now: datetime) -> list[Hide]:
    return [hide for hide in hides if hide.lasts(now)]


def replace_text(path: Path, text: str) -> None:
    """Whole or not at all: pywb may be reading."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".tmp")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(name, 0o644)
    os.replace(name, path)


def cut_indexes(hides: Sequence[Hide]) -> dict[str, list[Hide]]:
    """The hidden captures by the name of the index that lists them."""
    found: dict[str, list[Hide]] = {}
    for hide in hides:
        for file in hide.capture.get("files", ()):
            found.setdefault(f"{file}.cdxj", []).append(hide)
    return found


def without(index: str, hides: Sequence[Hide]) -> str:
    """The text of a CDXJ without the lines of these captures."""
    spans = [
        (frozenset(surt(url) for url in hide.capture["urls"]), hide.capture["first"], hide.capture["last"])
        for hide in hides
    ]

    def is_hidden(line: str) -> bool:
        key, _, rest = line.partition(" ")
        return any(key in keys and first <= rest[:14] <= last for keys, first, last in spans)

    return "".join(line for line in index.splitlines(keepends=True) if not is_hidden(line))
