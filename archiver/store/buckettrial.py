"""Test objects in a bucket: put as uploads are, remembered, and taken away again where the key may."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from typing import Any

from archiver.clock import Clock
from archiver.ids import new_salt
from archiver.store.bucketcalls import Answer, BucketCalls
from archiver.store.s3client import S3Settings

OK, OFF, WARN, BAD = "ok", "off", "warn", "bad"
INIT = "`archiver bucket init` with a key that may set up buckets"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One thing that was tried. `off`: could not be tried or is not offered; `warn`: works, with a cost or a risk that
    `says` names; `bad`: archives are lost or shown to the wrong people. `fix` is empty where there is none to do."""

    name: str
    state: str
    says: str
    fix: str = ""


def line(name: str, state: str, says: str, fix: str = "") -> Line:
    return Line(name=name, state=state, says=says, fix=fix)


def checksum(content: bytes) -> str:
    """As x-amz-checksum-sha256 has it."""
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


class Trial:
    """What all checks share. Keys are those of a collection that cannot be there: `archiver-check-` and a random name.

    `proved`: what was seen to hold. `left`: keys that could not be removed. `first`: the answer to the first put.
    """

    def __init__(self, settings: S3Settings, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock
        self.mine = BucketCalls(settings, clock=clock)
        self.anybody = BucketCalls(settings, clock=clock, signed=False)
        self.salt = new_salt()[:12]
        self.content = f"archiver bucket check {self.salt}: this object may be deleted\n".encode()
        self.proved: set[str] = set()
        self.first = Answer()
        self.left: list[str] = []
        self.versions_kept = False
        self._made: list[tuple[str, str]] = []

    @property
    def has_checksums(self) -> bool:
        return self.settings.checksum_mode != "none"

    def key(self, name: str, *, private: bool = False) -> str:
        """A full key where an open WARC would lie, or a dark one."""
        inside = f"collections/archiver-check-{self.salt}/{'dark' if private else 'archive'}/{name}"
        parts = (self.settings.path, self.settings.private_path if private else "", inside)
        return "/".join(part for part in parts if part)

    async def put(self, key: str, **more: Any) -> Answer:
        """With the right checksum, unless another is given, or None of any."""
        if self.has_checksums:
            more = {"ChecksumSHA256": checksum(self.content), "ChecksumAlgorithm": "SHA256", **more}
        given = {name: value for name, value in more.items() if value is not None}
        answer = await self.mine.ask("put_object", Key=key, Body=self.content, **{**self.settings.creation, **given})
        self.note(key, answer)
        return answer

    def note(self, key: str, answer: Answer) -> None:
        """What is there now has to go at the end."""
        if answer.is_good:
            self._made.append((key, answer.said.get("VersionId", "")))

    async def clean(self) -> None:
        """Versions one by one; a key that may not delete leaves them, named in `left`."""
        for key, version in reversed(self._made):
            named = {"VersionId": version} if version and version != "null" else {}
            answer = await self.mine.ask("delete_object", Key=key, **named)
            if answer.is_good and answer.said.get("DeleteMarker") and not named and answer.said.get("VersionId"):
                await self.mine.ask("delete_object", Key=key, VersionId=answer.said["VersionId"])
            if not answer.is_good and not answer.fault_is_missing and key not in self.left:
                self.left.append(key)

    def close(self) -> None:
        self.mine.close()
        self.anybody.close()
