"""The folder that pywb reads: links to a collection's indexes, WARC folders and access rules, kept up to date.

pywb lists an index folder again when the folder's times, in whole seconds, have changed; a file that is closed within
the second of the last listing stays unseen until the next change. It also refuses a folder that is not there yet. This
folder is ours: it always exists, and each change gives it a time that it never had before.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from archiver.clock import Clock
from archiver.config import Places
from archiver.replay.layout import acl_folder, shown

SETTLED_SECONDS = 3.0
"""A folder changed less than this ago is listed again: some file systems keep times to two seconds."""

_INDEXES = (".cdxj", ".cdx")
_RULES = (".aclj",)


@dataclass(slots=True)
class _Links:
    """`folder` holds links to the files of `source`; `stamp` is its time in seconds, counted up at each change."""

    source: Path
    folder: Path
    suffixes: tuple[str, ...]
    changed: int | None = None
    settled: bool = False
    names: frozenset[str] = frozenset()
    stamp: int = 1


class View:
    """`refresh` makes the links; cheap when nothing has changed (one stat(2) a folder)."""

    def __init__(self, folder: Path, places: Places, clock: Clock, *, public: bool) -> None:
        self.folder = folder
        self._clock = clock
        classes = shown(public=public)
        self._links = [_Links(places.indexes(one), folder / "index" / one.value, _INDEXES) for one in classes]
        if public:
            self._links.append(_Links(acl_folder(places), folder / "acl", _RULES))
        for links in self._links:
            links.folder.mkdir(parents=True)
        (folder / "warcs").mkdir()
        for access in classes:
            (folder / "warcs" / access.value).symlink_to(places.warcs(access).absolute())
        self.refresh()

    def refresh(self) -> None:
        """See what was added or taken away. Raises OSError when the view itself cannot be written."""
        for links in self._links:
            changed = _changed(links.source)
            if changed != links.changed or not links.settled:
                links.changed, links.settled = changed, self._is_settled(changed)
                _update(links, frozenset(_names(links.source, links.suffixes)))

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
        yield from (name for name in os.listdir(folder) if name.endswith(suffixes))


def _update(links: _Links, names: frozenset[str]) -> None:
    if names == links.names:
        return
    for name in links.names - names:
        (links.folder / name).unlink()
    for name in names - links.names:
        (links.folder / name).symlink_to((links.source / name).absolute())
    links.names = names
    links.stamp += 1
    os.utime(links.folder, (links.stamp, links.stamp))
