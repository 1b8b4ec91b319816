"""`archiver unhide URL|PREFIX*|CAPTURE`: takes a hiding back; the same words as `hide` was given."""

from __future__ import annotations

import argparse
import os

from archiver.cli.collections import add_place_options, places_of
from archiver.cli.hide import add_target, hidden_now, target_of
from archiver.cli.options import person
from archiver.clock import SYSTEM
from archiver.errors import UsageError
from archiver.ledger.hides import write
from archiver.model import LedgerEntry
from archiver.wiring.describe import describe

_NAMED = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_target(parser)
    parser.add_argument("--because", metavar="TEXT", default="", help="why; stands in the ledger")
    add_place_options(parser)


def run(options: argparse.Namespace) -> int:
    """Raises UsageError when that is not hidden, naming what is."""
    match, target = target_of(options.target)
    places = places_of(options.collection, options.out)
    hidden = hidden_now(places)
    if (match, target) not in hidden:
        names = [f"{name}*" if kind == "prefix" else name for kind, name in hidden]
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        there = f"hidden are: {', '.join(names[:_NAMED])}{more}" if names else "nothing is"
        raise UsageError(f"{options.target} is not hidden in {places.name}; {there}")
    data = {"match": match, "target": target, "because": options.because.strip()}
    url = target if match == "url" else None
    if url:
        data["key"] = url
    write(places.logs, SYSTEM, person(os.environ, through="cli"), [LedgerEntry(event="unhide", url=url, data=data)])
    describe(places, SYSTEM)
    print(f"Shown again: {match} {target}")
    return 0
