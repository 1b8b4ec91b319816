"""`archiver wacz [COLLECTION] [--url URL | --capture ID]`: a package for ReplayWeb.page, and for handing over."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from archiver.cli.collections import add_place_options, places_of
from archiver.cli.output import json_line, plain
from archiver.clock import SYSTEM
from archiver.config import Config, Places, from_environment
from archiver.errors import ArchiverError, DiskError, UsageError
from archiver.model import Page, Status
from archiver.urls import seed_url
from archiver.wiring.wacz import Made, name_of, pack_collection
from archiver.wiring.wacz_capture import find, pack_capture

_CAPTURE = re.compile(r"[0-9a-f]{32}")
SUFFIX = ".wacz"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("collection", nargs="?", help="default: main")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--url", metavar="URL", help="only its latest capture, with all that belongs to it")
    which.add_argument("--capture", metavar="ID", help="only this capture (ids: `list --format jsonl`)")
    parser.add_argument("--owner", action="store_true", help="for yourself: restricted and dark too, nothing left out")
    parser.add_argument("--title", metavar="TEXT", help="default: the collection's name, or the page's title")
    parser.add_argument("--to", metavar="FILE", help="default: NAME.wacz in the collection, wacz/ID.wacz for a capture")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    add_place_options(parser)


def run(options: argparse.Namespace) -> int:
    """Raises UsageError, DiskError, LedgerError, WarcError."""
    places = places_of(options.collection, options.out)
    try:
        made = _made(options, places)
    except OSError as error:
        raise DiskError(f"cannot pack {places.name}: {error.filename}: {error.strerror}") from error
    if options.json:
        print(json_line(as_json(made)))
    else:
        print(plain(f"{made.path}: {made.pages} pages, {made.warcs} WARCs, {made.size:,} bytes."))
    _tell_left_out(made)
    return 0


def _made(options: argparse.Namespace, places: Places) -> Made:
    owner, title = options.owner, options.title or ""
    if options.capture is None and options.url is None:
        to = _target(options.to, name_of(places, owner=owner))
        return pack_collection(places, to, SYSTEM, owner=owner, title=title)
    if options.capture is not None and not _CAPTURE.fullmatch(options.capture):
        what = f"--capture: {options.capture!r} is no capture_id (32 hex digits)"
        raise UsageError(f"{what}; `archiver list --format jsonl` prints them")
    url = seed_url(options.url) if options.url is not None else ""
    capture = find(places, SYSTEM, capture_id=options.capture or "", url=url, owner=owner)
    to = _target(options.to, name_of(places, owner=owner, capture_id=capture.capture_id))
    return pack_capture(places, capture, to, SYSTEM, owner=owner, title=title)


def at_the_end(config: Config, pages: Sequence[Page]) -> dict[str, Path]:
    """`generateWACZ`: a WACZ of each open capture of a `save`, by capture_id. What cannot be packed, or is not open, is
    told: the captures themselves are safe by then, and their results are still to be printed."""
    made: dict[str, Path] = {}
    places = Places.of(config, from_environment(dict(os.environ)))
    for page in pages:
        if page.status is not Status.CAPTURED:
            continue
        try:
            capture = find(places, SYSTEM, capture_id=page.capture_id)
            packed = pack_capture(places, capture, name_of(places, owner=False, capture_id=page.capture_id), SYSTEM)
        except (ArchiverError, OSError) as error:
            print(f"archiver: no WACZ: {error}", file=sys.stderr)
            continue
        made[page.capture_id] = packed.path
    return made


def of_the_crawl(config: Config) -> Path:
    """`generateWACZ`: the WACZ of the whole collection, as `archiver wacz` makes it. Raises DiskError, LedgerError,
    UsageError, WarcError."""
    places = Places.of(config, from_environment(dict(os.environ)))
    made = pack_collection(
        places, name_of(places, owner=False), SYSTEM, title=config.job.title, description=config.job.description
    )
    _tell_left_out(made)
    return made.path


def _tell_left_out(made: Made) -> None:
    if made.left_out.anything:
        print(f"archiver: {made.says} reports/left-out.json in it says the same.", file=sys.stderr)


def _target(given: str | None, default: Path) -> Path:
    """Raises UsageError for a name that no viewer would take for a WACZ, or a folder that is not there."""
    if given is None:
        return default
    path = Path(given)
    if path.suffix != SUFFIX:
        raise UsageError(f"--to: {given} does not end in {SUFFIX}; viewers go by that")
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise UsageError(f"--to: {given} is a folder, or its folder is not there")
    return path


def as_json(made: Made) -> dict[str, Any]:
    """What `--json` prints."""
    left = made.left_out
    return {
        "path": str(made.path),
        "size": made.size,
        "sha256": made.sha256,
        "pages": made.pages,
        "warcs": made.warcs,
        "index_lines": made.index_lines,
        "left_out": {"captures": dict(left.captures), "other_records": dict(left.records), "pages": left.pages},
        "says": made.says,
    }
