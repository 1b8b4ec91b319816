"""Uploads in parts that nobody goes on with: their parts are paid for and shown by no listing of objects."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from archiver.clock import iso
from archiver.errors import StoreError
from archiver.store.s3multipart import UploadLog
from archiver.store.s3requests import S3Refused, S3Requests

_GONE = frozenset(("NoSuchUpload", "404", "NotFound", "NoSuchKey"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Orphan:
    """An upload that was left. `started` ISO, empty when only the journal knew of it; `error` why it is still there."""

    key: str
    upload_id: str
    started: str = ""
    error: str = ""

    def to_json(self) -> dict[str, str | bool]:
        return {"key": self.key, "upload_id": self.upload_id, "started": self.started, "aborted": not self.error,
                "error": self.error}  # fmt: skip


async def end_orphans(
    requests: S3Requests, known: Sequence[tuple[str, str]], prefixes: Iterable[str], *, older: float, log: UploadLog
) -> tuple[Orphan, ...]:
    """Abort what the log says we left (`known`: full key and upload id), and what lies below our prefixes and was
    begun more than `older` seconds ago. What could not be aborted has its `error`, and is tried at the next start.

    Raises StoreError when the store does not list uploads; what was `known` has been tried then.
    """
    found = [await _ended(requests, Orphan(key=key, upload_id=upload), log) for key, upload in known]
    tried = {one.upload_id for one in found}
    for prefix in prefixes:
        async for orphan in listed(requests, prefix, older):
            if orphan.upload_id not in tried:
                tried.add(orphan.upload_id)
                found.append(await _ended(requests, orphan, log))
    return tuple(found)


async def _ended(requests: S3Requests, orphan: Orphan, log: UploadLog) -> Orphan:
    try:
        await requests.call("abort_multipart_upload", orphan.key, {"UploadId": orphan.upload_id})
    except S3Refused as refused:
        if refused.fault.code not in _GONE:
            return Orphan(
                key=orphan.key, upload_id=orphan.upload_id, started=orphan.started, error=str(refused.fault.error)
            )
    log.ended(orphan.upload_id)
    return orphan


async def listed(requests: S3Requests, prefix: str, older: float) -> AsyncIterator[Orphan]:
    """Uploads below a prefix that were begun more than `older` seconds ago and not ended. Raises StoreError."""
    more: dict[str, Any] = {"Prefix": prefix}
    while True:
        page = await requests.ask("list_multipart_uploads", prefix, more)
        for one in page.get("Uploads", ()):
            started: datetime = one["Initiated"]
            if one["Key"].startswith(prefix) and (requests.clock.now() - started).total_seconds() > older:
                yield Orphan(key=one["Key"], upload_id=one["UploadId"], started=iso(started))
        if not page.get("IsTruncated"):
            return
        if page.get("NextKeyMarker") == more.get("KeyMarker"):
            raise StoreError(f"list_multipart_uploads {prefix}: the same page twice")
        more |= {"KeyMarker": page["NextKeyMarker"], "UploadIdMarker": page.get("NextUploadIdMarker", "")}
