"""Whether a bucket takes a file, gives it back and lets go of it: one small object, before any crawl depends on it."""

from __future__ import annotations

import dataclasses
import hashlib

from archiver.clock import SYSTEM, Clock
from archiver.errors import StoreError
from archiver.ids import new_salt
from archiver.store.files import to_base64
from archiver.store.s3client import S3Settings, S3Timing
from archiver.store.s3requests import S3Refused, S3Requests

_QUICK = S3Timing(connect=5.0, read=15.0)
_TRIES = 2
_CONTENT = b"archiver doctor: this object may be deleted\n"


async def probe(settings: S3Settings, *, clock: Clock = SYSTEM) -> str:
    """Put an object under the prefix as uploads are, stat it, read it back, delete it.

    What remains of it as a sentence, else "": a key that may not delete is good enough for all else. Raises StoreError
    that names the request.
    """
    quick = dataclasses.replace(settings, attempts=_TRIES, timing=_QUICK)
    requests = S3Requests(quick, connections=1, clock=clock)
    key = "/".join(part for part in (settings.path, f".archiver-doctor-{new_salt()[:12]}") if part)
    try:
        await requests.ask("put_object", key, _put(settings))
        head = await requests.ask("head_object", key)
        found = await requests.ask("get_object", key, reader=lambda body: body.read())
        if found != _CONTENT or head["ContentLength"] != len(_CONTENT):
            raise StoreError(f"get_object {key}: other bytes came back than were put; is this an S3 server?")
        await requests.call("delete_object", key)
    except S3Refused as refused:
        return f"{key} stays there: {refused.fault.error}"
    finally:
        requests.close()
    return ""


def _put(settings: S3Settings) -> dict[str, object]:
    more: dict[str, object] = {"Body": _CONTENT, "IfNoneMatch": "*"}
    if settings.checksum_mode != "none":
        more["ChecksumSHA256"] = to_base64(hashlib.sha256(_CONTENT).hexdigest())
    return more
