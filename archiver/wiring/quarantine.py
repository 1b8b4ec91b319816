"""Where files of others go that were not taken in: their bytes, and a report that names what is wrong and where."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import orjson

from archiver.config import Places
from archiver.ledger.imports import ImportLedger
from archiver.model import LedgerEntry
from archiver.warc.files import sync_folder, write_atomic
from archiver.wiring.imported_files import Copied, plain_name

FOLDER = "quarantine"
SUFFIX = ".quarantined"
"""So that nothing takes it for a WARC of the collection: not `verify`, not a pywb that is given the folder."""
_TOLD = 10


class Quarantine:
    """Of one collection. A file that lies there already is not put there again."""

    def __init__(self, places: Places, ledger: ImportLedger, origin: str) -> None:
        self._folder = places.root / FOLDER
        self._ledger = ledger
        self._origin = origin

    def put(self, copy: Copied, source: str, problems: Sequence[str], *, records: int = 0) -> str:
        """Move a staged copy there; its name. The report is there before the file is. Raises OSError, DiskError."""
        stem = Path(plain_name(copy.name, gzip=False)).stem
        name = f"{stem}-{copy.sha256[:12]}{SUFFIX}"
        target = self._folder / name
        if target.is_file():
            return name
        self._folder.mkdir(mode=0o700, exist_ok=True)
        report = {
            "file": name,
            "source": source,
            "sha256": copy.sha256,
            "size": copy.size,
            "whole_records": records,
            "problems": list(problems),
        }
        write_atomic(target.with_name(f"{name}.json"), orjson.dumps(report, option=orjson.OPT_INDENT_2), mode=0o600)
        data = {
            "file": name,
            "source": Path(source).name,
            "sha256": copy.sha256,
            "size": copy.size,
            "origin": self._origin,
            "problems": list(problems[:_TOLD]),
        }
        self._ledger.append(LedgerEntry(event="quarantined", data=data))
        os.chmod(copy.path, 0o600)
        os.rename(copy.path, target)
        sync_folder(self._folder)
        return name
