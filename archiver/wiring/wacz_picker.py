"""The records of one capture with all that belongs to it, taken out of the WARCs of its job as whole members.

The visit's own records; what it is made of and another visit of the job had fetched before (a style sheet shared by a
site is asked for once a job); the originals that revisits refer to; the robots.txt that its decisions cite; files that
the site was asked for on its account (tdmrep.json); the TLS chains of its hosts; and each file's `warcinfo`, so that
every WARC-Warcinfo-ID leads somewhere.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from archiver.clock import ts14, ts17
from archiver.config import Places
from archiver.errors import WarcError
from archiver.ledger.index import LedgerIndex
from archiver.model import Access, Kind
from archiver.urls import canonical
from archiver.warc.cdxj import timestamp
from archiver.warc.fields import field_value
from archiver.warc.http import status_and_mime
from archiver.warc.reader import RecordHead, bare, read_at
from archiver.warc.wacz_cut import Member, Spans, members
from archiver.warc.wacz_find import Found, IndexFiles
from archiver.wiring.wacz_logs import holds_withheld
from archiver.wiring.wacz_parts import LeftOut, Part, index_of, says_hidden, warcs
from archiver.wiring.wacz_requisites import READ, may_refer, page_info_urls, requisites
from archiver.wiring.wacz_withheld import HIDDEN, Body, Withheld, job8

_BEGUN = re.compile(r"-(\d{17})-")
_MARGIN = timedelta(minutes=2)
"""A visit is written when it ends, a moment later."""
_MOST = 5000
"""Requisites looked for; a page has 300 by default."""
_ANSWERS = frozenset({"response", "revisit"})


class Picker:
    """Collects the records of one visit. `urls` are those whose captures, or decisions, were taken; `has_page`: the
    page itself is among them."""

    def __init__(self, places: Places, visit: Body, kept_out: Withheld | None, left: LeftOut) -> None:
        """Raises WarcError where a file that the visit names is not here."""
        self._visit = visit
        self._kept_out = kept_out
        self._left = left
        self._id = str(visit["capture_id"])
        begun = datetime.fromisoformat(str(visit["started_at"]))
        self._stamp = ts14(begun)
        self._ends = begun + timedelta(seconds=float(visit.get("seconds") or 0)) + _MARGIN
        self._begun = begun
        self._files = {
            path: access
            for access in Access
            for path in warcs(places, access)
            if job8(path.name) == str(visit["job"])[:8] or path.name in _named(visit)
        }
        gone = sorted(_named(visit) - {path.name for path in self._files})
        if gone:
            raise WarcError(f"{places.root}: {gone[0]} is not here, which holds the capture; fetch it from the store")
        self._index = IndexFiles(
            {places.indexes(access) / f"{path.name}.cdxj": path for path, access in self._files.items()}
        )
        self._ids: set[str] = set()
        self._bodies: deque[tuple[Path, int]] = deque()
        self._chains: set[str] = set()
        self._pages = {str(visit["url"]), str(visit.get("final_url") or visit["url"])}
        self._other = ("", 0)
        """Id and offset of the last answer that belongs to no visit."""
        self._ledger: list[tuple[Path, Member]] = []
        self.picked: dict[Path, dict[int, int]] = {}
        self.urls = set(self._pages)
        self._final = canonical(str(visit.get("final_url") or visit["url"]))
        self.has_page = False
        self.evidence: set[str] = set()

    def pick(self, index: LedgerIndex) -> None:
        """Raises OSError, WarcError."""
        gaps = {f"urn:policy:{gap['url']}" for gap in self._visit.get("matter") or () if gap.get("url")}
        for path in self._near():
            for member in members(path):
                self._own(path, member, gaps)
        self._requisites()
        for record_id in sorted(self.evidence):
            name, offset = index.locate(record_id) or ("", 0)
            for evidence in [one for one in self._files if one.name == name]:
                self._with_dependents(evidence, offset)
        self._find_chains()
        for path in self.picked:
            info = next(members(path))
            if info.head.type == "warcinfo":
                self.picked[path][info.offset] = info.length

    def ledger_copies(self, stays_out: Callable[[Body], bool]) -> None:
        """The copy of the job's rows that a `save` puts into its WARC: taken where all of it is about this capture."""
        for path, member in self._ledger:
            is_whole = member.head.length == len(member.start)
            if path in self.picked and is_whole and not holds_withheld(member.start, stays_out):
                self.picked[path][member.offset] = member.length

    def parts(self, places: Places) -> list[Part]:
        found = []
        for path, places_in in sorted(self.picked.items()):
            access, spans = self._files[path], Spans(sorted(places_in.items()))
            whole = spans.size == path.stat().st_size
            part = Part(path=path, access=access, name=path.name, index=index_of(places, access, path))
            part.spans = None if whole else spans
            found.append(part)
        return found

    # --- the visit's own ----------------------------------------------------------------------------------------------

    def _near(self) -> list[Path]:
        """Files in which the visit's records may lie: those named in its row, and those that were open meanwhile."""
        named, near = _named(self._visit), []
        for access in Access:
            of_class = sorted(path for path, its in self._files.items() if its is access)
            for place, path in enumerate(of_class):
                ends = _begin(of_class[place + 1]) if place + 1 < len(of_class) else ""
                was_open = _begin(path) <= ts17(self._ends) and (not ends or ends >= ts17(self._begun))
                if path.name in named or was_open:
                    near.append(path)
        return near

    def _own(self, path: Path, member: Member, gaps: set[str]) -> None:
        head, target = member.head, member.head.target or ""
        if target.startswith("urn:ledger:"):
            self._ledger.append((path, member))
        elif head.get("WARC-Page-ID") == self._id:
            if self._take(path, member):
                self._ids.add(head.record_id)
                self.has_page |= canonical(target) == self._final
        elif bare(head.get("WARC-Concurrent-To") or "") in self._ids or target in gaps:
            self._take(path, member)
        elif head.type in _ANSWERS:
            self._other = (head.record_id, member.offset)
        elif target.startswith("urn:policy:") and self._other[0] == bare(head.get("WARC-Concurrent-To") or ""):
            policy = _policy(member)
            if policy.get("kind") == Kind.SIGNALS and policy.get("initiator") in self._pages:
                self._with_dependents(path, self._other[1])

    def _take(self, path: Path, member: Member) -> bool:
        """False when it must stay out."""
        if why := self._why(path, member):
            (self._left.captures if member.head.type in _ANSWERS else self._left.records)[why] += 1
            return False
        if member.offset in self.picked.setdefault(path, {}):
            return True
        self.picked[path][member.offset] = member.length
        self._note(path, member)
        return True

    def _why(self, path: Path, member: Member) -> str:
        head, target = member.head, member.head.target or ""
        if self._kept_out is None or target.startswith("urn:certificates:"):
            return ""
        why = self._kept_out.why(path.name, member.offset, self._files[path], target, head.get("WARC-Date") or "")
        if why == Access.RESTRICTED and bare(head.get("WARC-Concurrent-To") or "") in self._ids:
            return ""  # belongs to an answer that was opened
        why = why or (HIDDEN if says_hidden(member, self._kept_out) else "")
        return why or (self._why_original(head, self._kept_out) if head.type == "revisit" else "")

    def _why_original(self, head: RecordHead, kept_out: Withheld) -> str:
        """A revisit stays out with its original: its bytes are that one's."""
        found, url = self._original_of(head), bare(head.get("WARC-Refers-To-Target-URI") or "")
        return (
            ""
            if found is None
            else kept_out.why(found.path.name, found.offset, self._files[found.path], url, found.stamp)
        )

    def _note(self, path: Path, member: Member) -> None:
        """What the record leads to."""
        head, target = member.head, member.head.target or ""
        if chain := bare(head.get("WARC-Certificate-Chain") or ""):
            self._chains.add(chain)
        if head.type in _ANSWERS:
            self.urls.add(target)
            mime = status_and_mime(member.start)[1]
            if head.length <= READ and (mime == "unk" or may_refer(mime)):
                self._bodies.append((path, member.offset))
        if head.type == "revisit":
            found = self._original_of(head)
            if found is not None:
                self._with_dependents(found.path, found.offset)
        if target.startswith("urn:policy:"):
            self.urls.add(target.removeprefix("urn:policy:"))
            evidence = _policy(member).get("evidence")
            self.evidence |= {evidence} if isinstance(evidence, str) else set()
        if target.startswith("urn:pageinfo:") and member.head.length == len(member.start):
            for url in page_info_urls(member.start):
                self._requisite(url)

    def _original_of(self, head: RecordHead) -> Found | None:
        url, date = head.get("WARC-Refers-To-Target-URI"), head.get("WARC-Refers-To-Date")
        return self._index.original(bare(url), timestamp(date).decode()) if url and date else None

    # --- what it shares with other visits -----------------------------------------------------------------------------

    def _requisites(self) -> None:
        looked = 0
        while self._bodies and looked < _MOST:
            path, offset = self._bodies.popleft()
            for url in self._read(path, offset):
                looked += 1
                self._requisite(url)

    def _read(self, path: Path, offset: int) -> list[str]:
        record = read_at(path, offset)
        url = record.headers.target or ""
        block = record.block
        if record.headers.type == "revisit":
            found = self._original_of(record.headers)
            if found is None:
                return []
            block = read_at(found.path, found.offset).block
        return requisites(url, block, record.headers.get("WARC-Resource-Type") or "")

    def _requisite(self, url: str) -> None:
        if url in self.urls:
            return
        self.urls.add(url)
        found = self._index.nearest(url, self._stamp)
        if found is not None:
            self._with_dependents(found.path, found.offset)

    def _with_dependents(self, path: Path, offset: int) -> None:
        """A record and those behind it that belong to it (request, decision, explanation)."""
        if offset in self.picked.get(path, ()):
            return
        following = members(path, offset)
        first = next(following, None)
        if first is None or first.offset != offset or not self._take(path, first):
            return
        self._ids.add(first.head.record_id)
        for member in following:
            about = {bare(member.head.get(name) or "") for name in ("WARC-Concurrent-To", "WARC-Refers-To")}
            if first.head.record_id not in about:
                return
            self._take(path, member)

    def _find_chains(self) -> None:
        """A chain is written once a job and class, before the first answer that names it: often in an earlier file."""
        for path in sorted(self._files, key=lambda one: (one not in self.picked, one.name)):
            if not self._chains:
                return
            for member in members(path):
                if member.head.target in self._chains and self._take(path, member):
                    self._chains.discard(member.head.target)


def _named(visit: Body) -> set[str]:
    records = [visit.get("record") or {}, *(visit.get("records") or [])]
    return {str(one["file"]) for one in records if one.get("file")}


def _begin(path: Path) -> str:
    """When a WARC was begun, by its name; "" = at any time."""
    found = _BEGUN.search(path.name)
    return found[1] if found else ""


def _policy(member: Member) -> Mapping[str, Any]:
    """The decision that a `urn:policy:` record holds; empty where it cannot be read."""
    try:
        body = orjson.loads(field_value(member.start, "policy") or "null")
    except orjson.JSONDecodeError:
        return {}
    return body if isinstance(body, Mapping) else {}
