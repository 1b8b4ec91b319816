"""A WACZ of a collection or of one capture: what goes in, in which order, and what the package says of itself."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from archiver import __version__
from archiver.clock import Clock, iso
from archiver.config import Places
from archiver.errors import UsageError
from archiver.ledger.index import Capture, LedgerIndex
from archiver.ledger.reader import segment_paths
from archiver.model import Access
from archiver.warc.wacz import About, WaczWriter, whole_file
from archiver.warc.wacz_index import NAME, SMALL_NAME, ZipNum, merged
from archiver.wiring.imported_pages import page_lists
from archiver.wiring.wacz_logs import Pages, Rows, file_pieces, sha256_of
from archiver.wiring.wacz_parts import LeftOut, Part, collection_parts, warcs
from archiver.wiring.wacz_withheld import Withheld, withheld

FORMAT = "archiver-left-out/1"
_NOTHING = "Nothing was left out."


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What was packed, read back once. `says`: what was left out, in a sentence."""

    path: Path
    size: int
    sha256: str
    warcs: int
    index_lines: int
    pages: int
    left_out: LeftOut
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """All that goes in, before the first byte is written."""

    title: str
    description: str
    parts: Sequence[Part]
    pages: Pages
    segments: Sequence[tuple[Path, int]]
    rows: Rows
    reports: Sequence[Path]
    left: LeftOut
    scope: str
    capture: Mapping[str, Any] | None = None


def name_of(places: Places, *, owner: bool, capture_id: str = "") -> Path:
    """Where a WACZ goes that nobody gave a name: `NAME.wacz` in the collection (as Browsertrix has it), captures in
    `wacz/`. The owner's are marked so."""
    mark = ".owner" if owner else ""
    if capture_id:
        return places.root / "wacz" / f"{capture_id}{mark}.wacz"
    return places.root / f"{places.name}{mark}.wacz"


def pack_collection(
    places: Places, to: Path, clock: Clock, *, owner: bool = False, title: str = "", description: str = ""
) -> Made:
    """All closed WARCs of a collection. `owner`: restricted and dark too, nothing cut, nothing erased.

    Raises DiskError, LedgerError (it cannot be told what is hidden), WarcError (a file is not here), UsageError
    (nothing of it may go in).
    """
    files = {access: warcs(places, access) for access in Access}
    segments = sized(segment_paths(places.logs))  # a run may be writing: what comes now is in the next package
    kept_out = withheld(places, clock.now())
    left = LeftOut()
    parts = collection_parts(places, files, None if owner else kept_out, left)
    if not parts:
        hint = "" if owner else "; --owner packs what is not for the public"
        raise UsageError(f"collection {places.name!r} has no WARC to pack{hint}")
    lists = [places.pages / "pages.jsonl"]
    lists += [path for access in (Access if owner else (Access.OPEN,)) for path in page_lists(places, access)]
    more = _more_pages(places, kept_out, clock.now(), owner=owner)
    pages = Pages(lists, kept_out.is_hidden if owner else kept_out.page, more)
    packed = Packed(
        title=title or places.name,
        description=description,
        parts=parts,
        pages=pages,
        segments=segments,
        rows=Rows(kept_out.row if kept_out.anything and not owner else None),
        # a report may name what is withheld
        reports=sorted(path for path in places.reports.glob("*") if path.is_file()) if owner else (),
        left=left,
        scope="owner" if owner else "public",
    )
    left.pages = pages.left_out
    return write(packed, to, clock, kept_out if owner else None)


def write(packed: Packed, to: Path, clock: Clock, unlisted: Withheld | None) -> Made:
    """Whole under its name, or not at all; the owner's for the owner alone. `unlisted`: what no index line is made of
    though its records are in. Raises DiskError, LedgerError, OSError."""
    to.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(to, mode=0o600 if packed.scope == "owner" else 0o644) as stream:
        lines = _stream(packed, stream, clock, unlisted)
    return Made(
        path=to,
        size=to.stat().st_size,
        sha256=sha256_of(to),
        warcs=len(packed.parts),
        index_lines=lines,
        pages=packed.pages.count,
        left_out=packed.left,
        says=sentence(packed.left),
    )


def _stream(packed: Packed, stream: BinaryIO, clock: Clock, unlisted: Withheld | None) -> int:
    """WARCs first, what describes them last, so that everything is written once and in order. Number of index lines."""
    now = clock.now()
    with WaczWriter(stream, now) as writer:
        return _add_all(packed, writer, now, unlisted)


