"""An S3 bucket as a store. A `put` that returns was compared with what the bucket holds, byte for byte by default.

Evidence is never replaced: `If-None-Match: *`, and a 412 leads to a comparison, since the answer to an earlier try may
have been lost on the way. Exceptions are an object of ours that arrived damaged, and keys named as replaceable.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from archiver.clock import SYSTEM, Clock
from archiver.errors import StoreError, StoreSetupError
from archiver.model import StoredObject
from archiver.store.files import (
    PIECE,
    StoreConflict,
    check_key,
    check_unchanged,
    is_private,
    may_hold_private,
    readable_size,
    to_base64,
)
from archiver.store.orphans import Orphan, end_orphans, listed
from archiver.store.s3client import S3Settings
from archiver.store.s3counts import S3Counts
from archiver.store.s3errors import S3Fault
from archiver.store.s3multipart import NoLog, UploadLog, composite_sha256, send_parts
from archiver.store.s3read import list_objects, read_chunks
from archiver.store.s3requests import S3Refused, S3Requests

_MOST_AT_ONCE = 256 << 20  # bytes that `read` takes into memory
_READS = 3  # read-backs that must disagree before the object counts as damaged, and not its way back


class S3Store:
    """Keys lie under the settings' prefix. Safe to use from many tasks of one event loop."""

    def __init__(
        self,
        settings: S3Settings,
        *,
        connections: int = 8,
        clock: Clock = SYSTEM,
        replaceable: Callable[[str], bool] = lambda key: False,
        log: UploadLog | None = None,
    ) -> None:
        """`replaceable`: keys of files that grow or are written anew (page lists, reports). `log`: where uploads in
        parts are remembered, for `end_orphans`."""
        self._settings = settings
        self._log = log or NoLog()
        self._replaceable = replaceable
        self._requests = S3Requests(settings, connections=connections, clock=clock)

    async def put(self, key: str, path: Path, *, sha256: str, metadata: Mapping[str, str]) -> StoredObject:
        """Upload and compare. Raises StoreConflict (taken key, changed file), StoreAuthError, StoreError."""
        full = self.full_key(key)
        about = {name: quote(value, safe=" !#$&'()*+,/:;=?@[]~") for name, value in metadata.items()}
        about["sha256"] = sha256
        size = readable_size(path)
        replace = self._replaceable(key)
        for _ in range(2):
            await self._send(full, path, size, about, replace=replace)
            if await self._holds(full, path, size, sha256):
                await self._check_encrypted(full)
                return StoredObject(uri=self._uri(full), sha256=sha256, size=size, key=key)
            await asyncio.to_thread(check_unchanged, path, sha256)
            replace = True  # it arrived damaged
        head = await self._requests.ask("head_object", full)
        if head.get("Metadata", {}).get("sha256") != sha256:
            raise StoreSetupError(
                f"put {full}: {self._settings.endpoint_url} says yes to everything and keeps nothing; is this an S3 "
                "server? Correct storage.endpointUrl (STORE_ENDPOINT_URL)"
            )
        raise StoreError(f"put {full}: {self._settings.bucket} holds other bytes than were sent, twice in a row")

    async def stat(self, key: str) -> StoredObject | None:
        """What the store says of an object; `sha256` is what was sent along, empty for somebody else's object."""
        full = self.full_key(key)
        try:
            head = await self._requests.call("head_object", full)
        except S3Refused as refused:
            if refused.fault.missing:
                return None
            raise refused.fault.error from refused
        sha256 = head.get("Metadata", {}).get("sha256", "")
        return StoredObject(uri=self._uri(full), sha256=sha256, size=head["ContentLength"], key=key)

    async def read(self, key: str, start: int = 0, length: int | None = None) -> bytes:
        """Raises StoreError when there is no such object, or nothing at `start`."""
        if length == 0:
            return b""
        wanted = {} if start == 0 and length is None else {"Range": _range(start, length)}
        most = _MOST_AT_ONCE if length is None else length
        data: bytes = await self._requests.ask(
            "get_object", self.full_key(key), wanted, reader=lambda body: body.read(most + 1)
        )
        if len(data) > most:
            raise StoreError(f"get_object {key}: more came than was asked for ({most} bytes); is this an S3 server?")
        return data

    async def chunks(self, key: str, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """As the port says. A connection that breaks is taken up where it broke, on the same object."""
        async with contextlib.aclosing(read_chunks(self._requests, self.full_key(key), start, length)) as pieces:
            async for piece in pieces:
                yield piece

    async def list(self, prefix: str = "") -> AsyncIterator[StoredObject]:
        """Both trees, the private one as well. What lies elsewhere in the bucket is not told."""
        trees = [self._settings.path]
        if may_hold_private(prefix):
            trees.append(self._private)
        for tree in trees:
            inside = f"{tree}/" if tree else ""
            async for full, size in list_objects(self._requests, inside + prefix):
                key = full.removeprefix(inside)
                if self._is_of(tree, key):
                    yield StoredObject(uri=self._uri(full), sha256="", size=size, key=key)

    @property
    def refused(self) -> str:
        """Why its last request failed; empty when that was answered, or none was asked."""
        return self._requests.refused

    @property
    def counts(self) -> S3Counts:
        """What its requests came to so far."""
        return self._requests.counts

    async def end_orphans(
        self, known: Sequence[tuple[str, str]], prefix: str | None, *, older: float
    ) -> tuple[Orphan, ...]:
        """Abort uploads in parts that nobody goes on with (`orphans.end_orphans`). `prefix` of keys as in `list`;
        None = only what is `known`."""
        trees = () if prefix is None else (self._settings.path, self._private)
        wanted = [f"{tree}/{prefix}" if tree else str(prefix) for tree in trees]
        return await end_orphans(self._requests, known, wanted, older=older, log=self._log)

    async def unfinished(self, prefix: str, *, older: float) -> Sequence[Orphan]:
        """Uploads in parts that nobody ended, as `end_orphans` finds them; nothing is aborted. Raises StoreError."""
        trees = [tree for tree in dict.fromkeys((self._settings.path, self._private)) if tree or prefix]
        found: dict[str, Orphan] = {}
        for tree in trees:
            async for one in listed(self._requests, f"{tree}/{prefix}" if tree else prefix, older):
                found[one.upload_id] = one
        return tuple(found.values())

    async def close(self) -> None:
        self._requests.close()

    def full_key(self, key: str) -> str:
        """The key inside the bucket: restricted and dark files lie in a tree of their own, so that a policy that
        publishes `collections/*` publishes none of them. Raises ValueError for one that would leave the prefix."""
        tree = self._private if is_private(check_key(key)) else self._settings.path
        return f"{tree}/{key}" if tree else key

    @property
    def _private(self) -> str:
        return "/".join(part for part in (self._settings.path, self._settings.private_path) if part)

    def _is_of(self, tree: str, key: str) -> bool:
        """Whether a key belongs into the tree it was found in: a short `path` holds the private tree too."""
        if tree == self._private:
            return is_private(key)
        return not is_private(key) and not key.startswith(f"{self._settings.private_path}/")

    def _uri(self, full: str) -> str:
        return f"s3://{self._settings.bucket}/{full}"

    async def _send(self, key: str, path: Path, size: int, about: Mapping[str, str], *, replace: bool) -> None:
        """Upload, unless the same object is there already. Raises StoreError."""
        condition = {} if replace else {"IfNoneMatch": "*"}
        try:
            if size > self._settings.single_limit:
                if not replace and await self._is_there(key, about["sha256"]):
                    return
                await send_parts(self._requests, key, path, about, condition, self._log)
            else:
                # the algorithm as well: buckets with Object Lock ask for that header
                checks = {"ChecksumSHA256": to_base64(about["sha256"]), "ChecksumAlgorithm": "SHA256"}
                more = condition if self._settings.checksum_mode == "none" else {**condition, **checks}
                arguments = {"Body": path, "Metadata": dict(about), **self._settings.creation, **more}
                await self._requests.call("put_object", key, arguments)
        except S3Refused as refused:
            # A completion whose answer was lost leaves no upload to complete again: then, too, look what is there.
            if refused.fault.taken or refused.fault.code == "NoSuchUpload":
                await self._check_same(key, about["sha256"], refused)
                return
            if refused.fault.code in ("BadDigest", "XAmzContentChecksumMismatch"):
                await asyncio.to_thread(check_unchanged, path, about["sha256"])
            raise refused.fault.error from refused

    async def _is_there(self, key: str, sha256: str) -> bool:
        """Asked before many parts are sent: not every store minds `If-None-Match` when they are completed (Ceph).

        Raises StoreConflict for another object.
        """
        try:
            head = await self._requests.call("head_object", key)
        except S3Refused:  # not there, or not to be asked: then the upload itself will tell
            return False
        if head.get("Metadata", {}).get("sha256") != sha256:
            raise StoreConflict(f"put {key}: another object has this key in {self._settings.bucket}")
        return True

    async def _check_same(self, key: str, sha256: str, refused: S3Refused) -> None:
        head = await self._requests.ask("head_object", key, again=_is_missing)
        if head.get("Metadata", {}).get("sha256") != sha256:
            raise StoreConflict(f"put {key}: another object has this key in {self._settings.bucket}") from refused

    async def _check_encrypted(self, key: str) -> None:
        """Raises StoreSetupError when encryption was asked for and the store does not say that it did that: it may not
        know the header at all, and then the next file fares no better."""
        wanted = self._settings.sse
        if wanted == "none":
            return
        head = await self._requests.ask("head_object", key, again=_is_missing)
        if (found := head.get("ServerSideEncryption", "")) != wanted:
            raise StoreSetupError(
                f"put {key}: storage.sse asks for {wanted}, the store says {found or 'nothing of encryption'}; the "
                "object lies there. Correct storage.sse, or take a store that encrypts"
            )

    async def _holds(self, key: str, path: Path, size: int, sha256: str) -> bool:
        """Whether the bucket really holds these bytes."""
        mode = self._settings.verify_upload
        if mode == "checksum" or (mode == "auto" and self._settings.checksums_proved):
            head = await self._requests.ask("head_object", key, {"ChecksumMode": "ENABLED"}, again=_is_missing)
            said = head.get("ChecksumSHA256", "")
            if not said and mode == "checksum":
                raise StoreError(f"put {key}: the store names no SHA-256; set verifyUpload: readback")
            mine = to_base64(sha256)
            if "-" in said:
                mine = await asyncio.to_thread(composite_sha256, path, self._settings.part_size)
            is_the_one = mode == "checksum" or _server(head) == self._settings.proved_server
            if is_the_one and head["ContentLength"] == size and said == mine:
                return True
            # Sent in other parts by an earlier run, by another server than was proved, or damaged: ask the bytes.
        for tries in range(_READS):
            if tries:
                await asyncio.sleep(self._requests.pause(tries))
            found = await self._requests.ask(
                "get_object", key, again=_is_missing, reader=lambda body: _digest(body, size)
            )
            if found == (sha256, size) and (size or await self._is_named(key, sha256)):
                return True
        return False

    async def _is_named(self, key: str, sha256: str) -> bool:
        """An empty answer is also what a gateway gives that kept nothing: our own words tell the two apart."""
        head = await self._requests.ask("head_object", key, again=_is_missing)
        return bool(head.get("Metadata", {}).get("sha256") == sha256)


def _is_missing(fault: S3Fault) -> bool:
    """A 404 right after an upload: the store has not caught up with itself."""
    return fault.missing


def _server(answer: Mapping[str, Any]) -> str:
    """What the answer names as the software it comes from."""
    return str(answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("server", ""))


def _range(start: int, length: int | None) -> str:
    return f"bytes={start}-{'' if length is None else start + length - 1}"


def _digest(body: Any, longest: int) -> tuple[str, int]:
    """SHA-256 and size of what comes, until it is longer than it may be."""
    digest, size = hashlib.sha256(), 0
    while size <= longest and (chunk := body.read(PIECE)):
        digest.update(chunk)
        size += len(chunk)
    return digest.hexdigest(), size
