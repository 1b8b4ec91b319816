"""What a WACZ for the public may not hold at this moment, asked of the ledger: of records, of rows, of pages.

Two grades (docs/adr/0020). **Withheld**: captures that are dark, restricted and not opened, or past their
`unavailable_after`; they and the rows about them stay out, and other pages may go on to mention their URLs. **Hidden**:
what somebody hid; there, whatever of our own names the URL stays out too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson

from archiver.clock import iso
from archiver.config import Places
from archiver.ledger.bounds import Bounds
from archiver.ledger.hides import Hide, standing
from archiver.ledger.opens import opened, records_by_file
from archiver.ledger.reader import segment_paths
from archiver.model import Access
from archiver.policy.hidden import HiddenRule
from archiver.urls import canonical
from archiver.warc.cdxj import timestamp
from archiver.warc.surt import surt
from archiver.wiring.hidden import hidden_rule

HIDDEN = "hidden"
EXPIRED = "expired"

Body = Mapping[str, Any]
_URL = re.compile(r"(?=(https?://[^\s\"'<>\\]+))", re.I)
_URN = re.compile(r"urn:[A-Za-z0-9]+:(?=https?:)", re.I)
_JOB = re.compile(r"-\d{17}-\d{5,}-([A-Za-z0-9]{1,8})-")
_SAYS = (b'\\"access\\":\\"dark', b'\\"access\\":\\"restricted', b'\\"expires\\":\\"')


def job8(file: str) -> str:
    """The part of a WARC's or a ledger segment's name that stands for its job; "" in names that others gave."""
    found = _JOB.search(file)
    return found[1] if found else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Span:
    """The index lines of a hidden capture: SURT keys, first and last time (14 digits)."""

    keys: frozenset[str]
    first: str
    last: str

    def holds(self, target: str, stamp: str) -> bool:
        return self.first <= stamp <= self.last and surt(target) in self.keys


@dataclass(slots=True, kw_only=True)
class Withheld:
    """`visits` are capture_ids; `asked` (job, canonical URL) of what was withheld in that job."""

    rule: HiddenRule | None = None
    spans: Mapping[str, Sequence[_Span]] = field(default_factory=dict)
    hidden_captures: frozenset[str] = frozenset()
    bounds: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    opened: Mapping[str, frozenset[int]] = field(default_factory=dict)
    opened_captures: frozenset[str] = frozenset()
    visits: frozenset[str] = frozenset()
    asked: frozenset[tuple[str, str]] = frozenset()
    jobs: frozenset[str] = frozenset()
    """The first eight characters of jobs whose files may hold something of it beside what is in files of its class."""

    # --- records ------------------------------------------------------------------------------------------------------

    def touches(self, file: str) -> bool:
        """Whether an open file must be looked through record by record."""
        return self.rule is not None or file in self.spans or bool(self.bounds.get(file)) or job8(file) in self.jobs

    def why(self, file: str, offset: int, access: Access, target: str, date: str) -> str:
        """Why the record of a capture stays out: an access class, `hidden` or `expired`; "" when it does not.

        `target` is its WARC-Target-URI, with or without `urn:...:`, `date` its WARC-Date or a CDXJ timestamp.
        """
        if access is Access.DARK or (access is Access.RESTRICTED and offset not in self.opened.get(file, ())):
            return access.value
        url = _URN.sub("", target, count=1)
        if self.rule is not None and self.covers(url):
            return HIDDEN
        spans = self.spans.get(file, ())
        if spans:
            stamp = date if date.isdigit() else timestamp(date).decode()
            if any(span.holds(url, stamp) for span in spans):
                return HIDDEN
        return self.bounds.get(file, {}).get(offset, "")

    # --- what names what ----------------------------------------------------------------------------------------------

    def covers(self, url: str) -> bool:
        """Whether a URL is hidden, under any spelling of scheme and `www.`."""
        return self.rule is not None and self.rule.covering(_canonical(url)) is not None

    def names_hidden(self, value: object) -> bool:
        """Whether a text, or JSON value, holds a hidden URL anywhere."""
        if self.rule is None:
            return False
        return any(self.covers(url) for text in _texts(value) for url in _urls(text))

    # --- rows and pages -----------------------------------------------------------------------------------------------

    @property
    def anything(self) -> bool:
        return bool(self.rule or self.spans or self.hidden_captures or self.visits or self.asked)

    def row(self, body: Body) -> bool:
        """Whether a ledger row stays out (`segment` rows never do: they join the chain, and name no URL)."""
        if body.get("event") == "segment":
            return False
        if {body.get("capture_id"), body.get("target")} & (self.visits | self.hidden_captures):
            return True
        key = body.get("key") or body.get("url")
        if key and (body.get("job"), _canonical(str(key))) in self.asked:
            return True
        return self.names_hidden(body)

    def page(self, row: Body) -> bool:
        """Whether a line of pages.jsonl stays out."""
        return str(row.get("id")) in self.visits or self.is_hidden(row)

    def is_hidden(self, row: Body) -> bool:
        """Whether somebody hid the page of a line of pages.jsonl."""
        return str(row.get("id")) in self.hidden_captures or self.covers(str(row.get("url") or ""))


def withheld(places: Places, moment: datetime) -> Withheld:
    """What holds at `moment`. Raises LedgerError where it cannot be told what is hidden."""
    now = iso(moment)
    hides = [hide for hide in standing(places.logs) if hide.lasts(moment)]
    public = opened(places.logs)
    found = Withheld(
        rule=hidden_rule(places.logs, moment),
        spans=_spans(hides),
        hidden_captures=frozenset(hide.target for hide in hides if hide.match == "capture"),
        bounds=_bounds(places.logs, now),
        opened=records_by_file(public),
        opened_captures=frozenset(one.target for one in public),
    )
    visits, asked = _rows_withheld(places.logs, found, now)
    found.visits, found.asked = frozenset(visits), frozenset(asked)
    files = [*found.spans, *(file for file, offsets in found.bounds.items() if offsets)]
    found.jobs = frozenset(filter(None, (*map(job8, files), *(job[:8] for job, _ in asked))))
    return found


def _spans(hides: Iterable[Hide]) -> dict[str, list[_Span]]:
    spans: dict[str, list[_Span]] = {}
    for hide in hides:
        if hide.match != "capture" or not hide.capture:
            continue
        keys = frozenset(surt(url) for url in hide.capture["urls"])
        for file in hide.capture.get("files", ()):
            one = _Span(keys=keys, first=str(hide.capture["first"]), last=str(hide.capture["last"]))
            spans.setdefault(file, []).append(one)
    return spans


def _bounds(logs: Path, now: str) -> dict[str, dict[int, str]]:
    """Of records in files of what is open: why they are not to be shown, by file and offset."""
    bounds = Bounds(logs)
    bounds.refresh()
    found: dict[str, dict[int, str]] = {}
    for file, records in bounds.by_file.items():
        whys = {
            offset: EXPIRED if one.expired(now) else one.access
            for offset, one in records.items()
            if one.expired(now) or one.withheld
        }
        if whys:
            found[file] = whys
    return found


def _rows_withheld(logs: Path, found: Withheld, now: str) -> tuple[set[str], set[tuple[str, str]]]:
    """The capture_ids and (job, URL) that `visit`, `outcome` and `access` rows speak of. Most rows go by unparsed.

    Of two verdicts on one URL of one job the stricter holds.
    """
    visits: set[str] = set()
    asked: set[tuple[str, str]] = set()
    for body in _said(logs):
        access, expires = body.get("access"), str(body.get("expires") or "")
        closed = access not in (None, Access.OPEN.value) or ("" < expires <= now)
        if not closed or body.get("event") not in ("visit", "outcome", "access") or _is_open(body, found):
            continue
        capture = body.get("capture_id")
        if capture:
            visits.add(str(capture))
        url = body.get("key") or body.get("url")
        if url:
            asked.add((str(body.get("job")), _canonical(str(url))))
    return visits, asked


def _said(logs: Path) -> Iterator[Body]:
    for path in segment_paths(logs):
        with path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n") or not any(word in line for word in _SAYS):
                    continue
                try:
                    body = orjson.loads(orjson.loads(line)["body"])
                except (orjson.JSONDecodeError, KeyError, TypeError):
                    continue  # `verify` tells of it; a row that must be judged and cannot be read stops the packing
                if isinstance(body, dict):
                    yield body


def _is_open(body: Body, found: Withheld) -> bool:
    """Whether somebody opened the capture, or the record, that the row is about."""
    if str(body.get("capture_id")) in found.opened_captures:
        return True
    record = body.get("record") or {}
    return record.get("offset") in found.opened.get(str(record.get("file")), ())


@lru_cache(maxsize=65_536)
def _canonical(url: str) -> str:
    return canonical(url)


def _urls(text: str) -> Iterator[str]:
    """Whatever in a text may be a URL: also without what ends a sentence or a parenthesis behind it."""
    for found in _URL.finditer(text):
        yield found[1]
        bare = found[1].rstrip(".,;:!?)]}")
        if bare != found[1]:
            yield bare


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _texts(key)
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)
