"""`archiver list [COLLECTION]`: one line a capture, from the ledger's index."""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, replace
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

from archiver.cli.collections import add_place_options, places_of
from archiver.cli.output import json_text
from archiver.clock import SYSTEM, iso
from archiver.errors import UsageError
from archiver.ledger.index import Capture, LedgerIndex
from archiver.ledger.opens import opened
from archiver.ledger.report_urls import cell
from archiver.urls import canonical
from archiver.wiring.hidden import hidden_rule
from archiver.wiring.imported_view import ImportedList

COLUMNS = ("t", "status", "http_status", "access", "completeness", "url", "title", "listed", "expires", "opened")
FORMATS = ("table", "csv", "jsonl")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("collection", nargs="?", help="default: main")
    parser.add_argument("--url", metavar="PREFIX", default="", help="only URLs that begin so")
    parser.add_argument("--since", metavar="DATE", help="only captures since 2026-11-23 or 2026-11-23T12:00:00")
    parser.add_argument("--hidden", action="store_true", help="show what was hidden too, marked so")
    parser.add_argument("--all", action="store_true", help="show what asks not to be listed (noindex) too, marked so")
    parser.add_argument("--format", metavar="|".join(FORMATS), default="table")
    add_place_options(parser)


def run(options: argparse.Namespace) -> int:
    if options.format not in FORMATS:
        raise UsageError(f"--format: {options.format!r} is none of {', '.join(FORMATS)}")
    since = moment(options.since) if options.since else None
    places = places_of(options.collection, options.out)
    now = SYSTEM.now()
    with LedgerIndex(places.state / "ledger-index.sqlite", places.logs, collection=places.name) as index:
        captures = marked(index.captures(prefix=options.url, since=since, now=now, hidden=True), places.logs, now)
        theirs = ImportedList(places, options.url, since, everything=options.all)
        captures = chain(captures, theirs.rows(now))
        if not options.hidden:
            captures = (one for one in captures if not one.hidden)
        unlisted: list[Capture] = []
        if not options.all:
            captures = _listed(captures, unlisted)
        if options.format == "table":
            _table(captures, iso(now))
        else:
            {"csv": _csv, "jsonl": _jsonl}[options.format](captures)
        if unlisted:
            asked = f"{len(unlisted)} not listed, as the pages ask (noindex); --all shows them"
            print(f"archiver: {asked}", file=sys.stderr)
        if theirs.left_out:
            print(f"archiver: {theirs.left_out} imported captures are no documents; --all shows them", file=sys.stderr)
        for damage in index.damaged:
            print(f"archiver: damaged ledger row: {damage}", file=sys.stderr)
    return 0


def marked(captures: Iterable[Capture], logs: Path, now: datetime) -> Iterator[Capture]:
    """Hidden under any spelling of scheme and `www.`, as replay has it; and whether it was opened."""
    rule = hidden_rule(logs, now)
    public = frozenset(one.target for one in opened(logs))
    for one in captures:
        hidden = one.hidden or (rule is not None and rule.covering(canonical(one.url)) is not None)
        yield replace(one, hidden=hidden, opened=one.capture_id in public)


def moment(text: str, option: str = "--since") -> datetime:
    """A date or time as typed; without a zone it is UTC. Raises UsageError naming the option."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{option}: {text!r} is no date; write it as 2026-11-23 or 2026-11-23T12:00:00") from None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _listed(captures: Iterable[Capture], unlisted: list[Capture]) -> Iterator[Capture]:
    for one in captures:
        if one.listed:
            yield one
        else:
            unlisted.append(one)


def _table(captures: Iterable[Capture], now: str) -> None:
    for one in captures:
        mark = "" if one.completeness != "gaps" else "  (gaps)"
        access = "" if one.access == "open" else f"  [{one.access}]"
        mark += "  (opened)" if one.opened else ""
        mark += "  (hidden)" if one.hidden else ""
        mark += "" if one.listed else "  (unlisted)"
        if one.expires is not None:
            mark += "  (expired)" if one.expires <= now else f"  (until {one.expires[:10]})"
        print(f"{one.t[:19]}  {one.status:<9} {one.http_status or '-':>4}  {one.url}{access}{mark}")


def _csv(captures: Iterable[Capture]) -> None:
    writer = csv.writer(sys.stdout)
    writer.writerow(COLUMNS)
    for one in captures:
        row = asdict(one)
        writer.writerow([cell(row[name]) for name in COLUMNS])


def _jsonl(captures: Iterable[Capture]) -> None:
    for one in captures:
        print(json_text(asdict(one)))
