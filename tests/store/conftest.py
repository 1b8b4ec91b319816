"""One SeaweedFS for all store tests, a prefix of its own for each."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from archiver.store import S3Settings
from archiver.store.s3client import S3Timing, make_client
from tests.servers.authority import Authority, make_authority
from tests.servers.seaweed import S3Server, seaweedfs

_numbers = itertools.count()
FAST = S3Timing(connect=2.0, read=5.0, pause=0.01, longest_pause=0.05)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Iterator[S3Server]:
    with seaweedfs(tmp_path_factory.mktemp("weed"), authority=authority) as server:
        yield server


@pytest.fixture(scope="session")
def bucket(s3_server: S3Server) -> str:
    name = "bucket"
    client = make_client(S3Settings(bucket=name, **_access(s3_server)), 1)
    client.create_bucket(Bucket=name)
    client.close()
    return name


@pytest.fixture
def settings(s3_server: S3Server, bucket: str) -> Callable[..., S3Settings]:
    """`settings(...)`: for a fresh prefix of one bucket, with quick retries."""

    def make(**more: Any) -> S3Settings:
        named = {"bucket": bucket, "path": f"pre/fix-{next(_numbers)}", "timing": FAST, **_access(s3_server)}
        return S3Settings(**{**named, **more})

    return make


def _access(server: S3Server) -> dict[str, Any]:
    return {
        "endpoint_url": server.endpoint,
        "access_key": server.access_key,
        "secret_key": server.secret_key,
        "ca_file": str(server.ca_file),
    }


def file_of(folder: Path, data: bytes, name: str = "x.warc.gz") -> tuple[Path, str]:
    """A file and its SHA-256."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path, hashlib.sha256(data).hexdigest()
