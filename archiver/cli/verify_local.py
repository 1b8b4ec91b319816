"""`verify` over local files: whole collections, and files by themselves."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archiver.cli.options import person
from archiver.cli.output import escaped
from archiver.clock import SYSTEM
from archiver.config import from_environment
from archiver.errors import DiskError, Interrupted, UsageError
from archiver.fixity import pool
from archiver.fixity.collection import CollectionCheck
from archiver.fixity.files import Checked, contents, is_collection
from archiver.fixity.loose import check_files, is_ours
from archiver.fixity.state import Remembered, state_path
from archiver.ledger import fixity

EXIT_DAMAGED = 1
_SHOWN = 100
_BIG = 256 << 20  # bytes from which progress is told
_EVERY = 5.0  # seconds


def run(options: argparse.Namespace, paths: Sequence[Path]) -> int:
    """0 when everything holds, 1 when something does not. Raises UsageError, Interrupted."""
    found = _find(paths)
    if not found.collections and not found.files:
        raise UsageError(
            f"nothing to verify in {', '.join(map(str, paths))}: no .warc.gz, .warc, .wacz or ledger-*.jsonl there"
        )
    shown = Shown(as_json=options.json)
    for one in check_files(found.files):
        shown.show(one)
    for root in found.collections:
        shown.summary(_collection(root, options, shown))
    return shown.end()


class Shown:
    """What was found, printed file by file; counts what does not hold."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self.files = 0
        self.damaged = 0

    def show(self, one: Checked) -> None:
        self.files += 1
        self.damaged += bool(one.problems)
        if self._as_json:
            said = {"file": one.place, "checked": one.told, "problems": one.problems, "notes": one.notes}
            print(json.dumps(said, ensure_ascii=False))
            return
        print(f"{'bad' if one.problems else 'ok ':<4} {escaped(one.place)}: {one.told}")
        for problem in one.problems[:_SHOWN]:
            print(f"     {escaped(problem)}")
        if len(one.problems) > _SHOWN:
            print(f"     and {len(one.problems) - _SHOWN:,} more; --json has them all")
        for note in one.notes:
            print(f"     note: {escaped(note)}")

    def summary(self, summary: dict[str, Any]) -> None:
        if self._as_json:
            print(json.dumps(summary, ensure_ascii=False))

    def end(self) -> int:
        if not self._as_json:
            print(
                f"{self.files} files checked, {self.damaged} damaged."
                if self.damaged
                else f"{self.files} files checked, all hold."
            )
        return EXIT_DAMAGED if self.damaged else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    collections: list[Path]
    files: list[Path]


def _find(paths: Sequence[Path]) -> _Found:
    """Collections, and WARCs and ledger segments outside of any. Raises UsageError for what is neither."""
    found = _Found(collections=[], files=[])
    for path in paths:
        if path.is_dir():
            _walk(path, found)
        elif path.is_file():
            if is_ours(path.name):
                found.files.append(path)
        else:
            raise UsageError(f"{path}: neither a file nor a folder")
    return found


def _walk(folder: Path, found: _Found) -> None:
    for here, folders, names in os.walk(folder):
        if is_collection(Path(here)):
            found.collections.append(Path(here))
            folders.clear()
            continue
        folders.sort()
        paths = (Path(here, name) for name in sorted(names) if is_ours(name))
        found.files.extend(path for path in paths if path.is_file())  # a fifo would be waited for


def _collection(root: Path, options: argparse.Namespace, shown: Shown) -> dict[str, Any]:
    """Check, show and log one collection; its summary."""
    found = contents(root)
    big = found.size >= _BIG
    with _remembered(root, fresh=options.fresh) as remembered:
        check = CollectionCheck(
            found, remembered, at_once=pool.workers(), progress=Progress(root.name) if big else lambda *_: None
        )
        try:
            with _term_interrupts():
                check.run()
        except KeyboardInterrupt:
            raise Interrupted(
                f"interrupted: {check.read} of {check.files} files of {root.name} are read; the same command goes on"
            ) from None
        if check.taken_over:
            say(f"{check.taken_over} files of {root.name} were read by a check that was interrupted (--fresh: again)")
        remembered.forget()
    for one in check.checked:
        shown.show(one)
    summary = check.summary()
    log = _log(root, check, summary, wanted=not options.no_log)
    return {"collection": root.name, "summary": summary, "log": log}


def _remembered(root: Path, *, fresh: bool) -> Remembered:
    path = state_path(from_environment(os.environ).state_dir, root)
    if fresh:
        path.unlink(missing_ok=True)
    return Remembered(path, SYSTEM)


def _log(root: Path, check: CollectionCheck, summary: dict[str, Any], *, wanted: bool) -> str:
    """Rows of the fixity log; "written", or why not. A check of what cannot be written is a check all the same."""
    if not wanted:
        return "not wanted"
    try:
        done = fixity.Check(where="local", place=str(root.absolute()), found=check.entries(), summary=summary)
        fixity.write(root / "logs", SYSTEM, person(os.environ, through="cli"), done)
    except DiskError as error:
        say(f"the fixity log of {root.name} is not written: {error}")
        return str(error)
    return "written"


class Progress:
    """A line on standard error every few seconds."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._next = SYSTEM.monotonic() + _EVERY

    def __call__(self, files: int, all_files: int, size: int, all_size: int) -> None:
        now = SYSTEM.monotonic()
        if now >= self._next:
            self._next = now + _EVERY
            of = f" of {all_size / 1e9:.1f}" if all_size else ""
            say(f"{self._name}: {files:,} of {all_files:,} files, {size / 1e9:.1f}{of} GB read")


def say(line: str) -> None:
    """On standard error."""
    with contextlib.suppress(OSError):
        print(f"archiver: {escaped(line)}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def _term_interrupts() -> Iterator[None]:
    """SIGTERM as Ctrl-C: what was read is kept either way."""
    try:
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    except ValueError:  # not the main thread: signals are somebody else's
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
