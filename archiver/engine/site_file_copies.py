"""What an earlier job read of a file of signals becomes evidence of this one, as a remembered robots.txt does."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import orjson

from archiver.clock import Clock
from archiver.ids import new_record_id
from archiver.model import DocumentItem
from archiver.model.site_file import SiteFile
from archiver.policy.site_files import moment
from archiver.ports import Gateway

_TYPES = {"tdmrep": "application/json", "rsl": "application/xml", "other": "text/plain"}


class SiteFileCopies:
    """One a run: each remembered file is written once, however many origins name it."""

    def __init__(self, gateway: Gateway, clock: Clock) -> None:
        self._gateway = gateway
        self._clock = clock
        self._mine: set[str] = set()
        self._copies: dict[str, str] = {}

    def asked(self, record_id: str | None) -> None:
        """This run has the answer with that record itself."""
        if record_id is not None:
            self._mine.add(record_id)

    async def cited(self, kind: str, file: SiteFile) -> SiteFile:
        """The file as it is cited: by the record of this run's own WARC. Raises DiskError."""
        original = file.record_id
        if file.fetched_at is None or original is None or original in self._mine:
            return file
        copy = self._copies.get(original)
        if copy is None:
            items = copy_items(kind, file, now=self._clock.now())
            await self._gateway.attach(items)
            copy = self._copies[original] = items[0].record_id
        return replace(file, record_id=copy)


def copy_items(kind: str, file: SiteFile, *, now: datetime) -> tuple[DocumentItem, DocumentItem]:
    """A `conversion` record (WARC 1.1, 6.8) dated when the file came, and a `metadata` record that explains it.

    Both stand under `urn:signals:<url>`: no replay may take what a site said then for what it says now.
    """
    assert file.fetched_at is not None
    target, content_id = f"urn:signals:{file.url}", new_record_id()
    content = DocumentItem(
        type="conversion",
        target=target,
        content_type=_TYPES.get(kind, "text/plain"),
        payload=file.body,
        record_id=content_id,
        date=datetime.fromtimestamp(file.fetched_at, UTC),
        refers_to=file.record_id,
    )
    says = {
        "url": file.url,
        "fetchedAt": moment(file.fetched_at),
        "askedAt": moment(file.asked_at),
        "state": file.state.value,
        "original": file.record_id,
    }
    about = DocumentItem(
        type="metadata",
        target=target,
        content_type="application/json",
        payload=orjson.dumps(says),
        record_id=new_record_id(),
        date=now,
        refers_to=content_id,
    )
    return content, about
