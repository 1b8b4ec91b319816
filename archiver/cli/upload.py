"""`archiver upload [COLLECTION]`: what is closed here and not in the bucket yet goes there."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from archiver.cli.collections import add_place_options, places_of
from archiver.cli.options import person
from archiver.cli.output import json_text, plain
from archiver.clock import SYSTEM
from archiver.config import from_environment, without_seeds
from archiver.errors import StoreError
from archiver.wiring.loop import run_loop
from archiver.wiring.upload import Uploaded, upload

EXIT_DAMAGED = 1
_SHOWN = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("collection", nargs="?", metavar="COLLECTION", help="default: main")
    parser.add_argument("--config", metavar="FILE", help="a config file with the `storage:` section; STORE_* win")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    add_place_options(parser)


def run(options: argparse.Namespace) -> int:
    """0 all is there; 1 a WARC does not read back; 22, 33 the store. Raises UsageError, ConfigError, DiskError."""
    environ = dict(os.environ)
    places = places_of(options.collection, options.out, environ).create()
    config = without_seeds({}, environ, path=Path(options.config) if options.config else None)
    actor = person(environ, through="cli")
    found = run_loop(upload(config, from_environment(environ), places, actor, SYSTEM))
    print(json_text(found.to_json()) if options.json else plain("\n".join(_said(found))))
    if found.error is not None:
        return found.error.exit_code
    if found.left:
        return StoreError.exit_code
    return EXIT_DAMAGED if found.damaged else 0


def _said(found: Uploaded) -> list[str]:
    lines = [f"{found.collection}: {len(found.stored)} files uploaded and compared ({found.size:,} bytes)."]
    if not found.stored and not found.left:
        lines = [f"{found.collection}: everything is in the store already."]
    lines += [f"not read back, not uploaded: {key} (archiver verify names the place)" for key in found.damaged[:_SHOWN]]
    if found.salvaged:
        lines.append(f"closed first, a killed run had left them open: {len(found.salvaged)} WARCs.")
    if found.still_open:
        lines.append(f"{found.still_open} WARCs are not closed: they are being written.")
    for orphan in found.told.get("orphans", ()):
        what = "ended" if orphan["aborted"] else "still there"
        lines.append(f"unfinished upload {what}: {orphan['key']} {orphan['error']}".rstrip())
    lines += [f"left: {key}: {error or 'not tried'}" for key, error in found.left[:_SHOWN]]
    if len(found.left) > _SHOWN:
        lines.append(f"left: and {len(found.left) - _SHOWN:,} more; --json has them all")
    if found.freed:
        lines.append(f"{found.freed:,} bytes of local WARCs deleted: the store holds them.")
    if found.error is not None:
        lines.append(f"Not stored: {found.error}")
    return lines
