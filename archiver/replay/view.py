"""The folder that pywb reads: links to a collection's indexes, WARC folders and access rules, kept up to date.

What is hidden is left out of both views: by access rules made here, and by copies of indexes without the lines of
hidden captures in the place of links. The public view leaves out what asked not to be shown after a date that has come;
its second index, for searches, leaves out what asked not to be listed, too. Of the restricted class it holds what
somebody opened, line by line, and links to those WARCs alone.

pywb lists an index folder again when the folder's times, in whole seconds, have changed; a file that is closed within
the second of the last listing stays unseen until the next change. It also refuses a folder that is not there yet. This
folder is ours: it always exists, and each change gives it a time that it never had before.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from archiver.clock import Clock, iso
from archiver.config import Places
from archiver.ledger.bounds import Bounds
from archiver.ledger.hides import Hide
from archiver.ledger.opens import opened, records_by_file
from archiver.model import Access
from archiver.replay.hidden import (
    Cut,
    Hides,
    cut_indexes,
    only,
    replace_text,
    rules,
    without,
    write_rules,
)
from archiver.replay.layout import HIDDEN_RULES, OPENED, Bucket, acl_folder, group, shown
from archiver.replay.watched import SETTLED_SECONDS, Watched

LOOK_SECONDS = 1.0
"""The ledger's segments are looked at this often at most; each that grew is read from where it ended."""

Offsets = dict[str, frozenset[int]]
_NEVER = "9999"
_INDEXES = (".cdxj", ".cdx")
_RULES = (".aclj",)
Cuts = dict[str, Cut]


@dataclass(slots=True)
class _Links:
    """`folder` holds links to the files of `source`; `stamp` is its time in seconds, counted up at each change.

    Of a file named in `cuts` it holds a copy without the lines of those captures. With `only` it holds no links, but
    copies of the files named there, with the records at those offsets.
    """

    source: Path
    folder: Path
    suffixes: tuple[str, ...]
    changed: int | None = None
    settled: bool = False
    names: frozenset[str] = frozenset()
    stamp: int = 1
    cuts: Cuts = field(default_factory=dict)
    only: Offsets | None = None


