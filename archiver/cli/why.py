"""`archiver why URL`: the ledger's answer in words, or as JSON."""

from __future__ import annotations

import argparse
import shlex

from archiver.cli.collections import add_place_options, places_of
from archiver.cli.output import json_line, plain
from archiver.clock import SYSTEM
from archiver.ledger.explain import explain
from archiver.ledger.explain_imported import with_imported
from archiver.ledger.index import LedgerIndex
from archiver.urls import canonical, seed_url
from archiver.wiring.imported_view import imported_of

EXIT_UNKNOWN = 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("url", metavar="URL")
    parser.add_argument("--collection", metavar="NAME", help="default: main")
    parser.add_argument("--json", action="store_true", help="as one JSON object")
    add_place_options(parser)


def run(options: argparse.Namespace) -> int:
    """0 when the ledger knows the URL, else 1."""
    url = seed_url(options.url)
    places = places_of(options.collection, options.out)
    with LedgerIndex(places.state / "ledger-index.sqlite", places.logs, collection=places.name) as index:
        rows = index.rows_for(canonical(url))
        answer = explain(url, rows, locate=index.locate, now=SYSTEM.now(), where=_where(options))
    answer = with_imported(answer, imported_of(places, url))
    if options.json:
        print(json_line(answer.to_json()))
    else:
        print(plain(answer.text()), end="")
    return EXIT_UNKNOWN if answer.verdict == "unknown" else 0


def _where(options: argparse.Namespace) -> str:
    """The options that the commands in the answer need too."""
    given = (("--collection", options.collection), ("--out", options.out))
    return "".join(f" {name} {shlex.quote(value)}" for name, value in given if value)
