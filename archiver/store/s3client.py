"""The S3 client: settings, and how boto3 is told to behave. boto3 is imported here, on first use, and nowhere else."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import urlencode

_QUIET = ("boto3", "botocore", "s3transfer", "urllib3")


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Settings:
    """Where and how. Empty keys = the SDK's usual chain. Sizes in bytes, times in seconds; secrets stay out of repr.

    `private_path`: part of the key of restricted and dark files, behind `path`; never empty.
    `checksums_proved`: this store was seen to refuse a wrong SHA-256, so `verify_upload="auto"` may trust its word,
    as long as it answers with the header `Server: proved_server`.
    """

    bucket: str
    endpoint_url: str = ""
    path: str = ""
    private_path: str = "private"
    region: str = "us-east-1"
    access_key: str = field(default="", repr=False)
    secret_key: str = field(default="", repr=False)
    session_token: str = field(default="", repr=False)
    instance_metadata: bool = False
    ca_file: str = ""
    verify_upload: str = "auto"
    checksum_mode: str = "sha256"
    checksums_proved: bool = False
    proved_server: str = ""
    sse: str = "none"
    sse_kms_key_id: str = ""
    storage_class: str = ""
    tags: tuple[tuple[str, str], ...] = ()
    attempts: int = 6
    part_size: int = 16 << 20
    single_limit: int = 64 << 20
    timing: S3Timing = field(default_factory=lambda: S3Timing())

    @property
    def creation(self) -> dict[str, str]:
        """What goes with every request that makes an object: encryption at rest, storage class, tags."""
        wanted = {
            "ServerSideEncryption": "" if self.sse == "none" else self.sse, "SSEKMSKeyId": self.sse_kms_key_id,
            "StorageClass": self.storage_class, "Tagging": urlencode(self.tags),
        }  # fmt: skip
        return {name: value for name, value in wanted.items() if value}

    @property
    def place(self) -> str:
        """Where objects go, as one text without secrets: what was stored elsewhere is not stored here."""
        return f"{self.endpoint_url or f'aws:{self.region}'}/{self.bucket}/{self.path}".rstrip("/")


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Timing:
    """Seconds: time-outs of one request, and the pauses between tries (doubling from `pause`, jittered)."""

    connect: float = 10.0
    read: float = 60.0
    pause: float = 0.5
    longest_pause: float = 20.0


@cache
def _models() -> Any:
    """The SDK's description of S3, parsed once a process (110 ms) instead of once a client."""
    import botocore.loaders

    return botocore.loaders.create_loader()


def make_client(settings: S3Settings, connections: int, *, signed: bool = True) -> Any:
    """A boto3 S3 client. Retries are ours: one budget, visible, with jitter. May raise botocore's errors.

    `signed` False: without any key, to see what the public sees.
    """
    import boto3
    import botocore.session
    from botocore import UNSIGNED
    from botocore.config import Config

    from archiver.store.s3session import bound_answers

    for name in _QUIET:  # their debug lines hold signed headers
        logging.getLogger(name).setLevel(logging.WARNING)
    core = botocore.session.get_session()
    core.register_component("data_loader", _models())
    if not settings.instance_metadata:
        # The SDK would dial 169.254.169.254 for keys (what AWS_EC2_METADATA_DISABLED is for); no dial unless asked.
        core.get_component("credential_provider").remove("iam-role")
    config = Config(
        region_name=settings.region,
        signature_version="s3v4" if signed else UNSIGNED,
        connect_timeout=settings.timing.connect,
        read_timeout=settings.timing.read,
        retries={"total_max_attempts": 1},
        max_pool_connections=connections,
        proxies={},
        s3={"addressing_style": "path" if settings.endpoint_url else "auto"},
        # CRC32 as a trailer over HTTPS is refused by older servers (MissingContentLength); we send SHA-256 as a header.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    client = boto3.session.Session(botocore_session=core).client(
        "s3",
        config=config,
        endpoint_url=settings.endpoint_url or None,
        verify=settings.ca_file or None,
        aws_access_key_id=settings.access_key or None,
        aws_secret_access_key=settings.secret_key or None,
        aws_session_token=settings.session_token or None,
    )
    bound_answers(client)
    return client
