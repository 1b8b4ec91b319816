"""Which WARCs, and which records of them, go into a WACZ of a collection."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from archiver.config import Places
from archiver.errors import WarcError
from archiver.model import Access
from archiver.warc.cdxj import merge
from archiver.warc.reader import bare
from archiver.warc.reindex import index_lines
from archiver.warc.verify import START
from archiver.warc.wacz_cut import Member, Spans, members, moved_lines
from archiver.warc.wacz_index import Lines, lines_of
from archiver.wiring.wacz_logs import file_pieces, holds_withheld, sha256_of
from archiver.wiring.wacz_withheld import HIDDEN, Withheld

LEDGER = "ledger"
"""A copy of ledger rows in a WARC, some of which stay out."""

_JSON = ("application/json", "application/warc-fields", "application/http")
_SUFFIXES = (".warc.gz", ".warc")
_INDEXED = frozenset({"response", "revisit"})


@dataclass(slots=True, kw_only=True)
class Part:
    """A WARC of the package. `spans` None = the whole file."""

    path: Path
    access: Access
    name: str
    index: Lines
    spans: Spans | None = None

    @property
    def size(self) -> int:
        return self.path.stat().st_size if self.spans is None else self.spans.size

    def pieces(self) -> Iterator[bytes]:
        return file_pieces(self.path) if self.spans is None else self.spans.pieces(self.path)

    def lines(self, withheld: Withheld | None) -> Iterator[bytes]:
        """Index lines as they hold in the package. `withheld` leaves lines out of a package that holds all records:
        what is hidden stays unlisted in the owner's too."""
        name = None if self.name == self.path.name else self.name
        lines = self.index()
        if withheld is not None and withheld.touches(self.path.name):
            lines = (line for line in lines if not _is_hidden(line, withheld, self.path.name))
        return moved_lines(lines, None if self.spans is None else self.spans.moved(), name)


@dataclass(slots=True)
class LeftOut:
    """What did not go in. `captures` by reason count index lines; `records` what else was cut; `files` the cut ones."""

    captures: Counter[str] = field(default_factory=Counter)
    records: Counter[str] = field(default_factory=Counter)
    rows: Counter[str] = field(default_factory=Counter)
    files: list[dict[str, Any]] = field(default_factory=list)
    pages: int = 0

    @property
    def anything(self) -> bool:
        return bool(self.captures or self.records or self.rows or self.pages)


def warcs(places: Places, access: Access) -> list[Path]:
    """The closed WARCs of a class, in the order in which they were begun."""
    folder = places.warcs(access)
    return sorted(path for path in folder.glob("*") if path.name.endswith(_SUFFIXES) and path.is_file())


def index_of(places: Places, access: Access, path: Path) -> Lines:
    """The lines of the WARC's own index; made from the file where there is none."""
    own = places.indexes(access) / f"{path.name}.cdxj"
    if own.is_file():
        return partial(lines_of, own)
    return lambda: iter(merge(index_lines(path)).splitlines(keepends=True))


def missing(places: Places, access: Access) -> list[str]:
    """Names of WARCs that have an index and are not here (their local copy was given up)."""
    here = {path.name for path in warcs(places, access)}
    named = {path.name.removesuffix(".cdxj") for path in places.indexes(access).glob("*.warc*.cdxj")}
    return sorted(named - here)


def collection_parts(
    places: Places, files: Mapping[Access, Sequence[Path]], withheld: Withheld | None, left: LeftOut
) -> list[Part]:
    """All of `files` that may go in; without `withheld` all there is. Raises OSError, WarcError where one is not here.

    `files` were listed before it was asked what is withheld: of a file that came later nothing would be known.
    """
    parts: list[Part] = []
    names: set[str] = set()
    cutter = None if withheld is None else Cutter(withheld, left)
    for access in Access:
        if withheld is not None and access is Access.DARK:
            left.captures.update(_counted(places, access))
            continue
        if gone := missing(places, access):
            folder = places.warcs(access)
            raise WarcError(f"{folder}: {gone[0]} is not here ({len(gone)} missing in all); fetch it from the store")
        for path in files[access]:
            part = Part(path=path, access=access, name=_free(path.name, names), index=index_of(places, access, path))
            if cutter is not None:
                if access is Access.RESTRICTED and path.name not in cutter.withheld.opened:
                    left.captures[access.value] += sum(1 for _ in part.index())
                    continue
                cutter.cut(part)
            if part.spans is None or part.spans.spans:
                parts.append(part)
    return parts


