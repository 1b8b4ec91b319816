"""`archiver verify [PATH...]`: WARCs, indexes and ledgers, read strictly from the first byte to the last."""

from __future__ import annotations

import argparse
from pathlib import Path

from archiver.cli import verify_local, verify_log, verify_remote
from archiver.cli.collections import places_of
from archiver.errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "paths", nargs="*", metavar="PATH",
        help="a WARC, WACZ, ledger segment, folder, or a collection by folder or name (default: the collection main)",
    )  # fmt: skip
    parser.add_argument("--out", metavar="DIR", help="folder that holds collections/ (default: ./crawls)")
    parser.add_argument("--json", action="store_true", help="one JSON object a file, then one a collection")
    parser.add_argument("--fresh", action="store_true", help="read again what an interrupted check had read")
    parser.add_argument("--no-log", action="store_true", help="write no row into the collection's ledger")
    parser.add_argument("--log", action="store_true", help="when each file of a collection was last checked, and where")
    parser.add_argument("--remote", action="store_true", help="check a collection's files in the bucket instead")
    parser.add_argument(
        "--sample", metavar="PERCENT", help="with --remote: that part of the files, longest unchecked first"
    )


def run(options: argparse.Namespace) -> int:
    """0 when everything holds, 1 when something does not. Raises UsageError, StoreError, Interrupted."""
    if options.sample is not None and not options.remote:
        raise UsageError("--sample goes with --remote: a local check reads everything")
    if options.remote and options.log:
        raise UsageError("--log and --remote: give one of them; --log shows both places")
    if options.remote or options.log:
        if len(options.paths) > 1:
            raise UsageError(f"one collection at a time, not {len(options.paths)}: {', '.join(options.paths)}")
        options.collection = options.paths[0] if options.paths else None
        return verify_remote.run(options) if options.remote else verify_log.run(options)
    return verify_local.run(options, [_path(name, options.out) for name in options.paths or [None]])


def _path(given: str | None, out: str | None) -> Path:
    """A path, or else a collection's folder by its name. Raises UsageError."""
    if given is not None and Path(given).exists():
        return Path(given)
    if given is None or ("/" not in given and (Path(out or "crawls") / "collections" / given).is_dir()):
        return places_of(given, out).root
    raise UsageError(f"{given}: no such file, folder or collection")
