"""Multipart uploads: parts sent side by side, each with its own SHA-256, completed only where nothing lies yet."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from archiver.store.files import to_base64
from archiver.store.s3requests import S3Refused, S3Requests

_MAX_PARTS = 10_000  # S3's own bound
_IN_FLIGHT = 4


class UploadLog(Protocol):
    """Remembers uploads in parts that were begun, past the end of this process."""

    def begun(self, full_key: str, upload_id: str) -> None: ...

    def ended(self, upload_id: str) -> None: ...


class NoLog:
    """Nothing is remembered: what a crash leaves is found by its age."""

    def begun(self, full_key: str, upload_id: str) -> None:
        """Nothing."""

    def ended(self, upload_id: str) -> None:
        """Nothing."""


async def send_parts(
    requests: S3Requests, key: str, path: Path, about: Mapping[str, str], condition: Mapping[str, str], log: UploadLog
) -> None:
    """Upload a file in parts. Raises S3Refused; an upload that is given up is aborted where the store lets us.

    What is neither completed nor aborted stays in `log`, for `orphans` to end.
    """
    with_checksums = requests.settings.checksum_mode != "none"
    start: dict[str, Any] = {"ChecksumAlgorithm": "SHA256"} if with_checksums else {}
    arguments = {"Metadata": dict(about), **requests.settings.creation, **start}
    made = await requests.call("create_multipart_upload", key, arguments)
    upload = made["UploadId"]
    log.begun(key, upload)
    try:
        parts = await _send_all(requests, key, path, upload, with_checksums)
        arguments = {"UploadId": upload, "MultipartUpload": {"Parts": parts}, **condition}
        await requests.call("complete_multipart_upload", key, arguments)
    except BaseException:
        with contextlib.suppress(S3Refused):
            await asyncio.shield(requests.call("abort_multipart_upload", key, {"UploadId": upload}))
            log.ended(upload)
        raise
    log.ended(upload)


async def _send_all(
    requests: S3Requests, key: str, path: Path, upload: str, with_checksums: bool
) -> list[dict[str, Any]]:
    size = path.stat().st_size
    step = part_size(size, requests.settings.part_size)
    places = asyncio.Semaphore(_IN_FLIGHT)

    async def send(number: int) -> dict[str, Any]:
        async with places:
            data = await asyncio.to_thread(_slice, path, (number - 1) * step, step)
            checks = {"ChecksumSHA256": to_base64(hashlib.sha256(data).hexdigest())} if with_checksums else {}
            arguments = {"UploadId": upload, "PartNumber": number, "Body": data, **checks}
            sent = await requests.call("upload_part", key, arguments)
            return {"PartNumber": number, "ETag": sent["ETag"], **checks}

    waiting = [send(number) for number in range(1, -(-size // step) + 1)]
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one) for one in waiting]
    except BaseExceptionGroup as several:
        raise several.exceptions[0] from several
    return [task.result() for task in tasks]


def part_size(size: int, wanted: int) -> int:
    """Bytes a part: as wanted, or more where that would need over 10,000 parts."""
    return max(wanted, -(-size // _MAX_PARTS))


def composite_sha256(path: Path, wanted: int) -> str:
    """What a store names as SHA-256 of an upload in parts: the hash of the parts' hashes, and their number."""
    step = part_size(path.stat().st_size, wanted)
    digests: list[bytes] = []
    with path.open("rb") as file:
        while data := file.read(step):
            digests.append(hashlib.sha256(data).digest())
    return f"{to_base64(hashlib.sha256(b''.join(digests)).hexdigest())}-{len(digests)}"


def _slice(path: Path, start: int, length: int) -> bytes:
    with path.open("rb") as file:
        file.seek(start)
        return file.read(length)
