"""The folder that pywb reads: links to a collection's indexes, WARC folders and access rules, kept up to date.

pywb lists an index folder again when the folder's times, in whole seconds, have changed; a file that is closed within
the second of the last listing stays unseen until the next change. It also refuses a folder that is not there yet. This
folder is ours: it always exists, and each change gives it a time that it never had before.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from archiver.clock import Clock
from archiver.config import Places
from archiver.model import Access
from archiver.replay.layout import acl_folder, shown

SETTLED_SECONDS = 3.0
"""A folder changed less than this ago is listed again: some file systems keep times to two seconds."""

_INDEXES = (".cdxj", ".cdx")
_RULES = (".aclj",)


@dataclass(slots=True)
class _Source:
    """A folder of the collection whose files are linked; `prefix` keeps equal names of two folders apart."""

    folder: Path
    prefix: str
    suffixes: tuple[str, ...]
    changed: int | None = None
    settled: bool = False
    names: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Links:
    """A folder of links. `stamp` is its time in seconds, counted up at each change."""

    folder: Path
    sources: list[_Source]
    made: dict[str, Path] = field(default_factory=dict)
    stamp: int = 1


class View:
    """`refresh` makes the links; cheap when nothing has changed (one stat(2) a folder)."""

    def __init__(self, folder: Path, places: Places, clock: Clock, *, public: bool) -> None:
        self.folder = folder
        self._clock = clock
        classes = shown(public=public)
        for access in classes:
            _link(folder / "warcs" / access.value, places.warcs(access))
        self._links = [_Links(folder / "index", [_index(places, access) for access in classes])]
        if public:
            self._links.append(_Links(folder / "acl", [_Source(acl_folder(places), "", _RULES)]))
        for links in self._links:
            links.folder.mkdir(parents=True)
        self.refresh()

    def refresh(self) -> None:
        """See what was added or taken away. Raises OSError when the view itself cannot be written."""
        for links in self._links:
            if any([self._look(source) for source in links.sources]):
                _update(links)

    def _look(self, source: _Source) -> bool:
        """Whether its files are others than before. A folder that cannot be read has none."""
        changed = _changed(source.folder)
        if changed == source.changed and source.settled:
            return False
        source.changed = changed
        source.settled = changed is None or self._clock.now().timestamp() - changed / 1e9 > SETTLED_SECONDS
        names = frozenset(_names(source.folder, source.suffixes))
        is_new = names != source.names
        source.names = names
        return is_new


def _index(places: Places, access: Access) -> _Source:
    return _Source(places.indexes(access), f"{access.value}-", _INDEXES)


def _changed(folder: Path) -> int | None:
    try:
        return folder.stat().st_mtime_ns
    except OSError:
        return None


def _names(folder: Path, suffixes: tuple[str, ...]) -> Iterator[str]:
    with contextlib.suppress(OSError):
        yield from (name for name in os.listdir(folder) if name.endswith(suffixes))


def _update(links: _Links) -> None:
    wanted = dict(_wanted(links.sources))
    for name in links.made.keys() - wanted.keys():
        (links.folder / name).unlink()
    for name in wanted.keys() - links.made.keys():
        _link(links.folder / name, wanted[name])
    links.made = wanted
    links.stamp += 1
    os.utime(links.folder, (links.stamp, links.stamp))


def _wanted(sources: Iterable[_Source]) -> Iterator[tuple[str, Path]]:
    for source in sources:
        for name in source.names:
            yield source.prefix + name, source.folder / name


def _link(link: Path, target: Path) -> None:
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(target.absolute())
