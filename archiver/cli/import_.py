"""`archiver import PATH... --collection N --note TEXT`: WARCs and WACZs of others, unchanged, and told as theirs."""

from __future__ import annotations

import argparse
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from archiver.cli.collections import add_place_options
from archiver.cli.options import person
from archiver.cli.output import escaped, json_text
from archiver.clock import SYSTEM
from archiver.config import Config, Places, from_environment, without_seeds
from archiver.config.kinds import read_text
from archiver.errors import UsageError
from archiver.model import Access
from archiver.wiring.imported import Asked, Importer, Taken
from archiver.wiring.imported_ship import ship
from archiver.wiring.loop import run_loop

EXIT_QUARANTINED = 1
SUFFIXES = (".warc", ".warc.gz", ".wacz", ".arc", ".arc.gz", ".warc.zst")
"""What is looked for in folders; those of them that cannot be taken in are named, not passed over."""
_SHOWN = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="+", metavar="PATH", help="a WARC, a WACZ, or a folder of such files")
    parser.add_argument("--collection", metavar="NAME", help="default: main; made when it is not there")
    parser.add_argument("--note", metavar="TEXT", required=True, help="why it is taken in; stands in the ledger")
    parser.add_argument(
        "--access", metavar="|".join(Access), default=Access.RESTRICTED.value,
        help="who may see it (default: restricted, since nobody here knows what its sites allowed)",
    )  # fmt: skip
    parser.add_argument("--origin", metavar="TEXT", default="", help="where it is said to come from")
    parser.add_argument("--json", action="store_true", help="one JSON object a file")
    add_place_options(parser)


def run(options: argparse.Namespace) -> int:
    """0; 1 when a file was not taken in. Raises UsageError, ConfigError, DiskError, StoreError."""
    asked = Asked(
        access=_access(options.access), note=_text(options.note, "--note"), origin=_text(options.origin, "--origin")
    )
    if not asked.note:
        raise UsageError("--note: say why it is taken in; it stands in the ledger and `why` shows it")
    config, places = _places(options)
    found = [path for text in options.paths for path in _files(Path(text))]
    if not found:
        raise UsageError(f"nothing to import in {', '.join(options.paths)}: no .warc, .warc.gz or .wacz there")
    importer = Importer(places.create(), SYSTEM, person(os.environ, through="cli"), asked)
    told: Counter[str] = Counter()
    with importer.open():
        for path in found:
            for taken in importer.take(path):
                told[taken.outcome] += 1
                print(json_text(asdict(taken)) if options.json else _said(taken))
        error = run_loop(ship(config, places, importer.ledger))
    if not options.json:
        print(_summary(told, places, asked.access))
    if error is not None:
        raise error
    return EXIT_QUARANTINED if told["quarantined"] else 0


def _access(text: str) -> Access:
    try:
        return Access(text)
    except ValueError:
        raise UsageError(f"--access: {text!r} is none of {', '.join(Access)}") from None


def _text(text: str, option: str) -> str:
    try:
        return read_text(text)
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from None


def _places(options: argparse.Namespace) -> tuple[Config, Places]:
    environ = dict(os.environ)
    given = {"collection": options.collection, "out": options.out}
    config = without_seeds({name: value for name, value in given.items() if value is not None}, environ)
    return config, Places.of(config, from_environment(environ))


def _files(path: Path) -> Iterator[Path]:
    """The file, or what a folder holds, in order. Links inside a folder are not followed; a fifo is never opened."""
    if path.is_dir():
        for one in sorted(path.rglob("*")):
            if one.name.lower().endswith(SUFFIXES) and one.is_file() and not one.is_symlink():
                yield one
    elif path.is_file():
        yield path
    else:
        raise UsageError(f"{path}: {'neither a file nor a folder' if path.exists() else 'no such file or folder'}")


def _said(taken: Taken) -> str:
    head = f"{taken.outcome:<11} {escaped(taken.source)}"
    lines = []
    if taken.outcome == "quarantined":
        lines.append(f"{head} -> quarantine/{taken.file}")
    elif taken.outcome == "known":
        lines.append(f"{head}: the same bytes are here as {taken.access}/{taken.file}; nothing was done")
    else:
        pages = f", {taken.pages:,} pages listed" if taken.pages else ""
        lines.append(f"{head} -> {taken.file} ({taken.access}), {taken.records:,} records{pages}")
    lines += [f"            {escaped(problem)}" for problem in taken.problems[:_SHOWN]]
    if len(taken.problems) > _SHOWN:
        lines.append(f"            more stand in quarantine/{taken.file}.json")
    lines += [f"            note: {escaped(note)}" for note in taken.notes]
    return "\n".join(lines)


def _summary(told: Counter[str], places: Places, access: Access) -> str:
    parts = [f"{told[outcome]} {outcome}" for outcome in ("imported", "known", "quarantined") if told[outcome]]
    more = {
        Access.OPEN: "; everybody may see it: what its sites asked for is not known here",
        Access.RESTRICTED: "; shown by `archiver replay`, not by `archiver replay --public`",
        Access.DARK: "; shown by `archiver replay` alone",
    }[access]
    return f"{places.name}: {', '.join(parts)}{more if told['imported'] else ''}"
