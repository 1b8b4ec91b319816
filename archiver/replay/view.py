"""The folder that pywb reads: links to a collection's indexes, WARC folders and access rules, kept up to date.

What is hidden is left out of both views: by access rules made here, and by copies of indexes without the lines of
hidden captures in the place of links.

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

from archiver.clock import Clock
from archiver.config import Places
from archiver.ledger.hides import Hide
from archiver.replay.hidden import SETTLED_SECONDS, Hides, cut_indexes, replace_text, rules, without
from archiver.replay.layout import HIDDEN_RULES, acl_folder, shown

_INDEXES = (".cdxj", ".cdx")
_RULES = (".aclj",)


@dataclass(slots=True)
class _Links:
    """`folder` holds links to the files of `source`; `stamp` is its time in seconds, counted up at each change.

    Of a file named in `cuts` it holds a copy without the lines of those captures.
    """

    source: Path
    folder: Path
    suffixes: tuple[str, ...]
    changed: int | None = None
    settled: bool = False
    names: frozenset[str] = frozenset()
    stamp: int = 1
    cuts: dict[str, list[Hide]] = field(default_factory=dict)


class View:
    """`refresh` makes the links; cheap when nothing has changed (one stat(2) a folder)."""

    def __init__(self, folder: Path, places: Places, clock: Clock, *, public: bool) -> None:
        self.folder = folder
        self._clock = clock
        self._hides = Hides(places.logs, clock)
        self._hidden: tuple[Hide, ...] | None = None
        classes = shown(public=public)
        self._links = [_Links(places.indexes(one), folder / "index" / one.value, _INDEXES) for one in classes]
        self._indexes = tuple(self._links)
        (folder / "acl").mkdir(parents=True)
        if public:
            self._links.append(_Links(acl_folder(places), folder / "acl", _RULES))
        for links in self._links:
            links.folder.mkdir(parents=True, exist_ok=True)
        (folder / "warcs").mkdir()
        for access in classes:
            (folder / "warcs" / access.value).symlink_to(places.warcs(access).absolute())
        self.refresh()

    def refresh(self) -> None:
        """See what was added, taken away or hidden. Raises OSError when the view itself cannot be written, LedgerError
        where it cannot be told what is hidden."""
        self._hide()
        for links in self._links:
            changed = _changed(links.source)
            if changed != links.changed or not links.settled:
                links.changed, links.settled = changed, self._is_settled(changed)
                _update(links, frozenset(_names(links.source, links.suffixes)))

    def _hide(self) -> None:
        hidden = self._hides.now()
        if hidden == self._hidden:
            return
        replace_text(self.folder / "acl" / HIDDEN_RULES, rules(hidden))
        cuts = cut_indexes(hidden)
        for links in self._indexes:
            _cut(links, cuts)
        self._hidden = hidden

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
    if name in links.cuts:
        replace_text(shown_as, without(source.read_text("utf-8"), links.cuts[name]))
    else:
        shown_as.unlink(missing_ok=True)
        shown_as.symlink_to(source.absolute())


def _cut(links: _Links, cuts: dict[str, list[Hide]]) -> None:
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
