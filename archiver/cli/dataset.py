"""`archiver dataset [COLLECTION] --to FILE`: a table of captures for analysis, without what may not go into one."""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import json
import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from archiver.cli.collections import add_place_options, places_of
from archiver.cli.list_ import marked, moment
from archiver.cli.options import person
from archiver.cli.output import json_text
from archiver.clock import SYSTEM, iso
from archiver.config import Config, Places, without_seeds
from archiver.errors import ConfigError, DiskError, UsageError
from archiver.ledger import exports
from archiver.ledger.dataset import CODEBOOK, FORMAT, Rules, as_cells, as_json, left_out, reserved
from archiver.ledger.index import Capture, LedgerIndex
from archiver.model import Reason

FORMATS = ("jsonl", "csv")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("collection", nargs="?", help="default: main")
    parser.add_argument("--to", metavar="FILE|-", default="-", help="where the table goes (default: standard output)")
    parser.add_argument("--format", metavar="|".join(FORMATS), default="jsonl")
    parser.add_argument("--url", metavar="PREFIX", default="", help="only URLs that begin so")
    parser.add_argument("--since", metavar="DATE", help="only captures since 2026-11-23 or 2026-11-23T12:00:00")
    parser.add_argument("--config", metavar="FILE", help="whose policy, legalBasis and operator hold for the export")
    parser.add_argument("--policy", help="strict (default), research, legal-deposit")
    parser.add_argument(
        "--art3", action="store_true",
        help="take in what is reserved: mining for scientific research; needs `signals.usage: art3`",
    )  # fmt: skip
    add_place_options(parser)


@dataclass(slots=True)
class Made:
    """What went in and what did not."""

    rows: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    reservations: Counter[str] = field(default_factory=Counter)
    sha256: str = ""

    def add(self, capture: Capture, why: str) -> None:
        self.rows += not why
        if why:
            self.left_out[why] += 1
        if not why or why == Reason.TDM_RESERVED:
            self.reservations.update(reserved(capture))


def run(options: argparse.Namespace) -> int:
    """The ledger's row is written before anybody sees the table. Raises UsageError, ConfigError, DiskError."""
    if options.format not in FORMATS:
        raise UsageError(f"--format: {options.format!r} is none of {', '.join(FORMATS)}")
    since = moment(options.since) if options.since else None
    config = _config(options)
    now = SYSTEM.now()
    rules = Rules(usage=config.policy.signals.usage, art3=options.art3, now=iso(now))
    places = places_of(options.collection, options.out)
    folder = None if options.to == "-" else Path(options.to).absolute().parent
    try:
        with (
            tempfile.TemporaryFile("w+", dir=folder, encoding="utf-8", newline="", errors="backslashreplace") as table,
            LedgerIndex(places.state / "ledger-index.sqlite", places.logs, collection=places.name) as index,
        ):
            captures = index.captures(prefix=options.url, since=since, now=now, hidden=True)
            made = _write(table, marked(captures, places.logs, now), rules, options.format)
            for damage in index.damaged:
                print(f"archiver: damaged ledger row: {damage}", file=sys.stderr)
            about = _about(config, places, options, made, iso(now))
            exports.write(places.logs, SYSTEM, person(os.environ, through="cli"), about)
            table.seek(0)
            _hand_over(table, options.to, about)
    except OSError as error:
        raise DiskError(f"{options.to}: {error.strerror or error}") from error
    print(_sentence(made, rules), file=sys.stderr)
    return 0


def _config(options: argparse.Namespace) -> Config:
    """Raises ConfigError, and UsageError for a claim that the policy does not provide for."""
    given = {"policy": options.policy} if options.policy else {}
    config = without_seeds(given, dict(os.environ), path=Path(options.config) if options.config else None)
    if options.art3 and config.policy.signals.usage != "art3":
        raise UsageError(
            f"--art3: the policy's line is `signals.usage: {config.policy.signals.usage}`; `policy: research` has art3"
        )
    if options.art3 and not (config.basis.legal_basis and config.basis.operator):
        raise ConfigError("--art3: needs legalBasis and operator in the configuration")
    return config


def _write(table: TextIO, captures: Iterable[Capture], rules: Rules, form: str) -> Made:
    """One capture held at a time. What is left out is counted, not named."""
    made, digest = Made(), hashlib.sha256()
    writer = csv.writer(table)
    if form == "csv":
        writer.writerow(CODEBOOK)
    for capture in captures:
        why = left_out(capture, rules)
        made.add(capture, why)
        if why:
            continue
        if form == "csv":
            writer.writerow(as_cells(capture))
        else:
            table.write(json_text(as_json(capture)) + "\n")
    table.flush()
    table.seek(0)
    while block := table.read(1 << 20):
        digest.update(block.encode("utf-8", "backslashreplace"))
    made.sha256 = digest.hexdigest()
    return made


def _about(config: Config, places: Places, options: argparse.Namespace, made: Made, now: str) -> dict[str, Any]:
    """What stands in the ledger's row and beside the table."""
    return {
        "format": FORMAT,
        "form": options.format,
        "collection": places.name,
        "made_at": now,
        "to": "-" if options.to == "-" else Path(options.to).name,
        "prefix": options.url,
        "since": options.since,
        "policy": config.policy.label,
        "usage": config.policy.signals.usage,
        "art3": options.art3,
        "operator": config.basis.operator,
        "legal_basis": config.basis.legal_basis,
        "rows": made.rows,
        "left_out": dict(sorted(made.left_out.items())),
        "reservations": dict(sorted(made.reservations.items())),
        "sha256": made.sha256,
    }


def _hand_over(table: TextIO, to: str, about: dict[str, Any]) -> None:
    """To standard output, or whole under its name, with `FILE.about.json` beside it. Raises OSError."""
    if to == "-":
        shutil.copyfileobj(table, sys.stdout)
        return
    text = json.dumps({**about, "columns": CODEBOOK}, ensure_ascii=False, indent=1) + "\n"
    path = Path(to)
    _replace(path.with_name(f"{path.name}.about.json"), io.StringIO(text))
    _replace(path, table)


def _replace(path: Path, source: TextIO) -> None:
    handle, name = tempfile.mkstemp(dir=path.absolute().parent, prefix=f".{path.name}", suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="", errors="backslashreplace") as file:
            shutil.copyfileobj(source, file)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _sentence(made: Made, rules: Rules) -> str:
    out = ", ".join(f"{number} {reason}" for reason, number in sorted(made.left_out.items())) or "none"
    carried = ", ".join(f"{number} {name}" for name, number in sorted(made.reservations.items()))
    note = f"; reservations among them, taken in under `usage: {rules.usage}`: {carried}" if carried else ""
    return f"{made.rows} captures; left out: {out}" + (note if rules.takes_reserved else "")
