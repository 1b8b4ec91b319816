"""`archiver cost [COLLECTION]`: what a collection's runs asked of its bucket, per 1,000 captures and per GB."""

from __future__ import annotations

import argparse
from dataclasses import replace

from archiver.cli.collections import add_place_options, places_of
from archiver.cli.output import json_text, plain
from archiver.config import Places
from archiver.errors import UsageError
from archiver.ledger.index import LedgerIndex
from archiver.store.costs import PRICED, Cost, Prices, held, read_counts

_WORDS = {
    "objects": "objects", "stored_bytes": "bytes stored", "write_requests": "requests that write or list",
    "read_requests": "requests that read", "requests": "requests in all", "again": "of them, tried again",
    "bytes_up": "bytes up", "bytes_down": "bytes down", "money_once": "money, once", "money_a_month": "money a month",
}  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("collection", nargs="?", metavar="COLLECTION", help="default: main")
    parser.add_argument("--json", action="store_true", help="as one JSON object")
    parser.add_argument(
        "--price", action="append", metavar="KIND=AMOUNT",
        help="write, read: of 1,000 requests; up, down: of a GB moved; storage: of a GB a month; more than once",
    )  # fmt: skip
    add_place_options(parser)


def run(options: argparse.Namespace) -> int:
    """Raises UsageError when there is nothing to tell."""
    prices = prices_of(options.price or [])
    places = places_of(options.collection, options.out)
    counts = read_counts(places.state / "requests.json")
    if not counts:
        raise UsageError(
            f"{places.name}: no run has counted requests to a bucket yet; configure one (STORE_*), then archive "
            "something: `archiver save --demo` will do, and `archiver cost demo` tells"
        )
    cost = Cost(counted=counts[0], held=held(places.uploads), captures=_captures(places), prices=prices)
    if options.json:
        others = [one.place for one in counts[1:]]
        print(json_text({"collection": places.name, **cost.to_json(), "other_places": others}))
    else:
        print(plain("\n".join([*said(places.name, cost), *_elsewhere(len(counts) - 1)])))
    return 0


def prices_of(given: list[str]) -> Prices:
    """Raises UsageError naming the kind or the amount."""
    prices = Prices()
    for text in given:
        kind, _, amount = text.partition("=")
        if kind not in PRICED:
            raise UsageError(f"--price: {text!r} is not KIND=AMOUNT; kinds are {', '.join(PRICED)}")
        try:
            value = float(amount)
        except ValueError:
            value = -1.0
        if not 0 <= value < 1e9:
            raise UsageError(f"--price: {text!r}: {amount!r} is no amount, such as 0.005")
        prices = replace(prices, **{kind: value})
    return prices


def said(name: str, cost: Cost) -> list[str]:
    """A table, then what it means for `verifyUpload`."""
    counted, share, gb = cost.counted, cost.per_1000_captures(), cost.per_gb()
    lines = [
        f"{name} at {counted.place}: {cost.captures:,} captures archived; {counted.runs} runs counted since "
        f"{counted.since}",
        "",
        f"{'':<28}{'in all':>16}{'1,000 captures':>18}{'1 GB stored':>18}",
    ]
    for row, amount in cost.amounts().items():
        digits = 4 if row.startswith("money") else 0
        cells = [_number(of[row] if of else None, digits) for of in (share, gb)]
        lines.append(f"{_WORDS[row]:<28}{_number(amount, digits):>16}{cells[0]:>18}{cells[1]:>18}")
    lines.append("")
    if counted.bytes_down:
        lines.append(
            f"Bytes down are {counted.bytes_down / max(counted.bytes_up, 1):.2f} of bytes up: uploads are read back to "
            "compare, and `verify --remote` reads. A bucket that proved its checksums (`archiver bucket check`) spares "
            "the first."
        )
    if cost.is_partial:
        lines.append(
            "The bucket holds more objects than were counted: a run was killed before it could add its figures, or was "
            "made by an older version. The requests are too low by that."
        )
    return lines


def _number(amount: float | None, digits: int) -> str:
    return "-" if amount is None else f"{amount:,.{digits}f}"


def _elsewhere(count: int) -> list[str]:
    return [f"Requests to {count} other places were counted too; --json names them."] if count else []


def _captures(places: Places) -> int:
    """Captures that are in the store, hidden ones too."""
    with LedgerIndex(places.state / "ledger-index.sqlite", places.logs, collection=places.name) as index:
        return sum(1 for one in index.captures(hidden=True) if one.status == "archived")
