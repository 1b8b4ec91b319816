"""Objects of any size read in pieces, and prefixes of any number of objects listed in pages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

from archiver.errors import StoreError
from archiver.store.files import PIECE
from archiver.store.s3requests import Body, S3Requests


async def list_objects(requests: S3Requests, prefix: str) -> AsyncIterator[tuple[str, int]]:
    """Full key and size in bytes of each object below a prefix, 1,000 a request. Raises StoreError."""
    more: dict[str, Any] = {"Prefix": prefix}
    tokens: set[str] = set()
    while True:
        page = await requests.ask("list_objects_v2", prefix, more)
        for one in page.get("Contents", ()):
            if one["Key"].startswith(prefix):
                yield one["Key"], int(one["Size"])
        if not page.get("IsTruncated"):
            return
        token = page.get("NextContinuationToken")
        if not token or token in tokens:
            raise StoreError(f"list_objects_v2 {prefix}: the list says that it goes on, and names no page that follows")
        tokens.add(token)
        more["ContinuationToken"] = token


async def read_chunks(requests: S3Requests, full: str, start: int, length: int | None) -> AsyncGenerator[bytes]:
    """Pieces of at most `PIECE` bytes. Raises StoreError.

    After a break the rest is asked for, of the same object (`If-Match`); each answer that brings something renews
    the tries.
    """
    at, end, etag, tries = start, None if length is None else start + length, "", 0
    while end is None or at < end:
        wanted: dict[str, Any] = {"Range": f"bytes={at}-{'' if end is None else end - 1}"} if at or end else {}
        answer = await requests.ask("get_object", full, {**wanted, **({"IfMatch": etag} if etag else {})})
        body, etag = Body(answer["Body"], requests.counts), answer.get("ETag", "")
        whole = _end_of(answer, full, at, ranged=bool(wanted))
        try:
            while piece := await _next_piece(requests, body):
                at, tries = at + len(piece), 0
                yield piece
        except Exception as error:
            tries += 1
            refused = requests.refusal(error, f"get_object {full}")
            if not refused.fault.passing or tries >= requests.settings.attempts:
                raise refused.fault.error from error
            await asyncio.sleep(requests.pause(tries))
            continue
        finally:
            body.close()
        if at >= whole:
            return


def _end_of(answer: Any, full: str, at: int, *, ranged: bool) -> int:
    """Where the answer's bytes end in the object. Raises StoreError when that is not told, or they begin elsewhere."""
    if "ContentLength" not in answer:
        raise StoreError(f"get_object {full}: the answer does not say how long it is; is this an S3 server?")
    if ranged and at and not str(answer.get("ContentRange", "")).startswith(f"bytes {at}-"):
        raise StoreError(f"get_object {full}: asked for what begins at {at}, the store answers with something else")
    return at + int(answer["ContentLength"])


async def _next_piece(requests: S3Requests, body: Body) -> bytes:
    piece: bytes = await requests.in_thread(lambda: body.read(PIECE))
    return piece
