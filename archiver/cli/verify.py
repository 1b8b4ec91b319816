"""`archiver verify PATH...`: WARCs, indexes and ledgers, read strictly from the first byte to the last."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from archiver.cli.output import escaped
from archiver.errors import UsageError
from archiver.ledger.reader import verify_segment
from archiver.warc.reindex import verify_index
from archiver.warc.verify import verify_paths

EXIT_DAMAGED = 1
_SHOWN = 100
_OPEN = "not checked: being written, or left by a run that was killed (the next run here closes it)"
WARC_SUFFIXES = (".warc.gz", ".warc")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="+", metavar="PATH", help="a WARC, a ledger segment, a folder, a collection")
    parser.add_argument("--json", action="store_true", help="one JSON object a file")


def run(options: argparse.Namespace) -> int:
    """0 when everything holds, 1 when something does not."""
    warcs, ledgers, opened = _find([Path(path) for path in options.paths])
    if not warcs and not ledgers and not opened:
        raise UsageError(f"nothing to verify in {', '.join(options.paths)}: no .warc.gz, .warc or ledger-*.jsonl there")
    results = [*_warcs(warcs), *_ledgers(ledgers), *((path, _OPEN, [], []) for path in opened)]
    for path, told, problems, notes in results:
        if options.json:
            said = {"file": str(path), "checked": told, "problems": problems, "notes": notes}
            print(json.dumps(said, ensure_ascii=False))
        else:
            print(f"{'bad' if problems else 'ok ':<4} {escaped(str(path))}: {told}")
            for problem in problems[:_SHOWN]:
                print(f"     {escaped(problem)}")
            if len(problems) > _SHOWN:
                print(f"     and {len(problems) - _SHOWN:,} more; --json has them all")
            for note in notes:
                print(f"     note: {note}")
    damaged = sum(bool(problems) for _, _, problems, _ in results)
    if not options.json:
        print(
            f"{len(results)} files checked, {damaged} damaged."
            if damaged
            else f"{len(results)} files checked, all hold."
        )
    return EXIT_DAMAGED if damaged else 0


Result = tuple[Path, str, list[str], list[str]]
"""A file, how much of it was checked, what is wrong with it, and what is merely odd."""


def _warcs(paths: Sequence[Path]) -> Iterator[Result]:
    for path, report in zip(paths, verify_paths(paths, workers=os.cpu_count() or 1), strict=True):
        problems = [str(problem) for problem in report.errors]
        index = _index_of(path)
        if index is not None:
            problems += [str(problem) for problem in verify_index(index, path)]
        yield path, f"{report.records} records", problems, list(report.notes)


def _ledgers(paths: Iterable[Path]) -> Iterator[Result]:
    for path in paths:
        report = verify_segment(path)
        problems = [str(problem) for problem in report.chain.problems]
        yield path, f"{report.chain.rows} ledger rows", problems, []


def _index_of(path: Path) -> Path | None:
    """`indexes/` beside `archive/`; `restricted/indexes/` and `dark/indexes/` below the WARCs."""
    for folder in (path.parent.parent / "indexes", path.parent / "indexes"):
        for name in (f"{path.name}.cdxj", f"{path.name.removesuffix('.gz').removesuffix('.warc')}.cdxj"):
            if (folder / name).is_file():
                return folder / name
    return None


def _find(paths: Sequence[Path]) -> tuple[list[Path], list[Path], list[Path]]:
    """WARCs, ledger segments, and WARCs that are not closed."""
    warcs: list[Path] = []
    ledgers: list[Path] = []
    opened: list[Path] = []
    for path in paths:
        if not path.exists():
            raise UsageError(f"{path}: no such file or folder")
        if not path.is_dir() and not path.is_file():
            raise UsageError(f"{path}: neither a file nor a folder")
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            if not file.is_file():  # a fifo would be waited for
                continue
            if file.name.endswith(WARC_SUFFIXES):
                warcs.append(file)
            elif file.name.startswith("ledger-") and file.suffix == ".jsonl":
                ledgers.append(file)
            elif file.name.endswith(".warc.gz.open"):
                opened.append(file)
    return warcs, ledgers, opened