def _add_all(packed: Packed, writer: WaczWriter, now: datetime, unlisted: Withheld | None) -> int:
    for part in packed.parts:
        writer.add(f"archive/{part.name}", part.pieces(), stored=True, size=part.size)
    lines = _add_index(writer, packed.parts, unlisted)
    _add_pages(writer, packed.pages)
    for path, size in packed.segments:
        writer.add(f"logs/{path.name}", packed.rows.pieces(path, size), size=size)
    for path in packed.reports:
        writer.add(f"reports/{path.name}", file_pieces(path), size=path.stat().st_size)
    if packed.capture is None:  # of one capture, rows about other URLs are erased: nothing of it is left out by that
        packed.left.rows.update(packed.rows.erased)
    told = orjson.dumps(left_out_json(packed, now), option=orjson.OPT_INDENT_2)
    writer.add("reports/left-out.json", [told])
    writer.finish(_about(packed, now))
    return lines


def _add_index(writer: WaczWriter, parts: Sequence[Part], unlisted: Withheld | None) -> int:
    zipnum = ZipNum()
    with tempfile.TemporaryDirectory(prefix="archiver-wacz-") as folder:
        lines = merged([partial(part.lines, unlisted) for part in parts], Path(folder))
        # lines are some 300 bytes for records that are rarely smaller: the archive's size bounds the index's
        size = sum(part.size for part in parts)
        writer.add(f"indexes/{NAME}", zipnum.pieces(lines), stored=True, size=size)
    writer.add(f"indexes/{SMALL_NAME}", [zipnum.small])
    return zipnum.lines


def _add_pages(writer: WaczWriter, pages: Pages) -> None:
    writer.add("pages/pages.jsonl", pages.lines(seeds=True if pages.split else None))
    if pages.split:
        writer.add("pages/extraPages.jsonl", pages.lines(seeds=False))


def _about(packed: Packed, now: datetime) -> About:
    first = packed.pages.first or {}
    newest = max((part.path.stat().st_mtime for part in packed.parts), default=now.timestamp())
    more: dict[str, Any] = {"scope": packed.scope}
    if packed.capture is not None:
        more["capture"] = packed.capture
    return About(
        title=packed.title + (" (owner's copy, not for the public)" if packed.scope == "owner" else ""),
        description=" ".join(filter(None, (packed.description, sentence(packed.left)))),
        software=f"archiver {__version__}",
        created=now.astimezone(UTC),
        modified=datetime.fromtimestamp(newest, UTC),
        main_url=str(first.get("url") or ""),
        main_date=str(first.get("ts") or ""),
        more=more,
    )


def left_out_json(packed: Packed, now: datetime) -> dict[str, Any]:
    """`reports/left-out.json`: numbers and reasons, and the files that were cut. No URL: of what is hidden, nobody
    shall learn by its absence what it was."""
    left = packed.left
    return {
        "format": FORMAT,
        "made": iso(now),
        "scope": packed.scope,
        "captures": dict(sorted(left.captures.items())),
        "other_records": dict(sorted(left.records.items())),
        "pages": left.pages,
        "ledger_rows_erased": dict(sorted(packed.rows.erased.items())),
        "files_cut": left.files,
        "says": sentence(left),
    }


def sentence(left: LeftOut) -> str:
    """What was left out, in words."""
    if not left.anything:
        return _NOTHING
    said = []
    if left.captures:
        which = ", ".join(f"{number:,} {why}" for why, number in sorted(left.captures.items()))
        said.append(f"captures: {which}")
    if left.records:
        said.append(f"other records: {sum(left.records.values()):,}")
    if left.rows:
        said.append(f"ledger rows erased: {sum(left.rows.values()):,}")
    if left.pages:
        said.append(f"pages unlisted: {left.pages:,}")
    return f"Left out: {'; '.join(said)}."


def sized(paths: Iterable[Path]) -> list[tuple[Path, int]]:
    """Files with their sizes at this moment."""
    return [(path, path.stat().st_size) for path in paths]


def _more_pages(places: Places, kept_out: Withheld, now: datetime, *, owner: bool) -> Iterable[Mapping[str, Any]]:
    """Pages that `pages.jsonl` does not list because they are not open: what was opened, to the owner all of them."""
    if not owner and not kept_out.opened_captures:
        return ()
    with LedgerIndex(places.state / "ledger-index.sqlite", places.logs, collection=places.name) as index:
        found = [one for one in index.captures(hidden=True, now=now) if one.access != Access.OPEN and not one.hidden]
    return [page_row(one) for one in found if owner or one.capture_id in kept_out.opened_captures]


def page_row(capture: Capture) -> dict[str, Any]:
    """A line of pages.jsonl."""
    url = capture.final_url or capture.url
    return {
        "id": capture.capture_id,
        "url": url,
        "ts": capture.t,
        "title": capture.title or url,
        "status": capture.http_status,
        "size": capture.size,
    }
