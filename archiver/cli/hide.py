"""`archiver hide URL|PREFIX*|CAPTURE --because TEXT`: shown no more, fetched no more; the ledger says who and why."""

from __future__ import annotations

import argparse
import os
import re
from datetime import datetime, timedelta
from typing import Any

from archiver.cli.collections import add_place_options, places_of
from archiver.cli.list_ import moment
from archiver.cli.options import person
from archiver.clock import SYSTEM, iso, ts14
from archiver.config import Places
from archiver.errors import UsageError
from archiver.ledger.hides import Match, standing, write
from archiver.ledger.index import LedgerIndex
from archiver.model import LedgerEntry
from archiver.urls import canonical, seed_url
from archiver.wiring.describe import describe

_CAPTURE = re.compile(r"[0-9a-f]{32}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_target(parser)
    parser.add_argument("--because", metavar="TEXT", required=True, help="why; stands in the ledger")
    parser.add_argument("--until", metavar="DATE", help="shown again from then on: 2027-01-31 or 2027-01-31T12:00:00")
    add_place_options(parser)


def add_target(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "target", metavar="URL|PREFIX*|CAPTURE",
        help="a URL; the beginning of URLs and a star, quoted; or a capture_id of `list --format jsonl`",
    )  # fmt: skip
    parser.add_argument("--collection", metavar="NAME", help="default: main")


def run(options: argparse.Namespace) -> int:
    """Raises UsageError, DiskError; the rules and the merged index for pywb are made anew."""
    if not options.because.strip():
        raise UsageError("--because: give a reason; it stands in the ledger and `why` shows it")
    until = in_the_future(options.until, SYSTEM.now()) if options.until else None
    match, target = target_of(options.target)
    places = places_of(options.collection, options.out)
    data: dict[str, Any] = {"match": match, "target": target, "because": options.because.strip(), "until": until}
    url = None
    if match == "url":
        data["key"] = url = target
    elif match == "capture":
        url, data["key"], data["capture"] = _captured(places, target)
    write(places.logs, SYSTEM, person(os.environ, through="cli"), [LedgerEntry(event="hide", url=url, data=data)])
    describe(places, SYSTEM)
    print(f"Hidden: {match} {target}" + (f", until {iso(until)}" if until else ""))
    return 0


def target_of(text: str) -> tuple[Match, str]:
    """What is meant, and its canonical form. Raises UsageError."""
    if _CAPTURE.fullmatch(text):
        return "capture", text
    if not text.endswith("*"):
        return "url", canonical(seed_url(text))
    prefix = canonical(seed_url(text[:-1]))
    if "?" in prefix:
        raise UsageError(f"{text}: a prefix must end before the query (replay sorts parameters); hide URL by URL")
    return "prefix", prefix


def in_the_future(text: str, now: datetime) -> datetime:
    """Raises UsageError for what is no date, or a past one."""
    until = moment(text, "--until")
    if until <= now:
        raise UsageError(f"--until: {text} is not in the future")
    return until


def hidden_now(places: Places) -> dict[tuple[str, str], str]:
    """(match, target) of what is hidden at this moment, with the reason."""
    now = SYSTEM.now()
    return {(hide.match, hide.target): hide.because for hide in standing(places.logs) if hide.lasts(now)}


def _captured(places: Places, capture_id: str) -> tuple[str, str, dict[str, Any]]:
    """URL, key and index lines of a capture (see `ledger.hides.Hide`). Raises UsageError when there is none."""
    with LedgerIndex(places.state / "ledger-index.sqlite", places.logs, collection=places.name) as index:
        found = next((one for one in index.captures(hidden=True) if one.capture_id == capture_id), None)
        if found is None:
            raise UsageError(f"no capture {capture_id} in {places.name}; `archiver list --format jsonl` has their ids")
        key = canonical(found.url)
        bodies = [row.body or {} for row in index.rows_for(key)]
    visit = next(body for body in bodies if body.get("capture_id") == capture_id)
    records = [visit.get("record") or {}, *(visit.get("records") or [])]
    started = moment(str(visit["started_at"]))
    lines = {
        "files": sorted({one["file"] for one in records if one.get("file")}),
        "urls": sorted({found.url, str(visit.get("final_url") or found.url)}),
        "first": ts14(started),
        "last": ts14(started + timedelta(seconds=float(visit.get("seconds") or 0))),
    }
    return found.url, key, lines
