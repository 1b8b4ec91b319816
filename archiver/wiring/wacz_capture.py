"""A WACZ of one capture: see `wacz_picker` for what it holds."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from archiver.clock import Clock
from archiver.config import Places
from archiver.errors import UsageError
from archiver.ledger.index import Capture, LedgerIndex
from archiver.urls import canonical
from archiver.wiring.wacz import Made, Packed, page_row, sized, write
from archiver.wiring.wacz_logs import Pages, Rows
from archiver.wiring.wacz_parts import LeftOut
from archiver.wiring.wacz_picker import Picker
from archiver.wiring.wacz_withheld import Body, Withheld, withheld

_HINT = "--owner packs it for yourself"


def pack_capture(
    places: Places, capture: Capture, to: Path, clock: Clock, *, owner: bool = False, title: str = ""
) -> Made:
    """A WACZ of one capture. Raises UsageError where it may not be shown and `owner` is not given; DiskError,
    LedgerError, WarcError."""
    kept_out = withheld(places, clock.now())
    _check(capture, kept_out, owner=owner)
    left = LeftOut()
    with LedgerIndex(places.state / "ledger-index.sqlite", places.logs, collection=places.name) as index:
        visit = _visit(index, capture)
        picker = Picker(places, visit, None if owner else kept_out, left)
        picker.pick(index)
        if not picker.has_page:
            raise UsageError(
                f"{_named(capture)} is not for the public (its content is another's that is withheld); {_HINT}"
            )
        keys = {canonical(url) for url in picker.urls}
        segments = _segments(places, index, keys, capture)
    stays_out = partial(_stays_out, keys, capture, None if owner else kept_out)
    picker.ledger_copies(stays_out)
    row = page_row(capture)
    packed = Packed(
        title=title or str(row["title"]),
        description=f"One capture of {capture.url}, {capture.t}.",
        parts=picker.parts(places),
        pages=Pages([], None, [row]),
        segments=sized(segments),
        rows=Rows(stays_out),
        reports=(),
        left=left,
        scope="owner" if owner else "public",
        capture={"id": capture.capture_id, "access": capture.access, "job": capture.job},
    )
    return write(packed, to, clock, None)


def find(places: Places, clock: Clock, *, capture_id: str = "", url: str = "", owner: bool = False) -> Capture:
    """The capture that is meant; of a URL the latest one that may be shown. Raises UsageError."""
    kept_out = withheld(places, clock.now())
    with LedgerIndex(places.state / "ledger-index.sqlite", places.logs, collection=places.name) as index:
        key = canonical(url) if url else ""
        found = [
            one
            for one in index.captures(hidden=True, now=clock.now())
            if one.capture_id == capture_id or (key and key in (canonical(one.url), canonical(one.final_url)))
        ]
    if not found:
        what = f"no capture {capture_id}" if capture_id else f"no capture of {url}"
        raise UsageError(f"{what} in {places.name}; `archiver list --format jsonl` has URLs and ids")
    found.sort(key=lambda one: one.t)
    fit = [one for one in found if owner or not _objection(one, kept_out)]
    return (fit or found)[-1]


def _objection(capture: Capture, kept_out: Withheld) -> str:
    if kept_out.covers(capture.url) or capture.capture_id in kept_out.hidden_captures:
        return "hidden"
    if capture.capture_id in kept_out.visits:
        return capture.access_reason or (capture.access if capture.access != "open" else "expired")
    return ""


def _check(capture: Capture, kept_out: Withheld, *, owner: bool) -> None:
    why = _objection(capture, kept_out)
    if why and not owner:
        raise UsageError(f"{_named(capture)} is not for the public ({why}); {_HINT}")


def _named(capture: Capture) -> str:
    return f"capture {capture.capture_id} of {capture.url}"


def _visit(index: LedgerIndex, capture: Capture) -> Body:
    bodies = (row.body or {} for row in index.rows_for(canonical(capture.url)))
    return next(body for body in bodies if body.get("capture_id") == capture.capture_id and "started_at" in body)


def _segments(places: Places, index: LedgerIndex, keys: set[str], capture: Capture) -> list[Path]:
    """Segments that hold rows about the capture's URLs, and the one in which its job begins."""
    mark = f"-{capture.job[:8]}-"
    names = {
        row.file
        for key in keys
        for row in index.rows_for(key)
        if row.body is not None and _is_about(row.body, {key}, capture)
    }
    begin = next((path.name for path in sorted(places.logs.glob(f"ledger-*{mark}*.jsonl"))), "")
    return sorted(places.logs / name for name in {*names, begin} if name)


def _is_about(body: Body, keys: set[str], capture: Capture) -> bool:
    if capture.capture_id in (body.get("capture_id"), body.get("target")):
        return True
    if body.get("job") != capture.job:
        return False
    url = body.get("key") or body.get("url")
    return url is None or canonical(str(url)) in keys


def _stays_out(keys: set[str], capture: Capture, kept_out: Withheld | None, body: Body) -> bool:
    """Rows about other URLs are erased in the copy, so that a segment can be checked and is about this capture."""
    return not _is_about(body, keys, capture) or (kept_out is not None and kept_out.row(body))
