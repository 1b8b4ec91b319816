"""Requests about a bucket itself, and what a test object meets: each sent once or twice, its answer told as it is."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from archiver.clock import Clock
from archiver.store.s3client import S3Settings, S3Timing, make_client
from archiver.store.s3errors import S3Fault, fault_of

_QUICK = S3Timing(connect=5.0, read=20.0)
_TRIES = 2
_BUSY = frozenset(("SlowDown", "ServiceUnavailable", "InternalError", "500", "503"))
_UNKNOWN = frozenset(("NotImplemented", "MethodNotAllowed", "501", "405", "XNotImplemented", "UnsupportedOperation"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the store said: `said` is the SDK's answer, or `fault` names what was refused. Headers in lower case."""

    said: Mapping[str, Any] = field(default_factory=dict)
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    fault: S3Fault | None = None

    @property
    def is_good(self) -> bool:
        return self.fault is None

    @property
    def code(self) -> str:
        """S3's code of a refusal, empty for a yes."""
        return "" if self.fault is None else self.fault.code

    @property
    def is_unknown(self) -> bool:
        """Whether the store does not know such a request at all."""
        return self.code in _UNKNOWN

    @property
    def is_denied(self) -> bool:
        """Whether this key may not ask that."""
        return self.code in ("AccessDenied", "403", "Unauthorized", "401", "AllAccessDisabled")

    @property
    def fault_is_missing(self) -> bool:
        """Whether the answer was that no such object is there."""
        return self.fault is not None and self.fault.missing

    def __str__(self) -> str:
        return "done" if self.fault is None else str(self.fault.error)


class BucketCalls:
    """One client for one bucket, in threads. `signed` False: as anybody on the network would ask. `last`: the answer
    before."""

    def __init__(self, settings: S3Settings, *, clock: Clock, signed: bool = True) -> None:
        self.settings = dataclasses.replace(settings, timing=_QUICK) if settings.timing == S3Timing() else settings
        self.clock = clock
        self._signed = signed
        self._made: Any = None
        self.last = Answer()

    async def ask(self, operation: str, **arguments: Any) -> Answer:
        """Never raises for what a store or the network does. What was not answered, or answered by a store that is
        busy, is sent once more."""
        for _ in range(_TRIES):
            self.last = await asyncio.to_thread(self._ask, operation, arguments)
            fault = self.last.fault
            if fault is None or not fault.passing or (self.last.headers and fault.code not in _BUSY):
                break
        return self.last

    def close(self) -> None:
        if self._made is not None:
            self._made.close()

    def _ask(self, operation: str, arguments: Mapping[str, Any]) -> Answer:
        what = f"{operation} {arguments.get('Key', self.settings.bucket)}"
        try:
            if self._made is None:
                self._made = make_client(self.settings, 2, signed=self._signed)
                self._made.meta.events.register("before-call.s3", _add_md5)
            said = getattr(self._made, operation)(Bucket=self.settings.bucket, **arguments)
            body = said["Body"].read() if "Body" in said else b""
        except Exception as error:
            fault = fault_of(error, what, self.settings, self.clock)
            answered = getattr(error, "response", None)  # botocore's own faults have one that is None
            meta = answered.get("ResponseMetadata", {}) if isinstance(answered, dict) else {}
            return Answer(fault=fault, headers=_lower(meta.get("HTTPHeaders", {})))
        headers = _lower(said.get("ResponseMetadata", {}).get("HTTPHeaders", {}))
        return Answer(said=said, body=body, headers=headers)


def _add_md5(params: dict[str, Any], **_: Any) -> None:
    """Settings go with Content-MD5, which S3 once required: servers of that time know no CRC32 in its place."""
    body = params.get("body")
    if params["method"] == "PUT" and isinstance(body, bytes) and params["url_path"].startswith("?"):
        digest = hashlib.md5(body, usedforsecurity=False).digest()
        params["headers"]["Content-MD5"] = base64.b64encode(digest).decode()


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