class View:
    """`refresh` makes the links; cheap when nothing has changed (one stat(2) a folder)."""

    def __init__(
        self, folder: Path, places: Places, clock: Clock, *, public: bool, bucket: Bucket | None = None
    ) -> None:
        """`bucket`: where WARCs lie that are not in `places`; the links have the paths that pywb then asks for."""
        self.folder = folder
        self._opened_warcs = folder / "warcs" / group(OPENED, bucket)
        self._places = places
        self._clock = clock
        self._public = public
        self._hides = Hides(places.logs, clock)
        self._hidden: tuple[Hide, ...] | None = None
        self._bounds = Bounds(places.logs)
        self._next_expiry = ""  # ISO; "" = at once
        self._look_again = 0.0
        classes = shown(public=public)
        self._links = [_Links(places.indexes(one), folder / "index" / one.value, _INDEXES) for one in classes]
        self._listed = _Links(places.indexes(Access.OPEN), folder / "listed", _INDEXES)
        self._opens = Watched(places.logs, clock, lambda logs: records_by_file(opened(logs)))
        self._opened: Offsets = {}
        restricted = places.indexes(Access.RESTRICTED)
        self._only = (
            _Links(restricted, folder / "index" / OPENED, _INDEXES, only={}),
            _Links(restricted, folder / "listed-opened", _INDEXES, only={}),
        )
        if public:
            self._links.append(self._only[0])
        self._indexes = tuple(self._links)
        (folder / "acl").mkdir(parents=True)
        if public:
            self._links += [_Links(acl_folder(places), folder / "acl", _RULES), self._listed, self._only[1]]
            self._opened_warcs.mkdir(parents=True)
        for links in self._links:
            links.folder.mkdir(parents=True, exist_ok=True)
        for access in classes:
            link = folder / "warcs" / group(access.value, bucket)
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(places.warcs(access).absolute())
        self.refresh()

    def refresh(self) -> None:
        """See what was added, taken away or hidden. Raises OSError when the view itself cannot be written, LedgerError
        where it cannot be told what is hidden."""
        if self._public:
            self._open()
        found = []
        for links in self._links:
            changed = _changed(links.source)
            if changed != links.changed or not links.settled:
                links.changed, links.settled = changed, self._is_settled(changed)
                names = frozenset(_names(links.source, links.suffixes))
                found.append((links, names if links.only is None else names & links.only.keys()))
        self._cut_all(fresh=any(names != links.names for links, names in found))
        for links, names in found:
            _update(links, names)

    def _open(self) -> None:
        """What was opened since the last look: its index lines, and a link to the WARC that each lies in."""
        now = self._opens.now()
        if now == self._opened:
            return
        for file in now.keys() - self._opened.keys():
            target = self._places.warcs(Access.RESTRICTED).absolute() / file
            (self._opened_warcs / file).symlink_to(target)
        self._opened = now
        for links in self._only:
            before, links.only = links.only or {}, {f"{file}.cdxj": offsets for file, offsets in now.items()}
            changed = [name for name in links.names if before.get(name) != links.only.get(name)]
            for name in changed:
                _show(links, name)
            if changed:
                _stamp(links)
            links.settled = False

    def _cut_all(self, *, fresh: bool) -> None:
        """`fresh`: there are new indexes, whose rows are to be read before they are shown."""
        hidden = self._hides.now()
        changed = self._bounds_changed(fresh=fresh)
        if hidden == self._hidden and not changed:
            return
        if hidden != self._hidden:
            replace_text(self.folder / "acl" / HIDDEN_RULES, rules(hidden))
        self._hidden = hidden
        hides = cut_indexes(hidden)
        gone, unlisted = self._bound() if self._public else ({}, {})
        for links in self._indexes:
            _cut(links, _cuts(hides, gone))
        if self._public:
            _cut(self._listed, _cuts(hides, unlisted))
            _cut(self._only[1], _cuts(hides, unlisted))

    def _bounds_changed(self, *, fresh: bool) -> bool:
        """Whether rows came that bound what is shown, or a date has come; the rules for pywb without us follow."""
        moment, changed = self._clock.monotonic(), False
        if fresh or moment >= self._look_again:
            self._look_again = moment + LOOK_SECONDS
            changed = self._bounds.refresh()
        now = iso(self._clock.now())
        if not changed and now < self._next_expiry:
            return False
        self._next_expiry = min((one.expires for one in self._bounds.all() if one.expires > now), default=_NEVER)
        with contextlib.suppress(OSError):  # a copy that cannot be written is shown too; the view has its own rules
            write_rules(self._places, self._clock, self._bounds)
        return True

    def _bound(self) -> tuple[Offsets, Offsets]:
        """Index names to offsets: what is past its date or lies in the wrong file, and that with what is in no list."""
        now = iso(self._clock.now())
        gone: Offsets = {}
        unlisted: Offsets = {}
        for file, bounds in self._bounds.by_file.items():
            past = frozenset(offset for offset, one in bounds.items() if one.expired(now) or one.withheld)
            gone[f"{file}.cdxj"] = past
            unlisted[f"{file}.cdxj"] = past | {offset for offset, one in bounds.items() if not one.listed}
        return gone, unlisted

    def _is_settled(self, changed: int | None) -> bool:
        return changed is None or self._clock.now().timestamp() - changed / 1e9 > SETTLED_SECONDS


def _changed(folder: Path) -> int | None:
    try:
        return folder.stat().st_mtime_ns
    except OSError:
        return None


def _names(folder: Path, suffixes: tuple[str, ...]) -> Iterator[str]:
    """A folder that cannot be read has none."""
    with contextlib.suppress(OSError):
        yield from (name for name in os.listdir(folder) if name.endswith(suffixes) and name != HIDDEN_RULES)


def _update(links: _Links, names: frozenset[str]) -> None:
    if names == links.names:
        return
    for name in links.names - names:
        (links.folder / name).unlink()
    for name in names - links.names:
        _show(links, name)
    links.names = names
    _stamp(links)


def _show(links: _Links, name: str) -> None:
    source, shown_as = links.source / name, links.folder / name
    if links.only is not None:
        kept = only(source.read_text("utf-8"), links.only.get(name, frozenset()))
        replace_text(shown_as, without(kept, *links.cuts.get(name, Cut())))
    elif name in links.cuts:
        replace_text(shown_as, without(source.read_text("utf-8"), *links.cuts[name]))
    else:
        shown_as.unlink(missing_ok=True)
        shown_as.symlink_to(source.absolute())


def _cuts(hides: dict[str, list[Hide]], offsets: Offsets) -> Cuts:
    return {
        name: Cut(tuple(hides.get(name, ())), offsets.get(name, frozenset()))
        for name in hides.keys() | offsets.keys()
        if name in hides or offsets[name]
    }


def _cut(links: _Links, cuts: Cuts) -> None:
    """Show again, cut or whole, what is listed already and whose cuts have changed."""
    before, links.cuts = links.cuts, cuts
    changed = [name for name in links.names if before.get(name) != cuts.get(name)]
    for name in changed:
        _show(links, name)
    if changed:
        _stamp(links)


def _stamp(links: _Links) -> None:
    links.stamp += 1
    os.utime(links.folder, (links.stamp, links.stamp))
