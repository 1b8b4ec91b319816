"""`archiver open CAPTURE|URL --because TEXT`: what an override fetched is shown to the public; a row says by whom."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Mapping
from typing import Any

from archiver.cli.collections import add_place_options, places_of
from archiver.cli.options import person
from archiver.clock import SYSTEM
from archiver.config import Places
from archiver.config.kinds import read_text
from archiver.errors import UsageError
from archiver.ledger.hides import write
from archiver.ledger.index import LedgerIndex
from archiver.ledger.opens import JOB, opened
from archiver.model import Access, LedgerEntry, Reason
from archiver.urls import canonical, seed_url
from archiver.wiring.describe import describe

_CAPTURE = re.compile(r"[0-9a-f]{32}")
Body = Mapping[str, Any]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "target", metavar="CAPTURE|URL",
        help="a capture_id of `list --format jsonl`, or a URL: its latest capture that an override made",
    )  # fmt: skip
    parser.add_argument("--because", metavar="TEXT", required=True, help="why; stands in the ledger")
    parser.add_argument("--by", metavar="NAME", help="who decided it (default: the account's name)")
    parser.add_argument("--collection", metavar="NAME", help="default: main")
    add_place_options(parser)


def run(options: argparse.Namespace) -> int:
    """No file is moved: the public view gets an index of these records. Raises UsageError, DiskError."""
    actor = person(os.environ, through="cli")
    because, by = _text(options.because, "--because"), _text(options.by or actor.name, "--by")
    places = places_of(options.collection, options.out)
    with LedgerIndex(places.state / "ledger-index.sqlite", places.logs, collection=places.name) as index:
        visit = _visit(index, options.target, places)
        records = _records(index, visit)
    capture = str(visit["capture_id"])
    if any(one.target == capture for one in opened(places.logs)):
        print(f"Open already: capture {capture} of {visit['url']}")
        return 0
    data = {"key": visit["key"], "target": capture, "because": because, "by": by, "opened": records}
    write(places.logs, SYSTEM, actor, [LedgerEntry(event="open", url=visit["url"], data=data)], JOB)
    describe(places, SYSTEM)
    count = sum(map(len, records.values()))
    print(f"Opened: capture {capture} of {visit['url']}, {count} records, for `archiver replay --public`")
    return 0


def _text(text: str, option: str) -> str:
    try:
        said = read_text(text)
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from None
    if not said:
        raise UsageError(f"{option}: say something; it stands in the ledger and `why` shows it")
    return said


def _visit(index: LedgerIndex, target: str, places: Places) -> Body:
    """The `visit` row that is meant. Raises UsageError where there is none, or where it is not one to open."""
    if _CAPTURE.fullmatch(target):
        url = next((one.url for one in index.captures(hidden=True) if one.capture_id == target), None)
        if url is None:
            raise UsageError(f"no capture {target} in {places.name}; `archiver list --format jsonl` has their ids")
        found = [body for body in _visits(index, canonical(url)) if body.get("capture_id") == target]
    else:
        found = _visits(index, canonical(seed_url(target)))
        if not found:
            raise UsageError(f"no capture of {target} in {places.name}; `archiver list` shows what there is")
    _check(found[-1] if _CAPTURE.fullmatch(target) else next(filter(_is_restricted, reversed(found)), found[-1]))
    return next(filter(_is_restricted, reversed(found)))


def _visits(index: LedgerIndex, key: str) -> list[Body]:
    bodies = [row.body or {} for row in index.rows_for(key)]
    return [body for body in bodies if body.get("event") == "visit" and body.get("status") == "captured"]


def _is_restricted(visit: Body) -> bool:
    return visit.get("access") == Access.RESTRICTED and bool(visit.get("overridden"))


def _check(visit: Body) -> None:
    """Raises UsageError for what is not restricted because of an override: nobody opens against a site's wish here."""
    access, url = visit.get("access"), visit.get("url")
    if access == Access.OPEN:
        raise UsageError(f"{url} is open as it is; `archiver hide` is what closes it")
    if access == Access.DARK:
        raise UsageError(f"{url} is kept dark, because it asks not to be archived for the public; that is not opened")
    if not _is_restricted(visit):
        raise UsageError(f"{url} is not restricted by an override; `archiver why` says by what, and that is not opened")


def _records(index: LedgerIndex, visit: Body) -> dict[str, list[int]]:
    """Offsets by file of what this visit's override restricted. An override's job is one visit, so they are its rows.

    Raises UsageError where the page itself is restricted for another reason too.
    """
    found: dict[str, list[int]] = {}
    final = False
    for key, _, _, bodies in index.fates(str(visit["job"])):
        for body in bodies:
            if body.get("event") != "outcome" or body.get("reason") != Reason.OVERRIDE:
                continue
            record = body["record"]
            found.setdefault(record["file"], []).append(int(record["offset"]))
            final = final or key == canonical(str(visit.get("final_url") or visit["url"]))
    if not final:
        raise UsageError(f"{visit['url']} is restricted for another reason too; `archiver why` names it")
    return {file: sorted(offsets) for file, offsets in sorted(found.items())}