class Cutter:
    """Goes through files in which something must be left out, and notes the rest. Files come in order: a revisit after
    what it refers to."""

    def __init__(self, withheld: Withheld, left: LeftOut) -> None:
        self.withheld = withheld
        self._left = left
        self._gone: dict[str, str] = {}
        self._opened: set[str] = set()

    def cut(self, part: Part) -> None:
        """Give `part` its spans, where it is not to go in whole."""
        if part.access is Access.OPEN and not self.withheld.touches(part.path.name):
            return
        spans, out = Spans(), 0
        for member in members(part.path):
            if why := self.why(part, member):
                out += 1
                is_capture = member.head.type in _INDEXED and (member.head.target or "").lower().startswith("http")
                (self._left.captures if is_capture else self._left.records)[why] += 1
            else:
                spans.add(member.offset, member.length)
        if not out and spans.size == part.size:
            return
        part.spans = spans
        if spans.spans:
            whole = sha256_of(part.path)
            told = {"file": part.name, "sha256": whole, "bytes": part.path.stat().st_size, "records_left_out": out}
            self._left.files.append(told)

    def why(self, part: Part, member: Member) -> str:
        """Why a record stays out; "" where it does not."""
        head = member.head
        if head.type == "warcinfo":
            return ""
        why = self._of_its_own(part, member) or self._of_what_it_says(member)
        if why:
            self._gone[head.record_id] = why
        return why

    def _of_its_own(self, part: Part, member: Member) -> str:
        head, target = member.head, member.head.target or ""
        about = [bare(head.get(name) or "") for name in ("WARC-Concurrent-To", "WARC-Refers-To")]
        for one in about:
            if one in self._gone:
                return self._gone[one]
        if part.access is Access.RESTRICTED:
            if target.startswith("urn:certificates:") or (about[0] and about[0] in self._opened):
                return ""
            if member.offset in self.withheld.opened.get(part.path.name, ()):
                self._opened.add(head.record_id)
        return self.withheld.why(part.path.name, member.offset, part.access, target, head.get("WARC-Date") or "")

    def _of_what_it_says(self, member: Member) -> str:
        head, withheld = member.head, self.withheld
        if (head.target or "").startswith("urn:ledger:"):
            too_long = head.length > START
            return LEDGER if too_long or holds_withheld(member.start, withheld.row) else ""
        return HIDDEN if says_hidden(member, withheld) else ""


def says_hidden(member: Member, withheld: Withheld) -> bool:
    """Whether a record of our own, or a request of ours, names what is hidden. A site's own content is not read."""
    head = member.head
    if withheld.rule is None:
        return False
    if withheld.covers(bare(head.get("WARC-Refers-To-Target-URI") or "")):
        return True
    is_ours = head.type not in _INDEXED and (head.get("Content-Type") or "").lower().startswith(_JSON)
    if is_ours and head.length > len(member.start):
        return True  # longer than what is looked at: it cannot be told
    return is_ours and withheld.names_hidden(member.start.decode("utf-8", "replace"))


def _is_hidden(line: bytes, withheld: Withheld, file: str) -> bool:
    try:
        fields = orjson.loads(line[line.index(b" {") + 1 :])
        stamp = line[: line.index(b" {")].rpartition(b" ")[2].decode()
        return withheld.why(file, -1, Access.OPEN, str(fields["url"]), stamp) == HIDDEN
    except (ValueError, KeyError, TypeError):
        return False


def _counted(places: Places, access: Access) -> dict[str, int]:
    found = sum(sum(1 for _ in index_of(places, access, path)()) for path in warcs(places, access))
    return {access.value: found} if found else {}


def _free(name: str, taken: set[str]) -> str:
    """Two classes may hold files of one name: in the package each needs its own."""
    number, free = 1, name
    while free in taken:
        free, number = f"{number}-{name}", number + 1
    taken.add(free)
    return free
