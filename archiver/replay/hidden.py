"""What is hidden, in pywb's terms: access rules for URLs and prefixes, indexes without the lines of hidden captures."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from archiver.clock import Clock, iso
from archiver.config import Places
from archiver.ledger.bounds import Bounds
from archiver.ledger.hides import Hide, standing
from archiver.ledger.opens import opened, records_by_file
from archiver.replay.layout import ALL_RULES, HIDDEN_RULES, acl_folder
from archiver.replay.watched import Watched
from archiver.warc.surt import surt

_Span = tuple[frozenset[str], str, str]
_OF_CLASS = {"dark": "exclude", "restricted": "block"}


class Hides:
    """The hides of a collection that last at this moment; cheap when nothing has changed (one stat(2))."""

    def __init__(self, logs: Path, clock: Clock) -> None:
        self._clock = clock
        self._all = Watched(logs, clock, standing)

    def now(self) -> tuple[Hide, ...]:
        """Raises LedgerError where it cannot be told what is hidden."""
        now = self._clock.now()
        return tuple(hide for hide in self._all.now() if hide.lasts(now))


def rules(hides: Sequence[Hide], bounds: Iterable[tuple[str, str]] = ()) -> str:
    """The text of an `.aclj`: sorted in reverse, as pywb looks through it; `###` ends a key that must match exactly.

    `bounds` are further (access, URL): `exclude` as if it were not there, `block` a page that says so. Of two rules
    for one URL `exclude` stands first, and pywb takes the first.
    """
    lines: set[str] = set()
    for hide in hides:
        lines.update(_rule(key, "exclude", hide.target) for key in _keys(hide))
    lines.update(_rule(surt(url) + "###", access, url) for access, url in bounds)
    return "".join(sorted(lines, reverse=True))


def _rule(key: str, access: str, url: str) -> str:
    return f"{key} - {json.dumps({'access': access, 'url': url})}\n"


def _keys(hide: Hide) -> list[str]:
    key = surt(hide.target)
    if hide.match == "url":
        return [key + "###"]
    if hide.match != "prefix":
        return []
    if hide.target.endswith("/") and not key.endswith("/"):
        # SURT cuts a path's last slash: the folder itself, the folder with a query, and what lies in it
        return [key + "###", key + "?", key + "/"]
    return [key]


def write_rules(places: Places, clock: Clock, bounds: Bounds | None = None) -> None:
    """Make the rules for pywb without us anew from the ledger: `acl/hidden.aclj` beside the open indexes (hides, and
    URLs with a capture past its `unavailable_after`), `acl/all/access.aclj` for a pywb that is given all classes (dark
    is excluded, restricted blocked but where it was opened). A rule names a URL, so it holds for all its captures. No
    file where there was never anything to say.

    Raises OSError, LedgerError.
    """
    if bounds is None:
        bounds = Bounds(places.logs)
        bounds.refresh()
    found, now = standing(places.logs), clock.now()
    hides, said = lasting(found, now), list(bounds.all())
    expired = {("exclude", one.url) for one in said if one.expired(iso(now)) or one.withheld}
    public = records_by_file(opened(places.logs))
    of_class = {
        (_OF_CLASS[one.access], one.url)
        for file, records in bounds.by_file.items()
        for offset, one in records.items()
        if one.access in _OF_CLASS and offset not in public.get(file, ())
    }
    _write(acl_folder(places) / HIDDEN_RULES, rules(hides, expired), bool(found or expired))
    _write(acl_folder(places) / ALL_RULES, rules(hides, expired | of_class), bool(found or expired or of_class))


def _write(path: Path, text: str, anything: bool) -> None:
    if anything or path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        replace_text(path, text)


def lasting(hides: Sequence[Hide], now: datetime) -> list[Hide]:
    return [hide for hide in hides if hide.lasts(now)]


def replace_text(path: Path, text: str) -> None:
    """Whole or not at all: pywb may be reading."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".tmp")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(name, 0o644)
    os.replace(name, path)


def cut_indexes(hides: Sequence[Hide]) -> dict[str, list[Hide]]:
    """The hidden captures by the name of the index that lists them."""
    found: dict[str, list[Hide]] = {}
    for hide in hides:
        for file in hide.capture.get("files", ()):
            found.setdefault(f"{file}.cdxj", []).append(hide)
    return found


class Cut(NamedTuple):
    """What is left out of one index: captures that were hidden, and records by their offsets."""

    hides: tuple[Hide, ...] = ()
    offsets: frozenset[int] = frozenset()


def hides_lines(hides: Sequence[Hide]) -> Callable[[str, bytes], bool]:
    """Whether a line of an index (its file name, the line) is hidden: by URL, by prefix, or as part of a capture.

    URLs and prefixes go by the keys of `rules`, so that an index without these lines shows what pywb with rules does.
    """
    keys = {key.encode() for hide in hides for key in _keys(hide)}
    exact = frozenset(key.removesuffix(b"###") for key in keys if key.endswith(b"###"))
    prefixes = tuple(key for key in keys if not key.endswith(b"###"))
    spans = {name: _spans(found) for name, found in cut_indexes(hides).items()}

    def is_hidden(name: str, line: bytes) -> bool:
        key, _, rest = line.partition(b" ")
        if key in exact or key.startswith(prefixes):
            return True
        return name in spans and _in_span(spans[name], key.decode(), rest[:14].decode())

    return is_hidden


def only(index: str, offsets: frozenset[int]) -> str:
    """The text of a CDXJ with nothing but the lines of the records at these offsets."""
    lines = index.splitlines(keepends=True)
    return "".join(line for line in lines if _offset(line.partition(" ")[2]) in offsets)


def without(index: str, hides: Sequence[Hide], offsets: frozenset[int] = frozenset()) -> str:
    """The text of a CDXJ without the lines of these captures and of the records at these offsets."""
    spans = _spans(hides)

    def is_hidden(line: str) -> bool:
        key, _, rest = line.partition(" ")
        if _in_span(spans, key, rest[:14]):
            return True
        return bool(offsets) and _offset(rest) in offsets

    return "".join(line for line in index.splitlines(keepends=True) if not is_hidden(line))


def _spans(hides: Sequence[Hide]) -> list[_Span]:
    return [
        (frozenset(surt(url) for url in hide.capture["urls"]), hide.capture["first"], hide.capture["last"])
        for hide in hides
    ]


def _in_span(spans: list[_Span], key: str, stamp: str) -> bool:
    return any(key in keys and first <= stamp <= last for keys, first, last in spans)


def _offset(rest: str) -> int:
    """Of a line without its key. A line that cannot be read has none."""
    try:
        return int(json.loads(rest.partition(" ")[2])["offset"])
    except (ValueError, KeyError, TypeError):
        return -1
