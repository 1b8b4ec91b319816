"""A job's WARC streams, one an access class: what goes into which file, in which order. Blocking: see `writer`."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from archiver.clock import Clock, iso, ts17
from archiver.model import Access, CaptureItem, ClosedSegment, DocumentItem, TlsInfo, WarcItem, WarcRecordRef
from archiver.ports import Recorded
from archiver.ports.frontier import Stretch
from archiver.warc import cdxj, records
from archiver.warc.dedup import Dedup, key_of
from archiver.warc.files import disk_error, index_folder, make_folder, warc_folder
from archiver.warc.records import Context, Draft, Original
from archiver.warc.segment import Mark, Segment

WarcInfo = Callable[[Access], Mapping[str, str]] | Mapping[str, str]

_NAME_ATTEMPTS = 100

_SET = {field.name: getattr(WarcRecordRef, field.name).__set__ for field in fields(WarcRecordRef)}
_set_file, _set_offset, _set_length, _set_record_id = _SET["file"], _SET["offset"], _SET["length"], _SET["record_id"]
_set_type, _set_access, _set_payload_digest = _SET["type"], _SET["access"], _SET["payload_digest"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentSettings:
    """How files are named and when they are full. Sizes in bytes of file, ages in seconds since the first record."""

    job: str
    host: str
    prefix: str = "ARCH"
    rollover_size: int = 10**9
    rollover_seconds: float = 300.0


@dataclass(slots=True)
class _Stream:
    segment: Segment
    opened: float


class Streams:
    """The open segments of one job. A batch is contiguous in its file, and either all of it is written or none."""

    def __init__(self, collection: Path, clock: Clock, settings: SegmentSettings, warcinfo: WarcInfo) -> None:
        """`warcinfo`: fields of each file's first record, or a function that gives them when a file is begun."""
        self._collection = collection
        self._clock = clock
        self._settings = settings
        self._warcinfo = warcinfo
        self._streams: dict[Access, _Stream] = {}
        self._marks: dict[Access, Mark] = {}
        self._dedup = Dedup()
        self._chains: set[tuple[Access, str]] = set()
        self._fresh_chains: set[tuple[Access, str]] = set()
        self._serial = 0
        self._closed: list[ClosedSegment] = []

    # --- writing ------------------------------------------------------------------------------------------------------

    def write(self, items: Sequence[WarcItem]) -> list[Recorded]:
        """Append and write(2) a batch. Raises DiskError, WarcError (a block ran short): nothing of it is kept then."""
        return self.write_all([items])[0]

    def write_all(self, batches: Sequence[Sequence[WarcItem]]) -> list[list[Recorded]]:
        """Several batches with one write(2) a stream; an error as in `write` takes back all of them."""
        self.roll_due()
        self._marks.clear()
        try:
            recorded = [[self._write(item) for item in items] for items in batches]
            for access in self._marks:
                self._streams[access].segment.flush()
        except OSError as error:
            path = self._rollback()
            raise disk_error(path, sum(map(size_of, itertools.chain(*batches))), error) from error
        except BaseException:
            self._rollback()
            raise
        self._dedup.commit()
        self._chains |= self._fresh_chains
        self._fresh_chains.clear()
        return recorded

    def _write(self, item: WarcItem) -> Recorded:
        segment = self._segment(item.access)
        if isinstance(item, DocumentItem):
            draft = records.document(item, segment.warcinfo_id)
            return Recorded(refs=(_ref(segment, draft, segment.append(draft)[0]),))
        return self._write_capture(segment, item)

    def _write_capture(self, segment: Segment, item: CaptureItem) -> Recorded:
        if item.exchange.tls is not None:
            self._write_chain(segment, item, item.exchange.tls)
        shared = records.context(item, segment.warcinfo_id)
        payload = records.measure(item)
        key = key_of(item, payload)
        original = self._dedup.find(key)
        if original is not None:
            first = records.revisit(item, payload.digest, original, shared)
        else:
            first = records.response(item, payload, shared)
        second, third = records.request(item, shared), records.policy(item, shared)
        places = segment.append(first, second, third)
        if original is None:
            offset, length = places[0]
            place = Stretch(segment.name, offset, offset + length)
            self._dedup.add(key, Original(item.response_id, item.exchange.url, shared.date, place))
        segment.index(_line(item, first, places[0], shared, segment.name))
        refs = (
            _ref(segment, first, places[0]),
            _ref(segment, second, places[1]),
            _ref(segment, third, places[2]),
        )
        rests_on = original.place if original is not None else None
        return Recorded(refs=refs, revisit=original is not None, payload_digest=payload.digest, original=rests_on)

    def _write_chain(self, segment: Segment, item: CaptureItem, tls: TlsInfo) -> None:
        """A chain is written once a job and access class, before the first response that names it."""
        key = (item.access, tls.chain_id)
        if tls.chain and key not in self._chains and key not in self._fresh_chains:
            segment.append(records.certificates(tls, item.exchange, segment.warcinfo_id))
            self._fresh_chains.add(key)

    def _rollback(self) -> Path:
        """Undo the batch; the path of a file it went to."""
        self._dedup.rollback()
        self._fresh_chains.clear()
        path = self._collection
        for access, mark in self._marks.items():
            segment = self._streams[access].segment
            path = segment.path
            segment.rollback(mark)
            if mark.size == 0:
                self._streams.pop(access).segment.discard()
        self._marks.clear()
        return path

    # --- files --------------------------------------------------------------------------------------------------------

    def _segment(self, access: Access) -> Segment:
        """The stream's open file, begun if there is none, marked for roll-back once a batch."""
        stream = self._streams.get(access)
        if stream is None:
            stream = self._streams[access] = _Stream(self._begin(access), self._clock.monotonic())
            self._marks[access] = stream.segment.mark()
            info = self._warcinfo(access) if callable(self._warcinfo) else self._warcinfo
            draft = records.warcinfo(info, filename=stream.segment.name, date=iso(self._clock.now()))
            stream.segment.warcinfo_id = draft.record_id
            stream.segment.append(draft)
        elif access not in self._marks:
            self._marks[access] = stream.segment.mark()
        return stream.segment

    def _begin(self, access: Access) -> Segment:
        make_folder(warc_folder(self._collection, access), access)
        make_folder(index_folder(self._collection, access), access)
        for _ in range(_NAME_ATTEMPTS):
            name = self._next_name()
            try:
                return Segment(self._collection, access, name)
            except FileExistsError:
                continue
        raise FileExistsError(17, "no free file name", name)

    def _next_name(self) -> str:
        """`ARCH-<ts17>-<serial>-<job8>-<host>.warc.gz` (WARC 1.1, Annex C)."""
        settings, serial = self._settings, self._serial
        self._serial += 1
        job = re.sub(r"[^A-Za-z0-9]", "", settings.job)[:8] or "job"
        host = re.sub(r"[^A-Za-z0-9.]", "-", settings.host).strip(".-") or "localhost"
        prefix = re.sub(r"[^A-Za-z0-9_]", "-", settings.prefix)
        return f"{prefix}-{ts17(self._clock.now())}-{serial:05d}-{job}-{host}.warc.gz"

    @property
    def dirty(self) -> bool:
        """Is there anything written and not yet fsynced?"""
        return any(stream.segment.dirty for stream in self._streams.values())

    def sync(self) -> None:
        """fsync every stream. Raises DiskError."""
        for stream in self._streams.values():
            stream.segment.sync()

    def roll_due(self) -> None:
        """Close what is full or old enough. Raises DiskError."""
        now = self._clock.monotonic()
        for access, stream in list(self._streams.items()):
            old = now - stream.opened >= self._settings.rollover_seconds
            if old or stream.segment.size >= self._settings.rollover_size:
                self._close(access)

    def roll(self) -> list[ClosedSegment]:
        """Close every stream; the segments closed since they were last asked for. Raises DiskError."""
        for access in list(self._streams):
            self._close(access)
        return self.take_closed()

    def take_closed(self) -> list[ClosedSegment]:
        closed, self._closed = self._closed, []
        return closed

    def abandon(self) -> None:
        """Let go of files that cannot be closed; salvage takes them up."""
        for stream in self._streams.values():
            stream.segment.abandon()
        self._streams.clear()

    def _close(self, access: Access) -> None:
        self._closed.append(self._streams[access].segment.close())
        del self._streams[access]


def _ref(segment: Segment, draft: Draft, place: tuple[int, int]) -> WarcRecordRef:
    """`WarcRecordRef(...)` at a third of its cost: a frozen class sets every field by a call that looks it up first."""
    ref = WarcRecordRef.__new__(WarcRecordRef)
    _set_file(ref, segment.name)
    _set_offset(ref, place[0])
    _set_length(ref, place[1])
    _set_record_id(ref, draft.record_id)
    _set_type(ref, draft.type)
    _set_access(ref, segment.access)
    _set_payload_digest(ref, draft.payload_digest)
    return ref


def _line(item: CaptureItem, draft: Draft, place: tuple[int, int], shared: Context, file: str) -> bytes | None:
    exchange, block = item.exchange, draft.block
    if not isinstance(block, bytes):
        block = exchange.response.read(0, exchange.body_start)
    revisit, digest = draft.type == "revisit", draft.payload_digest or ""
    return cdxj.line(
        cdxj.Indexed(shared.target, shared.date, revisit, block, digest, file, place[0], place[1], exchange.request)
    )


def size_of(item: WarcItem) -> int:
    """About how many bytes an item brings."""
    return item.exchange.response.size if isinstance(item, CaptureItem) else len(item.payload)
