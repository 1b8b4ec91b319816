"""What `bucket check` saw a bucket do, kept in one file a user, and believed only while the store looks the same.

{"version": 1, "stores": {"https://HOST:PORT/BUCKET": {"at": DATE, "server": TEXT, "certificate": SHA-256 or "",
    "proved": [NAME, ...]}}}
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import socket
import ssl
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from archiver.clock import SYSTEM, Clock, iso
from archiver.errors import DiskError, room
from archiver.store.files import sync_folder
from archiver.store.s3client import S3Settings

CHECKSUMS = frozenset(("putRefusesWrongSha256", "partRefusesWrongSha256", "headNamesSha256", "headNamesComposite"))
"""All that has to hold before the store's word is taken for what it holds."""
FRESH = timedelta(days=90)
_LOOK_SECONDS = 3.0
_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """`proved` names what held at that moment (`CHECKSUMS` and others). By `server`, the header of that name, and
    `certificate`, its SHA-256 in hex, each empty when unknown, a store is known again."""

    at: datetime
    server: str
    certificate: str
    proved: frozenset[str]

    @property
    def of_checksums(self) -> bool:
        return self.proved >= CHECKSUMS

    def is_fresh(self, now: datetime) -> bool:
        return timedelta(minutes=-5) <= now - self.at <= FRESH


def with_proof(settings: S3Settings, file: Path, clock: Clock = SYSTEM) -> S3Settings:
    """The settings, with `checksums_proved` where that may be said (blocking, a few seconds at most). Never raises:
    without a proof uploads are read back."""
    if settings.verify_upload != "auto" or settings.checksum_mode == "none":
        return settings
    proof = read_proof(settings, file)
    if proof is None or not proof.of_checksums or not proof.is_fresh(clock.now()):
        return settings
    if certificate_of(settings) != proof.certificate:
        return settings
    return dataclasses.replace(settings, checksums_proved=True, proved_server=proof.server)


def said_of(settings: S3Settings, file: Path, clock: Clock = SYSTEM) -> str:
    """In words for `doctor`: whether uploads will be read back, and why."""
    if settings.verify_upload != "auto" or settings.checksum_mode == "none":
        return ""
    proof = read_proof(settings, file)
    if proof is None:
        return "uploads are read back: `archiver bucket check` shows whether the store's checksums can be trusted"
    day = proof.at.date().isoformat()
    if not proof.of_checksums:
        return f"uploads are read back: on {day} the store did not refuse wrong checksums"
    if not proof.is_fresh(clock.now()):
        return f"uploads are read back: its checksums were proved on {day}, too long ago; run `archiver bucket check`"
    if certificate_of(settings) != proof.certificate:
        return f"uploads are read back: another certificate than on {day}; run `archiver bucket check`"
    return f"its checksums were proved on {day}"


def read_proof(settings: S3Settings, file: Path) -> Proof | None:
    """None when nothing was proved here, or the file cannot be read as what it is."""
    try:
        row = _stores(file)[_name(settings)]
        at = datetime.fromisoformat(row["at"])
        if at.tzinfo is None:
            return None
        return Proof(
            at=at, server=str(row["server"]), certificate=str(row["certificate"]),
            proved=frozenset(map(str, row["proved"])),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError):
        return None


def write_proof(settings: S3Settings, file: Path, proof: Proof) -> None:
    """Whole or not at all; what other stores proved stays. Raises DiskError."""
    row = {
        "at": iso(proof.at), "server": proof.server, "certificate": proof.certificate,
        "proved": sorted(proof.proved),
    }  # fmt: skip
    text = json.dumps({"version": _VERSION, "stores": {**_stores(file), _name(settings): row}}, indent=1)
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=file.parent, prefix=".stores-")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as new:
                new.write(f"{text}\n")
                new.flush()
                os.fsync(new.fileno())
            os.replace(name, file)
            sync_folder(file.parent)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(name)
            raise
    except OSError as error:
        raise DiskError(f"{file}: cannot be written: {error.strerror} ({room(file)})") from error


def certificate_of(settings: S3Settings) -> str:
    """SHA-256 of the endpoint's certificate by one TLS handshake (blocking), empty when there is none to be seen.

    AWS is AWS: its machines are many, and so are their certificates.
    """
    place = urlsplit(settings.endpoint_url)
    if place.scheme != "https":
        return ""
    try:
        context = ssl.create_default_context(cafile=settings.ca_file or None)
        with (
            socket.create_connection((str(place.hostname), place.port or 443), timeout=_LOOK_SECONDS) as raw,
            context.wrap_socket(raw, server_hostname=place.hostname) as sock,
        ):
            return hashlib.sha256(sock.getpeercert(binary_form=True) or b"").hexdigest()
    except (OSError, ValueError):
        return ""


def _stores(file: Path) -> Mapping[str, Any]:
    try:
        found = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    stores = found.get("stores") if isinstance(found, dict) and found.get("version") == _VERSION else None
    return stores if isinstance(stores, dict) else {}


def _name(settings: S3Settings) -> str:
    return f"{settings.endpoint_url or f'aws:{settings.region}'}/{settings.bucket}"
